"""Chains run side by side, until their draws are enough or a limit is reached."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from .._core import Chain
from .diagnostics import Convergence, convergence
from .layout import Layout
from .specification import Specification
from .starts import start


@dataclass(frozen=True, slots=True)
class Plan:
    """chains : how many. warm_up : sweeps thrown away. rhat, size : what every parameter must reach. most : kept sweeps
    a chain at most. threads : chains at the same time. persons : draws of persons' effects kept, over all chains."""

    chains: int = 4
    warm_up: int = 300
    first: int = 500
    rhat: float = 1.01
    size: float = 400.0
    most: int = 20_000
    threads: int = 2
    persons: int = 400


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """draws : (chains, kept, size of the Layout). effects, effect_sd : (persons, q) means and SDs of persons' effects.
    persons : (draws, persons, q), thinned. convergence : of all numbers kept. met : whether the plan's limits were.
    interrupted : whether it was stopped before."""

    draws: np.ndarray
    effects: np.ndarray
    effect_sd: np.ndarray
    persons: np.ndarray
    convergence: Convergence
    met: bool
    interrupted: bool
    layout: Layout


def run_chains(
    spec: Specification,
    seed: int,
    plan: Plan,
    *,
    first: np.ndarray | None = None,
    judged: np.ndarray | None = None,
    progress: Callable[[int, Convergence], None] | None = None,
) -> Drawn:
    """Draw until each of the judged numbers (all, if None) has the plan's R-hat and effective sizes.

    Raises
    ------
    ChainFailure : a conditional distribution is not proper, or a chain left the range of numbers.
    """
    core, layout = spec.to_core(), Layout.of(spec)
    chains = [Chain(core, start(spec, seed, c, first), seed, c) for c in range(plan.chains)]
    persons, effects = spec.grid.persons, spec.structure.effects
    sums = [np.zeros((2, persons, effects)) for _ in chains]
    kept: list[np.ndarray] = []
    person_draws: list[np.ndarray] = []
    nothing, none = np.zeros((persons, effects)), np.zeros((0, persons, effects))

    def advance(c: int, count: int, every: int) -> tuple[np.ndarray, np.ndarray]:
        draws = np.empty((count, layout.size))
        some = np.empty((-(-count // every) if every else 0, persons, effects))
        chains[c].run(1, draws, sums[c][0], sums[c][1], some, max(every, 1))
        return draws, some

    def warm(c: int) -> None:
        chains[c].run(plan.warm_up, np.empty((1, layout.size)), nothing.copy(), nothing.copy(), none, 1)

    interrupted, met, total, step = False, False, 0, plan.first
    state = None
    with ThreadPoolExecutor(plan.threads) as pool:
        list(pool.map(warm, range(plan.chains)))
        while total < plan.most and not met:
            every = max(1, step * plan.chains // plan.persons)
            parts = list(pool.map(lambda c, step=step, every=every: advance(c, step, every), range(plan.chains)))
            kept.append(np.stack([draws for draws, _ in parts]))
            person_draws = _thinned(person_draws + [some for _, some in parts], plan.persons)
            total += step
            draws = np.concatenate(kept, axis=1)
            state = convergence(draws if judged is None else draws[:, :, judged])
            met = state.met(plan.rhat, plan.size)
            if progress is not None:
                progress(total, state)
            # as many more as the smallest effective size asks for, at least half as many as there are
            short = plan.size / max(state.smallest, 1.0)
            step = int(np.clip(total * (1.1 * short - 1.0), total // 3, 2 * total))
            step = min(step, plan.most - total)
    assert state is not None
    draws = np.concatenate(kept, axis=1)
    count = total * plan.chains
    means = sum(s[0] for s in sums) / count
    squares = sum(s[1] for s in sums) / count
    return Drawn(
        draws,
        means,
        np.sqrt(np.maximum(squares - means**2, 0.0)),
        np.concatenate(person_draws),
        state,
        met,
        interrupted,
        layout,
    )


def _thinned(parts: list[np.ndarray], most: int) -> list[np.ndarray]:
    together = np.concatenate(parts)
    return [together[:: max(1, len(together) // most)]]
