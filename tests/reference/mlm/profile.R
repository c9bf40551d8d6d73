# 95 % intervals by profile likelihood (ML) for a fit by lmer, solved for on the profile itself. confint() walks along
# the profile and reads the ends off a spline: right to three or four digits, less where its optimiser gets stuck.
# Parameters, in confint's order: for each random term, column by column, the SD and the correlations with the columns
# after it; then sigma; then the fixed effects. All of them but the one at hand are at their optimum.
profile_ci <- function(m, compare = TRUE) {
  if (isREML(m)) m <- eval(as.call(replace(as.list(getCall(m)), c("REML", "start", "control"), list(FALSE, NULL, quote(tight)))), globalenv())
  before <- said
  theirs <- if (compare) hear(attempt(confint(profile(m, optimizer = "bobyqa", signames = FALSE), level = 0.95)))
  said <<- c(before, if (length(said) > length(before)) paste("confint:", said[seq_along(said) > length(before)]))
  dev <- update(m, devFunOnly = TRUE); pp <- environment(dev)$pp; resp <- environment(dev)$resp
  n <- nobs(m); least <- -2 * as.numeric(logLik(m)); terms <- terms_of(m); s <- sigma(m)
  at_theta <- function(theta) { dev(theta); list(rss = resp$wrss() + pp$sqrL(1), logdet = pp$ldL2()) }
  minimum <- function(starts, f, low, high) {
    control <- list(rel.tol = 1e-14, x.tol = 1e-11, iter.max = 500, eval.max = 2000)
    min(vapply(starts, function(start) {
      for (again in 1:2) { r <- nlminb(start, f, lower = low, upper = high, control = control); start <- r$par }
      r$objective
    }, 0))
  }
  tasks <- list(); name <- function(...) paste0(...)
  for (t in seq_along(terms)) for (j in seq_along(terms[[t]]$names)) {
    k <- length(terms[[t]]$names)
    tasks[[length(tasks) + 1]] <- list(term = t, order = seq_len(k), which = j, sd = TRUE, name = name("sd_", terms[[t]]$names[[j]], "|", terms[[t]]$group))
    for (i in seq_len(k)[-seq_len(j)])
      tasks[[length(tasks) + 1]] <- list(term = t, order = c(j, i, setdiff(seq_len(k), c(i, j))), which = k + 1, sd = FALSE,
                                         name = name("cor_", terms[[t]]$names[[i]], ".", terms[[t]]$names[[j]], "|", terms[[t]]$group))
  }
  ends <- list()
  for (task in c(tasks, list(list(term = 0, which = 0, name = "sigma")))) {
    orders <- lapply(seq_along(terms), function(t) if (t == task$term) task$order else seq_along(terms[[t]]$names))
    here <- c(unlist(Map(function(term, o) to_partial(term$covariance[o, o, drop = FALSE])[c(order(o), seq_len(choose(length(o), 2)) + length(o))], terms, orders)), s)
    is_sd <- c(unlist(lapply(orders, function(o) rep(c(TRUE, FALSE), c(length(o), choose(length(o), 2))))), TRUE)
    size <- lengths(orders); before <- c(0, cumsum(size * (size + 1) / 2))
    at <- if (task$term) before[task$term] + task$which else length(here)
    total <- function(v) {
      theta <- unlist(lapply(seq_along(orders), function(t) {
        o <- orders[[t]]; p <- v[before[t] + seq_len(size[t] * (size[t] + 1) / 2)]
        l <- root(from_partial(p, o)); l[lower.tri(l, diag = TRUE)]
      }))
      s <- v[length(v)]; a <- at_theta(theta / s); a$logdet + a$rss / s^2 + n * log(2 * pi * s^2)
    }
    low <- ifelse(is_sd, 0, -1); low[length(low)] <- s / 100; high <- ifelse(is_sd, Inf, 1)
    starts <- list(here[-at], ifelse(is_sd, pmax(here, 0.2 * s), here / 2)[-at])   # the second one away from zero, where slopes vanish
    over <- function(v) minimum(starts, function(p) total(append(p, v, at - 1)), low[-at], high[-at]) - least - qchisq(0.95, 1)
    bounds <- if (task$name == "sigma") c(s / 100, Inf) else c(low[at], high[at])
    ends[[task$name]] <- c(end(over, here[at], bounds[1]), end(over, here[at], bounds[2]))
  }
  for (k in seq_along(fixef(m))) {
    f <- function(v) function(p) { a <- at_theta(p); a$logdet + n * (1 + log(2 * pi * (a$rss + (v - pp$beta(1)[k])^2 / pp$unsc()[k, k]) / n)) }
    theta <- getME(m, "theta"); starts <- list(theta, ifelse(getME(m, "lower") == 0, pmax(theta, 0.3), theta))
    over <- function(v) minimum(starts, f(v), getME(m, "lower"), Inf) - least - qchisq(0.95, 1)
    b <- fixef(m)[[k]]; se <- sqrt(vcov(m)[k, k])
    ends[[names(fixef(m))[k]]] <- c(end(over, b, -Inf, se), end(over, b, Inf, se))
  }
  list(ends = ends, confint = if (!is.null(theirs) && !all(is.na(theirs[names(ends) == "sigma", ]))) interval(theirs))
}

# Where `over` crosses zero between `best` and `bound`; the bound itself where it does not.
end <- function(over, best, bound, step = 0.3 * max(abs(best), 0.1)) {
  if (is.finite(bound)) {
    if (over(bound) <= 0) return(bound)
    ends <- sort(c(best, bound))
  } else {
    side <- sign(bound); far <- best + side * step
    while (over(far) < 0) { step <- 1.6 * step; far <- best + side * step }
    ends <- sort(c(best, far))
  }
  r <- uniroot(over, ends, tol = 1e-9 * diff(ends)); r$root
}

# SDs and partial correlations of a covariance matrix, and back; `o` is the order of the columns the partials are in.
to_partial <- function(v) {
  s <- sqrt(diag(v)); l <- root(v); k <- length(s); p <- c()
  for (j in seq_len(k - 1)) for (i in (j + 1):k) {
    rest <- sqrt(max(0, v[i, i] - sum(l[i, seq_len(j - 1)]^2)))
    p <- c(p, if (rest > 1e-8 * max(s)) max(-1, min(1, l[i, j] / rest)) else 0)
  }
  c(s, p)
}
from_partial <- function(p, o) {
  k <- length(o); l <- diag(k); used <- k
  for (j in seq_len(k - 1)) for (i in (j + 1):k) {
    used <- used + 1; rest <- sqrt(max(0, 1 - sum(l[i, seq_len(j - 1)]^2))); l[i, j] <- p[used] * rest
  }
  for (i in seq_len(k)) l[i, i] <- sqrt(max(0, 1 - sum(l[i, seq_len(i - 1)]^2)))
  v <- tcrossprod(l); v <- v[order(o), order(o), drop = FALSE]
  s <- p[seq_len(k)]; v * outer(s, s)
}
root <- function(v) {                               # Cholesky factor, also where v is singular
  k <- nrow(v); l <- matrix(0, k, k)
  for (j in seq_len(k)) {
    d <- v[j, j] - sum(l[j, seq_len(j - 1)]^2)
    if (d > 1e-15 * max(v[j, j], 1e-300)) { l[j, j] <- sqrt(d); for (i in seq_len(k)[-seq_len(j)]) l[i, j] <- (v[i, j] - sum(l[i, seq_len(j - 1)] * l[j, seq_len(j - 1)])) / l[j, j] }
  }
  l
}
