"""The methods section: paragraphs ready to edit, with what was done to these data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ...words import agree, apa_number, counted, listed, plural_of
from ..records import Direction, DropOutModel, Estimate, Headline, Heterogeneity, NotAnswered, Sensitivity

if TYPE_CHECKING:
    from ..study_data import StudyData

_COURSE = {
    None: "No trend over sessions was modelled.",
    "steps": "A level for each session number, the same for all {}s, was held constant.",
    "spline": "A smooth curve over session numbers (a cubic spline), the same for all {}s, was held constant.",
    "linear": "A linear trend over session numbers, the same for all {}s, was held constant.",
    "quadratic": "A quadratic trend over session numbers, the same for all {}s, was held constant.",
}


def methods_text(
    setting: StudyData,
    forward: Direction | NotAnswered,
    compared: Sensitivity,
    version: str,
    drop_out: DropOutModel | NotAnswered,
    found: Headline,
) -> tuple[str, ...]:
    """Sample, models, sensitivity, panel models, drop-out, software."""
    said = [_sample(setting)]
    if not isinstance(forward, NotAnswered):
        net = any(row.key == "net" and isinstance(row.forward, Estimate) for row in compared.rows)
        said += [_answer(setting, found)] if net else []
        said += [_models(setting, forward), _sensitivity(setting, compared, net)]
        panels = " ".join(row.said for row in compared.rows if row.said)
        if panels:
            without = f" Covariates ({listed(list(setting.study.covariates))}) are not in these models."
            said.append(f"{panels}{without if setting.study.covariates else ''}")
    if isinstance(drop_out, DropOutModel):
        said.append(_drop_out(setting))
    said.append(f"Analyses were done with sessionwise {version}. Tests are two-sided at the .05 level.")
    return tuple(said)


def _sample(setting: StudyData) -> str:
    sample, panel = setting.description.sample, setting.panel
    per = sample.per_person
    clusters = ""
    if sample.clusters:
        clusters = f" of {counted(sample.clusters.number, setting.clusters)}"
        unknown = 0 if panel.cluster_codes is None else len(np.unique(panel.codes[panel.cluster_codes < 0]))
        if unknown:
            clusters += f" ({counted(unknown, setting.person)} with sessions without a known {setting.clusters})"
    spread = f" (median {per.median:g} a {setting.person}, range {per.min}–{per.max})" if per else ""
    return (
        f"The data are {counted(sample.sessions, 'session')} of {counted(sample.persons, setting.person)}"
        f"{clusters}{spread}, with {setting.outcome} as the outcome and {setting.process} as the process."
    )


def _answer(setting: StudyData, found: Headline) -> str:
    person = setting.person
    chosen = f"{person}s' own lines over sessions" if found.own_lines else f"{person} means"
    effects = [e for e in (found.forward, found.reverse) if not isinstance(e, NotAnswered)]
    leaving = (
        "Intervals span what the estimates would be if leaving depended on the last scores seen, and if it depended on "
        "those that would have come next. "
        if any(e.unseen_leaving is not None for e in effects)
        else ""
    )
    first = (
        ""
        if setting.study.dynamic is False
        else "The answer is that of a dynamic structural equation model where its chains agree, else the following. "
    )
    return (
        f"{first}Net lagged effects were estimated in both directions at once by regressions of each score on both "
        f"scores of {setting.before}, within {person}s. {_COURSE[setting.course].format(person)} Errors are robust to "
        f"whatever sessions of a {person} have in common (Bell & McCaffrey, 2002), with t intervals, and the bias that "
        f"few sessions give such regressions (Nickell, 1981) was taken out. Whether {person}s have trends of their own "
        f"was tested by what it does to the effects (Hausman, 1978); {chosen} were taken out. {leaving}How strong an "
        "unmeasured common cause would have to be is given by robustness values (Cinelli & Hazlett, 2020)."
    )


def _models(setting: StudyData, forward: Direction) -> str:
    study, person, before = setting.study, setting.person, setting.before
    levels = f"sessions within {person}s" + (f" within {plural_of(setting.clusters)}" if setting.cluster else "")
    in_it = counted(forward.sessions, "session") + f" of {counted(forward.persons, person)}"
    if forward.clusters is not None:
        in_it += f" of {counted(forward.clusters, setting.clusters)}"
    said = [
        f"Multilevel models of {levels} were fitted by restricted maximum likelihood (Bates et al., 2015), with the "
        "process predicting the outcome and, in mirror image, the outcome predicting the process. The model of the "
        f"outcome is of {in_it}. Predictors were the scores of {before} as deviations from the {person}'s own mean, "
        f"and that mean itself (Curran & Bauer, 2011); the response's own value of {before} was held constant, as a "
        "deviation too (Falkenström et al., 2020).",
        _order(setting),
        _COURSE[setting.course].format(person),
        *_covariates(setting, forward),
    ]
    if isinstance(forward.heterogeneity, Heterogeneity):
        said.append(
            f"The effect within {person}s was random; its variance was tested by the likelihood ratio against the "
            "mixture of chi-squared distributions that holds at the boundary (Self & Liang, 1987; Stram & Lee, 1994)."
        )
    if study.moderators:
        said.append(f"Moderators ({listed(list(study.moderators))}) entered one at a time, in interaction with it.")
    said.append(
        "Degrees of freedom are Satterthwaite's (Kuznetsova et al., 2017). Lags go by session number, so that no lag "
        "crosses a skipped session."
    )
    return " ".join(said)


def _covariates(setting: StudyData, forward: Direction) -> Iterator[str]:
    if forward.covariates:
        panel = setting.panel
        changing = [n for n in forward.covariates if panel.is_numeric(n) and not panel.is_constant(n)]
        how = f" ({listed(changing)} as deviations from {setting.person}s' means beside these)" if changing else ""
        yield f"Covariates were {listed(list(forward.covariates))}{how}."
    dropped = [name for name in setting.study.covariates if name not in forward.covariates]
    if dropped:
        verb = agree(len(dropped), "does", "do")
        yield f"{listed(dropped)} {verb} not vary apart from the other predictors and could not be held constant."


def _order(setting: StudyData) -> str:
    outcome, process = setting.outcome, setting.process
    if setting.study.order == "together":
        return f"{outcome} and {process} were taken as rated at the same time."
    first, second = (outcome, process) if setting.study.order == "outcome first" else (process, outcome)
    return (
        f"In each session {first} was taken as rated before {second}; a further model of {second} with {first} of the "
        "same session gives the effect within the session."
    )


def _sensitivity(setting: StudyData, compared: Sensitivity, computed: bool) -> str:
    others = [
        row.label if row.label[:2].isupper() else row.label[:1].lower() + row.label[1:] for row in compared.rows[1:]
    ]
    sds = f"{apa_number(compared.sd_outcome)} for {setting.outcome}, "
    sds += f"{apa_number(compared.sd_process)} for {setting.process}"
    said = (
        f"Effects were compared over analyses ({'; '.join(others)}) in within-person standard deviations ({sds}, the "
        "same in all)."
    )
    if computed:
        said += (
            f" Since {setting.person} means from few sessions bias lagged effects (Nickell, 1981), the bias expected "
            "in these numbers of sessions was computed from the autocovariances of a stationary first-order process "
            "whose expected estimates are those observed."
        )
    return said


def _drop_out(setting: StudyData) -> str:
    return (
        "Drop-out was examined in a discrete-time hazard model (Singer & Willett, 1993) of leaving after each attended "
        f"session, with a level of its own for each period, on the last observed {setting.outcome} and "
        f"{setting.process} and on how far these were from the mean of the {setting.person}'s earlier values. "
        "Completed and broken-off treatments look the same in it."
    )
