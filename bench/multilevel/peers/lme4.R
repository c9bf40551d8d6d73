# Rscript lme4.R FILE.csv FORMULA REML|ML
# Reads the file once; answers each line on standard input, 'fit' or 'kernel', with seconds, criterion, converged.
suppressMessages(library(lme4))
given <- commandArgs(trailingOnly = TRUE)
data <- read.csv(given[1])
data$person <- factor(data$person)
data$therapist <- factor(data$therapist)
formula <- as.formula(given[2])
reml <- given[3] == "REML"

now <- function() as.numeric(Sys.time())

fit <- function() {
  begin <- now()
  found <- suppressWarnings(suppressMessages(lmer(formula, data, REML = reml)))
  taken <- now() - begin
  answer(taken, -2 * as.numeric(logLik(found)), length(found@optinfo$conv$lme4$messages) == 0)
}

# Seconds of one evaluation of the criterion (lme4 has no gradient), from as many as take a tenth of a second.
kernel <- function() {
  if (is.null(criterion)) criterion <<- lmer(formula, data, REML = reml, devFunOnly = TRUE)
  theta <- environment(criterion)$pp$theta
  begin <- now()
  runs <- 0
  while (now() - begin < 0.1) {
    value <- criterion(theta)
    runs <- runs + 1
  }
  answer((now() - begin) / runs, value, TRUE)
}
criterion <- NULL

answer <- function(seconds, criterion, converged) {
  cat(format(seconds, digits = 9), format(criterion, digits = 15), converged, "\n")
  flush(stdout())
}

asked <- file("stdin")
open(asked)
while (length(line <- readLines(asked, n = 1)) > 0) if (line == "fit") fit() else kernel()
