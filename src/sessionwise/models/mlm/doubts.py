"""Doubts: what a reader must know of a model that converged. At present: a lagged response among the predictors."""

from __future__ import annotations

import numpy as np

from ...design import Design
from ...findings import Finding, Findings
from ...formula import Call, Expression, names, show
from ...formula.functions import SHIFT
from ...formula.syntax import parts
from ...inference.nickell import nickell_bias

#: Autoregression for which the expected bias is said.
EXAMPLE = 0.3


def doubts(design: Design) -> Findings:
    """Findings about the model, beside those about its rows."""
    lagged = [show(v) for v in design.formula.variables[1:] if _holds_lagged_response(v, design)]
    person = next((g.name for g in design.groupings if g.is_person), "")
    centered = any(text.startswith("within(") or "(within(" in text for text in lagged)
    if not lagged or not (person or centered):
        return Findings()
    pairs = np.diff(design.starts)
    pairs = pairs[pairs >= 2]
    expected = ""
    if len(pairs):
        found = EXAMPLE + nickell_bias(EXAMPLE, pairs)
        expected = (
            f" With these numbers of sessions a within-person autoregression of {EXAMPLE:.2f} would come out as about "
            f"{found:.2f} where persons are centred at their means."
        )
    what = (
        f"The response at another session, {', '.join(lagged)}, is a predictor: its coefficient is biased, and those "
        f"of other lagged terms with it, because the person's mean holds the same errors (Nickell 1981).{expected}"
    )
    remedy = "Do not report this model alone: put a dynamic panel or random-intercept cross-lagged model beside it."
    return Findings([Finding("warning", "lagged-response", what, f"terms {', '.join(lagged)}", len(lagged), remedy)])


def _holds_lagged_response(e: Expression, design: Design) -> bool:
    """Whether the response's columns stand inside lag or lead, or the response is led and they stand here."""
    response = design.formula.response
    assert response is not None
    own = {name.name for name in names(response)}
    if isinstance(response, Call) and response.function in SHIFT:
        return bool(own & {name.name for name in names(e)})
    return _shifted(e, own)


def _shifted(e: Expression, columns: set[str]) -> bool:
    if isinstance(e, Call) and e.function in SHIFT:
        return bool(columns & {name.name for name in names(e)})
    return any(_shifted(part, columns) for part in parts(e))
