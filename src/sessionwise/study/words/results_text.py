"""The results section: sentences ready to edit, each number with its interval."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...show import percent
from ..numbers import full, interval, number, p_words, plural
from ..records import (
    Coefficient,
    Direction,
    DropOutModel,
    FewSessions,
    Heterogeneity,
    Moderation,
    NotAnswered,
    PersonEffects,
    Sensitivity,
    Step,
)

if TYPE_CHECKING:
    from ..setting import Setting


def results_text(
    setting: Setting,
    directions: tuple[Direction | NotAnswered, Direction | NotAnswered],
    persons: PersonEffects | NotAnswered,
    compared: Sensitivity,
    few: FewSessions | NotAnswered,
    drop_out: DropOutModel | NotAnswered,
) -> tuple[str, ...]:
    """In the order a paper reports."""
    said = [*_variables(setting)]
    if isinstance(drop_out, DropOutModel):
        said.append(drop_out.words)
    for one in directions:
        said += [str(one)] if isinstance(one, NotAnswered) else _direction(setting, one)
    if isinstance(persons, PersonEffects):
        said.append(_persons(setting, persons))
    said += compared.words
    if isinstance(few, FewSessions):
        said.append(few.words)
    return tuple(said)


def _variables(setting: Setting) -> Iterator[str]:
    for v in setting.description.variables[:2]:
        if v.icc is None:
            continue
        ends = f", 95 % CI [{number(v.icc_interval[0])}, {number(v.icc_interval[1])}]" if v.icc_interval else ""
        yield (
            f"{setting.called(v.name)} varied between {setting.person}s (SD = {number(v.sd_between or 0)}) and from "
            "session "
            f"to session within them (SD = {number(v.sd_within or 0)}); the intraclass correlation was "
            f"{number(v.icc)}{ends}."
        )


def _direction(setting: Setting, one: Direction) -> list[str]:
    predictor, response = setting.called(one.predictor), setting.called(one.response)
    said = [*_growth(setting, one, response)]
    effect = (
        f"Within {setting.person}s, {predictor} predicted {response} at the next session, {full(one.within)} "
        f"(standardised {number(one.standardised.value)}, {interval(one.standardised)})"
    )
    if not one.within.significant:
        effect = effect.replace(" predicted ", " was not shown to predict ")
    said.append(f"{effect}, in {plural(one.sessions, 'session')} of {plural(one.persons, setting.person)}.")
    if one.same_session:
        said.append(
            f"{predictor} of the same session, rated before {response}, was held constant; given that of the session "
            f"before, it is the change since then, {full(one.same_session)}."
        )
    if not isinstance(one.between, NotAnswered):
        said.append(f"Between {setting.person}s, mean {predictor} went with {response}, {full(one.between)}.")
    if isinstance(one.heterogeneity, Heterogeneity):
        said.append(_heterogeneity(setting, one.heterogeneity, one.key))
    said += [_moderation(m) for m in one.moderators if isinstance(m, Moderation)]
    return said


def _growth(setting: Setting, one: Direction, response: str) -> Iterator[str]:
    for step in one.steps:
        if isinstance(step, Step) and step.key == "growth":
            time = setting.forward.time[:1] if len(setting.forward.time) == 1 else ()
            for c in (c for c in step.coefficients if c.term in time):
                yield f"{response} changed from session to session, {full(c.estimate)}."


def _heterogeneity(setting: Setting, h: Heterogeneity, key: str) -> str:
    people = f"{setting.person}s"
    shown = "differed" if h.p < 0.05 else "were not shown to differ"
    sd = max(h.sd, abs(h.mean), 1e-12)
    return (
        f"{people.capitalize()} {shown} in this effect (SD = {number(h.sd, sd)}, likelihood ratio {number(h.chi2)}, "
        f"{p_words(h.p)}): 95 % of them are estimated to lie between {number(h.low, sd)} and {number(h.high, sd)}, and "
        f"{percent(h.expected)} to have a {h.direction} effect."
    )


def _moderation(m: Moderation) -> str:
    shown = "depended" if m.p < 0.05 else "was not shown to depend"
    slopes = "; ".join(f"{s.at}: {full(s.estimate)}" for s in m.slopes)
    tested: Coefficient | None = m.interactions[0] if len(m.interactions) == 1 else None
    numbers = full(tested.estimate) if tested else f"F({m.df1:.0f}, {m.df2:.0f}) = {number(m.f)}, {p_words(m.p)}"
    return f"The effect {shown} on {m.moderator}, {numbers}. Simple slopes: {slopes}."


def _persons(setting: Setting, e: PersonEffects) -> str:
    return (
        f"Of {plural(len(e.effects), setting.person)}, {e.clear:,} have an own (shrunken) effect whose 95 % interval "
        "leaves "
        f"out zero; the reliability of these effects is {number(e.reliability)}."
    )
