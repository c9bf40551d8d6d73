# Makes the files beside it, in base R 4.2.
d <- data.frame(
  id = c("a", "a", "b", NA), session = 1:4, phq = c(1.5, NA, 3, NaN), whole = c(1, 2, 3, 4),
  sex = factor(c("f", "m", NA, "f"), levels = c("m", "f")), ok = c(TRUE, NA, FALSE, TRUE),
  day = as.Date(c("2020-01-31", NA, "2020-02-29", "1899-12-31")),
  at = as.POSIXct(c("2020-07-01 10:00:00", "2020-01-01 10:00:00", NA, NA), tz = "Europe/Oslo"),
  len = as.difftime(c(30, 90, NA, 1), units = "mins"))
attr(d$phq, "label") <- "PHQ total"
d$gender <- structure(c(1, 2, NA, 1), labels = c(Man = 1, Woman = 2), label = "Gender",
                      class = c("haven_labelled", "vctrs_vctr", "double"))
d[["\u00fc"]] <- c("\u00f8", "x", "y", "z")
saveRDS(d, "gzip.rds")
saveRDS(d, "xz.rds", compress = "xz")
saveRDS(d, "bzip2.rds", compress = "bzip2")
saveRDS(d, "plain.rds", compress = FALSE)
saveRDS(d, "ascii.rds", ascii = TRUE)
saveRDS(d, "version2.rds", version = 2)
saveRDS(structure(d, class = c("tbl_df", "tbl", "data.frame")), "tibble.rds")
e <- 1:3
f <- function(x) x
save(d, e, f, file = "one.RData")
d2 <- d[1:2, ]
save(d, d2, file = "two.RData")
named <- data.frame(x = 1:2, row.names = c("p1", "p2"))
local <- data.frame(at = as.POSIXct(0, origin = "1970-01-01", tz = "") + 0:1, big = c(1e300, Inf))
save(named, local, file = "others.RData")
refused <- list(
  listed = data.frame(a = 1:2, x = I(list(1, 2))), matrix = data.frame(a = 1:2, x = I(matrix(1:4, 2))),
  complex = data.frame(a = 1, x = 1i), empty = data.frame(), rowless = data.frame(x = 1)[0, , drop = FALSE],
  twice = structure(data.frame(1, 2), names = c("a", "a")))
invisible(list2env(refused, environment()))
save(list = names(refused), file = "refused.RData")
saveRDS(list(1, 2), "list.rds")
bomb <- list(x = 1:2e9)
class(bomb) <- "data.frame"
attr(bomb, "row.names") <- c(NA, -2e9L)
saveRDS(bomb, "bomb.rds")
