# Parametric bootstrap of two fits by lme4, for tests/inference/test_bootstrap.py: how estimates spread in bootMer.
#   Rscript bootstrap.R          (in this folder; a few minutes; reads ../mlm/*.csv, writes bootstrap.json)
suppressMessages(library(lme4))
set.seed(20250101)
replicates <- 4000
shares <- c(0.05, 0.25, 0.5, 0.75, 0.95)

estimates <- function(m) {
  v <- as.data.frame(VarCorr(m), order = "lower.tri")
  c(setNames(v$sdcor, NULL), fixef(m))
}
spread <- function(m, names) {
  b <- bootMer(m, estimates, nsim = replicates, type = "parametric")
  stopifnot(!anyNA(b$t))
  lapply(setNames(seq_along(names), names), function(i)
    list(mean = mean(b$t[, i]), sd = sd(b$t[, i]), zero = mean(abs(b$t[, i]) < 1e-4), quantiles = unname(quantile(b$t[, i], shares))))
}
quiet <- lmerControl(calc.derivs = FALSE, check.conv.singular = "ignore")
dyestuff <- read.csv("../mlm/dyestuff.csv"); sessions <- read.csv("../mlm/sessions.csv")
out <- list(
  versions = list(R = as.character(getRversion()), lme4 = as.character(packageVersion("lme4"))),
  replicates = replicates, shares = shares,
  dyestuff = spread(lmer(y ~ 1 + (1 | batch), dyestuff, control = quiet), c("sd_(Intercept)|batch", "sigma", "(Intercept)")),
  slope = spread(lmer(y ~ session + xw + (1 + xw | person), sessions, control = quiet),
                 c("sd_(Intercept)|person", "cor_xw.(Intercept)|person", "sd_xw|person", "sigma", "(Intercept)", "session", "xw"))
)
writeLines(jsonlite::toJSON(out, auto_unbox = TRUE, digits = I(8), pretty = TRUE), "bootstrap.json")
