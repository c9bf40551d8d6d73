# Makes the input (simulated here; no real person's data) and the reference results for tests/describe.
#   Rscript make.R        (in this folder; needs lme4, nlme and psych)
# Writes levels.csv (y of persons within clusters), items.csv (balanced item data), expected.csv.
suppressMessages({library(lme4); library(psych)})
set.seed(20240117, kind = "Mersenne-Twister", normal.kind = "Inversion", sample.kind = "Rejection")

expected <- data.frame(source = character(), data = character(), quantity = character(), value = numeric())
keep <- function(source, data, ...) {
  values <- list(...)
  expected <<- rbind(expected, data.frame(source, data, quantity = names(values), value = as.numeric(unlist(values))))
}

# ---- persons, clusters, unbalanced --------------------------------------------------------------
simulate <- function(data, clusters, persons, sd_cluster, sd_person, sd_within) {
  cluster <- sort(sample(clusters, persons, replace = TRUE, prob = seq_len(clusters)))
  n <- sample(1:15, persons, replace = TRUE, prob = 15:1)
  level <- 20 + rnorm(clusters, 0, sd_cluster)[cluster] + rnorm(persons, 0, sd_person)
  person <- rep(seq_len(persons), n)
  data.frame(data, person, cluster = cluster[person], session = sequence(n),
             y = round(level[person] + rnorm(length(person), 0, sd_within), 6))
}
interior2 <- simulate("interior2", 12, 120, 0, 4, 3)
interior3 <- simulate("interior3", 15, 150, 3, 4, 5)
zero2 <- simulate("zero2", 10, 60, 0, 0, 2)
zero2$y <- round(zero2$y - 0.9 * ave(zero2$y, zero2$person) + 18, 6)    # person means closer than chance
zero_cluster3 <- simulate("zero_cluster3", 12, 120, 0, 3, 4)
zero_cluster3$y <- round(zero_cluster3$y - 0.95 * ave(zero_cluster3$y, zero_cluster3$cluster) + 19, 6)
zero_person3 <- simulate("zero_person3", 14, 110, 2, 0, 4)
means <- ave(zero_person3$y, zero_person3$person)
zero_person3$y <- round(zero_person3$y - 0.9 * (means - ave(means, zero_person3$cluster)), 6)
levels <- rbind(interior2, interior3, zero2, zero_cluster3, zero_person3)
write.csv(levels, "levels.csv", row.names = FALSE, quote = FALSE)

tight <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-12, maxfun = 1e5),
                     check.conv.singular = "ignore", calc.derivs = FALSE)
ends <- function(profile, at) {                          # where the profiled REML criterion is qchisq(.95, 1) above its minimum
  best <- profile(at); over <- function(icc) profile(icc) - best - qchisq(.95, 1)
  c(if (at < 1e-7 || over(1e-9) < 0) 0 else uniroot(over, c(1e-9, at), tol = 1e-10)$root,
    uniroot(over, c(max(at, 1e-9), 0.999), tol = 1e-10)$root)
}
least <- function(f, low, high) {                        # minimum on an interval, ends included
  if (high - low < 1e-12) return(f(low))
  grid <- seq(low, high, length.out = 60); v <- sapply(grid, f); i <- which.min(v)
  min(v, optimize(f, c(grid[max(1, i - 1)], grid[min(60, i + 1)]), tol = 1e-12)$objective)
}
for (d in c("interior2", "zero2")) {
  m <- lmer(y ~ 1 + (1 | person), levels, subset = data == d, REML = TRUE, control = tight)
  s2 <- sigma(m)^2; p <- VarCorr(m)$person[1]
  dev <- update(m, devFunOnly = TRUE)
  ci <- ends(function(icc) dev(sqrt(icc / (1 - icc))), p / (p + s2))
  keep("lme4", d, person = p, cluster = NA, within = s2, mean = fixef(m), criterion = REMLcrit(m), low = ci[1], high = ci[2])
}
for (d in c("interior3", "zero_cluster3", "zero_person3")) {
  m <- lmer(y ~ 1 + (1 | person) + (1 | cluster), levels, subset = data == d, REML = TRUE, control = tight)
  s2 <- sigma(m)^2; p <- VarCorr(m)$person[1]; k <- VarCorr(m)$cluster[1]
  dev <- update(m, devFunOnly = TRUE)
  order <- names(getME(m, "theta"))
  at <- function(share_p, share_c) {
    share_p <- max(share_p, 0); rest <- 1 - share_p - share_c
    dev(if (grepl("person", order[1])) sqrt(c(share_p, share_c) / rest) else sqrt(c(share_c, share_p) / rest))
  }
  total <- p + k + s2
  person_icc <- ends(function(icc) least(function(share) at(icc - share, share), 0, icc), (p + k) / total)
  cluster_icc <- ends(function(icc) least(function(share) at(share, icc), 0, 0.999 - icc), k / total)
  keep("lme4", d, person = p, cluster = k, within = s2, mean = fixef(m), criterion = REMLcrit(m),
       low = person_icc[1], high = person_icc[2], cluster_low = cluster_icc[1], cluster_high = cluster_icc[2])
}

# ---- items, balanced ----------------------------------------------------------------------------
P <- 40; S <- 8; K <- 5
g <- expand.grid(item = 1:K, session = 1:S, person = 1:P)
r <- function(sd, ...) { f <- as.integer(interaction(..., drop = TRUE)); rnorm(max(f), 0, sd)[f] }
g$y <- round(10 + r(1.5, g$person) + r(0.6, g$session) + r(0.8, g$item) + r(1.1, g$person, g$session) +
             r(0.9, g$person, g$item) + r(0.4, g$session, g$item) + rnorm(nrow(g), 0, 1.3), 4)
wide <- reshape(g, idvar = c("person", "session"), timevar = "item", direction = "wide", sep = "")
names(wide) <- sub("^y", "item", names(wide)); wide <- wide[order(wide$person, wide$session), c("person", "session", paste0("item", 1:K))]
write.csv(wide, "items.csv", row.names = FALSE, quote = FALSE)
m <- suppressWarnings(mlr(wide, grp = "person", Time = "session", items = paste0("item", 1:K), alpha = FALSE, aov = TRUE, lme = FALSE, lmer = FALSE))
v <- m$components[1:7, 1]
keep("psych", "items", person = v[1], session = v[2], item = v[3], person_session = v[4], person_item = v[5],
     session_item = v[6], residual = v[7], r_kf = m$RkF, r_1r = m$R1R, r_kr = m$RkR, r_c = m$Rc)
# The nested coefficients of psych come from lme with `time = ~1 | id:items`; the model meant, sessions within
# persons and items as replicates, is fitted here by lmer on the same data.
long <- transform(g, person = factor(person), item = factor(item))
a <- lmer(y ~ 1 + (1 | person / session), long, control = tight)
vid <- VarCorr(a)[["person"]][1]; vt <- VarCorr(a)[["session:person"]][1]; ve <- sigma(a)^2
keep("replicates", "items", person = vid, session = vt, residual = ve, r_krn = vid / (vid + vt / S + ve / (S * K)), r_cn = vt / (vt + ve / K))
b <- lmer(y ~ item + (1 | person) + (1 | person:session) + (1 | person:item), long, control = tight)
keep("nested", "items", person = VarCorr(b)[["person"]][1], session = VarCorr(b)[["person:session"]][1],
     person_item = VarCorr(b)[["person:item"]][1], residual = sigma(b)^2)
n <- suppressWarnings(mlr(wide, grp = "person", Time = "session", items = paste0("item", 1:K), alpha = FALSE, aov = TRUE, lme = TRUE, lmer = FALSE))
w <- n$components[c("id", "id(time)", "residual"), 1]
keep("psych_nested", "items", person = w[1], session = w[2], residual = w[3], r_krn = n$RkRn, r_cn = n$Rcn)
write.csv(format(expected, digits = 12), "expected.csv", row.names = FALSE, quote = FALSE)
