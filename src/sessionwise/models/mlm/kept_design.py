"""KeptDesign: what a fit keeps of its Design and Panel. No session row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...designs import Design
from ...panel.frame_kind import TableKind

if TYPE_CHECKING:
    from ...panel import Panel


#: expression -> person -> mean.
Means = Mapping[str, Mapping[object, float]]


@dataclass(frozen=True, slots=True, eq=False)
class KeptDesign:
    """How the columns were made, and of how much.

    design : the Design without its rows, for `Design.apply`. n_rows, n_given, n_persons : rows used, rows of the
    Panel, persons used. person, session : names of these columns. kind : of dataframe.
    means : person means for `within` and `between` that were given for the fit.
    """

    design: Design
    n_rows: int
    n_given: int
    n_persons: int
    person: str
    session: str
    kind: TableKind
    means: Means

    @classmethod
    def of(cls, design: Design, panel: Panel, means: Means) -> KeptDesign:
        none = np.zeros(0, np.int64)
        bare = replace(
            design,
            matrix=np.zeros((0, len(design.names)), order="F"),
            starts=np.zeros(1, np.int64),
            persons=design.persons[:0],
            rows=none,
            sessions=none,
            groupings=tuple(replace(g, codes=none.astype(np.int32)) for g in design.groupings),
            dropped=tuple(replace(d, rows=none) for d in design.dropped),
        )
        return cls(
            bare,
            len(design.rows),
            len(panel),
            len(design.persons),
            panel.roles.person,
            panel.roles.session,
            TableKind.of(panel),
            means,
        )

    def applied(self, panel: Panel, *, response: bool = False, means: Means | None = None) -> Design:
        """The columns for another Panel; `means` that are given here stand above those given for the fit."""
        return self.design.apply(panel, response=response, means={**self.means, **(means or {})})

    def table(self, columns: dict[str, Any]) -> Any:
        """A dataframe of the kind that came in."""
        return self.kind.table(columns)
