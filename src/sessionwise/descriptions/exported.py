"""A Description as polars dataframes, for CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    from .description import Description
    from .variables import Variable

COEFFICIENTS = ("r_1f", "r_kf", "r_1r", "r_kr", "r_c", "r_1n", "r_krn", "r_cn", "r_cn_replicates")


def tables(d: Description) -> dict[str, pl.DataFrame]:
    """Name -> dataframe, see `Description.tables`."""
    counts = d.sample.per_person.counts if d.sample.per_person else {}
    return {
        "sample": _sample(d),
        "sessions_per_person": pl.DataFrame(
            {"sessions": list(counts), "persons": list(counts.values())},
            schema={"sessions": pl.Int64, "persons": pl.Int64},
        ),
        "drop_out": pl.DataFrame(
            {name: getattr(d.drop_out, name) for name in ("session", "persons", "share", "low", "high", "ended")}
        ),
        "missing": _missing(d),
        "variables": pl.DataFrame([_variable(v) for v in d.variables], infer_schema_length=None),
        "persons": pl.DataFrame(
            [{n: getattr(p, n) for n in ("name", "n", "missing", "mean", "sd", "min", "max")} for p in d.persons],
            infer_schema_length=None,
        ),
        "categories": pl.DataFrame(
            [{"name": c.name, "label": k, "persons": n} for c in d.categories for k, n in c.counts.items()],
            schema={"name": pl.String, "label": pl.String, "persons": pl.Int64},
        ),
        "reliability": _reliability(d),
        "notes": pl.DataFrame(
            [{"code": f.code, "what": f.what, "where": f.where, "count": f.count} for f in d.findings],
            schema={"code": pl.String, "what": pl.String, "where": pl.String, "count": pl.Int64},
        ),
    }


def _sample(d: Description) -> pl.DataFrame:
    s = d.sample
    facts: dict[str, Any] = {"persons": s.persons, "sessions": s.sessions}
    for name in ("min", "q1", "median", "q3", "max", "mean", "sd"):
        facts[f"sessions_per_person_{name}"] = getattr(s.per_person, name, None)
    facts |= {"sessions_skipped": s.skipped, "sessions_scheduled": s.scheduled}
    if s.clusters:
        facts |= {"clusters": s.clusters.number, "persons_changed_cluster": s.clusters.moved}
        facts["persons_without_cluster"] = s.clusters.unknown
    if s.time:
        facts |= {"first": s.time.first, "last": s.time.last, "median_length": s.time.median_length}
    rows = {"fact": list(facts), "value": [None if v is None else str(v) for v in facts.values()]}
    return pl.DataFrame(rows, schema={"fact": pl.String, "value": pl.String})


def _missing(d: Description) -> pl.DataFrame:
    """One row a column and session number."""
    m = d.missing
    times, columns = len(m.session), len(m.columns)
    return pl.DataFrame(
        {
            "column": pl.Series([c for c in m.columns for _ in range(times)], dtype=pl.String),
            "session": m.session.tolist() * columns,
            "rows": m.rows.tolist() * columns,
            "missing": m.missing.ravel().tolist(),
            "share": m.share_by_session.ravel().tolist(),
        }
    )


def _variable(v: Variable) -> dict[str, Any]:
    row = {n: getattr(v, n) for n in ("name", "n", "persons", "missing", "mean", "sd", "min", "max")}
    row |= {"sd_within": v.sd_within, "sd_between": v.sd_between}
    for name in ("icc", "icc_cluster"):
        low, high = getattr(v, f"{name}_interval") or (None, None)
        row |= {name: getattr(v, name), f"{name}_low": low, f"{name}_high": high}
    row |= {"reliability": v.reliability, "harmonic_n": v.harmonic_n}
    c = v.components
    return row | {"variance_within": c.within, "variance_person": c.person, "variance_cluster": c.cluster}


def _reliability(d: Description) -> pl.DataFrame:
    rows = []
    for r in d.reliability:
        row: dict[str, Any] = {"scale": r.name, "items": len(r.items), "sessions": r.sessions, "persons": r.persons}
        row |= {"left_out": r.left_out, "sessions_per_person": r.sessions_per_person}
        row |= {name: getattr(r, name) for name in COEFFICIENTS}
        row |= {f"crossed_{k}": v for k, v in (r.components or {}).items()}
        row |= {f"nested_{k}": v for k, v in (r.nested or {}).items()}
        rows.append(row)
    return pl.DataFrame(rows, infer_schema_length=None)
