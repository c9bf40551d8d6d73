"""Panel structural equation models in the sensitivity table: the same effects as the fits give, on one scale."""

from __future__ import annotations

import numpy as np
import pytest

import sessionwise as sw
from sessionwise.datasets.truth import Truth
from sessionwise.study.records import Estimate, NotAnswered

#: All persons share one process, so that the panel models are exactly right; innovations that clearly go together.
TRUTH = Truth(b_pd=0, sd_b=0, rupture_rate=0, pd_y=0, pd_w=0, cor_e=-0.4)


@pytest.fixture(scope="module")
def panel() -> sw.Panel:
    table = sw.datasets.demo(seed=3, persons=1500, scale_scores=True, truth=TRUTH)
    return sw.Panel(table, person="patient", session="session")


def row(panel: sw.Panel, key: str, order: str):
    found = sw.Study("core_om", "wai_sr", order=order, dynamic=False).run(panel).sensitivity
    return next(r for r in found.rows if r.key == key), found


@pytest.mark.parametrize("order", ["outcome first", "process first", "together"])
@pytest.mark.parametrize("key", ["riclpm", "dpm"])
def test_both_directions_are_those_of_the_truth(panel: sw.Panel, key: str, order: str) -> None:
    found, whole = row(panel, key, order)
    forward, reverse = TRUTH.b0, TRUTH.c  # net effects, whatever is rated first
    assert isinstance(found.forward, Estimate)
    assert isinstance(found.reverse, Estimate)
    scale = whole.sd_process / whole.sd_outcome
    # One sample: within 3.5 standard errors.
    assert abs(found.forward.value - forward * scale) < 3.5 * found.forward.se
    assert abs(found.reverse.value - reverse / scale) < 3.5 * found.reverse.se
    assert found.bias_forward == found.bias_reverse == 0


def test_references_are_given(panel: sw.Panel) -> None:
    references = " ".join(sw.Study("core_om", "wai_sr", dynamic=False).run(panel).references)
    assert "Hamaker, E. L." in references
    assert "Allison, P. D." in references


def test_longer_lags_and_short_treatments_have_no_row_or_a_reason(panel: sw.Panel) -> None:
    keys = {r.key for r in sw.Study("core_om", "wai_sr", lag=2, dynamic=False).run(panel).sensitivity.rows}
    assert not keys & {"riclpm", "dpm"}
    two = panel.to_frame().filter(panel.to_frame()["session"] <= 2)
    short = sw.Panel(two, person="patient", session="session")
    rows = {r.key: r for r in sw.Study("core_om", "wai_sr", dynamic=False).run(short).sensitivity.rows}
    for key in ("riclpm", "dpm"):
        assert isinstance(rows[key].forward, NotAnswered)
        assert rows[key].forward.needed


def test_repeats_are_the_same(panel: sw.Panel) -> None:
    one, other = (row(panel, "riclpm", "outcome first")[0] for _ in range(2))
    assert one == other
    assert np.isfinite(one.forward.value)
