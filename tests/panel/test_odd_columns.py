"""Columns of types that few have: kept apart, taken as what they are, or refused by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import sessionwise as sw

PERSONS, SESSIONS = 20, 5


def frame(**columns: Any) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    n = PERSONS * SESSIONS
    base = {
        "id": np.repeat(np.arange(1, PERSONS + 1), SESSIONS),
        "session": np.tile(np.arange(1, SESSIONS + 1), PERSONS),
    }
    return pd.DataFrame(base | {"y": rng.normal(size=n), "x": rng.normal(size=n)} | columns)


@pytest.mark.parametrize("digits", [20, 40, 400])
def test_long_identifiers_are_kept_apart(digits: int) -> None:
    given = frame()
    panel = sw.Panel(given.assign(id=[10**digits + int(i) for i in given["id"]]), person="id", session="session")
    assert panel.n_persons == PERSONS
    assert set(panel.sessions_per_person) == {SESSIONS}


def test_long_identifiers_of_polars_are_kept_apart() -> None:
    ids = pl.Series("id", [10**20 + i for i in range(4)], dtype=pl.Int128)
    table = pl.DataFrame({"id": ids, "session": [1, 1, 1, 1]})
    assert sw.Panel(table, person="id", session="session").n_persons == 4


def test_what_is_in_the_index_is_said_with_what_to_do() -> None:
    given = frame().set_index(["id", "session"])
    with pytest.raises(sw.PanelError, match=r"frame\.reset_index\(\)"):
        sw.Panel(given, person="id", session="session")
    assert sw.Panel(given.reset_index(), person="id", session="session").n_persons == PERSONS


def test_true_and_false_are_no_sessions() -> None:
    given = frame()
    with pytest.raises(sw.PanelError, match="holds true and false"):
        sw.Panel(given.assign(session=given["session"] > 2), person="id", session="session")


def test_complex_numbers_are_refused_by_name() -> None:
    given = frame()
    given["w"] = given["x"] + 0j
    with pytest.raises(sw.PanelError, match="column 'w' holds complex numbers"):
        sw.MLM("y ~ w + (1 | id)").fit(sw.Panel(given, person="id", session="session"))
    given["w"] = np.real(given["w"])  # the remedy
    assert sw.MLM("y ~ w + (1 | id)").fit(sw.Panel(given, person="id", session="session")).terms[1] == "w"


@pytest.mark.parametrize(
    "written", ["{:.4f}".format, "{:.1f}".format, lambda v: f"{v:.4f}".replace(".", ","), lambda v: f"{1000 * v:.0f}"]
)
def test_numbers_as_text_are_said_to_be_text(written: Any) -> None:
    given = frame()
    panel = sw.Panel(given.assign(x=given["x"].map(written)), person="id", session="session")
    with pytest.raises(sw.DesignError, match="column 'x' holds text, not numbers") as caught:
        sw.MLM("y ~ x + (1 | id)").fit(panel)
    call = next(part.python for part in caught.value.remedy.parts if hasattr(part, "python"))
    mended = given.assign(x=given["x"].map(written))
    exec(call, {"frame": mended})
    assert "x" in sw.MLM("y ~ x + (1 | id)").fit(sw.Panel(mended, person="id", session="session")).fixef


def test_codes_as_text_are_categories() -> None:
    given = frame()
    panel = sw.Panel(given.assign(x=(given["id"] % 3).astype(str)), person="id", session="session")
    assert sw.MLM("y ~ x + (1 | id)").fit(panel).terms == ("(Intercept)", "x[T.1]", "x[T.2]")
    decimals = sw.Panel(given.assign(x=(given["id"] % 3 + 0.5).astype(str)), person="id", session="session")
    assert len(sw.MLM("y ~ C(x) + (1 | id)").fit(decimals).terms) == 3


def test_text_with_a_value_of_its_own_in_each_row_is_no_category() -> None:
    given = frame()
    notes = [f"note {i}" for i in range(len(given))]
    panel = sw.Panel(given.assign(x=notes), person="id", session="session")
    with pytest.raises(sw.DesignError, match="holds text with 100 values in 100 rows"):
        sw.MLM("y ~ x + (1 | id)").fit(panel)
