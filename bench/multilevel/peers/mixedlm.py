"""mixedlm: lme4's method in Python with Rust."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from ...timing import each
from ..model import Model
from . import Fitted, Ready, package


def version() -> str:
    return package("mixedlm")


def most(model: Model) -> int:
    return 20_000


def closest(model: Model) -> Model | None:
    return model


@contextmanager
def ready(frame: Any, model: Model) -> Iterator[Ready]:
    import mixedlm

    def fit() -> Fitted:
        begin = time.perf_counter()
        found = mixedlm.lmer(model.formula, data=frame, REML=model.reml)
        taken = time.perf_counter() - begin
        return Fitted(taken, -2 * float(found.logLik().value), bool(found.converged))

    @cache
    def criterion() -> Any:
        return mixedlm.mkLmerDevfun(mixedlm.lFormula(model.formula, frame, REML=model.reml))

    def kernel() -> float:
        made = criterion()
        theta, response = made.get_start(), made.optimizer._rust_cache.response
        return each(lambda: response.deviance_with_gradient(theta, model.reml))

    yield Ready(fit, kernel, gradient=True)
