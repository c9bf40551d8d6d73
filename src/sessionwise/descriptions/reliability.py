"""Reliability of a scale between and within persons, by generalisability theory.

Two views of person p's answer to item i in session t (Cranford et al. 2006, Pers Soc Psychol Bull 32, 917–929;
Shrout & Lane 2012, in Handbook of Research Methods for Studying Daily Life, 302–320; Bolger & Laurenceau
2013, Intensive Longitudinal Methods, ch. 7):

    crossed : session numbers are a calendar common to all; person, session, item, the three pairs, residual
    nested  : each person has sessions of their own; person, item, session of the person, person × item, residual

Only sessions with every item answered are used, so that items are crossed with all of them; the number of
sessions may differ between persons and numbers may be missing. Then a session's mean over its k items and
its deviations from that mean are two separate problems, each a layout of persons by sessions:

    var within means        σ²(session of person) + σ²(residual)/k     between: σ²(person) + σ²(person×item)/k
    deviations, k − 1 each  σ²(residual)                               between: σ²(person×item)

`_components` solves both by Henderson's methods (1953, Biometrics 9, 226–252; nested: 1, crossed: 3), which
are unbiased with unequal numbers and are the usual analysis of variance with equal ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import ScoreError, nearest, some
from ..findings import Finding, Findings
from ..options import A_NAME, INSTRUMENTS, ITEMS, NAMES, NUMBERS, PANEL, takes
from ..scoring import Answered, Instrument, ItemMapping, Scale, answered, instrument
from ..threads import one_thread
from ..words import agree, counted
from .components import Floats, crossed, nested

if TYPE_CHECKING:
    import os

    from ..panel import Panel


_AGAINST, _JUDGED, _FEWEST_ITEMS = -0.2, 50, 3  # a correlation; sessions and items with which it is judged


@dataclass(frozen=True, slots=True, repr=False)
class Reliability:
    """Reliability of one scale (the mean or sum of its items); None where the data do not tell.

    name : of the scale. items : column names.
    sessions, persons : with every item answered, hence used. left_out : sessions with some items but not all.
    sessions_per_person : harmonic mean over persons used; the number of sessions in `r_kf`, `r_kr`, `r_krn`.
    components : crossed variances: person, session, item, person_session, person_item, session_item, residual.
    nested : variances with sessions nested in persons: person, item, session, person_item, residual.
    set_to_zero : names of components whose estimate was negative, 'crossed.session' for example.

    Between persons: r_1f one session of a fixed number; r_kf mean over sessions, the same for all; r_1r one
    session, whichever; r_kr mean over sessions, whichever; r_1n and r_krn the same with nested sessions.
    Within persons: r_c change from session to session, crossed; r_cn nested. r_cn_replicates is r_cn with
    differences between items counted as error (items taken as interchangeable, as by a three-level model
    without items); not larger than r_cn.
    """

    name: str
    items: tuple[str, ...]
    sessions: int
    persons: int
    left_out: int
    sessions_per_person: float | None
    components: Mapping[str, float] | None
    nested: Mapping[str, float] | None
    r_1f: float | None
    r_kf: float | None
    r_1r: float | None
    r_kr: float | None
    r_c: float | None
    r_1n: float | None
    r_krn: float | None
    r_cn: float | None
    r_cn_replicates: float | None
    set_to_zero: tuple[str, ...]
    findings: Findings

    def to_dict(self) -> dict[str, Any]:
        """Plain dict for JSON; None where unknown."""
        from ..show import plain_dict

        return plain_dict(self)

    def __rich__(self) -> object:
        from ..show import rich_group
        from .printed import reliability_parts

        return rich_group(reliability_parts([self], one=True))

    def __str__(self) -> str:
        from ..show import text

        return text(self)

    def __repr__(self) -> str:
        from ..words import num

        return f"<Reliability {self.name}: within persons {num(self.r_cn)}, between persons {num(self.r_krn)}>"

    def _repr_html_(self) -> str:
        from ..show import html_parts
        from .printed import reliability_parts

        return html_parts(reliability_parts([self], one=True))


@takes(ScoreError, panel=PANEL, items=INSTRUMENTS, scale=A_NAME, mapping=ITEMS, reversed=NAMES, limits=NUMBERS)
@one_thread()
def reliability(
    panel: Panel,
    items: Sequence[str] | str | os.PathLike[str] | Instrument,
    scale: str | None = None,
    *,
    mapping: ItemMapping | None = None,
    reversed: Sequence[str] = (),
    limits: tuple[float, float] | None = None,
) -> Reliability:
    """Within- and between-person reliability of a scale from its items.

    panel : sessions nested in persons, items as numeric columns.
    items : an instrument (name, file or Instrument), or column names of the items.
    scale : which scale of the instrument, 'risk' or 'core_om_risk'; the total if not given. For column
        names: the scale's name in the output.
    mapping : where the instrument's items are, see `item_columns`.
    reversed : for column names: which of them are turned round (low + high − answer); an instrument knows.
    limits : for column names: (low, high) of the answers; the smallest and largest seen if not given.

    Sessions in which an item of the scale is missing are left out and counted.
    Raises ScoreError if items or scale cannot be found, or there are fewer than two items.
    """
    if isinstance(items, Sequence) and not isinstance(items, str):
        names = tuple(items)
        if len(names) < 2:
            raise ScoreError("a scale needs at least two items for its reliability", remedy="name two columns or more")
        answers = np.column_stack([panel[name] for name in names])
        turn = _turned(names, reversed)
        low, high = limits or _seen(answers)
        answers[:, turn] = low + high - answers[:, turn]
        return of_answers(panel, answers, names, scale or "scale")
    key = instrument(items)
    given = key.name if isinstance(items, str) else key
    found, errors = answered(panel.columns, panel.records, {given: mapping}, others=False)
    if errors:
        raise errors[0]
    one, wanted = found[0], _scale(key, scale)
    if len(wanted.items) < 2:
        raise ScoreError(f"{key.column(wanted)} has one item; reliability needs two", remedy="choose another scale")
    return of_scales(panel, one, (wanted,))[0]


def of_scales(panel: Panel, found: Answered, scales: Sequence[Scale] | None = None) -> list[Reliability]:
    """Of scales of an instrument (all with two items or more, if not given), in the range and direction scored.

    Raises PanelError if an item is not numeric.
    """
    key = found.instrument
    answers, outside = found.oriented(panel)
    if scales is None:
        scales = [scale for scale in key.scales if len(scale.items) > 1]
    out = []
    for scale in scales:
        at = [key.items.index(item) for item in scale.items]
        names = tuple(found.columns[item] for item in scale.items)
        out.append(of_answers(panel, answers[:, at], names, key.column(scale), outside))
    return out


def of_answers(panel: Panel, answers: Floats, names: tuple[str, ...], name: str, outside: int = 0) -> Reliability:
    """Of float64 (n_rows, k) answers, all in one direction."""
    answered = np.isfinite(answers)
    full = answered.all(axis=1)
    left_out = int((answered.any(axis=1) & ~full).sum())
    who, when = panel.codes[full], panel.sessions[full]
    persons, person = np.unique(who, return_inverse=True)
    counts = np.bincount(person).astype(float)
    per_person = float(len(counts) / (1.0 / counts).sum()) if len(counts) else None
    said = _said(left_out, len(who), counts)
    if outside:
        what = f"{outside:,} answers outside the instrument's range were taken as missing."
        said.append(Finding("warning", "answers-out-of-range", what, count=outside))
    said += _against(answers[full], names)
    sessions = int(full.sum())
    a = b = None
    if len(counts) >= 2 and sessions > len(counts):
        rows = answers[full] - answers[full].mean()
        a, b = crossed(rows, person, when), nested(rows, person)
        if a is None:
            what = "Sessions of different persons do not share numbers enough for the crossed components."
            said.append(Finding("note", "not-crossed", what))
    negative = [f"{kind}.{c}" for kind, part in (("crossed", a), ("nested", b)) if part for c in part.negative]
    if negative:
        what = f"Estimates below zero were set to zero: {', '.join(negative)}."
        said.append(Finding("note", "negative-component", what, count=len(negative)))
    k, n = float(len(names)), per_person or 1.0
    return Reliability(
        name=name,
        items=names,
        sessions=sessions,
        persons=len(persons),
        left_out=left_out,
        sessions_per_person=per_person,
        components=a.variances if a else None,
        nested=b.variances if b else None,
        **_crossed_coefficients(a.variances if a else None, k, n),
        **_nested_coefficients(b.variances if b else None, b.within_items if b else 0.0, k, n),
        set_to_zero=tuple(negative),
        findings=Findings(said),
    )


def _crossed_coefficients(v: Mapping[str, float] | None, k: float, n: float) -> dict[str, float | None]:
    """Cranford et al. 2006, for k items and n sessions."""
    if v is None:
        return dict.fromkeys(("r_1f", "r_kf", "r_1r", "r_kr", "r_c"))
    true = v["person"] + v["person_item"] / k
    error = v["residual"] / k
    time = v["session"] + v["person_session"]
    return {
        "r_1f": _share(true, error),
        "r_kf": _share(true, error / n),
        "r_1r": _share(true, time + error),
        "r_kr": _share(true, (time + error) / n),
        "r_c": _share(v["person_session"], error),
    }


def _nested_coefficients(v: Mapping[str, float] | None, spread: float, k: float, n: float) -> dict[str, float | None]:
    """Sessions nested in persons. `spread`: mean variance of a session's answers over its items."""
    if v is None:
        return dict.fromkeys(("r_1n", "r_krn", "r_cn", "r_cn_replicates"))
    true = v["person"] + v["person_item"] / k
    error = v["residual"] / k
    means = v["session"] + error
    return {
        "r_1n": _share(true, means),
        "r_krn": _share(true, means / n),
        "r_cn": _share(v["session"], error),
        "r_cn_replicates": max(0.0, 1.0 - spread / k / means) if means > 0 else None,
    }


def _share(true: float, error: float) -> float | None:
    return true / (true + error) if true + error > 0 else None


def _said(left_out: int, sessions: int, counts: npt.NDArray[np.float64]) -> list[Finding]:
    said = []
    if left_out:
        what = f"{left_out:,} sessions with some items missing were left out; {sessions:,} were used."
        said.append(Finding("note", "items-missing", what, count=left_out))
    if len(counts) < 2:
        what = "Fewer than two persons have a session with every item answered: no reliability."
        said.append(Finding("note", "one-person", what))
    elif sessions == len(counts):
        what = "No person has two sessions with every item answered: no reliability within or between persons."
        said.append(Finding("note", "one-session-each", what))
    return said


def _against(answers: Floats, names: tuple[str, ...]) -> list[Finding]:
    """A warning for items that go against the others: fewer of them, by the first principal component, and each below
    -0.2 with the sum of the rest. answers : (sessions, k), of one direction as it was said."""
    varied = np.flatnonzero(answers.std(axis=0) > 0) if len(answers) >= _JUDGED else np.empty(0, int)
    if len(varied) < _FEWEST_ITEMS:
        return []
    z = (answers[:, varied] - answers[:, varied].mean(axis=0)) / answers[:, varied].std(axis=0)
    loadings = np.linalg.eigh(z.T @ z)[1][:, -1]
    loadings *= np.sign(loadings.sum()) or 1.0
    other = np.flatnonzero(loadings < 0)
    rest = z[:, loadings >= 0].sum(axis=1)
    found = [names[varied[i]] for i in other if np.corrcoef(z[:, i], rest)[0, 1] < _AGAINST]
    if not found:
        return []
    what = f"{counted(len(found), 'item')} {agree(len(found), 'goes', 'go')} against the others: {some(found, 12)}."
    remedy = "Turn round what is asked the other way, once: reversed=, or already_reversed where the file has done it."
    return [Finding("warning", "items-against", what, "reliability", len(found), remedy)]


def _scale(key: Instrument, name: str | None) -> Scale:
    if not name:
        return key.scales[0]
    for scale in key.scales:
        if name in (scale.name, key.column(scale)):
            return scale
    known = [s.name for s in key.scales if s.name]
    raise ScoreError(
        f"{key.name} has no scale {name!r}.{nearest(name, known)}", remedy=f"use one of {', '.join(known)}, or None"
    )


def _turned(names: tuple[str, ...], reversed: Sequence[str]) -> list[int]:
    for name in reversed:
        if name not in names:
            raise ScoreError(f"{name!r} is to be reversed but is not among the items.{nearest(name, names)}")
    return [names.index(name) for name in reversed]


def _seen(answers: Floats) -> tuple[float, float]:
    seen = answers[np.isfinite(answers)]
    return (float(seen.min()), float(seen.max())) if len(seen) else (0.0, 0.0)
