"""Random structures and data with values missing, for the tests of the array engine."""

from __future__ import annotations

import numpy as np

from sessionwise.sem import Cells, Patterns, Rows, Structure, patterns


def structure(rng: np.random.Generator, k: int = 5, latent: int = 3) -> tuple[Structure, np.ndarray]:
    """Nodes in random order of cause, parameters shared by cells at random, and values at which covariances exist."""
    m = k + latent
    order = rng.permutation(m)
    base = np.zeros((m, m))
    paths = []
    names = iter(rng.permutation(40).tolist())
    shared = next(names)
    for i in range(1, m):
        for j in range(i):
            row, column = int(order[i]), int(order[j])
            draw = rng.random()
            if draw < 0.3:
                paths.append((row, column, shared if draw < 0.1 else next(names, shared)))
            elif draw < 0.45:
                base[row, column] = rng.normal(0, 0.5)
    common = 100
    spread = [(node, node, common if rng.random() < 0.3 else 101 + node) for node in range(m)]
    for _ in range(3):
        one, other = rng.choice(m, 2, replace=False).tolist()
        if all({one, other} != {a, b} for a, b, _ in spread):
            spread.append((max(one, other), min(one, other), 120 if rng.random() < 0.5 else 121 + len(spread)))
    centred = rng.choice(m, m - 1, replace=False).tolist()
    level = [(node, 0, 200 if rng.random() < 0.3 else 201 + node) for node in centred]
    known = sorted({c[2] for c in (*paths, *spread, *level)})
    place = {name: i for i, name in enumerate(known)}
    cells = [Cells.of([(r, c, place[n]) for r, c, n in own]) for own in (paths, spread, level)]
    theta = rng.normal(0, 0.3, len(known))
    for r, c, n in spread:
        theta[place[n]] = rng.uniform(0.8, 1.5) if r == c else rng.normal(0, 0.1)
    return Structure(base, k, *cells, len(known)), theta


def values(rng: np.random.Generator, n: int, k: int, missing: float = 0.25) -> np.ndarray:
    """(n, k), NaN where missing; everybody has a value, and somebody has all of them."""
    found = rng.standard_normal((n, k)) @ rng.normal(0, 1, (k, k)) + rng.normal(0, 1, k)
    lost = rng.random((n, k)) < missing
    lost[0] = False
    lost[np.arange(n), rng.integers(0, k, n)] = False
    found[lost] = np.nan
    return found


def setup(seed: int, n: int = 40, k: int = 5) -> tuple[Structure, np.ndarray, Patterns, Rows, np.ndarray]:
    """Structure, parameters, data as patterns and as rows, and the values themselves."""
    rng = np.random.default_rng(seed)
    what, theta = structure(rng, k)
    given = values(rng, n, k)
    return what, theta, *patterns(given), given
