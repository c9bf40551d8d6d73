# Makes the data (data.R) and the reference results for the multilevel models of tests/mlm: README.md says what is in them.
#   Rscript make.R [sleepstudy.csv]      (in this folder; some ten minutes; needs lme4, lmerTest, pbkrtest, nlme,
#                                         clubSandwich, numDeriv; sleepstudy.csv is not part of the project)
# Writes *.csv and results.json. Of sleepstudy and Orthodont, data of real persons, only aggregated results are kept.
arguments <- commandArgs(trailingOnly = TRUE)
sleep_path <- if (length(arguments)) arguments[1] else "../../../../shared/reference/sleepstudy.csv"
source("data.R"); source("fits.R"); source("profile.R"); source("marginal.R")
sessions$stratumq <- as.numeric(sessions$stratum == "q"); sessions$stratumr <- as.numeric(sessions$stratum == "r")
cake$steps <- factor(cake$temp)

roles <- list(dyestuff = c(person = "batch"), dyestuff2 = c(person = "batch"), penicillin = c(person = "plate", cluster = "sample"),
              pastes = c(person = "sample", cluster = "batch"), machines = c(person = "worker"), cake = c(person = "cake"),
              ovary = c(person = "mare", time = "time"), sessions = c(person = "person", cluster = "therapist", time = "time"),
              crossed = c(person = "person", cluster = "therapist"), sleepstudy = c(person = "Subject", session = "Days"),
              orthodont = c(person = "Subject", session = "age"))
where <- function(data) switch(data, sleepstudy = "shared:sleepstudy.csv", orthodont = "R:Orthodont", paste0(data, ".csv"))
ours <- function(names) {                           # R's names of a model's columns, as sessionwise writes them
  for (f in list(c("arm", "a", "[a-c]"), c("machine", "A", "[A-C]"), c("recipe", "A", "[A-C]"), c("stratum", "p", "[p-r]"), c("Sex", "Female", "Male"))) {
    full <- any(grepl(paste0("(^|:)", f[1], f[2], "($|:)"), names))        # a column for the reference level too
    names <- gsub(paste0("(^|:)", f[1], "(", f[3], ")(?=$|:)"), paste0("\\1", f[1], if (full) "[\\2]" else "[T.\\2]"), names, perl = TRUE)
  }
  names <- sub("1e+06", "1000000", sub("C(steps, contr.poly)", "C(temp, contr.poly)", names, fixed = TRUE), fixed = TRUE)
  as.list(sub("(contr.poly\\))(\\.[LQC]|\\^[45])", "\\1[\\2]", names))
}

fits <- list(); cases <- list()
case <- function(id, program, data, formula, method) {
  said <<- character(); r <- roles[[data]]
  if (!"session" %in% names(r)) r <- append(r, c(session = "session"), 1)
  list(began = proc.time()[[3]], head = list(id = id, data = where(data), roles = as.list(r), formula = formula, method = method, program = program))
}
done <- function(c, fit, result) {
  c$head$warnings <- as.list(unique(said))
  fits[[c$head$id]] <<- fit$m; cases[[c$head$id]] <<- c(c$head, result)
  cat(sprintf("%-44s %6.1fs gradient %.0e, own optimum worse by %.1e\n", c$head$id, proc.time()[[3]] - c$began, fit$gradient, fit$default))
  for (text in unique(said)) cat("    ", substr(text, 1, 150), "\n")
}
# `profiled`: "both" confint and the exact ends, "exact" only these (where confint takes minutes), "no". Always ML, kept
# with the ML fit, or with the REML fit where there is no ML fit.
with_lme4 <- function(name, data, formula, methods = c("REML", "ML"), profiled = "no", r = formula, ...) for (method in methods) {
  c <- case(paste0(name, "-", tolower(method)), "lme4", data, formula, method)
  fit <- fit_lmer(r, data, method, ...)
  result <- keep_lmer(fit, data %in% c("sleepstudy", "orthodont"), if (method == tail(methods, 1)) profiled else "no", ddf = length(fit$scale) == 1)
  done(c, fit, result)
}
with_nlme <- function(name, data, formula, fixed, random, cor = NULL, var = NULL, methods = c("REML", "ML")) for (method in methods) {
  c <- case(paste0("nlme-", name, "-", tolower(method)), "nlme", data, formula, method)
  c$head$residuals <- list(correlation = if (!is.null(cor)) "ar1", position = cor[1], variance_by = var)
  c$head$residuals <- c$head$residuals[lengths(c$head$residuals) > 0]; if (!length(c$head$residuals)) c$head$residuals <- NULL
  model <- list(data = data, fixed = fixed, random = random, cor = cor, var = var); fit <- fit_nlme(model, method)
  done(c, fit, keep_nlme(fit, model))
}

# ---- known data ------------------------------------------------------------------------------------------------------
with_lme4("sleepstudy-slope", "sleepstudy", "Reaction ~ Days + (1 + Days | Subject)", profiled = "both")
with_lme4("sleepstudy-uncorrelated", "sleepstudy", "Reaction ~ Days + (1 + Days || Subject)", profiled = "both")
with_lme4("sleepstudy-intercept", "sleepstudy", "Reaction ~ Days + (1 | Subject)", profiled = "both")
with_lme4("dyestuff", "dyestuff", "y ~ 1 + (1 | batch)", profiled = "both")
with_lme4("dyestuff2", "dyestuff2", "y ~ 1 + (1 | batch)", profiled = "both")
with_lme4("penicillin", "penicillin", "diameter ~ 1 + (1 | plate) + (1 | sample)", profiled = "both")
with_lme4("pastes", "pastes", "strength ~ 1 + (1 | batch) + (1 | sample)", profiled = "both")
with_lme4("machines-interaction", "machines", "score ~ machine + (1 | worker) + (1 | worker:machine)", profiled = "both")
with_lme4("machines-slopes", "machines", "score ~ machine + (0 + machine | worker)", profiled = "exact")
with_lme4("orthodont", "orthodont", "distance ~ age * Sex + (1 + age | Subject)", profiled = "both")
with_lme4("orthodont-centred", "orthodont", "distance ~ I(age - 11) * Sex + (1 + I(age - 11) | Subject)", profiled = "both")
with_lme4("cake", "cake", "angle ~ recipe * temp + (1 | recipe:replicate)", profiled = "both")
with_lme4("cake-polynomial", "cake", "angle ~ recipe * C(temp, contr.poly) + (1 | replicate) + (1 | cake)", "REML",
          r = "angle ~ recipe * C(steps, contr.poly) + (1 | replicate) + (1 | cake)")

# ---- simulated sessions ------------------------------------------------------------------------------------------------
add <- function(random, fixed = "y ~ session + xw + xb + pd") paste(c(fixed, random), collapse = " + ")
with_lme4("intercept", "sessions", add("(1 | person)"), profiled = "both")
with_lme4("slope", "sessions", add("(1 + xw | person)"), profiled = "both")
with_lme4("slope-uncorrelated", "sessions", add("(1 + xw || person)"), profiled = "both")
with_lme4("slope-two-terms", "sessions", add("(1 | person) + (0 + xw | person)"), "REML")
with_lme4("slope-only", "sessions", add("(0 + xw | person)"), "REML", profiled = "both")
with_lme4("two-slopes", "sessions", add("(1 + xw + time | person)", "y ~ time + xw + xb + pd"), profiled = "exact")
with_lme4("therapist", "sessions", add("(1 | person) + (1 | therapist)"), profiled = "both")
with_lme4("therapist-nested", "sessions", add("(1 | therapist/person)"), "REML")
with_lme4("clinic", "sessions", add("(1 | person) + (1 | therapist) + (1 | clinic)"), profiled = "both")
with_lme4("slope-therapist", "sessions", add("(1 + xw | person) + (1 | therapist)"), profiled = "both")
with_lme4("therapist-slope", "sessions", add("(1 + xw | therapist) + (1 | person)"), profiled = "both")
with_lme4("both-slopes", "sessions", add("(1 + xw | person) + (1 + xw | therapist)"))
with_lme4("moderation", "sessions", add("(1 + xw | person) + (1 | therapist)", "y ~ session + xw * pd + xb"), profiled = "both")
with_lme4("arms", "sessions", add("(1 + session | person)", "y ~ arm * session + xw + xb"), profiled = "both")
with_lme4("no-intercept", "sessions", add("(1 + xw || person)", "y ~ 0 + arm + session + xw"), profiled = "both")
with_lme4("strata", "sessions", add("(0 + stratum | person)", "y ~ stratum + session + xw"), "REML")
with_lme4("strata-uncorrelated", "sessions", add("(1 + stratum || person)", "y ~ stratum + session + xw"), "REML",
          r = add("(1 + stratumq + stratumr || person)", "y ~ stratum + session + xw"))
with_lme4("scales", "sessions", add("(1 | person) + (1 | therapist)", "y ~ session + huge + tiny"), profiled = "both")
with_lme4("scales-huge-slope", "sessions", add("(1 + I(xw * 1e6) | person)", "y ~ session + I(xw * 1e6) + xb + pd"), scale = c(1.5, 1e-7, 4e-7))
with_lme4("scales-tiny-slope", "sessions", add("(1 + I(xw * 1e-6) | person)", "y ~ session + I(xw * 1e-6) + xb + pd"), scale = c(1.5, 1e5, 4e5))
with_lme4("zero-slope", "sessions", add("(1 + z || person)"), profiled = "both")
with_lme4("zero-slope-correlated", "sessions", add("(1 + z | person)"), profiled = "both")

# ---- simulated, persons who change therapist ---------------------------------------------------------------------------
with_lme4("crossed", "crossed", add("(1 | person) + (1 | therapist)", "y ~ session + xw + xb"), profiled = "both")
with_lme4("crossed-slope", "crossed", add("(1 + xw | person) + (1 | therapist)", "y ~ session + xw + xb"), profiled = "both")
with_lme4("crossed-clinic", "crossed", add("(1 | person) + (1 | therapist) + (1 | clinic)", "y ~ session + xw + xb"), profiled = "both")
with_lme4("crossed-spells", "crossed", add("(1 | person) + (1 | therapist) + (1 | person:therapist)", "y ~ session + xw + xb"), "REML")

# ---- nlme: correlated and unequal residuals -----------------------------------------------------------------------------
base <- "y ~ session + xw + xb + pd"; one <- c("~ 1", "full"); slope <- c("~ xw", "full")
by_session <- c("session", "person"); by_time <- c("time", "person")
with_nlme("intercept", "sessions", add("(1 | person)"), base, list(person = one))
with_nlme("ar1", "sessions", add("(1 | person)"), base, list(person = one), by_session)
with_nlme("ar1-slope", "sessions", add("(1 + xw | person)"), base, list(person = slope), by_session)
with_nlme("ar1-slope-uncorrelated", "sessions", add("(1 + xw || person)"), base, list(person = c("~ xw", "diagonal")), by_session)
with_nlme("ar1-no-random", "sessions", base, base, list(), by_session)
with_nlme("ar1-nested", "sessions", add("(1 | therapist) + (1 | person)"), base, list(therapist = one, person = one), by_session)
with_nlme("ar1-nested-slope", "sessions", add("(1 | therapist) + (1 + xw | person)"), base, list(therapist = one, person = slope), by_session)
with_nlme("ar1-therapist", "sessions", add("(1 | therapist)"), base, list(therapist = one), by_session)
with_nlme("ar1-time", "sessions", add("(1 | person)"), base, list(person = one), by_time)
with_nlme("unequal-pd", "sessions", add("(1 | person)"), base, list(person = one), var = "pd")
with_nlme("unequal-stratum", "sessions", add("(1 | person)"), base, list(person = one), var = "stratum")
with_nlme("unequal-stratum-slope", "sessions", add("(1 + xw | person)"), base, list(person = slope), var = "stratum")
with_nlme("unequal-no-random", "sessions", base, base, list(), var = "stratum")
with_nlme("ar1-unequal-pd", "sessions", add("(1 | person)"), base, list(person = one), by_session, "pd")
with_nlme("ar1-unequal-stratum", "sessions", add("(1 | person)"), base, list(person = one), by_session, "stratum")
with_nlme("ar1-unequal-nested", "sessions", add("(1 | therapist) + (1 | person)"), base, list(therapist = one, person = one), by_session, "stratum")
wave <- "follicles ~ sine + cosine"
with_nlme("ovary", "ovary", add("(1 | mare)", wave), wave, list(mare = one))
with_nlme("ovary-ar1", "ovary", add("(1 | mare)", wave), wave, list(mare = one), c("session", "mare"))
with_nlme("ovary-diagonal", "ovary", add("(1 + sine || mare)", wave), wave, list(mare = c("~ sine", "diagonal")))
with_nlme("ovary-diagonal-ar1", "ovary", add("(1 + sine || mare)", wave), wave, list(mare = c("~ sine", "diagonal")), c("session", "mare"))

# ---- tests between and within fits ----------------------------------------------------------------------------------------
lrt <- lapply(list(c("sleepstudy-intercept", "sleepstudy-slope"), c("sleepstudy-uncorrelated", "sleepstudy-slope"), c("intercept", "therapist"),
                   c("intercept", "slope"), c("slope-uncorrelated", "slope"), c("slope", "slope-therapist"), c("therapist", "clinic"),
                   c("slope-therapist", "moderation"), c("intercept", "zero-slope"), c("crossed", "crossed-slope"), c("crossed", "crossed-clinic"),
                   c("nlme-intercept", "nlme-ar1"), c("nlme-ar1", "nlme-ar1-slope"), c("nlme-ar1", "nlme-ar1-unequal-stratum"), c("nlme-ar1-no-random", "nlme-ar1")),
              function(pair) {
  ids <- paste0(pair, "-ml"); a <- fits[[ids[1]]]; b <- fits[[ids[2]]]
  t <- if (inherits(a, "merMod")) anova(a, b, refit = FALSE) else anova(a, b)
  if (inherits(a, "merMod")) list(small = ids[1], large = ids[2], chisq = t$Chisq[2], df = t$Df[2], p = t[["Pr(>Chisq)"]][2])
  else list(small = ids[1], large = ids[2], chisq = t$L.Ratio[2], df = abs(diff(t$df)), p = t[["p-value"]][2])
})
robust <- lapply(list(c("intercept-reml", "person"), c("intercept-reml", "therapist"), c("slope-reml", "person"), c("slope-ml", "person"),
                      c("therapist-reml", "therapist"), c("slope-therapist-reml", "therapist"), c("moderation-reml", "therapist"), c("clinic-reml", "clinic"),
                      c("arms-reml", "person"), c("crossed-reml", "clinic"), c("nlme-ar1-reml", "person"), c("nlme-ar1-slope-reml", "person"),
                      c("nlme-ar1-nested-reml", "therapist"), c("nlme-ar1-unequal-stratum-reml", "person"), c("nlme-ar1-no-random-reml", "person")),
                 function(pair) {
  said <<- character(); m <- fits[[pair[1]]]
  kept <- hear(attempt(keep_robust(m, get(if (grepl("crossed", pair[1])) "crossed" else "sessions")[[pair[2]]])))
  if (length(said)) cat("robust", pair, said, "\n")
  if (!is.null(kept)) c(list(case = pair[1], cluster = pair[2]), kept)
})
unit <- function(...) function(names) { rows <- list(...); 
  stopifnot(names(unlist(rows)) %in% names)
  do.call(rbind, lapply(rows, function(row) unname(replace(setNames(numeric(length(names)), names), names(row), row))))
}
contrasts <- Map(function(id, L) {
  said <<- character(); m <- fits[[id]]
  kept <- hear(keep_contrasts(m, L(names(fixef(m))))); if (length(said)) cat("contrast", id, said, "\n"); c(list(case = id), kept)
}, c("sleepstudy-slope-reml", "cake-reml", "moderation-reml", "moderation-reml", "moderation-ml", "arms-reml", "arms-reml", "crossed-slope-reml", "slope-therapist-reml", "machines-slopes-reml"),
list(unit(c("(Intercept)" = 1, Days = 5)), unit(c(recipeB = 1), c(recipeC = 1)), unit(c(xw = 1, "xw:pd" = 1)), unit(c(pd = 1), c("xw:pd" = 1)),
     unit(c(xw = 1, "xw:pd" = 1)), unit(c("armb:session" = 1), c("armc:session" = 1)), unit(c("armb:session" = 1, "armc:session" = -1)),
     unit(c(xw = 1), c(xb = 1)), unit(c(xw = 1, xb = -1)), unit(c(machineB = 1), c(machineC = 1))))

# ---- written, one case a line -----------------------------------------------------------------------------------------------
versions <- c(list(R = as.character(getRversion())), sapply(c("lme4", "lmerTest", "pbkrtest", "nlme", "clubSandwich", "numDeriv"), function(p) as.character(packageVersion(p)), simplify = FALSE))
number <- function(v) {                             # as many digits as it takes to read the same number back
  one <- function(v) for (digits in 15:17) { text <- sprintf("%.*g", digits, v); if (as.numeric(text) == v) return(text) }
  vapply(v, function(v) if (is.finite(v)) one(v) else "null", "")
}
json <- function(x) {
  if (is.null(x)) "null"
  else if (is.matrix(x)) json(lapply(seq_len(nrow(x)), function(i) as.list(unname(x[i, ]))))
  else if (is.list(x)) {
    inside <- vapply(x, json, ""); if (is.null(names(x))) paste0("[", paste(inside, collapse = ", "), "]")
    else paste0("{", paste0(vapply(names(x), deparse, ""), ": ", inside, collapse = ", "), "}")
  }
  else { v <- if (is.numeric(x)) number(x) else if (is.logical(x)) tolower(x) else vapply(x, encodeString, "", quote = "\"")
         if (length(x) == 1) v else paste0("[", paste(v, collapse = ", "), "]") }
}
lines <- function(x) paste(vapply(unname(Filter(Negate(is.null), x)), json, ""), collapse = ",\n")
writeLines(c("{", paste0("\"versions\": ", json(versions), ","), "\"cases\": [", lines(cases), "],", "\"lrt\": [", lines(lrt), "],",
             "\"robust\": [", lines(robust), "],", "\"contrasts\": [", lines(contrasts), "]", "}"), "results.json")
