"""A result on the terminal and in a notebook: what stands against it, the answer, whether methods agree, tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...show import Note

if TYPE_CHECKING:
    from ...show import Part
    from ..result import StudyResult

_EFFECTS = ("effect", "at", "estimate", "low", "high", "p", "standardised")
#: Tables that are printed, in 80 columns; all are in `tables()`.
PRINTED = {
    "answer": _EFFECTS,
    "flow": ("step", "persons", "sessions"),
    "scales": ("variable", "n", "mean", "sd_within", "sd_between", "icc"),
    "drop_out_model": ("predictor", "odds_ratio", "low", "high", "p"),
    "forward": _EFFECTS,
    "forward_slopes": _EFFECTS,
    "reverse": _EFFECTS,
    "reverse_slopes": _EFFECTS,
    "sensitivity": ("method", "forward", "forward_low", "forward_high", "reverse", "reverse_low", "reverse_high"),
}


def parts(result: StudyResult) -> list[Part]:
    """Lines and tables."""
    tables = result.tables()
    shown: list[Part] = [f"Caution: {result.caution}"] if result.caution else []
    shown += [*result.answer, *(told for told in result.sensitivity.words if told not in result.sensitivity.disagree)]
    shown += [tables[name].grid(*keys) for name, keys in PRINTED.items() if name in tables]
    shown += [str(one) for one in result.unanswered]
    shown += [f"{rule.rule}: {rule.kept}. {rule.done}" for rule in result.checklist[:3]]
    shown += [f"{f.severity}: {f.what} {f.remedy}".rstrip() for f in result.findings.warnings]
    shown.append(Note(f"note: sessionwise {result.version}, data {result.fingerprint[:16]}; {result.call}"))
    return shown
