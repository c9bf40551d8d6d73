"""Paths: the diagram of a panel structural equation model of two variables, wave by wave.

In: a PathDiagram of plain numbers, whichever program they came from. Observed scores are boxes, what is within persons
are circles, lasting levels of persons (random intercepts) are large circles. Without random intercepts the arrows go
between the observed scores themselves (a cross-lagged panel model).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ModelError, some
from ..options import A_DICT, A_NAME, A_WIDTH, TEXT, an_object, known_name, takes
from ..words import alike, figure_interval, figure_number, level_percent
from .diagram import Intercepts, PathDiagram
from .figure import Rows, clean, figure
from .fitted_paths import path_diagram
from .path_layers import layers
from .path_layout import Layout, arrow_rows, correlation_rows, node_rows
from .words import Labels

if TYPE_CHECKING:
    import altair as alt

    from ..models import SEMFit


@takes(
    ModelError,
    diagram=an_object("PathDiagram", "SEMFit"),
    group=A_NAME,
    title=TEXT,
    note=TEXT,
    labels=A_DICT,
    width=A_WIDTH,
)
def paths(
    diagram: PathDiagram | SEMFit,
    *,
    group: str | None = None,
    title: str | None = None,
    note: str = "",
    labels: Labels | None = None,
    width: int = 640,
) -> alt.LayerChart:
    """The diagram: arrows (autoregressive, cross-lagged, within a wave) with their coefficients, thick where they are
    large, dashed where the interval includes zero.

    Parameters
    ----------
    diagram : what is drawn, or a fit of an RICLPM or CLPM; group : which of its groups. Coefficients that are the
        same at every wave are written once.
    title : default what the cross-lagged coefficients say.
    note : ends the subtitle.
    labels : variable -> what to call it.
    width : of the whole figure, in pixels. Time runs to the right, or down where the waves need more room than that.

    Raises
    ------
    ModelError : not two variables, fewer than two waves, or an arrow or correlation that does not fit them.
    """
    if not isinstance(diagram, PathDiagram):
        diagram = path_diagram(diagram, group)
    _checked(diagram)
    names = {v: (labels or {}).get(v, v) for v in diagram.variables}
    layout = Layout.of(len(diagram.waves), diagram.intercepts is not None, width)
    data = {
        "paths": [*arrow_rows(diagram, layout, names), *correlation_rows(diagram, layout, names)],
        "nodes": node_rows(diagram, layout, names),
        "intercepts": _intercept_rows(diagram, names),
    }
    return figure(
        layers(layout),
        data,
        title=title or _title(diagram, names),
        subtitle=[*_subtitle(diagram, names), note],
        seen=_seen(diagram, names),
        width=width,
        height=layout.height,
    )


def _checked(d: PathDiagram) -> None:
    if len(set(d.variables)) != 2 or len(d.variables) != 2:
        raise ModelError(f"a path diagram has two variables, not {some(d.variables) or 'none'}.", remedy="Name two.")
    if len(d.waves) < 2 or len(set(d.waves)) != len(d.waves):
        raise ModelError(
            f"these waves cannot be drawn: {some(d.waves) or 'none'}.", remedy="Name two or more, each once."
        )
    for a in d.arrows:
        where = f"arrow from {a.from_variable} at {a.from_wave} to {a.to_variable} at {a.to_wave}"
        for variable in (a.from_variable, a.to_variable):
            known_name("variable", variable, d.variables, where=where)
        for wave in (a.from_wave, a.to_wave):
            known_name("wave", wave, d.waves, where=where)
        apart = d.waves.index(a.to_wave) - d.waves.index(a.from_wave)
        if apart not in (0, 1) or (apart == 0 and a.to_variable == a.from_variable):
            raise ModelError(
                "the arrow goes neither to the next wave nor to the other variable.",
                where=where,
                remedy="Leave it out.",
            )
    for c in d.correlations:
        known_name("wave", c.wave, d.waves, where=f"correlation at {c.wave}")


def _intercept_rows(d: PathDiagram, names: dict[str, str]) -> Rows:
    if d.intercepts is None:
        return []
    return [
        {"variable": names[v], "variance of random intercept": clean(variance)}
        for v, variance in zip(d.variables, d.intercepts.variances, strict=True)
    ]


def _title(d: PathDiagram, names: dict[str, str]) -> str:
    """What the cross-lagged coefficients say, each way."""
    told = []
    for a, b in (d.variables[::-1], d.variables):
        arrows = [x for x in d.arrows if (x.from_variable, x.to_variable) == (a, b) and x.from_wave != x.to_wave]
        way = f"{names[a]} → next {names[b]}"
        if arrows and len({(round(x.estimate, 9), round(x.low, 9), round(x.high, 9)) for x in arrows}) == 1:
            one = arrows[0]
            told.append(f"{way} {figure_number(one.estimate)} ({figure_interval(one.low, one.high, d.level)})")
        elif arrows:
            told.append(f"{way} clear of zero at {sum(x.clear for x in arrows)} of {len(arrows)} steps")
    return "; ".join(told) or f"{names[d.variables[0]]} and {names[d.variables[1]]} over {len(d.waves)} waves"


def _subtitle(d: PathDiagram, names: dict[str, str]) -> list[str]:
    nodes = "Boxes: as observed"
    if d.intercepts:
        nodes += "; circles: within persons; large circles: lasting levels of persons"
    lines = [
        f"{nodes}. Arrows: thicker where the coefficient is larger, dashed where its {level_percent(d.level)} interval "
        f"includes zero{'; grey: correlations' if d.correlations else ''}."
    ]
    if d.intercepts:
        lines.append(_levels_in_words(d.intercepts, [names[v] for v in d.variables], d.level))
    return lines


def _levels_in_words(i: Intercepts, names: list[str], level: float) -> str:
    told = ", ".join(f"{name} {figure_number(v)}" for name, v in zip(names, i.variances, strict=True))
    text = f"Variance of lasting levels: {told}"
    if i.correlation is not None:
        text += f"; they correlate {figure_number(i.correlation)}"
        if i.low is not None and i.high is not None:
            text += f" ({figure_interval(i.low, i.high, level)})"
    if any(v < 0 for v in i.variances):
        text += ". A negative variance is impossible: the model asks more than these data tell"
    return text + "."


def _seen(d: PathDiagram, names: dict[str, str]) -> str:
    """The span of the coefficients of each kind."""
    told = []
    for a in d.variables:
        for b in d.variables:
            found = [x.estimate for x in d.arrows if (x.from_variable, x.to_variable) == (a, b)]
            if found:
                told.append(
                    f"{names[a]} to next {names[b]} {' to '.join(dict.fromkeys(alike(min(found), max(found))))}"
                )
    return f"Coefficients: {'; '.join(told)}" if told else ""
