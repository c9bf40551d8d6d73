"""Norms: what the instruments say of a column that is one of their scores, for detectors that the user told less."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..errors import ModelError
from ..scoring import Scale, instrument, instruments

if TYPE_CHECKING:
    from ..panel import Panel

Better = Literal["lower", "higher"]
BETTER: tuple[Better, ...] = ("lower", "higher")


@dataclass(frozen=True, slots=True)
class Scales:
    """Column -> the scale that it is a score of: of the instruments that were scored, and of those that ship."""

    by_column: dict[str, Scale]

    @classmethod
    def of(cls, panel: Panel) -> Scales:
        shipped = [instrument(name) for name in instruments()]
        scored = [record.key for record in panel.records if hasattr(record, "key")]
        return cls({key.column(scale): scale for key in (*shipped, *scored) for scale in key.scales})

    def get(self, column: str) -> Scale | None:
        return self.by_column.get(column)


def better_of(scales: Scales, column: str, given: Better | None, otherwise: Better = "lower") -> Better:
    """Which scores are better: as given, as the instrument says, else `otherwise`."""
    if given is not None:
        return given
    scale = scales.get(column)
    if scale is None:
        return otherwise
    return "higher" if scale.higher == "better" else "lower"


def reliable_change_of(scales: Scales, column: str, option: str) -> float:
    """The instrument's reliable change.

    option : the argument that gives it otherwise.

    Raises
    ------
    ModelError : the column is no score of an instrument, or of one whose reliable change is not known.
    """
    scale = scales.get(column)
    if scale is None or scale.reliable_change is None:
        why = "is not the score of an instrument known here" if scale is None else "has no reliable change in its key"
        raise ModelError(
            f"the smallest change that counts is not known: column {column!r} {why}.",
            remedy=f"Give it in the column's units, such as {option}=7; usual is 1.96·√2·SD·√(1 − reliability).",
        )
    return scale.reliable_change
