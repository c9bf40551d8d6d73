"""The results section: sentences ready to edit, each number with its interval."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...words import agree, apa_number, counted, p_words, percent
from ..records import (
    Coefficient,
    Diagnostic,
    Direction,
    DropOutModel,
    Estimate,
    FewSessions,
    Headline,
    HeadlineEffect,
    Heterogeneity,
    Moderation,
    NotAnswered,
    PersonEffects,
    Sensitivity,
    Step,
)
from .estimates import full, interval, point

if TYPE_CHECKING:
    from ..study_data import StudyData


def results_text(
    setting: StudyData,
    found: Headline,
    directions: tuple[Direction | NotAnswered, Direction | NotAnswered],
    persons: PersonEffects | NotAnswered,
    compared: Sensitivity,
    few: FewSessions | NotAnswered,
    drop_out: DropOutModel | NotAnswered,
    doubts: tuple[Diagnostic, ...],
) -> tuple[str, ...]:
    """In the order a paper reports."""
    said = [*_variables(setting)]
    if isinstance(drop_out, DropOutModel):
        said.append(drop_out.words)
    for one, effect in zip(directions, (found.forward, found.reverse), strict=True):
        said += [one.words] if isinstance(one, NotAnswered) else _direction(setting, one, effect)
        if one is directions[0] and isinstance(persons, PersonEffects):
            h = one.heterogeneity if isinstance(one, Direction) else None
            said.append(_persons(setting, persons, isinstance(h, Heterogeneity) and h.p < 0.05))
    said += [one.words for one in doubts if one.key != "drop-out" or one.alarm]
    said += compared.words
    if isinstance(few, FewSessions):
        said.append(few.words)
    return tuple(said)


def _variables(setting: StudyData) -> Iterator[str]:
    for v in setting.description.variables[:2]:
        if v.icc is None:
            continue
        ends = f", 95 % CI [{apa_number(v.icc_interval[0])}, {apa_number(v.icc_interval[1])}]" if v.icc_interval else ""
        between, within = (apa_number(sd or 0) for sd in (v.sd_between, v.sd_within))
        yield (
            f"{setting.called(v.name)} varied between {setting.person}s (SD = {between}) and from session to session "
            f"within them (SD = {within}); the intraclass correlation was {apa_number(v.icc)}{ends}."
        )


def _direction(setting: StudyData, one: Direction, effect: HeadlineEffect | NotAnswered) -> list[str]:
    predictor, response = setting.called(one.predictor), setting.called(one.response)
    said = [*_growth(setting, one, response)]
    if not isinstance(effect, NotAnswered):
        predicted = _shown(effect.estimate, "predicted", "predict")
        said.append(
            f"Within {setting.person}s, {predictor} {predicted} {response} {setting.later}, {full(effect.estimate)} "
            f"(standardised {point(effect.standardised)}, {interval(effect.standardised)})."
        )
    rows = f"{counted(one.sessions, 'session')} of {counted(one.persons, setting.person)}"
    said.append(
        f"In the multilevel model it was {full(one.within)} (standardised {point(one.standardised)}, "
        f"{interval(one.standardised)}), in {rows}."
    )
    if one.same_session is not None and one.given_same_session is not None:
        followed = _shown(one.same_session, "predicted", "predict")
        said.append(
            f"Within the session {predictor} {followed} {response}, rated after it, {full(one.same_session)}. With "
            f"that held constant, {predictor} of {setting.before} had the coefficient {full(one.given_same_session)}, "
            "which is no answer to whether the one predicts the other."
        )
    if not isinstance(one.between, NotAnswered):
        went = _shown(one.between, "went", "go")
        said.append(f"Between {setting.person}s, mean {predictor} {went} with {response}, {full(one.between)}.")
    if isinstance(one.heterogeneity, Heterogeneity):
        said.append(_heterogeneity(setting, one.heterogeneity))
    said += [_moderation(m, setting.person) for m in one.moderators if isinstance(m, Moderation)]
    return said


def _growth(setting: StudyData, one: Direction, response: str) -> Iterator[str]:
    for step in one.steps:
        if isinstance(step, Step) and step.key == "growth":
            time = setting.forward.time[:1] if len(setting.forward.time) == 1 else ()
            for c in (c for c in step.coefficients if c.term in time):
                changed = _shown(c.estimate, "changed", "change")
                yield f"{response} {changed} from session to session, {full(c.estimate)}."


def _shown(e: Estimate, past: str, infinitive: str) -> str:
    """'predicted', or 'was not shown to predict'."""
    return past if e.significant else f"was not shown to {infinitive}"


def _heterogeneity(setting: StudyData, h: Heterogeneity) -> str:
    people = f"{setting.person}s"
    shown = "differed" if h.p < 0.05 else "were not shown to differ"
    sd = max(h.sd, abs(h.mean), 1e-12)
    edge = " It is estimated at the boundary of what is possible." if h.singular else ""
    test = (
        f"likelihood ratio {apa_number(h.chi2)}, df = {h.df}, {p_words(h.p)} by a mixture of chi-squared distributions"
    )
    return (
        f"{people.capitalize()} {shown} in this effect (SD = {apa_number(h.sd, sd)}, {test}): 95 % of them are "
        f"estimated to lie between {apa_number(h.low, sd)} and {apa_number(h.high, sd)}, and "
        f"{percent(h.expected)} to have a {h.direction} effect.{edge}"
    )


def _moderation(m: Moderation, person: str) -> str:
    shown = "depended" if m.p < 0.05 else "was not shown to depend"
    slopes = "; ".join(f"{s.at}: {full(s.estimate)}" for s in m.slopes)
    tested: Coefficient | None = m.interactions[0] if len(m.interactions) == 1 else None
    numbers = full(tested.estimate) if tested else f"F({m.df1:.0f}, {m.df2:.0f}) = {apa_number(m.f)}, {p_words(m.p)}"
    of = f"{counted(m.sessions, 'session')} of {counted(m.persons, person)}"
    return f"The effect {shown} on {m.moderator}, {numbers}, in {of}. Simple slopes: {slopes}."


def _persons(setting: StudyData, e: PersonEffects, differ: bool) -> str:
    """How persons' own effects are spread, where these data show that they differ."""
    people = f"{counted(len(e.effects), setting.person)} with two lagged pairs or more"
    if not differ:
        return (
            f"The own effects of {people} are shrunken towards the average (reliability {apa_number(e.reliability)}); "
            f"as {setting.person}s were not shown to differ, none of them is told apart from it."
        )
    apart = agree(
        e.apart, "effect of one differs", f"effects of {e.apart:,} differ" if e.apart else "effects of none differ"
    )
    error = agree(e.apart, "its", "their")
    level = (
        f" Effects and {setting.person}s' levels of {setting.outcome} correlate by {apa_number(e.correlation)}."
        if e.correlation is not None
        else ""
    )
    return (
        f"Of {people}, the own (shrunken) {apart} from the average by more than {error} error; the "
        f"reliability of these effects is {apa_number(e.reliability)}. Intervals take the variances as known.{level}"
    )
