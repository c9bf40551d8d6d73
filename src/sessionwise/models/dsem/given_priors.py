"""Given priors: the dict of a description's `priors`, checked before any data are seen (what they mean: own_priors)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...errors import ModelError
from ...options import is_number

#: A prior as a description holds it: (mean, sd), or a scale.
Own = tuple[float, float] | float


def checked(priors: Mapping[str, Any] | tuple[tuple[str, Any], ...], title: str) -> tuple[tuple[str, Own], ...]:
    """Sorted by name, as numbers.

    Raises
    ------
    ModelError : no pair where one is meant, a scale or SD that is not above 0, a number that is not finite.
    """
    out: dict[str, Own] = {}
    for name, value in dict(priors).items():
        if is_spread(name):
            if not (is_number(value) and np.isfinite(value) and value > 0):
                raise ModelError(
                    f"The prior of {name} is {value!r}.",
                    where=title,
                    remedy="Give the scale of a half-t, a number above 0 in the column's units.",
                )
            out[name] = float(value)
            continue
        pair = tuple(value) if isinstance(value, tuple | list) else ()
        if not (len(pair) == 2 and all(is_number(v) and np.isfinite(v) for v in pair) and pair[1] > 0):
            raise ModelError(
                f"The prior of {name} is {value!r}.",
                where=title,
                remedy="Give (mean, sd) of a normal, such as (0, 2), with an SD above 0, in the columns' units.",
            )
        out[name] = (float(pair[0]), float(pair[1]))
    return tuple(sorted(out.items()))


def is_spread(name: str) -> bool:
    """Whether the parameter is an SD."""
    return name.startswith(("sd(", "error sd("))
