"""The demo data: a simulated study of brief psychotherapy in which the truth is known.

In: a seed, a number of persons, and a Truth (the process; its module states the equations). Out: a Table
as a clinic would have it (`demo`), and what lies behind it (`demo_truth`). No person in it is real and no
number comes from a published study.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import SessionwiseError
from ..findings import Finding, Findings
from ..options import A_SEED, YES_OR_NO, an_object, takes, whole_number
from ..panel.table import Table
from .sample import Sample, core_items, dates, simulate
from .truth import DemoTruth, Rupture, Truth

if TYPE_CHECKING:
    import polars as pl

    from .sample import Floats

SEED = 20130601
PERSONS = 646


@takes(SessionwiseError, seed=A_SEED, persons=whole_number(1), scale_scores=YES_OR_NO, truth=an_object("Truth"))
def demo(seed: int = SEED, persons: int = PERSONS, *, scale_scores: bool = False, truth: Truth | None = None) -> Table:
    """A simulated study: one row per attended session, CORE-OM rated before it and WAI-SR after it.

    Parameters
    ----------
    seed : a whole number, 0 or more. The default is a date, taken as it stands, not chosen by its result.
    persons : how many.
    scale_scores : the true scale scores as columns `core_om` and `wai_sr`, without measurement error or
        bounds, in place of the 46 items. Persons and sessions are the same.
    truth : the parameters; `Truth()` if not given.

    Columns: patient, therapist, session, date, gender, age, pd (1: personality problems), then
    core_om_1 .. core_om_34 (0-4) and wai_sr_1 .. wai_sr_12 (1-5), a missing item being null.
    A skipped session has no row; its number is left out.

    >>> table = demo(persons=50)
    >>> table.columns[:4]
    ('patient', 'therapist', 'session', 'date')
    """
    import polars as pl

    sim = simulate(seed, persons, truth or Truth())
    people, who, when = sim.people, sim.rows.person, sim.rows.session
    columns: dict[str, object] = {
        "patient": people.label[who],
        "therapist": _therapist_names(sim).gather(people.therapist[who]),
        "session": when + 1,
        "date": dates(sim),
        "gender": np.where(people.woman[who], "woman", "man"),
        "age": people.age[who],
        "pd": people.pd[who],
    }
    if scale_scores:
        columns |= {"core_om": sim.process.y[who, when], "wai_sr": sim.process.w[who, when]}
    else:
        columns |= _item_columns("core_om", core_items(sim)) | _item_columns("wai_sr", sim.rows.wai)
    note = Finding("note", "simulated", "These data are simulated; no person in them is real.", count=len(who))
    return Table(pl.DataFrame(columns), source="demo (simulated)", findings=Findings([note]))


@takes(SessionwiseError, seed=A_SEED, persons=whole_number(1), truth=an_object("Truth"))
def demo_truth(seed: int = SEED, persons: int = PERSONS, *, truth: Truth | None = None) -> DemoTruth:
    """What lies behind `demo` of the same seed, persons and truth: parameters, true values, ruptures."""
    import polars as pl

    sim = simulate(seed, persons, truth or Truth())
    people, process, rows = sim.people, sim.process, sim.rows
    names = _therapist_names(sim)
    who, when = np.nonzero(np.arange(process.y.shape[1]) < rows.last[:, None])
    sessions = {
        "patient": people.label[who],
        "session": when + 1,
        "attended": rows.attended[who, when],
        "y": process.y[who, when],
        "w": process.w[who, when],
        "y_within": process.y_within[who, when],
        "w_within": process.w_within[who, when],
    }
    persons_ = {
        "patient": people.label,
        "therapist": names.gather(people.therapist),
        "pd": people.pd,
        "y_person": people.y_person,
        "w_person": people.w_person,
        "b": people.b,
        "planned": people.planned,
        "last": rows.last,
        "dropped_out": rows.last < people.planned,
    }
    therapists = {
        "therapist": names,
        "y_therapist": people.y_therapist,
        "w_therapist": people.w_therapist,
        "persons": np.bincount(people.therapist, minlength=len(names)),
    }
    return DemoTruth(
        parameters=sim.truth,
        sessions=pl.DataFrame(sessions),
        persons=pl.DataFrame(persons_),
        therapists=pl.DataFrame(therapists),
        ruptures=_ruptures(sim),
    )


def _therapist_names(sim: Sample) -> pl.Series:
    import polars as pl

    return pl.Series([f"T{k:02d}" for k in range(1, len(sim.people.y_therapist) + 1)])


def _item_columns(name: str, items: Floats) -> dict[str, object]:
    """One integer column an item, missing as null."""
    import polars as pl

    return {f"{name}_{j + 1}": pl.Series(items[:, j], nan_to_null=True).cast(pl.Int64) for j in range(items.shape[1])}


def _ruptures(sim: Sample) -> tuple[Rupture, ...]:
    """The true ruptures that fell within treatment."""
    shock, within, last = sim.process.shock, sim.process.w_within, sim.rows.last
    found = []
    for i, t in zip(*np.nonzero((shock > 0) & (np.arange(shock.shape[1]) < last[:, None])), strict=True):
        back = np.nonzero(within[i, t + 1 : last[i]] >= sim.truth.repair_level)[0]
        rupture = Rupture(
            patient=int(sim.people.label[i]),
            onset=int(t) + 1,
            repair=int(t + 2 + back[0]) if len(back) else None,
            depth=float(shock[i, t]),
            low=float(within[i, t]),
            observed=bool(sim.rows.attended[i, t]),
            dropped_out=bool(not len(back) and last[i] < sim.people.planned[i]),
        )
        found.append(rupture)
    return tuple(found)
