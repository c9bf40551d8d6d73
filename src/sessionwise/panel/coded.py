"""Coded values: numbers that stand for categories, as labels of an SPSS, Stata or SAS file tell (1 man, 2 woman)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import polars as pl

    from .panel import Panel

#: More values than these are those of a scale.
MOST_VALUES = 10


def coded_values(panel: Panel, name: str) -> dict[float, str]:
    """The values of a column that are codes of categories, with their labels; nothing if they are numbers.

    Codes are few, most of them have a label (a scale has one at its ends, or for 'missing' alone), and they stay the
    same in all sessions of a person: what is measured anew at each session is a score. A code without a label is its
    own.
    """
    known = {float(code): label for code, label in panel.value_labels.get(name, {}).items() if _is_number(code)}
    if not known or not panel.is_numeric(name) or not panel.is_constant(name):
        return {}
    values = np.unique(panel[name])
    there = values[~np.isnan(values)].tolist()
    labelled = sum(value in known for value in there)
    if not 2 <= len(there) <= MOST_VALUES or labelled <= len(there) / 2:
        return {}
    labels = [known.get(value) or f"{value:g}" for value in there]
    twice = {label for label in labels if labels.count(label) > 1}
    pairs = zip(there, labels, strict=True)
    return {value: f"{label} ({value:g})" if label in twice else label for value, label in pairs}


def as_categories(panel: Panel, name: str, codes: dict[float, str]) -> pl.Series:
    """The column (n_rows,) with labels for codes, in the order of the codes."""
    import polars as pl

    return pl.Series(name, [codes.get(value) for value in panel[name].tolist()], dtype=pl.Enum(list(codes.values())))


def said(codes: dict[float, str]) -> str:
    """'1 Man, 2 Kvinna'."""
    return ", ".join(f"{value:g} {label}" for value, label in codes.items())


def _is_number(code: Any) -> bool:
    return isinstance(code, int | float) and not isinstance(code, bool)
