"""What is true in the demo data: the parameters that generate it, and what they generated.

`Truth` holds every number of the process, each with its unit and meaning; `DemoTruth` the values behind
one simulated sample (true scale scores, random effects, ruptures). y is the symptom level on CORE-OM's
clinical scale (item mean x 10, 0 to 40), w the alliance on WAI-SR's (item mean, 1 to 5). For person i and
session t, counted from 1,

    y_it = mean_y + pd_y pd_i + person_yi + therapist_y + trend_y (t - 1) + y*_it
    w_it = mean_w + pd_w pd_i + person_wi + therapist_w + trend_w (t - 1) + w*_it
    y*_it = a_y y*_i,t-1 + b_i w*_i,t-1 + e_yit        b_i = b0 + b_pd pd_i + u_i
    w*_it = a_w w*_i,t-1 + c   y*_i,t-1 + e_wit

Symptoms are rated before a session and the alliance after it, so y_it precedes w_it. A rupture is a
large negative shock within e_wit; the shocks come independently, with one rate, and their mean is taken
out, so the process stays a linear first-order one with innovations of mean zero.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from ..errors import SessionwiseError

if TYPE_CHECKING:
    import polars as pl

_POINTS_Y = "CORE-OM points"
_POINTS_W = "WAI-SR points"


def _parameter(value: float, unit: str, meaning: str) -> Any:
    """A field of Truth that knows its unit and meaning; `Truth.describe` lists them."""
    return field(default=value, metadata={"unit": unit, "meaning": meaning})


@dataclass(frozen=True, slots=True)
class Truth:
    """Every parameter of the simulated study. `describe` lists them with unit and meaning.

    The values were set by hand to give a plausible primary-care sample. They are not estimates from any
    study. With ``Truth(b_pd=0, sd_b=0, rupture_rate=0, pd_y=0, pd_w=0)`` all persons share one Gaussian
    first-order process, for which a random-intercept cross-lagged panel model is exactly right.
    """

    # levels and trends
    mean_y: float = _parameter(17.5, _POINTS_Y, "mean at session 1, persons with pd = 0")
    mean_w: float = _parameter(3.85, _POINTS_W, "mean at session 1, persons with pd = 0")
    pd_y: float = _parameter(2.0, _POINTS_Y, "difference in level, pd = 1 minus pd = 0")
    pd_w: float = _parameter(-0.15, _POINTS_W, "difference in level, pd = 1 minus pd = 0")
    trend_y: float = _parameter(-0.45, f"{_POINTS_Y} per session", "linear trend, the same for all persons")
    trend_w: float = _parameter(0.03, f"{_POINTS_W} per session", "linear trend, the same for all persons")
    # between persons and therapists
    sd_y_person: float = _parameter(5.0, _POINTS_Y, "SD of the persons' levels (pd and therapist apart)")
    sd_w_person: float = _parameter(0.55, _POINTS_W, "SD of the persons' levels (pd and therapist apart)")
    cor_person: float = _parameter(-0.3, "correlation", "between a person's two levels")
    sd_y_therapist: float = _parameter(1.34, _POINTS_Y, "SD of the therapists' effects")
    sd_w_therapist: float = _parameter(
        0.14, _POINTS_W, "SD of the therapists' effects, independent of those on symptoms"
    )
    # within persons, from session to session
    a_y: float = _parameter(0.3, "per point", "symptoms on last session's symptoms")
    b0: float = _parameter(
        -1.0, f"{_POINTS_Y} per WAI-SR point", "symptoms on last session's alliance, mean for pd = 0"
    )
    b_pd: float = _parameter(-1.2, f"{_POINTS_Y} per WAI-SR point", "what pd = 1 adds to b0")
    sd_b: float = _parameter(0.6, f"{_POINTS_Y} per WAI-SR point", "SD of u, the persons' own part of that effect")
    a_w: float = _parameter(0.35, "per point", "alliance on last session's alliance")
    c: float = _parameter(-0.03, f"{_POINTS_W} per CORE-OM point", "alliance on last session's symptoms")
    sd_e_y: float = _parameter(2.5, _POINTS_Y, "SD of the innovations of symptoms")
    sd_e_w: float = _parameter(0.3, _POINTS_W, "SD of the innovations of alliance, ruptures apart")
    cor_e: float = _parameter(-0.15, "correlation", "of the two innovations at one session, ruptures apart")
    # ruptures
    rupture_rate: float = _parameter(0.025, "per session", "probability of a rupture at a session after the first")
    rupture_min: float = _parameter(0.9, _POINTS_W, "smallest rupture; sizes are uniform")
    rupture_max: float = _parameter(1.5, _POINTS_W, "largest rupture")
    repair_level: float = _parameter(-0.4, _POINTS_W, "repaired: w* is at this or higher again")
    # persons, treatments, drop-out
    women: float = _parameter(0.76, "probability", "of being a woman; no effect on anything")
    pd_share: float = _parameter(0.3, "probability", "of personality problems (pd = 1)")
    age_mean: float = _parameter(38.0, "years", "mean age before cutting at 18 and 75; no effect on anything")
    age_sd: float = _parameter(12.0, "years", "SD of age before cutting")
    caseload: float = _parameter(11.1, "persons per therapist", "mean caseload; caseloads vary as a gamma of shape 2")
    planned_min: int = _parameter(3, "sessions", "shortest planned treatment")
    planned_extra: float = _parameter(6.0, "sessions", "mean of the sessions beyond it (negative binomial of size 3)")
    planned_max: int = _parameter(24, "sessions", "longest planned treatment; longer ones are cut")
    skip: float = _parameter(0.07, "probability", "a session after the first was not held or not rated")
    drop_base: float = _parameter(-3.6, "logit", "hazard of leaving after a session; -1000 for no drop-out")
    drop_early: float = _parameter(0.6, "logit", "added after sessions 1 to 3")
    drop_level: float = _parameter(-0.6, "logit per WAI-SR point", "times the last observed WAI-SR score minus mean_w")
    drop_change: float = _parameter(
        -1.2, "logit per WAI-SR point", "times that score minus the mean of those before it"
    )
    # items
    core_noise: float = _parameter(0.55, "item points", "SD of a CORE-OM item's noise in one session")
    core_person: float = _parameter(0.6, "item points", "SD of a person's own stable way with a CORE-OM item")
    wai_noise: float = _parameter(0.45, "item points", "SD of a WAI-SR item's noise in one session")
    wai_person: float = _parameter(0.4, "item points", "SD of a person's own stable way with a WAI-SR item")
    missing_item: float = _parameter(0.005, "probability", "an item was left out, completely at random")

    def __post_init__(self) -> None:
        for f in fields(self):
            value, unit = getattr(self, f.name), f.metadata["unit"]
            is_sd = f.name.startswith("sd_") or f.name == "age_sd" or unit == "item points"
            if (
                not value == value
                or (is_sd and value < 0)
                or (unit in ("probability", "per session") and not 0 <= value <= 1)
                or (unit == "correlation" and not -1 <= value <= 1)
            ):
                raise _impossible(f.name, value, f"Give a possible value for: {f.metadata['meaning']}.")
        if not self.rupture_min <= self.rupture_max:
            raise _impossible("rupture_min", self.rupture_min, "Make it no larger than rupture_max.")
        if not 1 <= self.planned_min <= self.planned_max:
            raise _impossible("planned_min", self.planned_min, "Take 1 or more, and no more than planned_max.")
        if self.caseload <= 0 or self.planned_extra < 0 or self.missing_item == 1:
            raise _impossible("caseload, planned_extra or missing_item", "", "caseload > 0, extra >= 0, missing < 1.")

    def describe(self) -> tuple[tuple[str, float, str, str], ...]:
        """(name, value, unit, meaning) of every parameter, in order."""
        return tuple((f.name, getattr(self, f.name), f.metadata["unit"], f.metadata["meaning"]) for f in fields(self))

    @property
    def rupture_mean(self) -> float:
        """Mean of the shocks over all sessions, taken out of the innovations (WAI-SR points, positive)."""
        return self.rupture_rate * (self.rupture_min + self.rupture_max) / 2

    @property
    def innovation_cov(self) -> tuple[float, float, float]:
        """Var(e_y), Cov(e_y, e_w), Var(e_w), ruptures included."""
        low, high = self.rupture_min, self.rupture_max
        square = self.rupture_rate * (low * low + low * high + high * high) / 3
        var_w = self.sd_e_w**2 + square - self.rupture_mean**2
        return self.sd_e_y**2, self.cor_e * self.sd_e_y * self.sd_e_w, var_w


def _impossible(name: str, value: object, remedy: str) -> SessionwiseError:
    return SessionwiseError(f"Nothing can be simulated with {name} = {value!r}.", where="Truth", remedy=remedy)


@dataclass(frozen=True, slots=True)
class Rupture:
    """One true rupture.

    patient : the label in the data.
    onset : session of the shock.
    repair : first later session of the treatment with w* at `Truth.repair_level` or higher; None if none.
    depth : size of the shock, WAI-SR points, positive.
    low : w* at the onset, WAI-SR points.
    observed : the session of the onset is in the data (not skipped).
    dropped_out : not repaired when the person dropped out of treatment.
    """

    patient: int
    onset: int
    repair: int | None
    depth: float
    low: float
    observed: bool
    dropped_out: bool


@dataclass(frozen=True, slots=True, eq=False)
class DemoTruth:
    """What lies behind one simulated sample.

    parameters : the Truth it was made with.
    sessions : patient, session, attended, y, w (true scale scores), y_within, w_within (y*, w*) for each
        session up to the end of treatment, skipped ones too (attended false).
    persons : patient, therapist, pd, y_person, w_person, b (the person's own effect of alliance on
        symptoms), planned (sessions), last (session number at which treatment ended), dropped_out.
    therapists : therapist, y_therapist, w_therapist, persons (caseload).
    ruptures : all of them, in the order of `sessions`.
    """

    parameters: Truth
    sessions: pl.DataFrame
    persons: pl.DataFrame
    therapists: pl.DataFrame
    ruptures: tuple[Rupture, ...]
