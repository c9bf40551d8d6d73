"""Phrases that every part uses: what predicts what and when, and what the level above persons is called."""

from __future__ import annotations

#: Levels above persons that sentences call by their column's name.
_CLUSTERS = (
    "therapist",
    "clinician",
    "counsellor",
    "counselor",
    "practitioner",
    "psychologist",
    "provider",
    "clinic",
    "centre",
    "center",
    "service",
    "site",
    "team",
    "ward",
    "unit",
    "hospital",
    "group",
    "school",
    "study",
    "cluster",
)


def arrow(predictor: str, response: str, lag: int) -> str:
    """'WAI-SR → next CORE-OM', 'WAI-SR → CORE-OM 2 sessions later'."""
    return f"{predictor} → {'next ' * (lag == 1)}{response}{_later(lag)}"


def following(response: str, lag: int) -> str:
    """'the next CORE-OM', 'CORE-OM 2 sessions later'."""
    return f"{'the next ' * (lag == 1)}{response}{_later(lag)}"


def later(lag: int) -> str:
    """'at the next session', '2 sessions later'."""
    return "at the next session" if lag == 1 else f"{lag} sessions later"


def before(lag: int) -> str:
    """'the session before', '2 sessions before'."""
    return "the session before" if lag == 1 else f"{lag} sessions before"


def cluster_word(column: str) -> str:
    """A level above persons in the singular: its column's name if that is a word for one, or else 'cluster'."""
    name = column.lower()
    return name if name in _CLUSTERS else "cluster"


def _later(lag: int) -> str:
    return "" if lag == 1 else f" {lag} sessions later"
