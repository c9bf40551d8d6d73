"""The compiled kernels; see core/."""

from collections.abc import Sequence

import numpy as np

LANES: int

def gram(
    columns: Sequence[np.ndarray],
    starts: np.ndarray,
    centre: np.ndarray,
    inverse_scale: np.ndarray,
    packed: np.ndarray,
    threads: int = 0,
) -> int: ...
def score(
    streams: list[object],
    low: float,
    high: float,
    reversed: Sequence[bool],
    scales: Sequence[tuple[Sequence[int], int, float]],
    scores: Sequence[np.ndarray],
    threads: int = 0,
) -> tuple[list[tuple[int, int, int, int, int]], list[int]]: ...
