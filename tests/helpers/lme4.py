"""What lme4 and nlme gave, with lmerTest and pbkrtest (tests/reference/mlm), and the same models fitted here."""

from __future__ import annotations

import functools
import json
import subprocess

import numpy as np
import polars as pl
import pytest

import sessionwise as sw
from sessionwise.mixed import Solution

from .places import REFERENCE, shared

FOLDER = REFERENCE / "mlm"
STORED = json.loads((FOLDER / "results.json").read_text(encoding="utf-8"))
CASES = {case["id"]: case for case in STORED["cases"]}
LME4 = {name: case for name, case in CASES.items() if case["program"] == "lme4"}


@functools.cache
def table(name: str) -> pl.DataFrame:
    """Data of a case. Those of real persons are not kept here: they are read where they are, or the test skips."""
    kind, _, rest = name.rpartition(":")
    if kind == "shared":
        return pl.read_csv(shared(rest)).with_columns(pl.col("Days").cast(pl.Int64))
    if kind == "R":
        script = f"library(nlme); d <- as.data.frame({rest}); write.csv(d, stdout(), row.names = FALSE)"
        try:
            done = subprocess.run(["Rscript", "-e", script], capture_output=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            pytest.skip(f"{rest} is read from R's package nlme, and there is no R with nlme here")
        return pl.read_csv(done.stdout).with_columns(
            pl.col("Sex").cast(pl.Enum(["Female", "Male"])), pl.col("age").cast(pl.Int64)
        )
    return pl.read_csv(FOLDER / rest)


@functools.cache
def _panel(name: str, roles: str) -> sw.Panel:
    return sw.Panel(table(name), **json.loads(roles))


def panel(case: dict) -> sw.Panel:
    """A case's data; with the time of sessions where its residuals stand in time."""
    position = case.get("residuals", {}).get("position", "session")
    roles = case["roles"] | ({"time": "time"} if position == "time" else {})
    return _panel(case["data"], json.dumps(roles))


@functools.cache
def fitted(name: str) -> sw.MLMFit:
    """The model of a case."""
    case = CASES[name]
    wanted, options = case.get("residuals", {}), {}
    if "correlation" in wanted:
        options["residual"] = "ar1" if wanted["position"] == "session" else "car1"
    if "variance_by" in wanted:
        options["variance_by"] = wanted["variance_by"]
    return sw.MLM(case["formula"], case["method"], **options).fit(panel(case))


def stored(name: str) -> Solution:
    """The solution of a case whose data are files."""
    if CASES[name]["data"].startswith("R:"):
        pytest.skip("these data are not kept with the tests")
    return fitted(name).solution


def of_program(case: dict, values: object) -> np.ndarray:
    """Stored numbers by coefficient, in the order of the fit."""
    listed = list(values.values()) if isinstance(values, dict) else values
    names = list(stored(case["id"]).problem.names)
    found = np.empty(len(names))
    found[[names.index(c) for c in case["columns"]]] = listed
    return found
