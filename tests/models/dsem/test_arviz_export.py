"""InferenceData of a fit; the extra that it needs."""

from __future__ import annotations

import sys
import warnings

import numpy as np
import pytest

import sessionwise as sw
from helpers.dynamic import fitted, gappy

MODEL = sw.DSEM.reciprocal("y", "w", random=("y ~ lag(w)",), course=None)


def test_without_arviz_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "arviz", None)
    with pytest.raises(sw.ModelError, match="needs the package arviz") as caught:
        fitted(MODEL).to_arviz()
    assert 'pip install "sessionwise[arviz]"' in caught.value.remedy


def test_inference_data() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ArviZ's own, of what it will be
        az = pytest.importorskip("arviz")
        fit = fitted(MODEL)
        whole, data = fit.to_arviz(), fit.to_arviz(gappy(), draws=200)
        assert whole.groups() == ["posterior"]
        name = "y ~ lag(w)"
        np.testing.assert_array_equal(whole.posterior[name].values, fit.draws(name))
        assert data.log_likelihood["scores"].dims == ("chain", "draw", "person")
        assert data.log_likelihood["scores"].shape[:2] == data.posterior[name].shape == (2, 100)
        assert data.log_likelihood["person"].values.tolist() == fit.persons.tolist()
        found, own = az.loo(data, pointwise=True, reff=1.0), fit.loo(gappy(), draws=200)
    assert found.elpd_loo == pytest.approx(own.elpd, abs=0.5)  # draws that are spaced a little otherwise
    assert found.se == pytest.approx(own.se, rel=0.05)
