"""A Panel on the grid of session numbers, and error variances from items."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

import sessionwise as sw
from sessionwise.models.dsem.data import Scaled, scaled
from sessionwise.models.dsem.measurement import from_items

MODEL = sw.DSEM.reciprocal("y", "w", course=None)


def panel(rows: dict[str, Any]) -> sw.Panel:
    return sw.Panel(pl.DataFrame(rows), person="p", session="s")


def some(persons: int = 8, sessions: int = 5, **columns: Any) -> dict[str, Any]:
    rng = np.random.default_rng(1)
    n = persons * sessions
    p, s = np.repeat(np.arange(persons), sessions), np.tile(np.arange(1, sessions + 1), persons)
    return {"p": p, "s": s, "y": rng.standard_normal(n), "w": 5 + 2 * rng.standard_normal(n), **columns}


def grid(rows: dict[str, Any], model: sw.DSEM = MODEL) -> Scaled:
    return scaled(model, model.paths, panel(rows))


def test_skipped_sessions_have_a_place() -> None:
    rows = {
        "p": [1, 1, 1, 2, 2, 2, 3],
        "s": [1, 2, 5, 3, 4, 6, 2],
        "y": [1.0, 2, 4, 0, 3, 5, 1],
        "w": [2.0, 1, 3, 2, 5, 0, 7],
    }
    data = grid(rows)
    assert np.diff(data.grid.starts).tolist() == [5, 4, 1]
    assert data.grid.session.tolist() == [0, 1, 2, 3, 4, 2, 3, 4, 5, 1]
    assert np.isnan(data.grid.values[:, 0]).tolist() == [
        False,
        False,
        True,
        True,
        False,
        False,
        False,
        True,
        False,
        False,
    ]
    assert data.skipped == 3
    back = data.grid.values * data.sd + data.centre
    np.testing.assert_allclose(back[~np.isnan(back[:, 0]), 0], rows["y"], atol=1e-12)
    within = np.concatenate([np.array([1, 2, 4]) - 7 / 3, np.array([0, 3, 5]) - 8 / 3])
    assert data.sd[0] == pytest.approx(np.sqrt(np.sum(within**2) / 4))


def test_sessions_before_the_first() -> None:
    for first, before in (("own", 0), ("previous", 1), ("stationary", 8)):
        data = grid(some(), sw.DSEM.reciprocal("y", "w", course=None, first=first))
        assert np.diff(data.grid.starts).tolist() == [5 + before] * 8
        assert np.isnan(data.grid.values[:before]).all()
        assert data.skipped == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"s": np.tile([1, 4001, 8001, 12001, 16001], 8)}, "counts something else than sessions"),
        ({"w": np.repeat(np.arange(8.0), 5)}, "w does not change within any person"),
        ({"w": np.where(np.arange(40) % 5 == 0, 1.0 * np.arange(40), np.nan)}, "in too few persons"),
    ],
)
def test_data_that_are_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(sw.ModelError, match=said) as caught:
        grid(some() | change)
    assert caught.value.remedy


def test_few_persons_are_refused() -> None:
    with pytest.raises(sw.ModelError, match="4 persons cannot tell"):
        MODEL.fit(panel(some(persons=4)))


def test_person_level_predictors() -> None:
    kind, number = np.repeat(list("aabbbccc"), 5), np.repeat(np.arange(8.0), 5)
    data = grid(some(kind=kind, number=number), sw.DSEM.reciprocal("y", "w", between="~ kind + number"))
    assert data.predictors == ("kind[b]", "kind[c]", "number")
    np.testing.assert_allclose(data.grid.predictors[:, 1:].mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(data.grid.predictors[:, 3], np.arange(8) - 3.5)
    np.testing.assert_allclose(data.predictor_means, [0, 3 / 8, 3 / 8, 3.5])


def test_covariates_are_centred_and_filled_by_the_persons_mean() -> None:
    x = np.arange(40.0)
    x[3] = np.nan
    model = sw.DSEM(("y ~ lag(y) + x", "w ~ lag(w)"))
    data = grid(some(x=x), model)
    assert data.grid.covariates is not None
    own = data.grid.covariates[:5, 0] * data.covariate_sd + np.nanmean(x)
    np.testing.assert_allclose(own, [0, 1, 2, 7 / 4, 4])
    assert [f.code for f in data.findings] == ["covariate-filled"]


def test_error_variance_from_items_is_that_of_reliability() -> None:
    items = sw.Panel(sw.datasets.demo(persons=60), person="patient", session="session")
    scored = sw.score(items, "wai-sr")
    found = from_items(scored, "wai_sr")
    answers = np.column_stack([scored[c] for c in scored.records[0].items.values()])
    (record,) = [r for r in scored.records if getattr(r, "key", None) is not None]
    k = len(next(s for s in record.key.scales if record.key.column(s) == "wai_sr").items)
    whole = ~np.isnan(answers).any(axis=1) & ~np.isnan(scored["wai_sr"])
    each = sw.reliability(items, "wai-sr")
    residual = each.nested["residual"]
    assert found.freedom == (k - 1) * sum(
        max(int(whole[a:b].sum()) - 1, 0) for a, b in zip(scored.starts[:-1], scored.starts[1:], strict=True)
    )
    # reliability leaves no session out that has all items; the score is the mean of items here
    np.testing.assert_allclose(np.unique(found.variance[whole]), residual / k, rtol=1e-6)
    part = ~whole & ~np.isnan(scored["wai_sr"])
    assert not part.any() or (found.variance[part] > residual / k).all()


def test_given_error_variances_must_leave_something() -> None:
    model = sw.DSEM.reciprocal("y", "w", error={"w": 100.0})
    with pytest.raises(sw.ModelError, match="all that varies within persons") as caught:
        grid(some(), model)
    assert "reliability" in caught.value.remedy
    with pytest.raises(sw.ModelError, match="no instrument"):
        grid(some(), sw.DSEM.reciprocal("y", "w", error="items"))
