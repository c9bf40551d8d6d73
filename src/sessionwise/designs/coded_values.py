"""Codes of categories that a formula takes as numbers."""

from __future__ import annotations

from ..errors import Argument, Wording
from ..findings import Finding
from ..formula import Formula, show
from ..formula.syntax import Name
from ..panel import Panel
from ..panel.coded import coded_values, said


def coded_findings(formula: Formula, panel: Panel) -> list[Finding]:
    """A note on each predictor whose numbers are codes of categories; 0 and 1 are what a category would be coded as."""
    found = []
    for e in formula.variables[1:]:
        if not isinstance(e, Name) or e.name not in panel.value_labels or e.name not in panel:
            continue
        codes = coded_values(panel, e.name)
        if not codes or set(codes) == {0.0, 1.0}:
            continue
        category = f"C({show(e)})"
        what = f"{e.name} is taken as a number, and its values are labelled as categories ({said(codes)})."
        remedy = Wording("For categories write ", Argument(category, (category,)), " in its place.")
        found.append(Finding("note", "coded-as-number", what, f"term {show(e)}", len(codes), remedy, e.name))
    return found
