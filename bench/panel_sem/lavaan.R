# Rscript lavaan.R WIDE.csv MODEL.txt
# Reads both once; answers each line on standard input with seconds, -2 log-likelihood and converged.
suppressMessages(library(lavaan))
given <- commandArgs(trailingOnly = TRUE)
data <- read.csv(given[1])
model <- paste(readLines(given[2]), collapse = "\n")
missing <- if (anyNA(data)) "fiml" else "listwise"

now <- function() as.numeric(Sys.time())

fit <- function() {
  begin <- now()
  found <- suppressWarnings(lavaan(model, data, missing = missing, meanstructure = TRUE))
  measures <- suppressWarnings(fitMeasures(found))
  taken <- now() - begin
  cat(format(taken, digits = 9), format(-2 * measures[["logl"]], digits = 15), lavInspect(found, "converged"), "\n")
  flush(stdout())
}

asked <- file("stdin")
open(asked)
while (length(line <- readLines(asked, n = 1)) > 0) fit()
