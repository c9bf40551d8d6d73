"""statsmodels' MixedLM. Persons in therapists with correlated effects are beyond it."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..model import FIXED, Model
from . import Fitted, Ready, package


def version() -> str:
    return package("statsmodels")


def most(model: Model) -> int:
    return 1_000


def closest(model: Model) -> Model | None:
    return None if model.therapists else model


@contextmanager
def ready(frame: Any, model: Model) -> Iterator[Ready]:
    from statsmodels.formula.api import mixedlm

    def fit() -> Fitted:
        begin = time.perf_counter()
        effects = "~ x + z" if model.slopes else None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = mixedlm(FIXED, frame, groups="person", re_formula=effects).fit(reml=model.reml)
        return Fitted(time.perf_counter() - begin, -2 * found.llf, bool(found.converged))

    yield Ready(fit)
