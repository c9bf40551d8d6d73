"""Refusals: what cannot be studied at all is refused here, codes for 'missing' that stand as scores above all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..designs.person_values import source_rows
from ..errors import Argument, PanelError, StudyError, Wording, missing_codes, nearest, some
from ..findings import Finding
from ..panel.few_values import few_values, instead, meaning
from ..panel.frames import text_among_numbers
from ..scoring import Instrument, Scale, instrument, instruments

if TYPE_CHECKING:
    from ..panel import Panel
    from .study import Study

#: A value so many times as far from the median as values usually are (the median of distances) is no score.
FARTHEST = 50
#: Numbers that files use for 'missing'.
CODES = (-9999, -999, -99, -98, -97, -88, -77, -9, -8, -7, 7, 8, 9, 77, 88, 97, 98, 99, 777, 888, 997, 998, 999, 9999)
#: A code stands in more than this share of the sessions.
_REPEATED = 0.01
#: Values outside a scale's range are refused if more than so many, and more than this share, of the sessions have one;
#: a value that is repeated and stands in more than the second share is refused always.
_FEWEST_BEYOND, _MOST_BEYOND, _SELDOM = 5, 0.05, 0.002
_ROUNDING = 1e-9
#: So far from other values, as a share of their span, a usual code is one; other numbers farther than the span itself.
_APART = 0.2
#: Neighbouring scores are at most so many times closer to each other.
_STEP = 1.5
#: Codes are few: a column with more values outside a range has another range.
_FEW = 3
#: A negative code that stands so many times as often as any other value is one, however near.
_MUCH = 10


def known(column: str) -> tuple[Instrument, Scale] | None:
    """The instrument, and the scale, whose column this is."""
    for name in instruments():
        base = name.replace("-", "_")
        if column == base or column.startswith(f"{base}_"):
            key = instrument(name)
            if column in key.columns:
                return key, next(scale for scale in key.scales if key.column(scale) == column)
    return None


def can_be_studied(study: Study, panel: Panel) -> None:
    """Stop at a study that these data hold nothing for."""
    roles = {name: role for role, name in panel.roles.taken().items()}
    for name in study.columns:
        if name not in panel:
            raise StudyError(
                f"there is no column {name!r}.{nearest(name, panel.columns)}",
                where=f"columns: {some(panel.columns, 12)}",
                remedy="Use one of these columns, or score the instrument first.",
            )
        if name in roles:
            raise StudyError(
                f"column {name!r} says which {roles[name]} a row is of, and cannot be a variable too.",
                remedy="Name another column.",
            )
    if not len(panel):
        raise StudyError("there are no sessions.", remedy="Check how the file was read and which rows were kept.")
    for what, name in (("outcome", study.outcome), ("process", study.process)):
        values = _scores(what, name, panel)
        _finite(what, name, values, panel)
        if name not in study.as_scored:
            _possible(what, name, values, panel)
        _varies_within(what, name, values, panel)
        if name not in study.as_scored:
            _many_values(what, name, values)
    _some_change(study, panel)


def _scores(what: str, name: str, panel: Panel) -> np.ndarray:
    try:
        return panel[name]
    except PanelError as error:
        few = len(text_among_numbers(panel.series(name)))
        remedy = error.remedy if few else "Name a column of scores, or score the instrument's items first."
        raise StudyError(
            f"the {what} must be a numeric score, and {error.what}", where=error.where, remedy=remedy
        ) from error


def _finite(what: str, name: str, values: np.ndarray, panel: Panel) -> None:
    wrong = np.flatnonzero(np.isinf(values))
    if len(wrong):
        raise StudyError(
            f"the {what} {name!r} has impossible values in {len(wrong):,} of {len(values):,} sessions: infinity.",
            where=panel.where(wrong),
            remedy="Correct these cells.",
        )


def _possible(what: str, name: str, values: np.ndarray, panel: Panel) -> None:
    """Stop at values that no score can have: they would decide every result."""
    finite = values[np.isfinite(values)]
    middle = np.median(finite) if len(finite) else 0.0
    usual = np.median(np.abs(finite - middle)) if len(finite) else 0.0
    far = (np.abs(values - middle) > FARTHEST * usual) & (usual > 0)
    beyond = _beyond(name, values)
    if beyond.sum() <= max(_FEWEST_BEYOND, _MOST_BEYOND * len(values)):
        beyond &= np.isin(values, _often(values[beyond], len(values)))
    wrong = np.flatnonzero(far | beyond | np.isin(values, _codes(finite)))
    if not len(wrong):
        return
    distinct, counts = np.unique(values[wrong], return_counts=True)
    often = np.argsort(-counts, kind="stable")
    odd = some([f"{distinct[i]:g} ({counts[i]:,} times)" for i in often], 3)
    declared = missing_codes({name: [float(distinct[i]) for i in often[:_FEW] if counts[i] > 1 or i == often[0]]})
    ends = _range(name, finite)
    scale = f" The scale goes from {ends[0]:g} to {ends[1]:g}." if ends else ""
    other = " If it holds another score than its name says, rename the column." if ends else ""
    raise StudyError(
        f"the {what} {name!r} has impossible values in {len(wrong):,} of {len(values):,} sessions: {odd}.{scale}",
        where=panel.where(wrong),
        remedy=Wording(
            "Correct these cells, or declare them missing, since with them no question can be answered: ",
            declared,
            f".{other} If they are scores, say so: ",
            Argument(f"as_scored=[{name!r}]", ("--as-scored", name)),
            ".",
        ),
    )


def _some_change(study: Study, panel: Panel) -> None:
    """Stop where persons have sessions `lag` apart, and outcome or process no values there: there is no change."""
    before = source_rows(panel.sessions, panel.starts, study.lag, "session")
    now = np.flatnonzero(before >= 0)
    if not len(now):
        return
    there = {name: np.isfinite(panel[name]) for name in (study.outcome, study.process)}
    y, x = there.values()
    then = y[before[now]] & x[before[now]]
    forward = then & y[now] & (x[now] | (study.order != "process first"))
    reverse = then & x[now] & (y[now] | (study.order != "outcome first"))
    if forward.any() or reverse.any():
        return
    name = min(there, key=lambda one: int(there[one].sum()))
    values, both = there[name], y & x
    apart = "in a row" if study.lag == 1 else f"that are {study.lag} apart"
    roles = panel.roles.named()
    treatments = f", episode={roles['episode']!r}" if "episode" in roles else ""
    raise StudyError(
        f"{name} has a value in {int(values.sum()):,} of {len(values):,} sessions, and no two sessions {apart} have "
        "the scores that a model of both needs: nothing can be said of change from session to session.",
        where=f"{panel.roles.session} {_often_measured(values, panel)}{_distance(both, panel)}",
        remedy=Wording(
            "To study change from one measurement to the next, keep only the sessions with both scores, number these "
            "anew, ",
            Argument(
                f"number_sessions(kept, person={roles['person']!r}, by={roles['session']!r}, "
                f"into='measurement'{treatments})",
                ("--number-by", roles["session"], "--session", "measurement"),
            ),
            ", and say how far apart measurements are.",
        ),
    )


def _often_measured(values: np.ndarray, panel: Panel) -> str:
    """The session numbers at which most have a value, ascending: '1, 4, 8 and 2 more'."""
    numbers, counts = np.unique(panel.sessions[values], return_counts=True)
    return some([int(n) for n in np.sort(numbers[np.argsort(-counts, kind="stable")][:5])], 5) + (
        f" and {len(numbers) - 5} more" if len(numbers) > 5 else ""
    )


def _distance(both: np.ndarray, panel: Panel) -> str:
    """How far apart a person's sessions with both scores are; nothing if nobody has two."""
    rows = np.flatnonzero(both)
    apart = np.diff(panel.sessions[rows])[np.diff(panel.codes[rows]) == 0]
    if not len(apart):
        return ""
    return f"; sessions with both are {apart.min()} to {apart.max()} sessions apart (median {np.median(apart):g})"


def _many_values(what: str, name: str, values: np.ndarray) -> None:
    """Stop at two categories, and at an outcome of a few steps, that nobody said to be a score."""
    few = few_values(values)
    if not few or (len(few) > 2 and what == "process"):
        return
    raise StudyError(
        f"the {what} {meaning(name, few)}",
        where=f"column {name!r}",
        remedy=Wording(
            instead(few),
            " To analyse it as a score all the same, say so: ",
            Argument(f"as_scored=[{name!r}]", ("--as-scored", name)),
            ".",
        ),
    )


def doubtful(study: Study, panel: Panel) -> list[Finding]:
    """Warnings of single values outside the range of an instrument's scale, and of scores that have few values."""
    found = []
    for name in (study.outcome, study.process):
        if few := few_values(panel[name]):
            where = f"column {name!r}"
            found.append(Finding("warning", "few-values", meaning(name, few), where, len(few), instead(few), name))
        beyond, ends = _beyond(name, panel[name]), _range(name, panel[name])
        if not beyond.any() or not ends:
            continue
        n = int(beyond.sum())
        scale = f"{ends[0]:g} to {ends[1]:g}"
        what = f"{name} is outside the range of its scale, {scale}, in {n:,} of {len(panel):,} sessions."
        remedy = "Correct these cells, or declare them missing; they are in the analysis as they are."
        found.append(Finding("warning", "outside-range", what, panel.where(np.flatnonzero(beyond)), n, remedy))
    return found


def _beyond(name: str, values: np.ndarray) -> np.ndarray:
    """Which values are outside the range of the scale."""
    ends = _range(name, values[np.isfinite(values)])
    if ends is None:
        return np.zeros(len(values), bool)
    return (values < ends[0] - _ROUNDING) | (values > ends[1] + _ROUNDING)


def _often(values: np.ndarray, n: int) -> np.ndarray:
    """Values that stand in more than a few of n sessions."""
    distinct, counts = np.unique(values, return_counts=True)
    return distinct[(counts > 1) & (counts > _SELDOM * n)]


def _range(name: str, values: np.ndarray) -> tuple[float, float] | None:
    """Ends of the scale that a column of an instrument holds; None if it is none, or holds something else.

    The smallest range in which the instrument is scored (as mean, clinical score or sum; for each range of answers)
    with at least half of the values in it and hardly any outside but codes, or the widest that holds half.
    """
    found = known(name)
    if found is None or not len(values):
        return None
    key, own = found
    values = values[np.isfinite(values)]
    answers = ((key.low, key.high), *key.range_options)
    scorings = (own, replace(own, scoring="mean", factor=1.0), replace(own, scoring="sum", factor=1.0))
    ranges = sorted({s.limits(*ends) for s in scorings for ends in answers}, key=lambda ends: ends[1] - ends[0])
    held = None
    for ends in ranges:
        outside = values[(values < ends[0] - _ROUNDING) | (values > ends[1] + _ROUNDING)]
        if len(outside) > len(values) / 2:
            continue
        held = ends
        codes = _often(outside, len(values))
        seldom = np.count_nonzero(~np.isin(outside, codes))
        if len(codes) <= _FEW and np.isin(codes, CODES).all() and seldom <= _REPEATED * len(values):
            break
    return held


def _codes(values: np.ndarray) -> np.ndarray:
    """Numbers that stand for 'missing': repeated, at an end, and far from all others."""
    distinct, counts = np.unique(values, return_counts=True)
    found: list[float] = []
    while len(distinct) > _FEW:
        gaps = np.diff(distinct)
        ends = ((0, gaps[0], gaps[1:]), (len(distinct) - 1, gaps[-1], gaps[:-1]))
        code = next((at for at, gap, rest in ends if _is_code(distinct[at], counts, at, gap, rest)), None)
        if code is None:
            break
        found.append(float(distinct[code]))
        distinct, counts = np.delete(distinct, code), np.delete(counts, code)
    return np.array(found)


def _is_code(value: float, counts: np.ndarray, at: int, gap: float, rest: np.ndarray) -> bool:
    count, usual = counts[at], value in CODES
    if count <= _REPEATED * counts.sum():
        return False
    if usual and value < 0 and count > _MUCH * np.delete(counts, at).max():
        return True
    return bool(gap > (_APART if usual else 1.0) * rest.sum() and gap > _STEP * rest.max())


def _varies_within(what: str, name: str, values: np.ndarray, panel: Panel) -> None:
    if np.isnan(values).all():
        raise StudyError(f"the {what} {name!r} has no value in any session.", remedy="Name another column.")
    if panel.is_constant(name):
        raise StudyError(
            f"the {what} {name!r} is the same in all sessions of each person, so nothing can be said of change within "
            "persons.",
            where=f"column {name!r}, {panel.n_persons:,} persons",
            remedy="Use a column that is measured anew at each session. What is fixed for a person can be a moderator.",
        )
