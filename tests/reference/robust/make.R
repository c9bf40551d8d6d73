# Makes the input (simulated here; no real person's data) and the reference results for tests/inference/test_robust.py.
#   Rscript make.R        (in this folder; seconds; needs lme4, nlme, clubSandwich, jsonlite)
# Writes sessions.csv and results.json. A case has the parameters that R stopped at (theta as lme4 has it, phi and the
# ratios of residual standard deviations to the first stratum's), so that both programs are compared at the same point.
suppressMessages({library(lme4); library(nlme); library(clubSandwich)})
lmer <- lme4::lmer
set.seed(20240902, kind = "Mersenne-Twister", normal.kind = "Inversion", sample.kind = "Rejection")

# ---- data: 48 persons with 12 therapists in 4 clinics, sessions skipped, some persons gone early; `now` is the therapist
# of the session, who changes within the clinic ----------------------------------------------------------------------
ar1 <- function(n, phi) { e <- rnorm(n); for (t in seq_len(n)[-1]) e[t] <- phi * e[t - 1] + sqrt(1 - phi^2) * e[t]; e }
therapist_of <- sort(c(1:12, sample(12, 36, replace = TRUE, prob = 12:1)))
rows <- lapply(1:48, function(person) {
  s <- which(c(TRUE, runif(11) < 0.75)[seq_len(sample(3:12, 1))])
  data.frame(person, session = s, therapist = therapist_of[person], x = (rnorm(1) + ar1(12, 0.3))[s], e = ar1(12, 0.5)[s])
})
d <- do.call(rbind, rows); n <- nrow(d)
d$clinic <- (d$therapist + 2) %/% 3
d$now <- ifelse(runif(n) < 0.2, 3 * (d$clinic - 1) + sample(3, n, replace = TRUE), d$therapist)
d$arm <- c("a", "b", "a", "b", "a", "b", "a", "b", "a", "b", "c", "a")[d$therapist]      # c: one therapist alone
d$pd <- rbinom(48, 1, 0.4)[d$person]
d$part <- ifelse(d$session <= 3, "early", "late")
d$time <- round(d$session - 1 + runif(n, 0, 0.6), 3)
d$x <- round(5 + d$x, 3)
of <- function(sd, group) rnorm(max(group), 0, sd)[group]
d$y <- round(20 - 0.5 * d$session + (1 + of(0.6, d$person)) * (d$x - 5) + 1.5 * d$pd + of(2, d$person) + of(1, d$now) +
             2 * ifelse(d$part == "late", 1.5, 1) * d$e, 3)
d$e <- NULL
write.csv(d, "sessions.csv", row.names = FALSE, quote = FALSE)
sessions <- read.csv("sessions.csv", stringsAsFactors = TRUE)

# ---- what is kept of a fit ------------------------------------------------------------------------------------------
plain <- function(m) { m <- as.matrix(m); matrix(as.numeric(m), nrow(m)) }
keep <- function(m, cluster, L) {
  one <- function(type) {
    v <- vcovCR(m, cluster = cluster, type = type)
    t <- coef_test(m, vcov = v, test = "Satterthwaite")
    row <- linear_contrast(m, vcov = v, contrasts = matrix(L[1, ], 1), test = "Satterthwaite", level = 0.9)
    joint <- Wald_test(m, constraints = L, vcov = v, test = "HTZ")
    list(vcov = plain(v), df = t$df, p = t$p_Satt, contrast = list(estimate = row$Est, se = row$SE, df = row$df, low = row$CI_L, high = row$CI_U),
         joint = list(F = joint$Fstat, df1 = joint$df_num, df2 = joint$df_denom, p = joint$p_val))
  }
  list(L = L, CR0 = one("CR0"), CR1 = one("CR1"), CR2 = one("CR2"))
}
cases <- list()
case <- function(id, program, formula, method, by, m, L, parameters, residuals = NULL, data = sessions) {
  L <- t(vapply(L, function(row) replace(numeric(length(fixef(m))), abs(row), sign(row)), numeric(length(fixef(m)))))
  cluster <- data[[by]]
  head <- list(id = id, program = program, formula = formula, method = method, by = by, residuals = residuals,
               parameters = parameters, fixef = as.numeric(fixef(m)))
  cases[[id]] <<- c(Filter(Negate(is.null), head), keep(m, cluster, L))
}
tight <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10, maxfun = 1e5), calc.derivs = FALSE)
with_lme4 <- function(id, formula, by, L, method = "REML") {
  m <- lmer(as.formula(formula), sessions, REML = method == "REML", control = tight)
  case(id, "lme4", formula, method, by, m, L, list(theta = getME(m, "theta")))
}
# nlme's random terms as lme4's theta: lower triangles, by columns, of the relative factors, the outermost level first.
theta_of <- function(m) unlist(lapply(rev(m$modelStruct$reStruct), function(s) {
  f <- t(chol(as.matrix(s))); f[lower.tri(f, diag = TRUE)]
}))
with_nlme <- function(id, formula, fixed, random, by, L, correlation = NULL, weights = NULL, residuals = NULL, method = "REML") {
  control <- lmeControl(msTol = 1e-10, tolerance = 1e-9, msMaxIter = 500, maxIter = 500, returnObject = TRUE)
  call <- list(as.name("lme"), as.formula(fixed), data = as.name("sessions"), random = random, method = method, control = control)
  m <- eval(as.call(c(call, correlation = correlation, weights = weights)), globalenv())
  structure <- m$modelStruct
  phi <- if (!is.null(structure$corStruct)) coef(structure$corStruct, unconstrained = FALSE)
  ratios <- if (!is.null(structure$varStruct)) coef(structure$varStruct, unconstrained = FALSE)
  case(id, "nlme", formula, method, by, m, L, list(theta = as.numeric(theta_of(m)), rho = as.numeric(c(phi, ratios))), residuals)
}

# ---- lme4 -------------------------------------------------------------------------------------------------------------
pair <- list(3, 4)                                                        # rows of L by position: x and pd
with_lme4("intercept", "y ~ session + x + pd + (1 | person)", "person", pair)
with_lme4("intercept-ml", "y ~ session + x + pd + (1 | person)", "person", pair, "ML")
with_lme4("intercept-therapist", "y ~ session + x + pd + (1 | person)", "therapist", pair)
with_lme4("slope", "y ~ session + x + pd + (1 + x | person)", "person", pair)
with_lme4("uncorrelated", "y ~ session + x + pd + (1 + x || person)", "person", pair)
with_lme4("moderation", "y ~ session + x * pd + (1 + x | person)", "person", list(3, c(3, 5), 4))
with_lme4("therapist", "y ~ session + x + pd + (1 | person) + (1 | therapist)", "therapist", pair)
with_lme4("therapist-slope", "y ~ session + x + pd + (1 | person) + (1 + x | therapist)", "therapist", pair)
with_lme4("lone-arm", "y ~ session + x + arm + (1 | person) + (1 | therapist)", "therapist", list(3, 4))
with_lme4("crossed", "y ~ session + x + (1 | person) + (1 | now)", "clinic", list(2, 3))

# ---- nlme -------------------------------------------------------------------------------------------------------------
base <- "y ~ session + x + pd"; add <- function(...) paste(c(base, ...), collapse = " + ")
with_nlme("ar1", add("(1 | person)"), base, quote(~ 1 | person), "person", pair,
          quote(corAR1(form = ~ 1 | person)), residuals = list(kind = "ar1", position = "row"))
with_nlme("ar1-gaps", add("(1 | person)"), base, quote(~ 1 | person), "person", pair,
          quote(corAR1(form = ~ session | person)), residuals = list(kind = "ar1", position = "session"))
with_nlme("ar1-slope", add("(1 + x | person)"), base, quote(~ x | person), "person", pair,
          quote(corAR1(form = ~ session | person)), residuals = list(kind = "ar1", position = "session"))
with_nlme("car1", add("(1 | person)"), base, quote(~ 1 | person), "person", pair,
          quote(corCAR1(form = ~ time | person)), residuals = list(kind = "car1", position = "time"))
with_nlme("strata", add("(1 | person)"), base, quote(~ 1 | person), "person", pair,
          weights = quote(varIdent(form = ~ 1 | part)), residuals = list(kind = "independent", variance_by = "part"))
with_nlme("ar1-strata", add("(1 | person)"), base, quote(~ 1 | person), "person", pair,
          quote(corAR1(form = ~ session | person)), quote(varIdent(form = ~ 1 | part)),
          list(kind = "ar1", position = "session", variance_by = "part"))
with_nlme("ar1-therapist", add("(1 | therapist)", "(1 | person)"), base, quote(list(therapist = ~ 1, person = ~ 1)), "therapist", pair,
          quote(corAR1(form = ~ session | therapist/person)), residuals = list(kind = "ar1", position = "session"))

versions <- c(R = as.character(getRversion()), sapply(c("lme4", "nlme", "clubSandwich"), function(p) as.character(packageVersion(p))))
json <- function(x) jsonlite::toJSON(x, auto_unbox = TRUE, digits = I(17), na = "null")
writeLines(c("{", paste0("\"versions\": ", json(as.list(versions)), ","), "\"cases\": [",
             paste(vapply(unname(cases), json, ""), collapse = ",\n"), "]", "}"), "results.json")
