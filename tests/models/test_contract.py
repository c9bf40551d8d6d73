"""The contract of models: whatever `MODELS` names keeps it, and a new name is tested the day it is added.

A new model needs an entry in EXAMPLES: a description, and how data are drawn from it.
"""

from __future__ import annotations

import functools
import inspect
import json
import pickle
from collections.abc import Callable, Mapping
from dataclasses import FrozenInstanceError, dataclass, fields, is_dataclass
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl
import pytest

import sessionwise as sw
from sessionwise.models import MODELS, Fit, LaggedEffect, Model

PERSONS, WAVES = 150, (1, 2, 3, 4)


@dataclass(frozen=True)
class Example:
    """model : a description. draw : from it and a seed to a Panel with the columns x and y."""

    model: Any
    draw: Callable[[Any, int], sw.Panel]


def multilevel(model: sw.MLM, seed: int) -> sw.Panel:
    person, session = np.repeat(np.arange(PERSONS), len(WAVES)), np.tile(WAVES, PERSONS)
    x = np.random.default_rng(0).standard_normal(len(person))
    rows = sw.Panel(pl.DataFrame({"person": person, "session": session, "x": x}), person="person", session="session")
    fixef = {"(Intercept)": 1.0, "lag(within(x))": 0.3}
    return model.simulate(rows, fixef=fixef, varcorr={"person": [[0.5]]}, sigma=1.0, seed=seed)


def panel_model(model: Any, seed: int) -> sw.Panel:
    kinds = {"lag": 0.2, "covariate": 0.3}
    parameters = {p.name: 1.0 if p.variance else kinds.get(p.kind, 0.0) for p in model.blueprint(WAVES).parameters}
    return model.simulate(parameters, PERSONS, seed=seed)


def dynamic(model: sw.DSEM, seed: int) -> sw.Panel:
    lags = {"y ~ lag(x)": 0.2, "x ~ lag(x)": 0.3, "y ~ lag(y)": 0.2, "sd(x)": 1.0, "sd(y)": 1.0}
    return model.simulate(lags, PERSONS, len(WAVES), seed=seed)


EXAMPLES: Mapping[str, Example] = {
    "mlm": Example(sw.MLM("y ~ lag(within(x)) + (1 | person)"), multilevel),
    "riclpm": Example(sw.RICLPM("x", "y", waves=WAVES), panel_model),
    "clpm": Example(sw.CLPM("x", "y", waves=WAVES), panel_model),
    "dpm": Example(sw.DPM("y ~ pre(lag(x))", waves=WAVES), panel_model),
    "dsem": Example(sw.DSEM.reciprocal("y", "x", random="none", course=None), dynamic),
}
KINDS: Mapping[str, Callable[[pl.DataFrame], Any]] = {
    "polars": lambda frame: frame,
    "pandas": lambda frame: frame.to_pandas(),
    "pyarrow": lambda frame: frame.to_arrow(),
}
every_model = pytest.mark.parametrize("name", list(MODELS))


@functools.cache
def drawn(name: str, seed: int = 1) -> sw.Panel:
    return EXAMPLES[name].draw(EXAMPLES[name].model, seed)


@functools.cache
def fitted(name: str) -> Any:
    return EXAMPLES[name].model.fit(drawn(name))


def test_every_model_has_an_example() -> None:
    assert set(EXAMPLES) == set(MODELS)
    for name, example in EXAMPLES.items():
        assert type(example.model) is MODELS[name]
        assert name == MODELS[name].__name__.lower()


# --- descriptions -------------------------------------------------------------------------------


@every_model
def test_a_description_is_frozen_and_travels(name: str) -> None:
    model = EXAMPLES[name].model
    assert isinstance(model, Model)
    assert is_dataclass(model)
    for field in fields(model):
        with pytest.raises(FrozenInstanceError):
            setattr(model, field.name, None)
    again = pickle.loads(pickle.dumps(model))
    assert again == model
    assert hash(again) == hash(model)


@every_model
def test_a_class_is_abstract_or_final(name: str) -> None:
    for thing in (MODELS[name], type(fitted(name))):
        assert not inspect.isabstract(thing)
        assert not thing.__subclasses__()
        ours = [base for base in thing.__mro__[1:] if base.__module__.startswith("sessionwise")]
        assert ours
        assert all(inspect.isabstract(base) for base in ours)


@every_model
def test_equal_seeds_give_equal_data(name: str) -> None:
    one, same, other = (EXAMPLES[name].draw(EXAMPLES[name].model, seed) for seed in (1, 1, 2))
    assert isinstance(one, sw.Panel)
    assert one.to_frame().equals(same.to_frame())
    assert not one.to_frame().equals(other.to_frame())


@every_model
@pytest.mark.parametrize(
    "given", [[1], None, pl.DataFrame({"x": [1.0]}), "panel"], ids=lambda given: type(given).__name__
)
def test_what_is_no_panel_is_refused(name: str, given: Any) -> None:
    with pytest.raises(sw.ModelError, match="is no Panel") as caught:
        EXAMPLES[name].model.fit(given)
    assert "sw.Panel(" in caught.value.remedy


# --- fits ---------------------------------------------------------------------------------------


@every_model
def test_a_fit_is_frozen_and_travels(name: str) -> None:
    fit = fitted(name)
    assert isinstance(fit, Fit)
    assert fit.model == EXAMPLES[name].model
    for field in fields(fit):
        with pytest.raises(FrozenInstanceError):
            setattr(fit, field.name, None)
    again = pickle.loads(pickle.dumps(fit))
    assert again.to_dict() == fit.to_dict()
    assert str(again) == str(fit)
    assert {fit: 1}[fit] == 1


@every_model
def test_what_was_used(name: str) -> None:
    fit = fitted(name)
    assert fit.npersons == PERSONS
    assert fit.nobs > fit.npersons
    assert fit.title.startswith(f"{fit.label} ")
    assert isinstance(fit.findings, sw.Findings)


@every_model
def test_the_verdict_is_good_where_the_model_is_true(name: str) -> None:
    verdict = fitted(name).verdict
    assert isinstance(verdict, sw.Verdict)
    assert verdict
    assert verdict.message


@every_model
def test_on_hopeless_data_something_is_said_with_a_remedy(name: str) -> None:
    """Noise of few persons: refused, or a verdict or cautions that do not leave the reader alone."""
    rng = np.random.default_rng(5)
    remedies = []
    for persons in (2, 6, 12):
        person, session = np.repeat(np.arange(persons), len(WAVES)), np.tile(WAVES, persons)
        x, y = rng.standard_normal((2, len(person)))
        table = pl.DataFrame({"person": person, "session": session, "x": x, "y": y})
        try:
            fit = EXAMPLES[name].model.fit(sw.Panel(table, person="person", session="session"))
        except sw.SessionwiseError as error:
            remedies.append(error.remedy)
            continue
        if not fit.verdict or fit.verdict.remedy:
            remedies.append(fit.verdict.remedy)
            assert fit.verdict.message in " ".join(str(fit).split())
        assert list(fit.cautions) == [finding for finding in fit.findings if finding.severity == "warning"]
        for caution in fit.cautions:
            remedies.append(caution.remedy)
            assert caution.what in " ".join(str(fit).split())
        json.dumps(fit.to_dict(), allow_nan=False)
        assert "<p>" in fit._repr_html_()
    assert remedies
    assert all(remedies)


@every_model
@pytest.mark.parametrize("kind", list(KINDS))
def test_tables_are_of_the_kind_that_came_in(name: str, kind: str) -> None:
    table = KINDS[kind](drawn(name).to_frame())
    found = EXAMPLES[name].model.fit(sw.Panel(table, person="person", session="session")).tidy()
    assert type(found) is type(table)
    expected = fitted(name).tidy()
    there = pl.from_arrow(found) if kind == "pyarrow" else pl.DataFrame(found)
    assert there["term"].to_list() == expected["term"].to_list()
    np.testing.assert_array_equal(there["estimate"].to_numpy(), expected["estimate"].to_numpy())


@every_model
def test_effects_from_one_session_to_the_next(name: str) -> None:
    effects, wider = fitted(name).lagged_effects(), fitted(name).lagged_effects(level=0.99)
    assert ("y", "x") in {(e.outcome, e.predictor) for e in effects}
    for e, w in zip(effects, wider, strict=True):
        assert type(e) is LaggedEffect
        assert w.low < e.low < e.estimate == w.estimate < e.high < w.high
        assert e.se > 0
        assert 0 <= e.p <= 1
        assert e.scale > 0
    found = next(e for e in effects if (e.outcome, e.predictor) == ("y", "x"))
    assert abs(found.estimate - (0.3 if name == "mlm" else 0.2)) < 4 * found.se


@every_model
def test_it_prints_itself_and_goes_into_json(name: str) -> None:
    fit = fitted(name)
    text = str(fit)
    assert f"{PERSONS} persons" in text
    assert fit.verdict.message in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 80
    assert fit.parts()
    assert "<table>" in fit._repr_html_()
    plain = json.loads(json.dumps(fit.to_dict(), allow_nan=False))
    assert plain["verdict"] == fit.verdict.to_dict()
    assert plain["findings"] == fit.findings.to_dicts()
    assert (plain["nobs"], plain["npersons"]) == (fit.nobs, fit.npersons)


# --- side by side -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "names", [mix for size in range(1, len(MODELS) + 1) for mix in combinations(MODELS, size)], ids="+".join
)
def test_any_mix_can_be_compared(names: tuple[str, ...]) -> None:
    found = sw.compare(*map(fitted, names))
    labels = [f"({i}) {fitted(name).label}" for i, name in enumerate(names, 1)]
    assert [e.model for e in found.effects if (e.outcome, e.predictor) == ("y", "x")] == labels
    assert all(model.startswith(f"{label} ") for model, label in zip(found.models, labels, strict=True))
    assert json.dumps(found.to_dict(), allow_nan=False)


@dataclass(frozen=True)
class Told(Fit):
    """A fit that nobody here knows: an effect somebody read in a paper."""

    verdict: sw.Verdict
    findings: sw.Findings
    label = "Paper"
    title = "Paper of 1999"
    nobs, npersons = 80, 20

    def lagged_effects(self, level: float = 0.95) -> tuple[LaggedEffect, ...]:
        return (LaggedEffect("y", "x", None, None, 0.4, 0.1, 0.2, 0.6, 0.001, 0.5),)

    def tidy(self) -> Any:
        return pl.DataFrame({"term": ["x"], "estimate": [0.4]})

    def to_dict(self) -> dict[str, Any]:
        return {"estimate": 0.4}

    def parts(self) -> list[Any]:
        return [self.title]


def test_a_fit_of_a_kind_unknown_here_can_be_compared() -> None:
    told = Told(sw.Verdict(True, "Read."), sw.Findings())
    found = sw.compare(fitted("mlm"), told)
    assert found.effects[-1].model == "(2) Paper"
    assert found.effects[-1].standardised == pytest.approx(0.2)
    assert found.models[-1] == "(2) Paper of 1999, 20 persons"


@every_model
def test_a_description_is_no_fit(name: str) -> None:
    with pytest.raises(sw.ModelError, match="is no fit") as caught:
        sw.compare(EXAMPLES[name].model)
    assert ".fit(panel)" in caught.value.remedy
