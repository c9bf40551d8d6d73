"""What users ask of a fit and a formula that nobody planned: no fixed part, nothing known, names as files have them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sessionwise as sw


def _table() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    n, t = 30, 5
    d = pd.DataFrame({"id": np.repeat(np.arange(n), t), "session": np.tile(np.arange(1, t + 1), n)})
    d["sex"], d["x"] = np.where(d.id % 2, "f", "m"), rng.normal(size=len(d))
    d["y"] = d.x + (d.sex == "f") + rng.normal(size=n)[d.id] + rng.normal(size=len(d))
    return d


def _panel(d: pd.DataFrame) -> sw.Panel:
    return sw.Panel(d, person="id", session="session")


@pytest.mark.parametrize(
    ("formula", "deviance"),  # by lme4 1.1-31
    [
        ("y ~ 0 + (1 | id)", 34.377900),
        ("y ~ -1 + (1 | id)", 34.377900),
        ("y ~ 0 + (0 + session | id)", 40.349533),
        ("y ~ 0 + I(0 * session) + (1 | id)", 34.377900),
    ],
)
@pytest.mark.parametrize("method", ["REML", "ML"])
def test_without_fixed_part(formula: str, deviance: float, method: str) -> None:
    y = [1.0, 2, 1.5, -1, -2, -0.5, 0.2, 0.4, -0.1, 2, 3, 1.2]
    d = pd.DataFrame({"id": np.repeat([1, 2, 3, 4], 3), "session": [1, 2, 3] * 4, "y": y})
    fit = sw.MLM(formula, method=method).fit(_panel(d))
    assert fit.deviance == pytest.approx(deviance, abs=1e-5)
    assert fit.fixef == {}
    assert fit.verdict.converged
    assert "Random effects" in str(fit)
    assert list(fit.tidy()["term"]) == []
    np.testing.assert_array_equal(np.isfinite(fit.predict(_panel(d))), True)


@pytest.mark.parametrize(
    "formula",
    ["y ~ x * sex", 'y ~ x * I(sex == "f")', 'y ~ x + I(sex != "f")', 'y ~ x + between(I(sex == "f"))', "y ~ C(sex)"],
)
def test_some_persons_are_predicted_as_among_all(formula: str) -> None:
    d = _table()
    fit, men = sw.MLM(f"{formula} + (1 | id)").fit(_panel(d)), _panel(d[d.sex == "m"])
    among_all = fit.predict(_panel(d))[np.asarray(d.sex == "m")]
    np.testing.assert_allclose(fit.predict(men), among_all)
    np.testing.assert_allclose(fit.fitted(men), among_all)


@pytest.mark.parametrize(
    ("formula", "change"),
    [
        ("y ~ lag(x) + (1 | id)", {}),
        ("y ~ x + (1 | id)", {"x": np.nan}),
        ("y ~ sex + (1 | id)", {"sex": None}),
        ("y ~ detrend(x) + (1 | id)", {}),
    ],
)
def test_nothing_known_is_predicted_as_missing(formula: str, change: dict[str, object]) -> None:
    d = _table()
    fit = sw.MLM(formula).fit(_panel(d))
    one = _panel(d[(d.id == 3) & (d.session == 1)].assign(**change))
    assert np.isnan(fit.predict(one)).all()
    assert np.isnan(np.asarray(fit.forecast(one, "population")["prediction"])).all()


@pytest.mark.parametrize(
    "name", ["Patient ID", "patient-id", "Pat.-Nr.", "1st", "a/b", "Kürzel (neu)", "constructor", "C"]
)
def test_names_are_those_of_the_file(name: str) -> None:
    d = _table().rename(columns={"id": name})
    panel = sw.Panel(d, person=name, session="session")
    fit = sw.MLM(f"y ~ x + (1 + x | `{name}`)").fit(panel)
    plain = sw.MLM("y ~ x + (1 + x | id)").fit(_panel(_table()))
    shown = name if "(" not in name else f"`{name}`"
    assert list(fit.varcorr) == [shown]
    assert fit.deviance == pytest.approx(plain.deviance, rel=1e-12)
    assert len(fit.ranef(shown)) == 30
    renamed = sw.MLM("y ~ `my x` + (1 | id)").fit(_panel(_table().rename(columns={"x": "my x"})))
    assert renamed.terms == ("(Intercept)", "my x")


@pytest.mark.parametrize(
    "session",
    [
        lambda s: "S" + s.astype(str),
        lambda s: s.astype(str),
        lambda s: s.astype(str).astype("category"),
        lambda s: s * 1.0,
    ],
)
@pytest.mark.parametrize(
    "term",
    ["session", "I(session > 3)", "scale(session)", "within(session)", "log(session)", "x:session", "C(session)"],
)
def test_a_session_is_its_number(session: object, term: str) -> None:
    d = _table()
    expected = sw.MLM(f"y ~ {term} + (1 | id)").fit(_panel(d))
    found = sw.MLM(f"y ~ {term} + (1 | id)").fit(_panel(d.assign(session=session(d.session))))  # type: ignore[operator]
    assert found.fixef == pytest.approx(expected.fixef)
