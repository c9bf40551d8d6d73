"""Chains run side by side, until their draws are enough, a limit is reached, or somebody interrupts them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from threading import Event
from time import perf_counter

import numpy as np

from .._core import Chain
from .diagnostics import Convergence, convergence
from .layout import Layout
from .specification import Specification
from .starts import start

#: Seconds that a chain runs before it looks whether to stop. What is drawn does not depend on it.
PIECE = 0.2
#: Sweeps of each chain before the next one's turn.
TURN = 50
#: Draws of a chain without which nothing is kept of an interrupted run.
FEWEST = 20

#: Called with the draws of each chain so far and the smallest effective size, NaN while it is not known.
Progress = Callable[[int, float], None]
#: What of the draws (chains, kept, size) must be known well enough: (chains, kept, numbers).
Judged = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, slots=True)
class Plan:
    """chains : how many. warm_up : sweeps thrown away. rhat, size : what every parameter must reach. most : kept sweeps
    a chain at most. threads : chains at the same time. persons : draws of persons' effects kept, over all chains, at
    least, where there are as many."""

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
    persons : (draws, persons, q), thinned; persons_at : (draws,) which of all draws, chain after chain, they belong to.
    convergence : of all numbers judged. met : whether the plan's limits were.
    interrupted : whether it was stopped before."""

    draws: np.ndarray
    effects: np.ndarray
    effect_sd: np.ndarray
    persons: np.ndarray
    persons_at: np.ndarray
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
    judged: Judged | None = None,
    progress: Progress | None = None,
) -> Drawn:
    """Draw until all numbers that `judged` makes of draws (if None, the draws) have the plan's R-hat and sizes.

    Ctrl-C ends the chains; what they have drawn is given back, if it is anything.

    Raises
    ------
    ChainFailure : a conditional distribution is not proper, or a chain left the range of numbers.
    KeyboardInterrupt : so early that there is nothing to give back.
    """
    core, layout = spec.to_core(), Layout.of(spec)
    shape = spec.grid.persons, spec.structure.effects
    runners = [
        _Runner(Chain(core, start(spec, seed, c, first), seed, c), layout.size, shape, -(-plan.persons // plan.chains))
        for c in range(plan.chains)
    ]
    stop = Event()
    state: Convergence | None = None
    interrupted = met = False
    with ThreadPoolExecutor(plan.threads) as pool:
        try:
            _together(pool, [partial(r.warm, plan.warm_up, stop) for r in runners], lambda: None)
            total = min(plan.first, plan.most)
            while True:
                told = _teller(progress, runners, state)
                # by turns, so that no chain is far behind when somebody interrupts them
                for until in (*range(runners[0].swept + TURN, total, TURN), total):
                    _together(pool, [partial(r.advance, until, stop) for r in runners], told)
                state = _judged(runners, judged)
                met = state.met(plan.rhat, plan.size)
                _teller(progress, runners, state)()
                if met or total >= plan.most:
                    break
                # as many more as the smallest effective size asks for; of few draws it is not known well, and mostly
                # too small: never more than twice as many
                short = plan.size / max(state.smallest, 1.0)
                total = min(total + int(np.clip(total * (1.1 * short - 1.0), total // 4, total)), plan.most)
        except KeyboardInterrupt:
            interrupted = True
        finally:
            stop.set()
    if interrupted:
        if min(r.swept for r in runners) < FEWEST:
            raise KeyboardInterrupt
        state = _judged(runners, judged)
    assert state is not None
    count = sum(r.swept for r in runners)
    means, squares = (sum(r.sums[part] for r in runners) / count for part in (0, 1))
    spread = np.sqrt(np.maximum(squares - means**2, 0.0))
    draws = _stacked(runners)
    kept = draws.shape[1]
    # of an interrupted run no draws beyond those that all chains have
    own = [
        (one, c * kept + at * r.spacing)
        for c, r in enumerate(runners)
        for at, one in enumerate(r.kept)
        if at * r.spacing < kept
    ]
    persons = np.stack([one for one, _ in own])
    return Drawn(draws, means, spread, persons, np.array([at for _, at in own]), state, met, interrupted, layout)


@dataclass(slots=True, eq=False)
class _Runner:
    """One chain and what it has drawn. Numbers do not depend on how its sweeps are cut into pieces.

    sums : (2, persons, q) of persons' effects and of their squares. kept : draws of them, one for every `spacing`
    sweeps, `wanted` to twice as many.
    """

    chain: Chain
    size: int
    shape: tuple[int, int]
    wanted: int
    sums: np.ndarray = field(init=False)
    draws: list[np.ndarray] = field(default_factory=list)
    kept: list[np.ndarray] = field(default_factory=list)
    spacing: int = 1
    swept: int = 0
    piece: int = 1

    def __post_init__(self) -> None:
        self.sums = np.zeros((2, *self.shape))

    def warm(self, count: int, stop: Event) -> None:
        nothing = np.zeros((2, *self.shape))
        while count > 0 and not stop.is_set():
            now = min(self.piece, count)
            self._run(np.empty((now, self.size)), nothing, np.empty((0, *self.shape)))
            count -= now

    def advance(self, until: int, stop: Event) -> None:
        """Sweep until so many are kept."""
        while self.swept < until and not stop.is_set():
            since = self.swept % self.spacing
            draws = np.empty((min(self.piece, self.spacing - since, until - self.swept), self.size))
            person = np.empty((int(since == 0), *self.shape))
            self._run(draws, self.sums, person)
            self.draws.append(draws)
            self.swept += len(draws)
            self.kept += list(person)
            if len(self.kept) > 2 * self.wanted:
                self.kept, self.spacing = self.kept[::2], 2 * self.spacing

    def _run(self, draws: np.ndarray, sums: np.ndarray, person: np.ndarray) -> None:
        began = perf_counter()
        self.chain.run(1, draws, sums[0], sums[1], person, len(draws))
        self.piece = max(1, int(PIECE / max((perf_counter() - began) / len(draws), 1e-6)))


def _together(pool: Executor, tasks: list[Callable[[], None]], told: Callable[[], None]) -> None:
    """All of them; the first error is raised at once. told : called twice a second."""
    waiting = {pool.submit(task) for task in tasks}
    while waiting:
        done, waiting = wait(waiting, timeout=0.5, return_when="FIRST_EXCEPTION")
        for future in done:
            future.result()
        told()


def _teller(progress: Progress | None, runners: list[_Runner], state: Convergence | None) -> Callable[[], None]:
    def tell() -> None:
        if progress is not None:
            progress(min(r.swept for r in runners), float("nan") if state is None else state.smallest)

    return tell


def _stacked(runners: list[_Runner]) -> np.ndarray:
    """(chains, kept, size), as many of each chain as all have."""
    count = min(r.swept for r in runners)
    for r in runners:
        r.draws = [np.concatenate(r.draws)]
    return np.stack([r.draws[0][:count] for r in runners])


def _judged(runners: list[_Runner], judged: Judged | None) -> Convergence:
    draws = _stacked(runners)
    return convergence(draws if judged is None else judged(draws))
