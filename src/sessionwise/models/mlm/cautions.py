"""Cautions: what a reader must know of a model beside its verdict: sessions of a person taken as independent, a lagged
response among the predictors, random slopes of variables that do not vary where they should."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...designs import Design
from ...designs.coding import INTERCEPT
from ...errors import Argument, Wording
from ...findings import Finding, Findings
from ...formula import Call, Expression, calls, names, show
from ...formula.functions import SHIFT
from ...formula.syntax import Name, Span, parts
from ...mixed import MixedGram
from ...words import counted
from .nickell import nickell_bias

#: Autoregression for which the expected bias is said.
EXAMPLE = 0.3


def cautions(design: Design, gram: MixedGram, person: str, constant: Sequence[Slope]) -> Findings:
    """Findings about the model, beside those about its rows.

    design : of the model; its rows may be elsewhere. gram : the cross-products that were fitted. person : the column of
    persons. constant : see `constant_slopes`.
    """
    return Findings([*_independent(design, gram, person), *_lagged(design, gram.n), *map(_constant_slope, constant)])


def _independent(design: Design, gram: MixedGram, person: str) -> list[Finding]:
    """That sessions of a person are taken as independent: no random term of persons or of parts of persons, and
    residuals that do not correlate."""
    repeated = int((gram.n > 1).sum())
    if not repeated or gram.residual.kind != "independent" or any(g.is_person or g.within_persons for g in gram.groups):
        return []
    what = (
        f"Sessions of a person are taken as independent of each other: {counted(gram.n_rows, 'session')} of "
        f"{counted(len(gram.n), 'person')}, {repeated:,} with several, and no random term of {person}. Standard errors "
        "are then wrong, as a rule too small, and degrees of freedom too many: intervals and p are not to be trusted."
    )
    group = show(Name(person, Span("", 0, 0)))
    formula = f"{design.formula.text.strip()} + (1 | {group})"
    remedy = Wording(
        "Give persons an intercept that varies, with the formula ", Argument(repr(formula), (formula,)), "."
    )
    return [Finding("warning", "sessions-independent", what, "", repeated, remedy)]


def _lagged(design: Design, n: np.ndarray) -> list[Finding]:
    lagged = [v for v in design.formula.variables[1:] if _holds_lagged_response(v, design)]
    if not lagged:
        return []
    person = next((g.name for g in design.groupings if g.is_person), "")
    centered = any(call.function == "within" for v in lagged for call in calls(v))
    terms = ", ".join(map(show, lagged))
    if person or centered:
        why = (
            "its coefficient is biased, and those of other lagged terms with it, because the person's mean holds the "
            f"same errors (Nickell 1981).{_expected(n)}"
        )
    else:
        why = (
            "without an intercept that varies between persons its coefficient also holds how persons differ all the "
            "time, and is no effect within persons."
        )
    what = f"The response at another session, {terms}, is a predictor: {why}"
    remedy = "Do not report this model alone: put a dynamic panel or random-intercept cross-lagged model beside it."
    return [Finding("warning", "lagged-response", what, f"terms {terms}", len(lagged), remedy)]


def _expected(n: np.ndarray) -> str:
    """What Nickell's formula says for these numbers of sessions."""
    pairs = n[n >= 2]
    if not len(pairs):
        return ""
    found = EXAMPLE + nickell_bias(EXAMPLE, pairs)
    return (
        f" With these numbers of sessions a within-person autoregression of {EXAMPLE:.2f} would come out as about "
        f"{found:.2f} where persons are centred at their means."
    )


#: A grouping factor, and a column of one of its random terms.
Slope = tuple[str, str]


def constant_slopes(design: Design) -> tuple[Slope, ...]:
    """Random slopes that no data can tell: the variable is the same in every row of a group."""
    found: list[Slope] = []
    for term in design.random:
        codes = design.grouping(term.group).codes
        names = [design.names[c] for c in term.columns]
        if INTERCEPT not in names:
            continue
        for name, column in zip(names, term.columns, strict=True):
            if name != INTERCEPT and _constant(design.matrix[:, column], codes):
                found.append((term.group, name))
    return tuple(found)


def _constant_slope(slope: Slope) -> Finding:
    group, name = slope
    what = f"{name} does not vary within {group}: it has no slope there that could differ."
    remedy = "Leave it out of the random term; it may stay as a fixed effect."
    return Finding("warning", "constant-slope", what, f"random term of {group}", 1, remedy)


def _constant(column: np.ndarray, codes: np.ndarray) -> bool:
    """Whether a column has one value in each group; the first rows usually tell."""
    for rows in (200, len(codes)):
        own, values = codes[:rows], column[:rows]
        of_group = np.zeros(int(own.max(initial=-1)) + 1)
        of_group[own] = values
        if (of_group[own] != values).any():
            return False
    return True


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
