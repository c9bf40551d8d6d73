"""Waves: from a long Panel to one row a person, and what was left out on the way. Waves are session numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import ModelError, Wording, model_option, some
from ...findings import Finding, Findings
from ...panel import Panel
from ...panel.constancy import own_values
from ...panel.panel import LARGEST
from ...words import counted, percent
from .blueprint import Column

#: Without a number of waves: as many as so large a share of the persons reaches, but no more than MOST_WAVES.
REACHED, MOST_WAVES = 0.5, 10
#: Range of values, relative to the largest, up to which they are the same but for rounding.
SAME = 1e-12
#: Coverage of a pair of columns below which a warning is given: estimates then lean on few persons.
LOW_COVERAGE = 0.10
_LEAVE_OUT = Wording("Leave the wave out, as in ", model_option("waves", (1, 2, 4)), ", or use fewer waves.")


@dataclass(frozen=True, slots=True, eq=False)
class Coverage:
    """How much was observed.

    waves : labels (T,). variables : names (v,). share : (v, T) of the persons that have the variable at the wave.
    least, least_pair : smallest share of persons that have both of two columns, and which two.
    """

    waves: tuple[int, ...]
    variables: tuple[str, ...]
    share: np.ndarray
    least: float
    least_pair: tuple[Column, Column]


@dataclass(frozen=True, slots=True, eq=False)
class Wide:
    """One row a person.

    values : (n, k) for the columns, NaN for missing; every person has a value. columns : k of them.
    group : int (n,), place among `labels`; all 0 without groups. coverage, findings : see Coverage, and what was left
    out.
    """

    values: np.ndarray
    columns: tuple[Column, ...]
    group: np.ndarray
    labels: tuple[str, ...]
    coverage: Coverage
    findings: Findings


def chosen(
    panel: Panel, variables: Sequence[str], waves: int | Sequence[int] | None, from_end: bool, fewest: int
) -> tuple[int, ...]:
    """Labels of the waves: session numbers, or with `from_end` 0 for the last session, -1 for the one before it, ...

    Raises
    ------
    ModelError : fewer than `fewest`, not whole numbers in ascending order, or one that nobody reached.
    """
    when = _labels(panel, from_end)
    if waves is None:
        return _reached(panel, variables, when, from_end, fewest)
    found = numbered(waves, int(when.min()), 0 if from_end else None)
    _enough(found, fewest)
    known = set(when.tolist())
    absent = next((wave for wave in found if wave not in known), None)
    if absent is not None:
        raise ModelError(
            f"nobody has a session at wave {absent}.",
            where=f"waves there are: {some(sorted(known), 12)}",
            remedy=_name_those_that_are(known, max(len(found), fewest)),
        )
    return tuple(found)


def numbered(waves: int | Sequence[int], first: int, last: int | None = None) -> Sequence[int]:
    """Labels of so many waves, from `first` on or up to `last`, or the labels that are given.

    Raises
    ------
    ModelError : not whole numbers in ascending order.
    """
    if isinstance(waves, int | np.integer) and not isinstance(waves, bool):
        begin = first if last is None else last + 1 - int(waves)
        return range(begin, begin + int(waves))
    try:
        found = tuple(int(w) for w in waves)  # type: ignore[union-attr]
        whole = all(int(w) == w for w in waves)  # type: ignore[union-attr]
    except (TypeError, ValueError, OverflowError):
        found, whole = (), False
    if not whole or list(found) != sorted(set(found)):
        raise ModelError(
            f"waves is {waves!r}.",
            remedy=Wording(
                "Give how many there are, or session numbers in ascending order, such as ",
                model_option("waves", (1, 2, 3, 4)),
                ".",
            ),
        )
    return found


def widened(panel: Panel, columns: Sequence[Column], waves: tuple[int, ...], from_end: bool, group: str | None) -> Wide:
    """The columns of every person that has a value in one of them.

    Raises
    ------
    ModelError : infinite values, a wave that nobody reached, a variable that does not vary at a wave, a covariate that
        is text or changes within a person, a group of a person that is not one group.
    """
    when = _labels(panel, from_end)
    changing = [c for c in columns if c.wave is not None]
    values = np.full((panel.n_persons, len(columns)), np.nan)
    person = panel.codes
    known: dict[str, np.ndarray] = {}
    for i, (name, wave) in enumerate((c.variable, c.wave) for c in columns):
        if wave is None:
            values[:, i] = _constant(panel, name)
            continue
        if name not in known:
            _changes(panel, name)
            known[name] = _finite(panel, name)
        here = when == wave
        values[person[here], i] = known[name][here]
    codes, labels, notes = _groups(panel, group)
    lagged = [i for i, c in enumerate(columns) if c.wave is not None]
    seen = np.isfinite(values[:, lagged])
    kept = seen.any(axis=1) & (codes >= 0)
    for g, label in enumerate(labels or ("",)):
        _observed(values[kept & (codes == g)], columns, waves, f" in group {label}" if label else "")
    coverage = _coverage(np.isfinite(values[kept]), columns, waves)
    notes += _left_out(panel, seen, kept, codes, changing, waves, when) + _low(coverage)
    return Wide(values[kept], tuple(columns), codes[kept], labels, coverage, Findings(notes))


def _changes(panel: Panel, name: str) -> None:
    """Stop at what cannot be a variable of waves: the session number, and what stays the same in persons.

    Raises
    ------
    ModelError : with the place where it belongs.
    """
    if name == panel.roles.session:
        raise ModelError(
            f"{name} is the wave itself, and each wave has a mean of its own already.",
            remedy=f"Leave {name} out of the formula.",
        )
    if name in panel and panel.is_constant(name):
        raise ModelError(
            f"{name} does not change within persons.",
            remedy=f"Write it after the bar, as what persons differ in: y ~ ... | {name}; or leave it out.",
        )


def _labels(panel: Panel, from_end: bool) -> np.ndarray:
    """Wave of each row, int (n_rows,)."""
    if not from_end:
        return panel.sessions
    last = panel.sessions[panel.starts[1:] - 1]
    return np.asarray(panel.sessions - last[panel.codes])


def _reached(panel: Panel, variables: Sequence[str], when: np.ndarray, from_end: bool, fewest: int) -> tuple[int, ...]:
    """Consecutive waves that enough persons have."""
    known = np.all([np.isfinite(panel[name]) for name in variables], axis=0)
    first, step = (0, -1) if from_end else (int(when.min()), 1)
    found: list[int] = []
    while len(found) < MOST_WAVES:
        wave = first + step * len(found)
        if _share(panel, known & (when == wave)) < REACHED:
            break
        found.append(wave)
    if len(found) < fewest:
        raise ModelError(
            f"only {len(found)} waves in a row have values of {some(variables)} for half of the persons; "
            f"the model needs {fewest}.",
            where=f"waves from {'the last session back' if from_end else f'session {first}'}",
            remedy=_name_those_that_are(_often(panel, known, when, fewest), fewest),
        )
    return tuple(sorted(found))


def _share(panel: Panel, rows: np.ndarray) -> float:
    """Of the persons, who have one of these rows."""
    return len(np.unique(panel.codes[rows])) / panel.n_persons


def _often(panel: Panel, known: np.ndarray, when: np.ndarray, fewest: int) -> list[int]:
    """The waves at which half of the persons are, in a row or not; all waves where these are too few."""
    numbers, counts = np.unique(when[known], return_counts=True)
    half = numbers[counts >= REACHED * panel.n_persons]
    return [int(n) for n in (half if len(half) >= fewest else numbers)]


def _name_those_that_are(known: Iterable[int], fewest: int) -> str:
    """A remedy: waves that can be had, by their numbers."""
    waves = sorted(known)[: max(fewest, MOST_WAVES)]
    if len(waves) < fewest:
        return "Use fewer waves, more sessions, or a multilevel model."
    named = model_option("waves", tuple(waves))
    return Wording("Name the waves that there are: ", named, "; missing values are allowed for.")


def _enough(found: Sequence[int], fewest: int) -> None:
    if len(found) < fewest:
        raise ModelError(
            f"{counted(len(found), 'wave')}; the model needs {fewest} or more.",
            where=f"waves {some(found, 12)}" if found else "",
            remedy="Use more sessions, or a multilevel model.",
        )


def _finite(panel: Panel, name: str) -> np.ndarray:
    """A column (n_rows,) of numbers that can be squared."""
    column = panel[name]
    absurd = np.flatnonzero(np.abs(column) > LARGEST)
    if len(absurd):
        raise ModelError(
            f"{name} is infinite or beyond {LARGEST:g} in {counted(len(absurd), 'row')}.",
            where=panel.where(absurd),
            remedy="Correct these cells or declare them missing.",
        )
    return column


def _constant(panel: Panel, name: str) -> np.ndarray:
    """A covariate (n_persons,), which is the same in all of a person's rows that have it."""
    if not panel.is_numeric(name):
        levels = panel.labels(name).levels.tolist()
        raise ModelError(
            f"covariate {name!r} holds categories ({some(levels)}), not numbers.",
            remedy="Code it as numbers, such as 0 and 1 for two categories; more need several columns.",
        )
    column, own = _finite(panel, name), own_values(panel.series(name), panel.starts)
    if len(own.changing):
        raise ModelError(
            f"{name!r} changes within persons, so it is no covariate of theirs.",
            where=f"{len(own.changing):,} persons, such as {panel.roles.person} {panel.persons[own.changing[0]]}",
            remedy="Use a value that belongs to the person, such as that of the first session, or take it as a "
            "variable of the model.",
        )
    return np.where(own.first < 0, np.nan, column[own.first])


def _groups(panel: Panel, name: str | None) -> tuple[np.ndarray, tuple[str, ...], list[Finding]]:
    """Each person's group, -1 if unknown."""
    if name is None:
        return np.zeros(panel.n_persons, np.intp), (), []
    labels, own = panel.labels(name), own_values(panel.series(name), panel.starts)
    if len(own.changing):
        raise ModelError(
            f"group {name!r} changes within persons.",
            where=f"{panel.roles.person} {panel.persons[own.changing[0]]}",
            remedy="Use a column that is the same in all of a person's rows.",
        )
    codes = np.where(own.first < 0, -1, labels.codes[own.first]).astype(np.intp)
    used = np.unique(codes[codes >= 0])
    if len(used) < 2:
        raise ModelError(
            f"group {name!r} has {counted(len(used), 'level')}.",
            remedy="Leave group out, or use a column with two groups or more.",
        )
    fresh = np.full(len(labels.levels) + 1, -1, np.intp)
    fresh[used] = np.arange(len(used))
    unknown = int((codes < 0).sum())
    notes = []
    if unknown:
        what = f"{counted(unknown, 'person')} without a value of {name}: left out."
        notes.append(Finding("warning", "no-group", what, name, unknown))
    return fresh[codes], tuple(str(labels.levels[u]) for u in used), notes


def _observed(values: np.ndarray, columns: Sequence[Column], waves: tuple[int, ...], among: str) -> None:
    """Every column has values that vary, also beside those of its variable at other waves; `among`: in which group."""
    largest: dict[str, float] = {}
    for i, column in enumerate(columns):
        own = np.abs(values[np.isfinite(values[:, i]), i])
        largest[column.variable] = max(largest.get(column.variable, 0.0), own.max(initial=0.0))
    for i, column in enumerate(columns):
        known = values[np.isfinite(values[:, i]), i]
        if not len(known):
            raise ModelError(
                f"nobody has a value of {column.variable} at "
                + (f"wave {column.wave}{among}." if column.wave is not None else f"any session{among}."),
                where=f"waves {some(waves, 12)}",
                remedy=_LEAVE_OUT,
            )
        if np.ptp(known) <= max(SAME * np.abs(known).max(), 1 / LARGEST):
            where = "" if column.wave is None else f" at wave {column.wave}"
            raise ModelError(
                f"{column.variable} does not vary between persons{where}{among}: "
                f"{counted(len(known), 'person has', 'persons have')} the value {known[0]:g}.",
                remedy="Leave this wave out." if column.wave is not None else "Leave it out.",
            )
        if np.ptp(known) <= SAME * largest[column.variable]:
            raise ModelError(
                f"{column} varies by {np.ptp(known):.3g} only, and {column.variable} at other waves goes up to "
                f"{largest[column.variable]:.3g}.",
                remedy="Correct the extreme values or declare them missing.",
            )


def _coverage(seen: np.ndarray, columns: Sequence[Column], waves: tuple[int, ...]) -> Coverage:
    share = seen.mean(axis=0)
    variables = tuple(dict.fromkeys(c.variable for c in columns if c.wave is not None))
    table = np.full((len(variables), len(waves)), np.nan)
    for column, value in zip(columns, share, strict=True):
        if column.wave is not None:
            table[variables.index(column.variable), waves.index(column.wave)] = value
    both = (seen.T.astype(np.float64) @ seen) / max(1, len(seen))
    i, j = divmod(int(np.argmin(both)), len(columns))
    return Coverage(waves, variables, table, float(both[i, j]), (columns[i], columns[j]))


def _left_out(
    panel: Panel,
    seen: np.ndarray,
    kept: np.ndarray,
    codes: np.ndarray,
    changing: Sequence[Column],
    waves: tuple[int, ...],
    when: np.ndarray,
) -> list[Finding]:
    notes = []
    none = int((~seen.any(axis=1) & (codes >= 0)).sum())
    if none:
        what = f"{counted(none, 'person')} with no value at these waves: left out."
        notes.append(Finding("note", "no-value", what, "", none))
    outside = int((~np.isin(when, waves)).sum())
    if outside:
        what = f"{outside:,} of {len(panel):,} sessions are at other waves than these and were not used."
        notes.append(Finding("note", "other-waves", what, f"waves {some(waves, 12)}", outside))
    at = np.array([c.wave for c in changing])
    times = np.array([seen[:, at == wave].any(axis=1) for wave in waves]).sum(axis=0)
    once = int((times[kept] == 1).sum())
    if once:
        what = f"{counted(once, 'person')} seen at one wave only: kept, and informing means and variances."
        notes.append(Finding("note", "seen-once", what, "", once))
    return notes


def _low(coverage: Coverage) -> list[Finding]:
    if coverage.least >= LOW_COVERAGE:
        return []
    one, other = coverage.least_pair
    what = f"only {percent(coverage.least, 1)} of the persons have a value of both {one} and {other}."
    if one == other:
        what = f"only {percent(coverage.least, 1)} of the persons have a value of {one}."
    return [
        Finding("warning", "low-coverage", what, remedy="Consider fewer waves: estimates there rest on few persons.")
    ]
