"""Indices of reliable change: pre and post, on the scale of a standard normal where nothing changed.

All take the sample's M and SD at pre, and the measure's reliability r; SEM = SD·√(1 − r).

| method | index | from |
| --- | --- | --- |
| jacobson-truax | (post − pre) / (√2·SEM) | Jacobson & Truax 1991, J Consult Clin Psychol 59, 12–19 |
| edwards-nunnally | (post − T) / SEM, T = M + r(pre − M) | Edwards et al. 1978; Speer 1992 |
| gulliksen-lord-novick | (post − T) / (SD·√(1 − r²)) | Hsu 1989, 1995 |
| hsu-linn-lord | (post − M₂ − r(pre − M)) / (SD·√(1 − r²)) | Hsu 1989 |
| nunnally-kotsch | (post − T) / √(r²SEM² + SEM₂²) | Nunnally & Kotsch 1983 |
| hageman-arrindell | (d·R + (M₂ − M)(1 − R)) / (√R·√2·SEM) | Hageman & Arrindell 1999, Behav Res Ther 37, 1169–1193 |

with d = post − pre, M₂ and SD₂ at post, SEM₂ = SD·√(1 − r₂), and the reliability of differences
R = (SD²·r + SD₂²·r₂ − 2·SD·SD₂·r₁₂) / (SD² + SD₂² − 2·SD·SD₂·r₁₂), r = 1 − SEM²/SD² and r₂ = 1 − SEM²/SD₂².
The formulas are those that the R package clinicalsignificance documents (Claus, Reichardt & Konrad 2024).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..series import Floats


@dataclass(frozen=True, slots=True)
class Sample:
    """What the indices take from a sample of pre and post scores.

    mean, sd : at pre. mean_post, sd_post : at post. correlation : of the two. NaN where the sample does not tell.
    """

    mean: float
    sd: float
    mean_post: float = math.nan
    sd_post: float = math.nan
    correlation: float = math.nan

    @classmethod
    def of(cls, pre: Floats, post: Floats) -> Sample:
        """Of persons with both scores."""
        both = np.isfinite(pre) & np.isfinite(post)
        a, b = pre[both], post[both]
        if len(a) < 2:
            return cls(float(a.mean()) if len(a) else math.nan, math.nan)
        sd_a, sd_b = float(a.std(ddof=1)), float(b.std(ddof=1))
        together = float(np.cov(a, b)[0, 1]) / (sd_a * sd_b) if sd_a > 0 and sd_b > 0 else math.nan
        return cls(float(a.mean()), sd_a, float(b.mean()), sd_b, together)


def difference_reliability(s: Sample, reliability: float) -> float:
    """R, the reliability of differences (Hageman & Arrindell 1999); at most 1, and NaN where it is not above 0."""
    error = s.sd**2 * (1 - reliability)
    shared = 2 * s.sd * s.sd_post * s.correlation
    whole = s.sd**2 + s.sd_post**2 - shared
    true = s.sd**2 + s.sd_post**2 - 2 * error - shared
    return true / whole if whole > 0 and true > 0 else math.nan


def index(
    method: str, pre: Floats, post: Floats, s: Sample, reliability: float, reliability_post: float | None = None
) -> Floats:
    """The index of each pair, positive where the score rose; arrays of one shape."""
    r, r2 = reliability, reliability if reliability_post is None else reliability_post
    sem = s.sd * math.sqrt(1 - r)
    true = s.mean + r * (pre - s.mean)
    if method == "jacobson-truax":
        return (post - pre) / (math.sqrt(2) * sem)
    if method == "edwards-nunnally":
        return (post - true) / sem
    if method == "gulliksen-lord-novick":
        return (post - true) / (s.sd * math.sqrt(1 - r * r))
    if method == "hsu-linn-lord":
        return (post - s.mean_post - r * (pre - s.mean)) / (s.sd * math.sqrt(1 - r * r))
    if method == "nunnally-kotsch":
        return (post - true) / (s.sd * math.sqrt(r * r * (1 - r) + 1 - r2))
    assert method == "hageman-arrindell"
    share = difference_reliability(s, r)
    shift = (s.mean_post - s.mean) * (1 - share)
    return ((post - pre) * share + shift) / (math.sqrt(share) * math.sqrt(2) * sem)
