"""Cross-lagged: the blueprint of cross-lagged panel models, with random intercepts or without.

Every variable at every wave is mean + person + within, and the within-person parts predict each other from wave to
wave (Hamaker, Kuiper & Grasman 2015, Psychol Methods 20:102). Without random intercepts it is the ordinary cross-lagged
panel model. Several indicators of a variable each have a random intercept of their own; their within-person parts
measure one within-person factor, in the unit of the first, with loadings that are equal over waves (Mulder & Hamaker
2021, Struct Equ Modeling 28:638).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement

from .blueprint import Blueprint, Column, Draft, Parameter, ParameterKind, at_wave

_ORDER: tuple[ParameterKind, ...] = (
    "lag", "covariate", "intercept", "first", "residual", "loading", "unique", "mean", "trend", "nuisance",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Layout:
    """What a cross-lagged model is made of.

    variables : names; indicators : columns of each (one: the variable itself). waves : labels.
    intercepts : variables that have a random intercept. lags_equal, residuals_equal : over waves.
    means : 'free', 'equal' or 'linear' over waves. covariates : columns that do not change within persons.
    """

    variables: tuple[str, ...]
    indicators: tuple[tuple[str, ...], ...]
    waves: tuple[int, ...]
    intercepts: tuple[str, ...]
    lags_equal: bool
    residuals_equal: bool
    means: str
    covariates: tuple[str, ...]

    @property
    def items(self) -> list[str]:
        return [item for own in self.indicators for item in own]


def lagged(layout: Layout) -> Blueprint:
    """The blueprint."""
    columns = [Column(item, wave) for item in layout.items for wave in layout.waves]
    draft = Draft([*columns, *(Column(name) for name in layout.covariates)])
    _measure(draft, layout)
    _persons(draft, layout)
    _lags(draft, layout)
    _leftovers(draft, layout)
    _means(draft, layout)
    return draft.done(layout.waves, layout.variables, _ORDER)


def _measure(draft: Draft, layout: Layout) -> None:
    """Within-person parts: the deviations themselves, or what the indicators have in common at a wave."""
    for variable, items in zip(layout.variables, layout.indicators, strict=True):
        for wave in layout.waves:
            node = draft.within[variable, wave] = draft.node(items[0])
            draft.fix(draft.at[Column(items[0], wave)], node)
            for item in items[1:]:
                loading = Parameter(f"loading({item})", "loading", item, variable)
                draft.path(draft.at[Column(item, wave)], node, loading, 1.0)
            for item in items if len(items) > 1 else ():
                here = draft.at[Column(item, wave)]
                unique = Parameter(f"unique var({item}) [{wave}]", "unique", item, item, wave)
                draft.covary(here, here, unique, 0.3)


def _persons(draft: Draft, layout: Layout) -> None:
    """Random intercepts and what predicts them: deviations of covariates from their means, so that the means of waves
    stay what they are. Without a random intercept, a covariate still moves all waves alike."""
    deviation = {}
    for name in layout.covariates:
        deviation[name] = draft.node(name)
        draft.fix(draft.at[Column(name)], deviation[name])
        draft.mean(draft.at[Column(name)], Parameter(f"mean({name})", "nuisance", name))
    for one, other in combinations_with_replacement(layout.covariates, 2):
        what = _moment("", one, other, None, "nuisance")
        draft.covary(deviation[one], deviation[other], what, 1.0 if one == other else 0.0)
    for variable, items in zip(layout.variables, layout.indicators, strict=True):
        for item in items:
            if variable not in layout.intercepts and not layout.covariates:
                continue
            node = draft.node(item)
            for wave in layout.waves:
                draft.fix(draft.at[Column(item, wave)], node)
            if variable in layout.intercepts:
                draft.persons[item] = node
            for name in layout.covariates:
                draft.path(node, deviation[name], Parameter(f"{item} ~ {name}", "covariate", item, name))
    for one, other in combinations_with_replacement(draft.persons, 2):
        what = _moment("intercept ", one, other, None, "intercept")
        draft.covary(draft.persons[one], draft.persons[other], what, 0.4 if one == other else 0.0)


def _lags(draft: Draft, layout: Layout) -> None:
    for outcome in layout.variables:
        for predictor in layout.variables:
            for before, wave in zip(layout.waves, layout.waves[1:], strict=False):
                own = None if layout.lags_equal else wave
                what = Parameter(at_wave(f"{outcome} ~ lag({predictor})", own), "lag", outcome, predictor, own)
                start = 0.3 if outcome == predictor else 0.0
                draft.path(draft.within[outcome, wave], draft.within[predictor, before], what, start)


def _leftovers(draft: Draft, layout: Layout) -> None:
    """Within-person variances and covariances at the first wave, residual ones after it."""
    for number, wave in enumerate(layout.waves):
        for one, other in combinations_with_replacement(layout.variables, 2):
            if number == 0:
                what = _moment("", one, other, wave, "first")
            else:
                what = _moment("residual ", one, other, None if layout.residuals_equal else wave, "residual")
            start = (0.6 if number == 0 else 0.5) if one == other else 0.0
            draft.covary(draft.within[one, wave], draft.within[other, wave], what, start)


def _means(draft: Draft, layout: Layout) -> None:
    for item in layout.items:
        rows = [draft.at[Column(item, wave)] for wave in layout.waves]
        if layout.means == "linear":
            level, slope = draft.node(item), draft.node(item)
            for row, wave in zip(rows, layout.waves, strict=True):
                draft.fix(row, level)
                draft.fix(row, slope, float(wave - layout.waves[0]))
            draft.mean(level, Parameter(at_wave(f"mean({item})", layout.waves[0]), "mean", item, "", layout.waves[0]))
            draft.mean(slope, Parameter(f"trend({item})", "trend", item))
            continue
        for row, wave in zip(rows, layout.waves, strict=True):
            own = None if layout.means == "equal" else wave
            draft.mean(row, Parameter(at_wave(f"mean({item})", own), "mean", item, "", own))


def _moment(prefix: str, one: str, other: str, wave: int | None, kind: ParameterKind) -> Parameter:
    """A variance, or a covariance with the later variable named first."""
    what = f"{prefix}var({one})" if one == other else f"{prefix}cov({one}, {other})"
    return Parameter(at_wave(what, wave), kind, one, other, wave)
