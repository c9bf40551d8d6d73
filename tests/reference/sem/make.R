# Makes the data and the reference results for panel structural equation models: README.md says what is in them.
#   Rscript make.R [wage_data.csv]      (in this folder; needs lavaan and jsonlite; wage_data.csv is not part of the
#                                        project: without it the cases dpm_equal ... dpm_same_wave_free are left out)
# Writes *.csv and results.json. The CSV files are written first, and lavaan fits what read.csv gives back.
suppressPackageStartupMessages(library(lavaan))
arguments <- commandArgs(trailingOnly = TRUE)
wage_path <- if (length(arguments)) arguments[1] else "../../../../shared/reference/wage_data.csv"
lines <- function(...) paste(c(...), collapse = "\n")
plus <- function(...) paste(..., collapse = " + ")

# ---- the data --------------------------------------------------------------------------------------------------------
set.seed(20240705, kind = "Mersenne-Twister", normal.kind = "Inversion", sample.kind = "Rejection")

covariance <- function(sd, r) diag(sd) %*% (if (length(r) == 1) `diag<-`(matrix(r, length(sd), length(sd)), 1) else r) %*% diag(sd)
tailed <- function(n, V, df = 6) matrix(rt(n * ncol(V), df) / sqrt(df / (df - 2)), n) %*% chol(V)     # heavier tails than normal
normal <- function(n, V) matrix(rnorm(n * ncol(V)), n) %*% chol(V)
# An array person x wave x variable of within parts: first wave with covariance V1, then B times the last wave plus
# residuals with covariance V. B[to, from].
within_parts <- function(n, waves, B, V1, V) {
  w <- array(dim = c(n, waves, ncol(B)))
  w[, 1, ] <- tailed(n, V1)
  for (t in 2:waves) w[, t, ] <- w[, t - 1, ] %*% t(B) + tailed(n, V)
  w
}
B <- matrix(c(0.35, -0.60, -0.025, 0.30), 2)                     # x = alliance (about 5, SD 1), y = symptoms (about 18, SD 6)
V1 <- covariance(c(0.8, 4), -0.3); V <- covariance(c(0.7, 3.5), -0.2); between <- covariance(c(0.7, 4.5), -0.4)
sessions <- function(n, waves, B, shift = 0) {                   # a person's own level, the mean of the wave, the within part
  w <- within_parts(n, waves, B, V1, V); level <- sweep(tailed(n, between, 8), 2, c(5, 18), "+") + shift
  for (t in 1:waves) w[, t, ] <- w[, t, ] + level + rep(c(0.04, -0.25) * (t - 1), each = n)
  list(x = w[, , 1], y = w[, , 2])
}
# Sessions skipped (both variables or one of them missing, at random) and people gone for good after a session: the more
# likely, the lower their last observed symptoms (missing at random). The last `never` persons have no value at all.
thin <- function(d, alone, both, gone, never = 0) {
  n <- nrow(d$x); waves <- ncol(d$x); skip <- matrix(runif(n * waves) < both, n)
  for (v in names(d)) d[[v]][skip | runif(n * waves) < alone] <- NA
  last <- ifelse(is.na(d$y[, 1]), 18, d$y[, 1]); left <- rep(FALSE, n)
  for (t in 2:waves) {
    left <- left | runif(n) < plogis(qlogis(gone) - (last - 18) / 6)
    for (v in names(d)) d[[v]][left, t] <- NA
    last <- ifelse(is.na(d$y[, t]), last, d$y[, t])
  }
  if (never) for (v in names(d)) d[[v]][n + 1 - seq_len(never), ] <- NA
  d
}
wide <- function(d, digits) do.call(cbind, lapply(names(d), function(v)
  `colnames<-`(round(d[[v]], digits[[v]]), paste0(v, seq_len(ncol(d[[v]]))))))
data <- list()
put <- function(name, d) {                                       # to the file, and back as it is in the file
  write.csv(cbind(person = seq_len(nrow(d)), as.data.frame(d)), paste0(name, ".csv"), row.names = FALSE, quote = FALSE, na = "")
  data[[name]] <<- read.csv(paste0(name, ".csv"))
}
digits <- c(x = 3, y = 2, z = 2)

put("complete", wide(sessions(300, 5, B), digits))

z1 <- rbinom(400, 1, 0.4)                                        # e.g. personality problems
z2 <- round(0.5 * z1 + rnorm(400), 2)                            # z2m is z2 with values missing at random given z1
d <- sessions(400, 6, B); d$x <- d$x - 0.4 * z1 + 0.15 * z2; d$y <- d$y + 2 * z1 + z2
d <- thin(d, alone = 0.04, both = 0.06, gone = 0.12, never = 3)
put("dropout", cbind(wide(d, digits), z1, z2, z2m = ifelse(runif(400) < ifelse(z1 == 1, 0.25, 0.10), NA, z2)))

a <- thin(sessions(180, 4, B), 0.03, 0.05, 0.08)
b <- thin(sessions(140, 4, B * c(1, 0.3, 0.3, 1.4), shift = 0.3), 0.03, 0.05, 0.08)
put("groups", data.frame(group = rep(c("a", "b"), c(180, 140)), rbind(wide(a, digits), wide(b, digits))))

B3 <- matrix(c(0.35, -0.60, 0.10, -0.025, 0.30, 0.00, 0.08, -0.40, 0.40), 3)
r3 <- matrix(c(1, -0.3, 0.2, -0.3, 1, -0.1, 0.2, -0.1, 1), 3)
w <- within_parts(250, 4, B3, covariance(c(0.8, 4, 1.2), r3), covariance(c(0.7, 3.5, 1), r3))
level <- sweep(tailed(250, covariance(c(0.7, 4.5, 1), r3), 8), 2, c(5, 18, 10), "+")
put("third", wide(lapply(c(x = 1, y = 2, z = 3), function(v) w[, , v] + level[, v]), digits))

items <- paste0(rep(c("x", "y"), each = 3), c("a", "b", "c"))    # items xa, xb, xc of x and ya, yb, yc of y
w <- within_parts(400, 4, matrix(c(0.4, -0.25, -0.15, 0.35), 2), covariance(c(1, 1), -0.3), covariance(c(0.9, 0.9), -0.2))
r6 <- matrix(-0.2, 6, 6); r6[1:3, 1:3] <- r6[4:6, 4:6] <- 0.6; diag(r6) <- 1
level <- normal(400, covariance(rep(0.8, 6), r6))
loading <- c(1, 0.8, 1.1, 1, 1.2, 0.7)
put("indicators", wide(lapply(setNames(1:6, items), function(i)
  3 + 0.2 * i + level[, i] + loading[i] * w[, , 1 + (i > 3)] + matrix(rnorm(1600, 0, 0.6), 400)), setNames(rep(3, 6), items)))

n <- 300; alpha <- rnorm(n); w <- rbinom(n, 1, 0.5); x <- y <- z <- matrix(nrow = n, ncol = 5)
x[, 1] <- 0.4 * alpha + rnorm(n); z[, 1] <- 0.5 * alpha + 0.3 * x[, 1] + rnorm(n); y[, 1] <- alpha + 0.5 * x[, 1] + rnorm(n)
for (t in 2:5) {                                                 # x answers to the last y: predetermined, not strictly exogenous
  x[, t] <- 0.4 * x[, t - 1] + 0.2 * y[, t - 1] + 0.3 * alpha + rnorm(n)
  z[, t] <- 0.5 * z[, t - 1] + 0.3 * alpha + rnorm(n)
  y[, t] <- 0.3 * y[, t - 1] + 0.4 * x[, t - 1] - 0.3 * z[, t - 1] + 0.5 * w + alpha + 0.1 * t + tailed(n, matrix(1))
}
left <- sample(c(2:4, rep(5, 9)), n, replace = TRUE)             # the last session of each, then sessions and values skipped
cut <- function(v) { v[col(v) > left | runif(length(v)) < 0.06] <- NA; v }
d <- wide(list(y = cut(y), x = cut(x), z = cut(z)), c(x = 3, y = 3, z = 3))
w[runif(n) < 0.04] <- NA
put("dpm", cbind(d, w))

# ---- the models, as lavaan writes them -------------------------------------------------------------------------------
# RI-CLPM: intercepts of the observed variables are free by the option int.ov.free (unless means = "equal"); no variance
# or covariance is there that is not written, since lavaan() adds none. Residuals of the observed variables are zero.
# Without random intercepts it is the CLPM. Settings are kept with each case.
lag_terms <- function(variables, t, label) sapply(variables, function(to) paste0("w", to, t, " ~ ", plus(sapply(variables, function(from)
  paste0(label(paste0(to, "_", from)), "w", from, t - 1)))))     # y_x: the lag of y on the x of the wave before
pairs_of <- function(names, labels = rep("", length(names))) {   # all variances and covariances of names, equal if labelled
  unlist(lapply(seq_along(names), function(i) lapply(i:length(names), function(j)
    paste0(names[i], " ~~ ", if (nzchar(labels[i])) paste0("v_", labels[i], labels[j], "*"), names[j]))))
}
riclpm <- function(variables, waves, lags, random_intercepts = TRUE, residuals = "free", means = "free", covariates = NULL,
                   group = NULL, lags_across_groups = "free") {
  wave <- 1:waves; random <- paste0("RI", variables); across <- outer(variables, wave, paste0)
  label <- if (lags == "free") function(lag) "" else if (is.null(group)) function(lag) paste0(lag, "*") else
    if (lags_across_groups == "free") function(lag) sprintf("c(%s.a, %s.b)*", lag, lag) else function(lag) sprintf("c(%s, %s)*", lag, lag)
  lines(
    if (random_intercepts) c(sapply(variables, function(v) paste0("RI", v, " =~ ", plus(paste0("1*", v, wave)))), pairs_of(random)),
    if (!is.null(covariates)) c(paste0(random, " ~ ", plus(covariates)), pairs_of(covariates)),
    paste0("w", across, " =~ 1*", across), paste0(across, " ~~ 0*", across),
    sapply(2:waves, function(t) lag_terms(variables, t, label)),
    pairs_of(paste0("w", variables, 1)),
    sapply(2:waves, function(t) pairs_of(paste0("w", variables, t), if (residuals == "equal") variables else rep("", length(variables)))),
    if (means == "equal") outer(variables, wave, function(v, t) paste0(v, t, " ~ m_", v, "*1")))
}
# Three items a factor; every item has its own random intercept over waves.
riclpm_items <- function(variables, waves, items) {
  all <- paste0(rep(variables, each = length(items)), items); wave <- 1:waves; across <- outer(all, wave, paste0)
  loads <- function(v, t) paste0("w", v, t, " =~ ", plus(paste0(c("1*", paste0("l_", v, items[-1], "*")), v, items, t)))
  lines(
    sapply(all, function(i) paste0("RI", i, " =~ ", plus(paste0("1*", i, wave)))), pairs_of(paste0("RI", all)),
    sapply(wave, function(t) sapply(variables, loads, t)), paste0(across, " ~~ ", across),
    sapply(2:waves, function(t) lag_terms(variables, t, function(lag) paste0(lag, "*"))),
    sapply(wave, function(t) pairs_of(paste0("w", variables, t))))
}
# Dynamic panel model: y_t on y_{t-1}, lagged predetermined `pre`, lagged strictly exogenous `exo`, time-invariant `fixed`.
dpm <- function(y, waves, pre = NULL, exo = NULL, fixed = NULL, errors = "free", same_wave = FALSE) {
  used <- 1:(waves - 1); lagged <- c(pre, exo); given <- c(paste0(y, 1), paste0(rep(lagged, each = waves - 1), used))
  equation <- function(t) paste0(y, t, " ~ ", plus(c(paste0("b_", c(y, lagged), "*", c(y, lagged), t - 1), if (!is.null(fixed)) paste0("b_", fixed, "*", fixed))))
  ahead <- function(t, v) { s <- used[if (same_wave) used >= t else used > t]; if (length(s)) paste0(y, t, " ~~ ", plus(paste0(v, s))) }
  lines(
    sapply(2:waves, equation),
    paste0("alpha =~ ", plus(paste0("1*", y, 2:waves))), "alpha ~~ alpha", paste0("alpha ~~ ", given),
    if (!is.null(fixed)) paste0("alpha ~~ 0*", fixed),
    pairs_of(c(given, fixed)),
    unlist(lapply(pre, function(v) lapply(2:waves, ahead, v))),
    paste0(y, 2:waves, " ~~ ", if (errors == "equal") "v_e*", y, 2:waves))
}

# ---- fits ------------------------------------------------------------------------------------------------------------
said <- character()
quietly <- function(expression) withCallingHandlers(expression, warning = function(w) {
  said <<- c(said, gsub("\\s+", " ", conditionMessage(w))); invokeRestart("muffleWarning")
})
# How far Newton's step would still move any estimate, in standard errors. lavaan's gradient is per person.
distance <- function(fit) {
  V <- vcov(fit); step <- V %*% lavInspect(fit, "gradient.logl"); se <- sqrt(diag(V)); lavInspect(fit, "ntotal") * max(abs(step / se)[se > 0])
}
# All as lavaan by itself, but the EM of the saturated model goes on for longer than to em.h1.tol 1e-5.
fit_lavaan <- function(model, d, estimator, missing, information, group) quietly(lavaan(
  model, d, estimator = estimator, missing = missing, information = information, observed.information = "hessian",
  group = group, meanstructure = TRUE, int.ov.free = TRUE, fixed.x = FALSE, em.h1.tol = 1e-12, em.h1.iter.max = 20000))

plain <- c("logl", "unrestricted.logl", "npar", "chisq", "df", "pvalue", "baseline.chisq", "baseline.df", "cfi", "tli",
           "rmsea", "rmsea.ci.lower", "rmsea.ci.upper", "rmsea.pvalue", "srmr", "aic", "bic",
           "cfi.robust", "tli.robust", "rmsea.robust")             # the last three with missing values only
scaled <- c("chisq.scaled", "df.scaled", "pvalue.scaled", "chisq.scaling.factor", "scaling.factor.h0", "scaling.factor.h1",
            "baseline.chisq.scaled", "baseline.df.scaled", "baseline.chisq.scaling.factor", "cfi.scaled", "tli.scaled",
            "rmsea.scaled", "rmsea.ci.lower.scaled", "rmsea.ci.upper.scaled", "rmsea.pvalue.scaled", "cfi.robust",
            "tli.robust", "rmsea.robust", "rmsea.ci.lower.robust", "rmsea.ci.upper.robust", "rmsea.pvalue.robust")
measures <- function(fit, names) { m <- quietly(fitMeasures(fit)); as.list(unclass(m)[intersect(names, names(m))]) }
table_of <- function(ml, mlr) {
  columns <- function(fit) {
    p <- as.data.frame(parTable(fit)); p <- p[p$op %in% c("=~", "~", "~~", "~1"), ]
    s <- as.data.frame(quietly(standardizedSolution(fit)))
    stopifnot(nrow(p) == nrow(s), p$lhs == s$lhs, p$op == s$op, p$rhs == s$rhs)
    cbind(p, std = s$est.std, std_se = s$se)
  }
  p <- columns(ml); q <- columns(mlr)
  stopifnot(abs(p$est - q$est) <= 1e-6 * p$se | p$se == 0 & p$est == q$est)
  list(lhs = p$lhs, op = p$op, rhs = p$rhs, label = p$label, group = p$group, free = as.integer(p$free > 0), est = p$est,
       se = p$se, se_robust = q$se, std = p$std, std_se = p$std_se, std_se_robust = q$std_se)
}
cases <- list(); fits <- list()
case <- function(id, file, df, settings, model = riclpm, name = "riclpm", missing = "listwise", information = NULL) {
  said <<- character(); began <- proc.time()[[3]]
  d <- if (file == "shared:wage_data.csv") wage else data[[file]]
  if (is.null(information)) information <- if (missing == "ml") "observed" else "expected"
  syntax <- do.call(model, settings)
  ml <- fit_lavaan(syntax, d, "ML", missing, information, settings$group)
  mlr <- fit_lavaan(syntax, d, "MLR", missing, "observed", settings$group)
  stopifnot(lavInspect(ml, "converged"), lavInspect(mlr, "converged"), fitMeasures(ml, "df") == df)
  o <- lavInspect(mlr, "options"); p <- lavInspect(ml, "patterns"); nobs <- unname(unlist(lavInspect(ml, "nobs")))
  result <- list(
    id = id, data = if (grepl(":", file)) file else paste0(file, ".csv"), model = name,
    settings = lapply(settings, function(v) if (length(v) > 1) I(v) else v), missing = missing, information = information,
    mlr_options = o[c("se", "test", "information", "observed.information", "h1.information")],
    rows = nrow(d), nobs = I(nobs), patterns = if (missing == "ml") I(if (is.list(p)) unname(vapply(p, nrow, 1L)) else nrow(p)),
    admissible = quietly(lavInspect(ml, "post.check")), distance = distance(ml),
    ml = measures(ml, plain), mlr = measures(mlr, scaled), parameters = table_of(ml, mlr))
  result$mlr_options <- lapply(result$mlr_options, `[`, 1); result$warnings <- I(unique(said))
  cases[[id]] <<- result[lengths(result) > 0 | names(result) == "warnings"]; fits[[id]] <<- list(ML = ml, MLR = mlr)
  cat(sprintf("%-20s df %3d chisq %9.4f scaled %9.4f n %s distance %.0e %5.1fs\n", id, df, result$ml$chisq, result$mlr$chisq.scaled,
              paste(nobs, collapse = "+"), result$distance, proc.time()[[3]] - began))
  for (text in unique(said)) cat("    ", text, "\n")
}

xy <- function(waves, ...) list(variables = c("x", "y"), waves = waves, ...)
case("complete_free", "complete", 21, xy(5, lags = "free"))
case("complete_equal", "complete", 33, xy(5, lags = "equal"))
case("dropout_free", "dropout", 37, xy(6, lags = "free"), missing = "ml")
case("dropout_equal", "dropout", 53, xy(6, lags = "equal"), missing = "ml")
case("equal_all", "dropout", 75, xy(6, lags = "equal", residuals = "equal", means = "equal"), missing = "ml")
case("clpm_free", "dropout", 40, xy(6, lags = "free", random_intercepts = FALSE), name = "clpm", missing = "ml")
case("clpm_equal", "dropout", 56, xy(6, lags = "equal", random_intercepts = FALSE), name = "clpm", missing = "ml")
case("covariate", "dropout", 73, xy(6, lags = "equal", covariates = c("z1", "z2")), missing = "ml")
case("covariate_missing", "dropout", 73, xy(6, lags = "equal", covariates = c("z1", "z2m")), missing = "ml")
case("group_free", "groups", 34, xy(4, lags = "equal", group = "group", lags_across_groups = "free"), missing = "ml")
case("group_equal", "groups", 38, xy(4, lags = "equal", group = "group", lags_across_groups = "equal"), missing = "ml")
case("group_clpm", "groups", 40, xy(4, lags = "equal", random_intercepts = FALSE, group = "group", lags_across_groups = "free"), name = "clpm", missing = "ml")
case("third", "third", 39, list(variables = c("x", "y", "z"), waves = 4, lags = "equal"))
case("indicators", "indicators", 235, xy(4, items = c("a", "b", "c")), model = riclpm_items, name = "riclpm_items")

dynamic <- function(id, df, settings, file = "shared:wage_data.csv", ...)
  case(id, file, df, settings, model = dpm, name = "dpm", information = "observed", ...)
if (file.exists(wage_path)) {
  long <- read.csv(wage_path); long <- long[order(long$id, long$t), ]
  wage <- reshape(long, direction = "wide", idvar = "id", timevar = "t", v.names = c("wks", "lwage", "union"), sep = "")
  weeks <- function(...) list(y = "wks", waves = 7, pre = "union", exo = "lwage", fixed = "ed", ...)
  dynamic("dpm_equal", 76, weeks(errors = "equal"))
  dynamic("dpm_free", 71, weeks(errors = "free"))
  dynamic("dpm_lwage", 37, list(y = "lwage", waves = 7, pre = "union", errors = "free"))
  dynamic("dpm_same_wave", 71, weeks(errors = "equal", same_wave = TRUE))
  dynamic("dpm_same_wave_free", 66, weeks(errors = "free", same_wave = TRUE))
}
dynamic("dpm_missing", 29, list(y = "y", waves = 5, pre = "x", exo = "z", fixed = "w", errors = "free"), file = "dpm", missing = "ml")

# ---- tests of differences: the larger model first ----------------------------------------------------------------------
lrt <- list()
for (pair in list(c("complete_free", "complete_equal"), c("dropout_free", "dropout_equal"), c("dropout_equal", "equal_all"),
                  c("clpm_free", "clpm_equal"), c("group_free", "group_equal"))) for (estimator in c("ML", "MLR")) {
  method <- if (estimator == "ML") "standard" else "satorra.bentler.2001"
  test <- quietly(if (estimator == "ML") lavTestLRT(fits[[pair[1]]]$ML, fits[[pair[2]]]$ML) else
    lavTestLRT(fits[[pair[1]]]$MLR, fits[[pair[2]]]$MLR, method = method))
  lrt <- c(lrt, list(list(large = pair[1], small = pair[2], estimator = estimator, method = method,
                          chisq_diff = test[2, "Chisq diff"], df_diff = test[2, "Df diff"], p = test[2, "Pr(>Chisq)"])))
  cat(sprintf("%s / %s %s: %.4f, df %d, p %.5f\n", pair[1], pair[2], estimator, test[2, "Chisq diff"], as.integer(test[2, "Df diff"]), test[2, "Pr(>Chisq)"]))
}

# ---- results.json: a case a line -----------------------------------------------------------------------------------------
json <- function(value) as.character(jsonlite::toJSON(value, auto_unbox = TRUE, digits = I(13), na = "null", null = "null"))
each_line <- function(name, values) sprintf('"%s": [\n%s\n]', name, paste(vapply(unname(values), json, ""), collapse = ",\n"))
versions <- list(R = as.character(getRversion()), lavaan = as.character(packageVersion("lavaan")), jsonlite = as.character(packageVersion("jsonlite")))
writeLines(sprintf('{\n"versions": %s,\n%s,\n%s\n}', json(versions), each_line("cases", cases), each_line("lrt", lrt)), "results.json")
