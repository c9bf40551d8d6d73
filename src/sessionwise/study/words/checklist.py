"""The checklist: what the methods literature asks of such an analysis, and what was done for it.

The first three rules are those of Falkenström, Solomonov & Rubel (2020).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...words import apa_number, counted, listed, num, plural_of
from ..methods.registry import methods
from ..records import Diagnostic, Direction, DropOutModel, Estimate, Headline, NotAnswered, Rule, Sensitivity

if TYPE_CHECKING:
    from ..study_data import StudyData


def checklist(
    setting: StudyData,
    forward: Direction | NotAnswered,
    drop_out: DropOutModel | NotAnswered,
    compared: Sensitivity,
    doubts: tuple[Diagnostic, ...],
    found: Headline,
) -> tuple[Rule, ...]:
    """Rules in the order of the paper, then those of data and measurement."""
    return (
        _within(setting, forward),
        _autoregression(setting, forward, compared),
        _trend(setting, compared, doubts),
        _order(setting),
        _missing(setting, drop_out),
        _reliability(setting),
        _precedence(setting, found),
        *_levels(setting, forward),
    )


def _within(setting: StudyData, forward: Direction | NotAnswered) -> Rule:
    rule = "Separate effects within persons from differences between persons"
    if isinstance(forward, NotAnswered):
        return Rule(rule, "no", "No effect within persons could be estimated.")
    done = f"Predictors are deviations from each {setting.person}'s mean; that mean is a predictor of its own."
    panel = setting.panel
    changing = [name for name in forward.covariates if not panel.is_constant(name)]
    if not changing:
        return Rule(rule, "yes", done)
    numeric = [name for name in changing if panel.is_numeric(name)]
    if numeric:
        done += f" So it is with covariates that change within {setting.person}s: {listed(numeric)}."
    text = [name for name in changing if name not in numeric]
    if not text:
        return Rule(rule, "yes", done)
    return Rule(
        rule, "partly", f"{done} {listed(text)} holds categories that change from session to session, as they are."
    )


def _autoregression(setting: StudyData, forward: Direction | NotAnswered, compared: Sensitivity) -> Rule:
    rule = "Control the autoregression properly"
    if isinstance(forward, NotAnswered):
        return Rule(rule, "no", "No lagged model could be estimated.")
    main = next(row for row in compared.rows if row.key == "mlm")
    done = f"The response's previous value is held constant both ways, as a deviation from {setting.person} means."
    if main.bias_forward is not None and main.bias_reverse is not None:
        bias = f"{apa_number(main.bias_forward, 0.01)} and {apa_number(main.bias_reverse, 0.01)}"
        bias += " within-person SDs (forward, reverse)"
        done += f" The bias that this is expected to have in so few sessions is {bias}."
    free = [row.label for row in compared.rows if row.bias_forward == 0 and isinstance(row.forward, Estimate)]
    if not free:
        return Rule(rule, "partly", f"{done} No method that is free of it could be used.")
    return Rule(rule, "yes", f"{done} Free of it, in the sensitivity table: {listed(free)}.")


def _trend(setting: StudyData, compared: Sensitivity, doubts: tuple[Diagnostic, ...]) -> Rule:
    rule = "Consider long-term trends"
    trend = setting.study.trend
    other = {method.key for method in methods() if method.trend}
    shown = [
        f"{r.label[:1].lower()}{r.label[1:]}"
        for r in compared.rows
        if r.key in other and isinstance(r.forward, Estimate)
    ]
    beside = f" Beside it: {listed(shown)}." if shown else ""
    tested = "".join(f" {one.words}" for one in doubts if one.key in ("course", "own-trends"))
    wrong = any(one.alarm for one in doubts if one.key == "course")
    if trend is None:
        return Rule(rule, "no" if wrong else "partly", f"No trend was taken out of the main models.{beside}{tested}")
    shape = "course of any shape" if trend == "free" else f"{trend} trend"
    done = f"A {shape} over session numbers, the same for all {setting.person}s, is in the main models.{beside}{tested}"
    return Rule(rule, "no" if wrong else "yes" if shown else "partly", done)


def _order(setting: StudyData) -> Rule:
    rule = "Respect the order of measurement within a session"
    outcome, process = setting.outcome, setting.process
    asks = f"a further model gives the effect within the session, and that of {setting.before} given it"
    told = {
        "outcome first": f"{outcome} was taken as rated before {process} in each session: {asks}.",
        "process first": f"{process} was taken as rated before {outcome} in each session: {asks}.",
        "together": f"{outcome} and {process} were taken as rated at the same time in each session: no effect of one "
        "on the other within the session is estimated.",
    }
    told = {key: f"{said} The answer is the net lagged effect, whatever the order." for key, said in told.items()}
    return Rule(rule, "yes", told[setting.study.order])


def _precedence(setting: StudyData, found: Headline) -> Rule:
    rule = "Say beforehand which analysis gives the answer"
    order = "The dynamic model is the answer where its chains agree, else the regressions within"
    order = f"{order} {setting.person}s; no choice was made by what they say. "
    if setting.study.dynamic is False:
        return Rule(rule, "partly", f"{order}The dynamic model was left out.")
    if found.usual_forward is None and found.usual_reverse is None:
        return Rule(rule, "yes", f"{order}The dynamic model gives none: {found.dynamic}")
    left = (
        "what scores hold of measurement error is taken out"
        if found.true_scores
        else ("measurement error is left in, of which these data say nothing")
    )
    return Rule(rule, "yes" if found.true_scores else "partly", f"{order}It is the dynamic model's; {left}.")


def _missing(setting: StudyData, drop_out: DropOutModel | NotAnswered) -> Rule:
    rule = "Account for missing sessions and drop-out"
    sample = setting.description.sample
    done = (
        f"Lags go by session number, never across a skipped session ({counted(sample.skipped, 'session')} skipped). "
        f"{setting.person.capitalize()}s with usable sessions are in the models, which assume that what is missing "
        "depends on observed scores only. "
    )
    if isinstance(drop_out, NotAnswered):
        return Rule(rule, "partly", f"{done}Whether drop-out goes with scores could not be tested: {drop_out.why}")
    return Rule(rule, "yes", done + drop_out.words)


def _reliability(setting: StudyData) -> Rule:
    rule = "Consider measurement error"
    wanted = {setting.study.outcome: setting.outcome, setting.study.process: setting.process}
    known = [
        f"{wanted[r.name]} {num(r.r_cn)}"
        for r in setting.description.reliability
        if r.name in wanted and r.r_cn is not None
    ]
    if not known:
        return Rule(
            rule, "no", "Scores are taken as they are; without items their reliability within persons is unknown."
        )
    done = f"Scores are taken as they are, which mostly weakens effects. Reliability within persons: {listed(known)}."
    return Rule(rule, "partly", done)


def _levels(setting: StudyData, forward: Direction | NotAnswered) -> tuple[Rule, ...]:
    """Only where there is such a level."""
    if setting.no_cluster:
        return (Rule("Model the level above persons", "no", f"{setting.no_cluster.why} {setting.no_cluster.needed}"),)
    if setting.cluster is None:
        return ()
    n = None if isinstance(forward, NotAnswered) else forward.clusters
    clusters = plural_of(setting.clusters) if n is None else counted(n, setting.clusters)
    done = f"Levels differ between {clusters} (random intercept); without it in the sensitivity table."
    codes = setting.panel.cluster_codes
    unknown = 0 if codes is None else len(np.unique(setting.panel.codes[codes < 0]))
    if not unknown:
        return (Rule("Model the level above persons", "yes", done),)
    done += f" {counted(unknown, setting.person)} had sessions without a known {setting.clusters}"
    done += ", left out of these models."
    return (Rule("Model the level above persons", "partly", done),)
