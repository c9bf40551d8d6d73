"""Exchangeable sessions: y = mean + group + person + rest with the persons' effects in the residuals' covariance.

All sessions of a person are alike, so that a random intercept of persons is a correlation c between them: c is the
persons' part of the variance within groups. What an evaluation then takes (residuals.py) is a set of products for each
group and each number of sessions that persons have, however many persons there are, and nothing is taken off products,
so that a c near 1 costs no digits. Model and likelihood are those of `y ~ 1 + (1 | person) + (1 | group)`.
"""

from __future__ import annotations

import numpy as np

from .._core import LANES
from ..designs import RandomColumns
from ..grams import Gram, filled
from .groups import Groups
from .mixed_gram import MixedGram, label
from .random_terms import INTERCEPT, Source, Terms
from .residuals import Part, Residual

_COLUMNS = (Source(1, False), Source(0, True))


def random_intercepts(n: np.ndarray, mean: np.ndarray, within: float, group: np.ndarray | None = None) -> MixedGram:
    """The MixedGram of a response that varies within persons, between them, and between groups of them; its persons are
    the groups, or one group of all.

    n : int64 (persons,), values of each person, > 0. mean : float64 (persons,), of these values. within : sum of the
    squared deviations from the persons' means, over all persons; not all values may be the same. group : int64
    (persons,), the group of each, 0 .. groups - 1; None for a model without groups.
    """
    code = np.zeros(len(n), np.int64) if group is None else group
    groups, rows = int(code.max()) + 1, int(n.sum())
    center = float(n @ mean) / rows
    scale = float(np.sqrt((within + n @ (mean - center) ** 2) / rows))
    away = (mean - center) / scale
    sizes, which = np.unique(n, return_inverse=True)
    blocks = -(-groups // LANES)
    slot, slots = which * (blocks * LANES) + code, len(sizes) * blocks * LANES

    def summed(of_person: np.ndarray) -> np.ndarray:
        """(sizes, blocks, LANES), over the persons of each size and group."""
        return np.bincount(slot, of_person, slots).reshape(len(sizes), blocks, LANES)

    means = np.stack([summed(n), summed(n * away), summed(n * away**2)], axis=2)
    # The likelihood takes only their sum over all persons: it may stand with any group.
    inside = np.zeros((blocks, 3, LANES))
    inside[0, 2, 0] = within / scale**2
    persons = summed(np.ones(len(n))).reshape(len(sizes), -1)[:, :groups].astype(np.int64)
    units, per_group = np.arange(groups), sizes @ persons
    head = _head(units, center, scale)
    parts = [Part("within", 0, (0, 0), filled(head, inside, per_group))]
    for size, products, so_many in zip(sizes.tolist(), means, persons, strict=True):
        parts.append(Part("means", size, (0, 0), filled(head, products, so_many)))
    random = () if group is None else (RandomColumns("group", (1,), True),)
    factors = () if group is None else (Groups("group", units, units[:, None], True),)
    terms = Terms("", ("y", INTERCEPT), 0, (1,), random)
    residual, response = Residual("exchangeable", np.zeros(0), np.zeros(0, np.int64)), (center, center**2 + scale**2)
    return MixedGram(terms, units, per_group, factors, residual, tuple(parts), None, response)


def _head(units: np.ndarray, center: float, scale: float) -> Gram:
    """Names, centre and scale of the columns: the constant, the response less its mean."""
    names = tuple(label(source, Terms("", ("y", INTERCEPT), 0, (1,), ())) for source in _COLUMNS)
    none, nothing = np.zeros(len(units), np.int64), np.zeros((0, 0, LANES))
    return Gram(names, units, none, nothing, np.array([0.0, center]), np.array([1.0, scale]))
