# Fits by nlme, each ended by Newton steps on the marginal likelihood written out here, block by block, since nlme's
# own optimum is right to four or five digits only. nlme is then called once more with the parameters put in and no
# iterations, so that everything kept is nlme's own; its log-likelihood must agree with the one written out.
#
# model: data, fixed, random = list(group = c("~ 1 + xw", "full" or "diagonal"), ..., outermost first),
#        cor = list(position, person) or NULL (correlation phi^|difference of positions|), var = column or NULL.
marginal <- function(model, method) {
  data <- get(model$data); frame <- model.frame(as.formula(model$fixed), data)
  X <- model.matrix(as.formula(model$fixed), data); y <- model.response(frame); n <- length(y); q <- ncol(X)
  terms <- lapply(names(model$random), function(g) {
    list(same = interaction(data[names(model$random)[seq_len(match(g, names(model$random)))]], drop = TRUE),
         Z = model.matrix(as.formula(model$random[[g]][1]), data), full = model$random[[g]][2] == "full")
  })
  outer_group <- if (length(terms)) terms[[1]]$same else if (!is.null(model$cor)) factor(data[[model$cor[2]]]) else factor(seq_len(n))
  levels <- if (!is.null(model$var)) as.character(unique(data[[model$var]]))
  blocks <- lapply(split(seq_len(n), outer_group), function(rows) list(
    rows = rows, X = X[rows, , drop = FALSE], y = y[rows],
    Z = lapply(terms, function(t) list(Z = t$Z[rows, , drop = FALSE], same = outer(t$same[rows], t$same[rows], "=="))),
    gap = if (!is.null(model$cor)) abs(outer(data[[model$cor[1]]][rows], data[[model$cor[1]]][rows], "-")),
    one = if (!is.null(model$cor)) outer(data[[model$cor[2]]][rows], data[[model$cor[2]]][rows], "==")))
  unpack <- function(p) {
    D <- list()
    for (t in terms) {
      k <- ncol(t$Z)
      if (t$full) { l <- matrix(0, k, k); l[lower.tri(l, diag = TRUE)] <- p[seq_len(k * (k + 1) / 2)]; p <- p[-seq_len(k * (k + 1) / 2)]
                    diag(l) <- exp(diag(l)); d <- tcrossprod(l) }
      else { d <- diag(exp(2 * p[seq_len(k)]), k); p <- p[-seq_len(k)] }
      dimnames(d) <- list(colnames(t$Z), colnames(t$Z)); D <- c(D, list(d))
    }
    phi <- NULL
    if (!is.null(model$cor)) { phi <- plogis(p[1]); p <- p[-1] }
    list(D = D, phi = phi, ratio = if (!is.null(levels)) setNames(c(1, exp(p)), levels))
  }
  pack <- function(v) c(unlist(Map(function(d, t) if (t$full) { l <- t(chol(d)); diag(l) <- log(diag(l)); l[lower.tri(l, diag = TRUE)] } else log(diag(d)) / 2, v$D, terms)),
                        if (!is.null(v$phi)) qlogis(v$phi), if (!is.null(v$ratio)) log(v$ratio[levels[-1]]))
  criterion <- function(p, log_sigma = NULL) {         # at the best sigma where none is given
    v <- unpack(p); logdet <- 0; A <- matrix(0, q + 1, q + 1)
    for (b in blocks) {
      R <- if (is.null(v$phi)) diag(length(b$rows)) else ifelse(b$one, v$phi^b$gap, 0)
      if (!is.null(v$ratio)) { s <- v$ratio[as.character(data[[model$var]][b$rows])]; R <- R * outer(s, s) }
      for (t in seq_along(b$Z)) R <- R + (b$Z[[t]]$Z %*% v$D[[t]] %*% t(b$Z[[t]]$Z)) * b$Z[[t]]$same
      u <- chol(R); logdet <- logdet + 2 * sum(log(diag(u)))
      A <- A + crossprod(backsolve(u, cbind(b$X, b$y), transpose = TRUE))
    }
    u <- chol(A); rss <- u[q + 1, q + 1]^2
    free <- if (method == "ML") n else n - q; s2 <- if (is.null(log_sigma)) rss / free else exp(2 * log_sigma)
    free * log(2 * pi * s2) + rss / s2 + logdet + if (method == "ML") 0 else 2 * sum(log(diag(u)[seq_len(q)]))
  }
  # Intervals as intervals() means them, from the curvature over log SDs, log((1 + r) / (1 - r)), logit phi, log ratios
  # and log sigma, with better derivatives than nlme's. Terms of one or two columns.
  intervals <- function(p, sigma) {
    v <- unpack(p); size <- vapply(terms, function(t) ncol(t$Z), 0L); full <- vapply(terms, function(t) t$full, NA) & size == 2
    forth <- c(unlist(Map(function(d, full) c(log(diag(d)) / 2 + log(sigma), if (full) 2 * atanh(d[2] / sqrt(d[1] * d[4]))), v$D, full)),
               if (!is.null(v$phi)) qlogis(v$phi), if (!is.null(v$ratio)) log(v$ratio[-1]), log(sigma))
    back <- function(a) {
      ls <- a[length(a)]; out <- c(); used <- 0
      for (t in seq_along(terms)) {
        s <- exp(a[used + seq_len(size[t])] - ls); used <- used + size[t] + full[t]
        out <- c(out, if (full[t]) { r <- tanh(a[used] / 2); c(log(s[1]), r * s[2], log(s[2] * sqrt(1 - r^2))) } else log(s))
      }
      criterion(c(out, a[-c(seq_len(used), length(a))]), ls)
    }
    h <- numDeriv::hessian(back, unname(forth), method.args = list(eps = 1e-3, d = 0.02, zero.tol = 0.05)) / 2
    end <- outer(sqrt(diag(solve(h))), qnorm(0.975) * c(-1, 1)) + unname(forth); out <- list(); used <- 0
    take <- function(k, f) { used <<- used + k; lapply(seq_len(k), function(i) f(end[used - k + i, ])) }
    for (t in seq_along(terms)) {
      g <- names(model$random)[t]; columns <- colnames(terms[[t]]$Z)
      out$random[[g]] <- setNames(take(size[t], exp), paste0("sd(", columns, ")"))
      if (full[t]) out$random[[g]][[paste0("cor(", columns[1], ",", columns[2], ")")]] <- take(1, function(e) tanh(e / 2))[[1]]
    }
    if (!is.null(v$phi)) out$phi <- take(1, plogis)[[1]]
    if (!is.null(v$ratio)) out$ratio <- setNames(take(length(v$ratio) - 1, exp), names(v$ratio)[-1])
    c(out, list(sigma = take(1, exp)[[1]]))
  }
  list(criterion = criterion, pack = pack, unpack = unpack, intervals = intervals)
}

call_nlme <- function(model, method, at = NULL) {   # at: values to start from and stay at
  args <- list(as.formula(model$fixed), data = as.name(model$data), method = method)
  if (!is.null(model$cor)) {
    within <- paste(c(setdiff(names(model$random), model$cor[2]), model$cor[2]), collapse = "/")
    args$correlation <- call("corCAR1", value = if (is.null(at)) 0.2 else at$phi, form = as.formula(paste("~", model$cor[1], "|", within)))
  }
  if (!is.null(model$var)) {
    args$weights <- if (is.null(at)) call("varIdent", form = as.formula(paste("~ 1 |", model$var)))
                    else call("varIdent", value = at$ratio[-1], form = as.formula(paste("~ 1 |", model$var)))
  }
  own <- list(maxIter = 200, msMaxIter = 500, msMaxEval = 2000, tolerance = 1e-10, msTol = 1e-12, opt = "nlminb")
  stay <- list(maxIter = 1, msMaxIter = 0, msMaxEval = 1, returnObject = TRUE, opt = "nlminb")
  if (!length(model$random)) {
    args$control <- as.call(c(as.name("glsControl"), own[-3]))   # gls cannot stay; from the optimum it moves by 1e-8 at most
    return(eval(as.call(c(as.name("gls"), args)), globalenv()))
  }
  args$random <- lapply(setNames(seq_along(model$random), names(model$random)), function(i) {
    r <- model$random[[i]]; kind <- as.name(if (r[2] == "full") "pdLogChol" else "pdDiag")
    if (is.null(at)) as.call(list(kind, as.formula(r[1]))) else as.call(list(kind, at$D[[i]], form = as.formula(r[1])))
  })
  args$random <- as.call(c(as.name("list"), args$random))
  args$control <- as.call(c(as.name("lmeControl"), c(if (is.null(at)) own else stay, if (!is.null(at)) list(niterEM = 0))))
  eval(as.call(c(as.name("lme"), args)), globalenv())
}

values <- function(m) {
  s <- m$modelStruct
  list(D = if (!is.null(s$reStruct)) rev(lapply(as.list(s$reStruct), as.matrix)),
       phi = if (!is.null(s$corStruct)) unname(coef(s$corStruct, unconstrained = FALSE)),
       ratio = if (!is.null(s$varStruct)) coef(s$varStruct, unconstrained = FALSE, allCoef = TRUE))
}

fit_nlme <- function(model, method) {
  own <- hear(call_nlme(model, method)); f <- marginal(model, method)
  start <- f$pack(values(own))
  r <- nlminb(start, f$criterion, gradient = function(p) numDeriv::grad(f$criterion, p), control = list(rel.tol = 1e-14))
  best <- newton(f$criterion, r$par)
  m <- suppressWarnings(call_nlme(model, method, f$unpack(best$at)))
  stopifnot(max(abs(f$pack(values(m)) - best$at)) < 1e-6)
  ours <- f$criterion(best$at); theirs <- -2 * as.numeric(logLik(m))
  list(m = m, intervals = attempt(f$intervals(best$at, m$sigma)), gradient = best$gradient, default = -2 * as.numeric(logLik(own)) - theirs, check = ours - theirs)
}

keep_nlme <- function(fit, model) {
  m <- fit$m; v <- values(m); b <- fixef_of(m); V <- vcov(m)
  out <- list(columns = ours(names(b)), criterion = -2 * as.numeric(logLik(m)), loglik = as.numeric(logLik(m)), aic = AIC(m), bic = BIC(m), nobs = nobs(m),
              npar = attr(logLik(m), "df"), fixef = named(b), se = named(setNames(sqrt(diag(V)), names(b))), vcov = plain(V), sigma = m$sigma)
  if (length(v$D)) out$varcorr <- unname(Map(function(d, g) list(group = g, names = as.list(colnames(d)), columns = ours(colnames(d)), covariance = plain(d) * m$sigma^2), v$D, names(model$random)))
  if (!is.null(v$phi)) out$phi <- v$phi
  if (!is.null(v$ratio)) out$ratio <- named(v$ratio)
  table <- summary(m)$tTable
  if ("DF" %in% colnames(table)) out$nlme_df <- named(table[, "DF"])
  rows <- function(x) lapply(setNames(seq_len(nrow(x)), rownames(x)), function(i) unname(as.numeric(x[i, c("lower", "upper")])))
  fixed <- intervals(m, which = if (inherits(m, "gls")) "coef" else "fixed")[[1]]
  out$intervals <- c(list(fixef = rows(fixed)), fit$intervals)
  ci <- hear(attempt(intervals(m, level = 0.95)))
  if (!is.null(ci)) out$intervals_nlme <- c(
    if (!is.null(ci$reStruct)) list(random = lapply(ci$reStruct, rows)),
    if (!is.null(ci$corStruct)) list(phi = unname(as.numeric(ci$corStruct[1, c("lower", "upper")]))),
    if (!is.null(ci$varStruct)) list(ratio = rows(ci$varStruct)),
    list(sigma = unname(as.numeric(ci$sigma[c("lower", "upper")]))))
  c(out, list(gradient = fit$gradient, default_excess = fit$default, marginal_difference = fit$check))
}
