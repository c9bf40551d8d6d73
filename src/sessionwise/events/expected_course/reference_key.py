"""What a reference remembers of the instrument whose scores it was learned from, so that another one is refused."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from ...scoring import Instrument, Scale, instrument, instruments

if TYPE_CHECKING:
    from ...panel import Panel


def limits_of(panel: Panel, column: str) -> tuple[float, float] | None:
    """The lowest and highest possible score, where the instrument is known."""
    found = _scored(panel, column)
    return None if found is None else found[1].limits(found[0].low, found[0].high)


def key_of(panel: Panel, column: str) -> dict[str, Any] | None:
    """Instrument, answers, and a digest of how the column is scored; None for a column of no known instrument."""
    found = _scored(panel, column)
    if found is None:
        return None
    key, scale = found
    rule = [scale.items, scale.scoring, scale.factor, scale.max_missing, scale.parts, scale.higher, key.low, key.high]
    digest = hashlib.sha256(json.dumps(rule).encode()).hexdigest()[:16]
    return {"instrument": key.name, "answers": [key.low, key.high], "scoring": digest}


def _scored(panel: Panel, column: str) -> tuple[Instrument, Scale] | None:
    scored = [record.key for record in panel.records if hasattr(record, "key")]
    for key in (*reversed(scored), *map(instrument, instruments())):
        for scale in key.scales:
            if key.column(scale) == column:
                return key, scale
    return None
