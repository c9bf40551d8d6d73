"""gpboost's GPModel: maximum likelihood; random effects of one person are independent.

Its own choice of method for random slopes is an approximation whose criterion is off by up to a few units; we ask
for the exact one (Cholesky), which is also the faster at these sizes. Its own tolerance stops where the criterion is
still up to 0.1 too high; we ask for a smaller one, two or three iterations more.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from ..model import Model
from . import Fitted, Ready, package

TOLERANCE = 1e-8


def version() -> str:
    return package("gpboost")


def most(model: Model) -> int:
    return 2_000 if model.slopes else 20_000


def closest(model: Model) -> Model | None:
    return replace(model, correlated=not model.slopes, reml=False)


@contextmanager
def ready(frame: Any, model: Model) -> Iterator[Ready]:
    import gpboost

    groups = ["person", "therapist"] if model.therapists else ["person"]
    threads = os.cpu_count()

    def fit() -> Fitted:
        begin = time.perf_counter()
        slopes: dict[str, Any] = {}
        if model.slopes:
            slopes = {"group_rand_coef_data": frame[["x", "z"]].to_numpy(), "ind_effect_group_rand_coef": [1, 1]}
        found = gpboost.GPModel(
            group_data=frame[groups].to_numpy(), matrix_inversion_method="cholesky", num_parallel_threads=threads,
            **slopes,
        )  # fmt: skip
        fixed = np.column_stack([np.ones(len(frame)), frame[["x", "z", "session"]].to_numpy()])
        found.fit(y=frame["y"].to_numpy(), X=fixed, params={"delta_rel_conv": TOLERANCE})
        taken = time.perf_counter() - begin
        return Fitted(taken, 2 * found.get_current_neg_log_likelihood(), found._get_convergence_status() == 0)

    yield Ready(fit)
