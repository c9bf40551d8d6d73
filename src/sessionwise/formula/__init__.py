"""Formula: the text of a model, `y ~ a * b + lag(within(x)) + (1 + x | g)`, as a frozen description of its terms.

In: text in the grammar of lme4 (Bates, Mächler, Bolker & Walker 2015, Journal of Statistical Software 67(1)) with
`within`, `between`, `lag`, `lead` and `detrend`. Out: a Formula. No data is looked at here and no text is ever
given to Python to run: what is not in the grammar is a FormulaError that says where and what to write instead.
"""

from __future__ import annotations

from .syntax import Call, Expression, Listing, Name, Number, Op, Paren, Sign, Text, calls, label, names, show
from .terms import Formula, Group, RandomTerm, Term, column_unknown, parse_formula

__all__ = [
    "Call",
    "Expression",
    "Formula",
    "Group",
    "Listing",
    "Name",
    "Number",
    "Op",
    "Paren",
    "RandomTerm",
    "Sign",
    "Term",
    "Text",
    "calls",
    "column_unknown",
    "label",
    "names",
    "parse_formula",
    "show",
]
