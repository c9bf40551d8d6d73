# The data of the reference fits: the script make.R runs this one first. Writes the CSV files and reads them back,
# so that R fits what is in the files. Simulated, or not about persons; sleepstudy and Orthodont are only read.
set.seed(20240611, kind = "Mersenne-Twister", normal.kind = "Inversion", sample.kind = "Rejection")

put <- function(name, data, person, session) {
  data <- data[order(data[[person]], data[[session]], method = "radix"), ]
  stopifnot(!anyDuplicated(data[c(person, session)]), data[[session]] == round(data[[session]]))
  write.csv(data, paste0(name, ".csv"), row.names = FALSE, quote = FALSE)
}
read_back <- function(path) {                             # text columns as factors, levels ascending in every locale
  data <- read.csv(path, stringsAsFactors = FALSE)
  text <- vapply(data, is.character, NA)
  data[text] <- lapply(data[text], function(v) factor(v, levels = sort(unique(v), method = "radix")))
  data
}
within_each <- function(group) ave(seq_along(group), group, FUN = seq_along)

# ---- known data that are not about persons ----------------------------------------------------------------
batches <- function(data) data.frame(batch = as.character(data$Batch), session = within_each(data$Batch), y = data$Yield)
put("dyestuff", batches(lme4::Dyestuff), "batch", "session")
put("dyestuff2", batches(lme4::Dyestuff2), "batch", "session")
d <- lme4::Penicillin
put("penicillin", data.frame(plate = as.character(d$plate), session = within_each(d$plate), sample = as.character(d$sample),
                             diameter = d$diameter), "plate", "session")
d <- lme4::Pastes
put("pastes", data.frame(sample = as.character(d$sample), session = within_each(d$sample), batch = as.character(d$batch),
                         strength = d$strength), "sample", "session")
d <- as.data.frame(nlme::Machines)
d <- d[order(as.integer(as.character(d$Worker)), as.character(d$Machine)), ]
put("machines", data.frame(worker = as.integer(as.character(d$Worker)), session = within_each(d$Worker),
                           machine = as.character(d$Machine), score = d$score), "worker", "session")
d <- lme4::cake
put("cake", data.frame(cake = paste0(d$recipe, sprintf("%02d", as.integer(as.character(d$replicate)))),
                       session = (d$temp - 165) / 10, recipe = as.character(d$recipe),
                       replicate = as.integer(as.character(d$replicate)), temp = d$temp, angle = d$angle), "cake", "session")
d <- as.data.frame(nlme::Ovary)
put("ovary", data.frame(mare = as.integer(as.character(d$Mare)), session = within_each(d$Mare), time = d$Time,
                        sine = round(sin(2 * pi * d$Time), 12), cosine = round(cos(2 * pi * d$Time), 12),
                        follicles = d$follicles), "mare", "session")

# ---- simulated: 80 persons with 15 therapists in 5 clinics --------------------------------------------------
attended <- function(least, most) {                 # session numbers: some skipped, some persons gone early
  repeat {
    s <- which(c(TRUE, runif(17) < 0.8)[seq_len(sample(4:18, 1))])
    if (length(s) >= least && length(s) <= most) return(s)
  }
}
ar1 <- function(n, phi) { e <- rnorm(n); for (t in seq_len(n)[-1]) e[t] <- phi * e[t - 1] + sqrt(1 - phi^2) * e[t]; e }
of <- function(sd, group) rnorm(max(group), 0, sd)[group]

therapist_of <- sort(c(rep(1:15, 2), sample(15, 50, replace = TRUE, prob = 15:1)))
rows <- lapply(1:80, function(person) {
  s <- attended(3, 14)
  data.frame(person, session = s, therapist = therapist_of[person], x0 = (rnorm(1) + ar1(18, 0.3))[s], u = ar1(18, 0.4)[s])
})
d <- do.call(rbind, rows); n <- nrow(d)
d$clinic <- (d$therapist + 2) %/% 3
d$time <- round(d$session - 1 + runif(n, 0, 0.6), 3)
d$x <- round(5 + d$x0, 3); d$xb <- ave(d$x, d$person); d$xw <- d$x - d$xb
d$pd <- rbinom(80, 1, 0.4)[d$person]
d$arm <- sample(c("a", "b", "c"), 80, replace = TRUE)[d$person]
d$stratum <- sample(c("p", "q", "r"), n, replace = TRUE, prob = c(0.5, 0.3, 0.2))
d$z <- round(rnorm(n), 3)
d$huge <- round(3e6 + 1e6 * rnorm(n)); d$tiny <- signif(1e-6 * rnorm(n), 6)
sd_error <- 1.8 * c(1, 1.4)[d$pd + 1] * c(p = 1, q = 0.7, r = 1.3)[d$stratum]
slope <- of(0.15, d$person)
d$y <- round(20 + of(2.5, d$person) + of(1.5, d$therapist) + of(0.6, d$clinic) + d$xw * (-1 + of(0.7, d$person) + of(0.5, d$therapist)) +
             d$time * (slope - 0.3) + 1.2 * (d$xb - 5) + 2 * d$pd + 0.8 * d$xw * d$pd + c(a = 0, b = -1, c = 1)[d$arm] +
             c(a = 0, b = 0.1, c = -0.2)[d$arm] * d$session + 5e-7 * d$huge + 4e5 * d$tiny + sd_error * d$u, 4)
put("sessions", d[c("person", "session", "therapist", "clinic", "time", "y", "x", "xw", "xb", "pd", "arm", "stratum", "z", "huge", "tiny")],
    "person", "session")

# ---- simulated: 60 persons, every third changes therapist once or twice; 12 therapists in 4 clinics -----------
rows <- lapply(1:60, function(person) {
  s <- attended(3, 12); clinic <- (person - 1) %% 4 + 1
  changes <- if (person %% 3 == 0) min(length(s) - 1, sample(2, 1)) else 0
  who <- sample(3 * clinic - 2:0, changes + 1)
  spell <- findInterval(seq_along(s), sort(sample(seq_along(s)[-1], changes))) + 1
  data.frame(person, session = s, therapist = who[spell], clinic, x = round(rnorm(1) + rnorm(length(s)), 3))
})
d <- do.call(rbind, rows)
d$xb <- ave(d$x, d$person); d$xw <- d$x - d$xb
d$y <- round(15 + of(2, d$person) + of(1.5, d$therapist) + of(1, d$clinic) + d$xw * (-0.8 + of(0.6, d$person)) + 0.5 * d$xb -
             0.2 * d$session + rnorm(nrow(d), 0, 1.5), 4)
put("crossed", d[c("person", "session", "therapist", "clinic", "y", "x", "xw", "xb")], "person", "session")

# ---- read back -------------------------------------------------------------------------------------------------
for (name in c("dyestuff", "dyestuff2", "penicillin", "pastes", "machines", "cake", "ovary", "sessions", "crossed"))
  assign(name, read_back(paste0(name, ".csv")))
sleepstudy <- read_back(sleep_path)
orthodont <- transform(as.data.frame(nlme::Orthodont), Subject = as.character(Subject), Sex = factor(Sex, levels = c("Female", "Male")))
orthodont$Subject <- factor(orthodont$Subject, levels = sort(unique(orthodont$Subject), method = "radix"))
orthodont <- orthodont[order(orthodont$Subject, orthodont$age), ]
