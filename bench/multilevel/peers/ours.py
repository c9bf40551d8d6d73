"""sessionwise."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import sessionwise as sw
from sessionwise.mixed import MixedLikelihood, evaluate, optimise, problem, summed
from sessionwise.mixed.starting_values import start
from sessionwise.models.mlm.residual import residual_of

from ...timing import each, seconds
from ..model import Model
from . import Fitted, Ready


def version() -> str:
    return "ours"


def most(model: Model) -> int:
    return 10**9


def closest(model: Model) -> Model | None:
    return model


@contextmanager
def ready(frame: Any, model: Model) -> Iterator[Ready]:
    yield Ready(lambda: _fit(frame, model))


def description(model: Model) -> sw.MLM:
    return sw.MLM(model.formula, "REML" if model.reml else "ML")


def panel(frame: Any, model: Model) -> sw.Panel:
    roles = {"cluster": "therapist"} if model.therapists else {}
    return sw.Panel(frame, person="person", session="session", **roles)


def _fit(frame: Any, model: Model) -> Fitted:
    begin = time.perf_counter()
    fit = description(model).fit(panel(frame, model))
    return Fitted(time.perf_counter() - begin, fit.deviance, fit.verdict.converged)


@dataclass(frozen=True, slots=True)
class Stages:
    """Seconds of each step from a dataframe to the optimum, and the criterion evaluations of the last one."""

    panel: float
    design: float
    products: float
    fit: float
    evaluations: int

    @property
    def total(self) -> float:
        return self.panel + self.design + self.products + self.fit


def stages(frame: Any, model: Model) -> tuple[Stages, MixedLikelihood]:
    """Every step by itself, and the products that the fit needs."""
    at = [time.perf_counter()]
    data = panel(frame, model)
    at.append(time.perf_counter())
    made = sw.design(data, model.formula)
    at.append(time.perf_counter())
    residual = residual_of(description(model), data, made)
    likelihood = problem(summed(made, residual), residual)
    at.append(time.perf_counter())
    found = optimise(likelihood, reml=model.reml)
    at.append(time.perf_counter())
    of_panel, of_design, of_products, of_fit = (b - a for a, b in pairwise(at))
    return Stages(of_panel, of_design, of_products, of_fit, found.evaluations), likelihood


def evaluation(likelihood: MixedLikelihood, model: Model, threads: int) -> float:
    """Seconds of one criterion with its gradient."""
    parameters = start(likelihood)
    return each(lambda: evaluate(likelihood, parameters, reml=model.reml, threads=threads))


def optimum(likelihood: MixedLikelihood, model: Model) -> float:
    """Seconds of the fit once the products are there, with nothing else remembered."""
    fresh = replace(likelihood)
    return seconds(lambda: optimise(fresh, reml=model.reml))
