# What make.R keeps of a fit by lme4 and by nlme, and how both are brought to a tighter optimum than their own.
suppressMessages({library(lme4); library(lmerTest); library(nlme); library(pbkrtest); library(clubSandwich)})
lmer <- lme4::lmer

said <- character()                                 # warnings and messages of the case at hand
hear <- function(expr) withCallingHandlers(expr, warning = function(w) { said <<- c(said, conditionMessage(w)); invokeRestart("muffleWarning") },
                                           message = function(m) { said <<- c(said, trimws(conditionMessage(m))); invokeRestart("muffleMessage") })
attempt <- function(expr) tryCatch(expr, error = function(e) { said <<- c(said, paste("failed:", conditionMessage(e))); NULL })
plain <- function(m) { m <- as.matrix(m); matrix(as.numeric(m), nrow(m)) }
named <- function(v) as.list(setNames(as.numeric(v), names(v)))
off_diagonal <- function(m) m[lower.tri(m)]

# Newton steps from `at` for a smooth criterion, with Richardson derivatives; parameters at their lower bound stay there.
newton <- function(f, at, low = rep(-Inf, length(at))) {
  at[at - low < 1e-5] <- low[at - low < 1e-5]
  free <- which(at > low)
  if (!length(free)) return(list(at = at, gradient = 0))
  wide <- list(eps = 1e-3, d = 1e-3, zero.tol = 0.1)  # the default steps drown small parameters in rounding
  g <- function(p) numDeriv::grad(function(q) f(replace(at, free, q)), p, method.args = wide)
  p <- at[free]; now <- g(p)
  for (step in 1:8) {
    h <- numDeriv::hessian(function(q) f(replace(at, free, q)), p)
    move <- tryCatch(p - solve(h, now), error = function(e) p)
    if (any(move <= low[free]) || f(replace(at, free, move)) > f(replace(at, free, p)) + 1e-8) break
    then <- g(move)
    if (max(abs(then)) >= max(abs(now))) break
    p <- move; now <- then
  }
  list(at = replace(at, free, p), gradient = max(abs(now)))
}

# ---- lme4 ------------------------------------------------------------------------------------------------------
tight <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10, maxfun = 1e5), calc.derivs = FALSE, check.conv.singular = "ignore")
still <- lmerControl(optimizer = NULL, calc.derivs = FALSE, check.conv.singular = "ignore")

fit_lmer <- function(formula, data, method, scale = 1) {    # scale: of theta, where it is far from 1
  start <- NULL
  if (length(scale) > 1) start <- scale
  call <- list(as.name("lmer"), as.formula(formula), data = as.name(data), REML = method == "REML", control = quote(tight))
  own <- suppressMessages(suppressWarnings(eval(as.call(replace(call, "control", list(quote(lmerControl())))), globalenv())))
  m <- eval(as.call(c(call, start = list(start))), globalenv())
  dev <- update(m, devFunOnly = TRUE)
  best <- newton(function(p) dev(p * scale), getME(m, "theta") / scale, getME(m, "lower"))
  m <- eval(as.call(c(replace(call, "control", list(quote(still))), start = list(best$at * scale))), globalenv())
  list(m = m, scale = scale, gradient = best$gradient, default = unname(criterion(own) - criterion(m)))
}
criterion <- function(m) if (isREML(m)) REMLcrit(m) else -2 * as.numeric(logLik(m))

terms_of <- function(m) unname(Map(function(v, name) list(group = name, names = as.list(colnames(v)), columns = ours(colnames(v)), covariance = plain(v)),
                                   VarCorr(m), sub("\\.[0-9]+$", "", names(VarCorr(m)))))
effects_of <- function(m) lapply(ranef(m, condVar = TRUE), function(table) {
  post <- attr(table, "postVar")
  sds <- if (is.list(post)) do.call(cbind, lapply(post, function(a) t(matrix(apply(a, 3, function(v) sqrt(diag(as.matrix(v)))), ncol = dim(a)[3]))))
         else t(matrix(apply(post, 3, function(v) sqrt(diag(as.matrix(v)))), ncol = dim(post)[3]))
  first <- seq_len(min(5, nrow(table)))
  list(levels = as.list(rownames(table)[first]), names = as.list(names(table)), mode = plain(table[first, , drop = FALSE]), sd = plain(sds[first, , drop = FALSE]))
})
t_table <- function(m, ddf) {
  s <- summary(m, ddf = ddf)$coefficients
  if (any(grepl("Unable to compute Kenward", said))) stop("no Kenward-Roger")   # lmerTest would give Satterthwaite's
  list(se = named(s[, "Std. Error"]), df = named(s[, "df"]), t = named(s[, "t value"]), p = named(s[, "Pr(>|t|)"]))
}
interval <- function(ci) lapply(setNames(seq_len(nrow(ci)), rownames(ci)), function(i) unname(as.numeric(ci[i, ])))

keep_lmer <- function(fit, private, profiled, ddf = TRUE) {
  m <- fit$m
  out <- list(columns = ours(names(fixef(m))), criterion = unname(criterion(m)), loglik = as.numeric(logLik(m)), aic = AIC(m), bic = BIC(m), nobs = nobs(m), npar = attr(logLik(m), "df"),
              fixef = named(fixef(m)), se = named(setNames(sqrt(diag(as.matrix(vcov(m)))), names(fixef(m)))), vcov = plain(vcov(m)),
              sigma = sigma(m), theta = as.list(unname(getME(m, "theta"))), groups = as.list(ngrps(m)), varcorr = terms_of(m), singular = any((getME(m, "theta") / fit$scale)[getME(m, "lower") == 0] < 1e-4),
              gradient = fit$gradient, default_excess = fit$default)
  if (!private) out <- c(out, list(ranef = effects_of(m), fitted = unname(fitted(m)[1:5])))
  if (ddf) {
    t <- hear(attempt(as_lmerModLmerTest(m)))
    if (!is.null(t)) {
      out$satterthwaite <- hear(attempt(t_table(t, "Satterthwaite")))
      if (isREML(m)) out$kr <- hear(attempt(t_table(t, "Kenward-Roger")))
    }
  }
  out$wald <- interval(confint(m, parm = "beta_", method = "Wald"))
  if (profiled != "no") out$profile <- profile_ci(m, profiled == "both")
  out
}

# ---- tests of contrasts -------------------------------------------------------------------------------------------
keep_contrasts <- function(m, L) {
  t <- as_lmerModLmerTest(m)
  f <- function(kind) { r <- contestMD(t, L, ddf = kind); list(F = r[["F value"]], ndf = r$NumDF, ddf = r$DenDF, p = r[["Pr(>F)"]]) }
  out <- list(L = L, satterthwaite = f("Satterthwaite"))
  if (isREML(m)) {
    out$kr <- f("Kenward-Roger")
    k <- KRmodcomp(m, L)$test["Ftest", ]
    out$krmodcomp <- list(F = k$stat, ndf = k$ndf, ddf = k$ddf, scaling = k$F.scaling, p = k$p.value)
  }
  if (nrow(L) == 1) {
    one <- function(kind) { r <- contest1D(t, L, ddf = kind); list(estimate = r$Estimate, se = r[["Std. Error"]], df = r$df, t = r[["t value"]]) }
    out$satterthwaite <- c(out$satterthwaite, one("Satterthwaite"))
    if (isREML(m)) out$kr <- c(out$kr, one("Kenward-Roger"))
  }
  out
}

# ---- clubSandwich ---------------------------------------------------------------------------------------------------
keep_robust <- function(m, cluster) {
  coefficient <- fixef_of(m)
  one <- function(type) {
    v <- vcovCR(m, cluster = cluster, type = type); t <- coef_test(m, vcov = v, test = "Satterthwaite")
    name <- function(x) named(setNames(x, names(coefficient)))
    list(vcov = plain(v), se = name(t$SE), df = name(t$df), t = name(t$tstat), p = name(t$p_Satt))
  }
  list(fixef = named(coefficient), CR2 = one("CR2"), CR0_se = named(setNames(sqrt(diag(vcovCR(m, cluster = cluster, type = "CR0"))), names(coefficient))))
}
fixef_of <- function(m) if (inherits(m, "gls")) coef(m) else fixef(m)
