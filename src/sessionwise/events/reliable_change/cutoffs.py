"""Cut-offs between the scores of patients and of people in the community (Jacobson & Truax 1991).

a: two SDs from the patients' mean, towards health. b: two SDs from the community's mean, towards illness. c: where both
distributions meet. Of true scores (Hageman & Arrindell 1999) with SD·√reliability for SD.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CutoffKind = Literal["a", "b", "c"]
CUTOFFS: tuple[CutoffKind, ...] = ("a", "b", "c")


@dataclass(frozen=True, slots=True)
class Norm:
    """Mean and SD of a population."""

    mean: float
    sd: float


def cutoff(kind: CutoffKind, clinical: Norm, functional: Norm | None, better: str) -> float:
    """The score at the border; `functional` is needed for b and c."""
    towards_health = 1 if better == "higher" else -1
    if kind == "a":
        return clinical.mean + towards_health * 2 * clinical.sd
    assert functional is not None
    if kind == "b":
        return functional.mean - towards_health * 2 * functional.sd
    return (clinical.sd * functional.mean + functional.sd * clinical.mean) / (clinical.sd + functional.sd)
