"""Axes and marks that several figures of a Panel share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..panel import Panel
from .figure import along, tip

if TYPE_CHECKING:
    import altair as alt

HOVERED = "hovered"


def sessions_axis(panel: Panel) -> alt.X:
    """Session numbers, whole, along the foot."""
    import altair as alt

    axis = alt.Axis(tickMinStep=1, format="d", grid=False, labelOverlap=True)
    scale = alt.Scale(zero=False, nice=False, padding=8)
    return alt.X("session:Q", title=along(panel.roles.session), axis=axis, scale=scale)


def person_tips(panel: Panel, numbers: Sequence[tuple[str, str]]) -> list[Any]:
    """Person, session and further (column, title) of a point."""
    who = [tip("person:N", panel.roles.person), tip("session:Q", panel.roles.session)]
    return [*who, *(tip(f"{name}:Q", title, ".3~g") for name, title in numbers)]


def hovered_person() -> Any:
    """What the pointer is over: a person. Named, so that the same figure is the same text every time."""
    import altair as alt

    return alt.selection_point(name=HOVERED, fields=["person"], on="pointerover", empty=False)


def lit(over: float, else_: float) -> tuple[float, dict[str, Any]]:
    """Value and condition of a channel: `over` for the person that the pointer is over."""
    return else_, {"param": HOVERED, "empty": False, "value": over}
