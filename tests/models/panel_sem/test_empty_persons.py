"""Persons without any value at the waves of a panel model change nothing.

lavaan's issues 206 and 580: rows without a value stopped full-information maximum likelihood, or made its gradient
wrong; OpenMx's 396: they changed the RMSEA.
"""

from __future__ import annotations

import polars as pl
import pytest

import sessionwise as sw


@pytest.mark.parametrize("errors", ["auto", "robust"])
@pytest.mark.parametrize("group", [None, "gender"])
def test_persons_without_a_value_are_left_out_and_counted(errors: str, group: str | None) -> None:
    table = pl.DataFrame(sw.datasets.demo(persons=150, scale_scores=True))
    empty = table.head(50).with_columns(
        patient=pl.Series(range(900_001, 900_051)).cast(table["patient"].dtype),
        session=pl.lit(1).cast(table["session"].dtype),
        core_om=pl.lit(None, dtype=pl.Float64),
        wai_sr=pl.lit(None, dtype=pl.Float64),
    )
    model = sw.RICLPM("core_om", "wai_sr", waves=4, errors=errors, group=group)
    plain, more = (
        model.fit(sw.Panel(t, person="patient", session="session")) for t in (table, pl.concat([table, empty]))
    )
    assert more.se == plain.se
    for name in ("loglik", "chi2", "df", "npersons", "nobs", "aic", "bic"):
        assert getattr(more, name) == getattr(plain, name), name
    assert more.indices == plain.indices
    assert any(f.count == 50 and "no value" in f.what for f in more.findings)
