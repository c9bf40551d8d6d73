"""lavaan's results (tests/reference/sem) in this package's terms: the data, the model, and our name of each row."""

from __future__ import annotations

import functools
import json
import re
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

import sessionwise as sw
from sessionwise.findings import Findings
from sessionwise.models.panel_sem.solution import solve
from sessionwise.models.panel_sem.waves import Wide

from .places import REFERENCE, shared

FOLDER = REFERENCE / "sem"
STORED = json.loads((FOLDER / "results.json").read_text(encoding="utf-8"))
CASES: dict[str, dict[str, Any]] = {case["id"]: case for case in STORED["cases"]}
CONSTANT = ("z1", "z2", "z2m", "w", "ed", "group")  # of those columns that are not one for each wave


@functools.cache
def panel(data: str) -> sw.Panel:
    if data == "shared:wage_data.csv":
        return sw.Panel(pl.read_csv(shared("wage_data.csv")), person="id", session="t")
    return long(pl.read_csv(FOLDER / data))


def long(wide: pl.DataFrame) -> sw.Panel:
    """A Panel of one row a person and wave, from columns x1, x2, ..."""
    constant = [c for c in wide.columns if c in ("person", *CONSTANT)]
    names = list(dict.fromkeys(c.rstrip("0123456789") for c in wide.columns if c not in constant))
    waves = range(1, 1 + max(int(re.sub(r"\D", "", c)) for c in wide.columns if c not in constant))
    rows = [
        wide.select(*constant, pl.lit(wave).alias("wave"), *[pl.col(f"{n}{wave}").alias(n) for n in names])
        for wave in waves
    ]
    return sw.Panel(pl.concat(rows), person="person", session="wave")


def model(case: dict[str, Any], errors: str) -> sw.RICLPM | sw.CLPM | sw.DPM:
    s = case["settings"]
    if case["model"] == "dpm":
        y, pre, exo, fixed = s["y"], s.get("pre"), s.get("exo"), s.get("fixed")
        terms = [f"lag({y})", *([f"pre(lag({pre}))"] if pre else []), *([f"lag({exo})"] if exo else [])]
        formula = f"{y} ~ {' + '.join(terms)}" + (f" | {fixed}" if fixed else "")
        return sw.DPM(
            formula, waves=s["waves"], residuals=s["errors"], same_wave=s.get("same_wave", False), errors=errors
        )
    group = s.get("group")
    options = {
        "waves": s["waves"],
        "lags": s.get("lags", "equal"),
        "means": s.get("means", "free"),
        "residuals": s.get("residuals", "free"),
        "covariates": s.get("covariates", ()),
        "group": group,
        "same": ("lag",) if group and s["lags_across_groups"] == "equal" else (),
        "errors": errors,
    }
    if case["model"] == "riclpm_items":
        return sw.RICLPM(*(tuple(v + i for i in s["items"]) for v in s["variables"]), **options)
    kind = sw.CLPM if case["model"] == "clpm" else sw.RICLPM
    return kind(*s["variables"], **options)


@functools.cache
def fitted(name: str, errors: str) -> sw.SEMFit:
    case = CASES[name]
    fit = model(case, errors).fit(panel(case["data"]))
    return everybody(fit, case, errors) if case["settings"].get("covariates") else fit


def everybody(fit: sw.SEMFit, case: dict[str, Any], errors: str) -> sw.SEMFit:
    """The fit with the three persons who have covariates only: lavaan keeps them, this package leaves them out."""
    blueprint = fit.solution.grouped.blueprint
    names = [c.variable if c.wave is None else f"{c.variable}{c.wave}" for c in blueprint.columns]
    values = pl.read_csv(FOLDER / case["data"]).select(names).cast(pl.Float64).to_numpy()
    wide = Wide(values, blueprint.columns, np.zeros(len(values), int), (), fit.coverage, Findings())
    return replace(fit, solution=solve(fit.solution.grouped, wide, None if errors == "auto" else errors))


class Names:
    """Our name of what lavaan calls lhs op rhs, in one case."""

    def __init__(self, case: dict[str, Any]) -> None:
        self.s = case["settings"]
        self.kind = case["model"]
        self.first = {v: v + "a" for v in self.s["variables"]} if self.kind == "riclpm_items" else {}

    def of(self, lhs: str, op: str, rhs: str, group: int) -> str:
        name = self._dpm(lhs, op, rhs) if self.kind == "dpm" else self._lagged(lhs, op, rhs)
        lagged = op == "~" and name.split(" ~ ")[1].startswith("lag(")
        if not self.s.get("group") or (lagged and self.s["lags_across_groups"] == "equal"):
            return name
        return f"{name} ({'ab'[group - 1]})"

    def node(self, name: str) -> tuple[str, int | None]:
        """Variable and wave."""
        found = re.fullmatch(r"(?:w|RI)?([a-z]+?)(\d)?", name)
        if found is None or name in self.s.get("covariates", ()):
            return name, None
        variable, wave = found.groups()
        return (self.first.get(variable, variable), None if wave is None else int(wave))

    def _lagged(self, lhs: str, op: str, rhs: str) -> str:
        (one, wave), (other, _) = self.node(lhs), self.node(rhs)
        if op == "=~":
            return f"loading({other})"
        if op == "~1":
            return _at(f"mean({one})", None if self.s.get("means") == "equal" else wave)
        if op == "~":
            if lhs.startswith("RI"):
                return f"{one} ~ {rhs}"
            return _at(f"{one} ~ lag({other})", wave if self.s.get("lags") == "free" else None)
        moment = f"var({one})" if one == other else f"cov({one}, {other})"
        if lhs.startswith("RI"):
            return f"intercept {moment}"
        if lhs.startswith("w"):
            if wave == 1:
                return _at(moment, 1)
            return _at(f"residual {moment}", None if self.s.get("residuals") == "equal" else wave)
        return moment if wave is None else _at(f"unique {moment}", wave)

    def _dpm(self, lhs: str, op: str, rhs: str) -> str:
        y = self.s["y"]
        (one, wave), (other, before) = self._split(lhs), self._split(rhs)
        if op == "~1":
            return _at(f"mean({one})", wave)
        if op == "~":
            return f"{y} ~ lag({other})" if before is not None else f"{y} ~ {other}"
        if lhs == "alpha":
            return f"intercept var({y})" if rhs == "alpha" else f"cov(person effect, {_at(other, before)})"
        if lhs == rhs and one == y and wave != 1:
            return _at(f"residual var({y})", None if self.s["errors"] == "equal" else wave)
        if lhs == rhs:
            return _at(f"var({one})", wave)
        order = [y, self.s.get("pre"), self.s.get("exo"), self.s.get("fixed")]
        pair = sorted([(one, wave), (other, before)], key=lambda c: (order.index(c[0]), c[1] or 0))
        return f"cov({', '.join(_at(*c) for c in pair)})"

    @staticmethod
    def _split(name: str) -> tuple[str, int | None]:
        variable = name.rstrip("0123456789")
        return variable, int(name[len(variable) :]) if name != variable else None


def _at(name: str, wave: int | None) -> str:
    return name if wave is None else f"{name} [{wave}]"


def estimates(fit: sw.SEMFit, case: dict[str, Any]) -> list[tuple[str, float, float, float, float, float]]:
    """Of every free row: name, our estimate and se, lavaan's estimate, se and robust se.

    lavaan's mean of a predicted variable is the intercept of its equation; ours is the mean itself.
    """
    names, p = Names(case), case["parameters"]
    place = {name: i for i, name in enumerate(fit.terms)}
    theta, vcov = fit.solution.theta, fit.vcov
    found = []
    for i in range(len(p["lhs"])):
        if not p["free"][i]:
            continue
        lhs, op, rhs, group = (p[c][i] for c in ("lhs", "op", "rhs", "group"))
        name = names.of(lhs, op, rhs, group)
        value, slope = theta[place[name]], np.zeros(len(theta))
        slope[place[name]] = 1.0
        if op == "~1":
            for coefficient, mean in _equation(names, case, lhs):
                c, m = place[coefficient], place[mean]
                value -= theta[c] * theta[m]
                slope[c], slope[m] = slope[c] - theta[m], slope[m] - theta[c]
        se = float(np.sqrt(slope @ vcov @ slope))
        found.append((name, float(value), se, p["est"][i], p["se"][i], p["se_robust"][i]))
    return found


def _equation(names: Names, case: dict[str, Any], lhs: str) -> list[tuple[str, str]]:
    """What lavaan's intercept of an observed variable is given for: coefficients and means of its predictors."""
    p = case["parameters"]
    if names.kind == "dpm":
        return [
            (names.of(lhs, "~", rhs, 1), names.of(rhs, "~1", "", 1))
            for one, op, rhs in zip(p["lhs"], p["op"], p["rhs"], strict=True)
            if (one, op) == (lhs, "~")
        ]
    variable, wave = names.node(lhs)
    return [(f"{variable} ~ {z}", f"mean({z})") for z in case["settings"].get("covariates", ()) if wave is not None]
