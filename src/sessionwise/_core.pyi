"""The compiled kernels; see core/."""

from collections.abc import Sequence
from typing import Any

import numpy as np

LANES: int

def gram(
    columns: Sequence[np.ndarray],
    starts: np.ndarray,
    ends: np.ndarray,
    centre: np.ndarray,
    inverse_scale: np.ndarray,
    packed: np.ndarray,
    threads: int = 0,
) -> int: ...
def evaluate(
    levels: Sequence[
        tuple[np.ndarray, int, np.ndarray | None, np.ndarray | None, int, np.ndarray, np.ndarray, np.ndarray]
    ],
    theta: np.ndarray,
    base: np.ndarray,
    log_v: float,
    reml: bool,
    nu: float,
    sigma2: float,
    directions: np.ndarray | None,
    table: np.ndarray,
    slopes: np.ndarray | None,
    adjoint: np.ndarray | None,
    threads: int = 0,
) -> tuple[float, float, float, float]: ...
def finish(
    table: np.ndarray,
    log_v: float,
    reml: bool,
    nu: float,
    sigma2: float,
    directions: np.ndarray | None,
    h: np.ndarray,
) -> tuple[float, float, float]: ...
def collect(
    at: np.ndarray,
    groups: int,
    packed: np.ndarray,
    factor: np.ndarray,
    parent: np.ndarray | None,
    above: int,
    out: np.ndarray,
    threads: int = 0,
) -> None: ...
def place_products(
    counts: np.ndarray,
    effects: np.ndarray,
    at: np.ndarray,
    q: int,
    k: int,
    packed: np.ndarray,
    map: np.ndarray,
    zeros: bool,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]: ...
def elimination_order(
    effects: np.ndarray, joined: np.ndarray, tail_part: float, most: int
) -> tuple[np.ndarray, int, np.ndarray, np.ndarray, int, int]: ...
def eliminate_head(
    system: tuple[int | np.ndarray, ...], values: np.ndarray, factors: np.ndarray, room: tuple[np.ndarray, ...]
) -> float: ...
def back_propagate_system(
    system: tuple[int | np.ndarray, ...],
    values: np.ndarray,
    factors: np.ndarray,
    room: tuple[np.ndarray, ...],
    gradient: np.ndarray,
    adjoint: np.ndarray | None,
) -> None: ...
def score(
    streams: list[object],
    low: float,
    high: float,
    reversed: Sequence[bool],
    scales: Sequence[tuple[Sequence[int], int, float]],
    scores: Sequence[np.ndarray],
    threads: int = 0,
) -> tuple[list[tuple[int, int, int, int, int]], list[int]]: ...

class ChainFailure(Exception): ...

class Chain:
    def __init__(self, spec: dict[str, Any], state: dict[str, Any], seed: int, number: int) -> None: ...
    def size(self) -> int: ...
    def run(
        self, thin: int, draws: np.ndarray, sum: np.ndarray, squares: np.ndarray, persons: np.ndarray, every: int
    ) -> None: ...
