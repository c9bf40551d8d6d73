"""Marks of a path diagram: shares of the width become pixels when the figure is drawn."""

from __future__ import annotations

from typing import Any

from .figure import source
from .path_layout import Layout

_HEAD = "M-1,1.1L0,-1L1,1.1Z"  # a pointed triangle, upright
_TONES = ("plain", "first", "second", "neither")


def layers(layout: Layout) -> list[Any]:
    """From the back to the front: loadings, correlations, arrows, nodes, labels."""
    return [*_loadings(layout), *_arrows(layout), *_nodes(layout), *_labels()]


def _loadings(layout: Layout) -> list[Any]:
    import altair as alt

    lines = _shaft(_nodes_of("loading"), "0")
    way = _placed(_nodes_of("round"))
    return [
        lines.mark_rule(style="loading").encode(**_rule()),
        way.mark_line(style="neither-line", interpolate="linear", strokeWidth=1).encode(
            **_point(), order=alt.Order("_order:Q")
        ),
    ]


def _arrows(layout: Layout) -> list[Any]:
    import altair as alt

    made = []
    width = alt.StrokeWidth("_thick:Q", scale=None, legend=None)
    dash = alt.StrokeDash("_dash:N", scale=None, legend=None)
    for tone in _TONES:
        base = _shaft(source("paths").transform_filter(f"datum._tone === '{tone}'"), layout.radius)
        shaft = base.mark_rule(style=f"{tone}-line").encode(
            **_rule(), strokeWidth=width, strokeDash=dash, tooltip=_tips()
        )
        made.append(shaft)
        if tone != "neither":
            head = base.mark_point(style=f"{tone}-point", shape=_HEAD, size=34)
            angle = alt.Angle("_angle:Q", scale=None)
            made.append(head.encode(x=_pixels("_ex"), y=_pixels("_ey"), angle=angle, tooltip=_tips()))
    return made


def _nodes(layout: Layout) -> list[Any]:
    import altair as alt

    w, h = (side / 2 for side in layout.box)
    box = _placed(_nodes_of("box")).transform_calculate(
        _l=f"datum._cx - {w}", _r=f"datum._cx + {w}", _t=f"datum._y - {h}", _b=f"datum._y + {h}"
    )
    tip = [alt.Tooltip("node:N")]
    rect = box.mark_rect(style="node").encode(
        x=_pixels("_l"), x2=alt.X2("_r:Q"), y=_pixels("_t"), y2=alt.Y2("_b:Q"), tooltip=tip
    )
    text = (
        _placed(_nodes_of("box"))
        .mark_text(style="small-text")
        .encode(**_point(), text=alt.Text("_text:N"), tooltip=tip)
    )
    made = [rect, text]
    for kind, size in (("circle", 200), ("level", 620), ("impossible", 620)):
        mark = {"style": "node", "size": size} | ({"style": "node-impossible"} if kind == "impossible" else {})
        made.append(_placed(_nodes_of(kind)).mark_circle(**mark).encode(**_point(), tooltip=tip))
    return made


def _labels() -> list[Any]:
    import altair as alt

    made = []
    for tone in (*_TONES, "round"):
        base = _placed(source("paths").transform_filter(f"datum._tone === '{tone}' && datum._label !== ''"))
        look = "neither" if tone == "round" else tone
        type_ = {"fontSize": 11, "fontWeight": "normal" if look == "neither" else "bold"}
        texts = [base.mark_text(style=style, **type_) for style in ("halo", f"{look}-text")]
        made += [text.encode(**_point(), text=alt.Text("_label:N"), tooltip=_tips()) for text in texts]
    for align in ("left", "right"):
        names = _placed(_nodes_of(f"name {align}"))
        made.append(
            names.mark_text(style="heading", align=align, lineHeight=14).encode(**_point(), text=alt.Text("_text:N"))
        )
    return made


def _nodes_of(kind: str) -> Any:
    return source("nodes").transform_filter(f"datum._node === '{kind}'")


def _placed(base: Any) -> Any:
    """x in pixels of this width."""
    return base.transform_calculate(_cx="datum._x * width + datum._px")


def _shaft(base: Any, radius: str) -> Any:
    """Ends of a line that keeps `radius` pixels from the nodes' centres, and where and how its head lies."""
    short = 0 if radius == "0" else 3  # the head's length
    return (
        base.transform_calculate(_ax="datum._x1 * width + datum._px1", _bx="datum._x2 * width + datum._px2")
        .transform_calculate(_dx="datum._bx - datum._ax", _dy="datum._y2 - datum._y1")
        .transform_calculate(_far="max(1, sqrt(datum._dx * datum._dx + datum._dy * datum._dy))")
        .transform_calculate(_ux="datum._dx / datum._far", _uy="datum._dy / datum._far")
        .transform_calculate(_r=radius)
        .transform_calculate(
            _sx="datum._ax + datum._r * datum._ux",
            _sy="datum._y1 + datum._r * datum._uy",
            _ex=f"datum._bx - (datum._r + {short}) * datum._ux",
            _ey=f"datum._y2 - (datum._r + {short}) * datum._uy",
            _angle="atan2(datum._dx, -datum._dy) * 180 / PI",
        )
    )


def _rule() -> dict[str, Any]:
    import altair as alt

    return {"x": _pixels("_sx"), "x2": alt.X2("_ex:Q"), "y": _pixels("_sy"), "y2": alt.Y2("_ey:Q")}


def _point() -> dict[str, Any]:
    return {"x": _pixels("_cx"), "y": _pixels("_y")}


def _pixels(name: str) -> Any:
    """A field that is already in pixels, x or y."""
    import altair as alt

    kind = alt.Y if name in ("_y", "_sy", "_ey", "_t") else alt.X
    return kind(f"{name}:Q", scale=None, axis=None)


def _tips() -> list[Any]:
    import altair as alt

    numbers = [alt.Tooltip(f"{name}:Q", format=".3~g") for name in ("estimate", "low", "high")]
    return [alt.Tooltip("from:N"), alt.Tooltip("to:N"), alt.Tooltip("kind:N"), *numbers]
