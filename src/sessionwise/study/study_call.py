"""StudyCall: how a study was asked for, part by part; its text is made last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..scoring.score import ScoreRecord

if TYPE_CHECKING:
    from ..panel import Panel
    from .study import Study


@dataclass(frozen=True, slots=True)
class StudyCall:
    """What a study was run on.

    study : what was asked. roles : role -> column, as pairs. seed : as given to `Study.run`. scored : what the Panel
    tells of scoring, in the order in which it was done.
    """

    study: Study
    roles: tuple[tuple[str, str], ...]
    seed: int
    scored: tuple[ScoreRecord, ...] = ()

    @classmethod
    def of(cls, study: Study, panel: Panel, seed: int) -> StudyCall:
        records = tuple(record for record in panel.records if isinstance(record, ScoreRecord))
        return cls(study, tuple(panel.roles.named().items()), seed, records)

    @property
    def panel(self) -> str:
        """How the Panel is made of a table, in Python."""
        return f"Panel(table, {', '.join(f'{role}={name!r}' for role, name in self.roles)})"

    def run(self, panel: str) -> str:
        """How the study is run, in Python. panel : what is written for the Panel."""
        return f"{self.study!r}.run({panel}, seed={self.seed})"

    def __str__(self) -> str:
        return self.run(self.panel)
