"""Descriptions as parts, lines and grids, that show.py puts on a terminal or into a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..findings import Findings
from ..show import Grid, Note, Part
from ..words import UNKNOWN, below_one, counted, num, percent, value_range

if TYPE_CHECKING:
    from .description import Description
    from .reliability import Reliability
    from .sample import DropOut, Sample
    from .variables import Variable

MOST_ROWS = 12

COEFFICIENTS = (
    ("r_1f", "R1F", "between: one session, the same number for all"),
    ("r_kf", "RKF", "between: mean over sessions, the same numbers for all"),
    ("r_1r", "R1R", "between: one session, whichever number"),
    ("r_kr", "RKR", "between: mean over sessions, whichever numbers"),
    ("r_c", "RC", "within: change, session numbers common to all"),
    ("r_1n", "R1n", "between: one session, sessions nested in persons"),
    ("r_krn", "RKRn", "between: mean over sessions, nested in persons"),
    ("r_cn", "RCn", "within: change, sessions nested in persons"),
    ("r_cn_replicates", "", "  the same, differences between items taken as error"),
)


def description_parts(d: Description) -> list[Part]:
    """Headline first, then tables, then notes."""
    parts: list[Part] = [headline(d.sample), *_sample_lines(d.sample), _drop_out(d.drop_out)]
    if d.variables:
        parts += [_levels(d.variables), _shares(d.variables)]
    if d.persons:
        rows = tuple((p.name, f"{p.n:,}", num(p.mean), num(p.sd), value_range(p.min, p.max)) for p in d.persons)
        parts.append(Grid("One value a person", ("", "persons", "mean", "SD", "range"), rows))
    parts += [_category(c.name, c.counts, c.missing) for c in d.categories]
    if d.reliability:
        parts += reliability_parts(d.reliability, one=False)
    parts += _missing(d)
    return parts + _notes(d.findings)


def headline(s: Sample) -> str:
    """'646 persons, 4,340 sessions, median 6 (1–22) a person, 40 clusters, 2011-09-13 to 2014-05-20'."""
    text = f"{counted(s.persons, 'person')}, {counted(s.sessions, 'session')}"
    if s.per_person:
        text += f", median {s.per_person.median:g} ({s.per_person.min}–{s.per_person.max}) a person"
    if s.clusters:
        text += f", {counted(s.clusters.number, 'cluster')}"
    if s.time:
        text += f", {_when(s.time.first)} to {_when(s.time.last)}"
    return text


def _sample_lines(s: Sample) -> list[Part]:
    lines: list[Part] = []
    p = s.per_person
    if p:
        lines.append(
            f"Sessions per person: mean {num(p.mean)}, SD {num(p.sd)}, quartiles {p.q1:g}, {p.median:g}, {p.q3:g}."
        )
    c = s.clusters
    if c and c.persons:
        lines.append(f"Persons per cluster: median {c.persons.median:g} ({c.persons.min}–{c.persons.max}).")
    if s.time:
        unit = " days" if isinstance(s.time.first, str) else ""
        lines.append(f"From first to last session of a person: median {num(s.time.median_length)}{unit}.")
    if s.skipped_share is not None:
        share = percent(s.skipped_share)
        lines.append(f"Skipped: {s.skipped:,} of {s.scheduled:,} session numbers between first and last ({share}).")
    return lines


def _drop_out(d: DropOut) -> Grid:
    at = np.arange(len(d.session))
    if len(at) > MOST_ROWS:
        at = np.unique(np.linspace(0, len(at) - 1, MOST_ROWS).round().astype(int))
    rows = tuple(
        (
            str(d.session[i]),
            f"{d.persons[i]:,}",
            percent(d.share[i]),
            f"{percent(d.low[i], sign='')}–{percent(d.high[i])}",
            f"{d.ended[i]:,}",
        )
        for i in at
    )
    shown = f"; {len(at)} of {len(d.session)} shown" if len(at) < len(d.session) else ""
    return Grid(
        f"Still in treatment (this or a later session attended{shown})",
        ("session", "persons", "share", "95 %", "ended here"),
        rows,
    )


def _levels(variables: Sequence[Variable]) -> Grid:
    rows = tuple(
        (v.name, f"{v.n:,}", num(v.mean), num(v.sd), num(v.sd_within), num(v.sd_between), value_range(v.min, v.max))
        for v in variables
    )
    return Grid(
        "Variables; within and between persons: SD", ("", "n", "mean", "SD", "within", "between", "range"), rows
    )


def _shares(variables: Sequence[Variable]) -> Grid:
    clustered = any(v.icc_cluster is not None for v in variables)
    rows = tuple(
        (
            v.name,
            _with(v.icc, v.icc_interval),
            *((_with(v.icc_cluster, v.icc_cluster_interval),) if clustered else ()),
            num(v.reliability),
            num(v.harmonic_n),
        )
        for v in variables
    )
    cluster = ("ICC cluster [95 %]",) if clustered else ()
    title = "ICC: share of variance between persons. rel.: of a person's mean of n sessions"
    return Grid(title, ("", "ICC person [95 %]", *cluster, "rel.", "n"), rows)


def reliability_parts(reliable: Sequence[Reliability], *, one: bool) -> list[Part]:
    """One in full, or several side by side."""
    if one:
        return _one_reliability(reliable[0])
    rows = tuple(
        (r.name, str(len(r.items)), f"{r.sessions:,}", num(r.r_1n), num(r.r_krn), num(r.r_cn), num(r.r_kr), num(r.r_c))
        for r in reliable
    )
    head = ("", "items", "sessions", "R1n", "RKRn", "RCn", "RKR", "RC")
    words = (
        "Between persons: R1n of one session, RKRn and RKR of a person's mean (of as many sessions as the harmonic "
        "mean of their numbers). Within persons, from session to session: RCn, RC. R1n, RKRn and RCn take sessions "
        "as nested in persons, RKR and RC session numbers as common to all."
    )
    return [Grid("Reliability of scales, from items", head, rows), words]


def _one_reliability(r: Reliability) -> list[Part]:
    head = f"{r.name}: within persons {num(r.r_cn)}, between persons {num(r.r_krn)} (mean of "
    head += f"{num(r.sessions_per_person)} sessions)"
    counts = (counted(len(r.items), "item"), counted(r.persons, "person"), counted(r.sessions, "session"))
    line = f"{', '.join(counts)} with every item answered."
    rows = tuple((words, short, num(getattr(r, name))) for name, short, words in COEFFICIENTS)
    parts: list[Part] = [head, line, Grid("Reliability", ("", "", "estimate"), rows)]
    names = dict.fromkeys([*(r.components or {}), *(r.nested or {})])
    both = tuple(
        (name.replace("_", " × "), num((r.components or {}).get(name)), num((r.nested or {}).get(name)))
        for name in names
    )
    if both:
        parts.append(Grid("Variances", ("", "crossed", "nested"), both))
    return parts + _notes(r.findings)


def _category(name: str, counts: object, missing: int) -> str:
    assert isinstance(counts, dict)
    total = sum(counts.values())
    each = [f"{label} {n:,} ({percent(n / total)})" for label, n in counts.items()]
    return f"{name}: " + ", ".join(each) + (f", missing {missing:,}" if missing else "") + "."


def _missing(d: Description) -> list[Part]:
    m = d.missing
    count, share = m.count, m.share
    worst = [i for i in np.argsort(-count, kind="stable")[:6] if count[i]]
    if not len(m.columns):
        return []
    if not worst:
        return ["No value is missing in the sessions attended."]
    missing, cells = int(count.sum()), int(m.rows.sum()) * len(m.columns)
    line = f"Missing in attended sessions: {missing:,} of {cells:,} cells ({percent(missing / cells)}), "
    line += f"in {int((count > 0).sum())} of {counted(len(m.columns), 'column')}; most: "
    return [line + ", ".join(f"{m.columns[i]} {count[i]:,} ({percent(share[i])})" for i in worst) + "."]


def _notes(findings: Findings) -> list[Part]:
    return [Note(f"note: {f.what}" + (f" ({f.where})" if f.where else "")) for f in findings]


def _with(value: float | None, interval: tuple[float, float] | None) -> str:
    if value is None:
        return UNKNOWN
    return below_one(value) + (f" [{below_one(interval[0])}, {below_one(interval[1])}]" if interval else "")


def _when(value: str | float) -> str:
    return value if isinstance(value, str) else num(value)
