"""Simple slopes: what a predictor does to the response at levels of a moderator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import narwhals as nw
import numpy as np

from ..errors import ModelError, nearest, some
from ..formula import show
from ..models import MLMFit
from ..options import A_DICT, A_LEVEL, A_NAME, A_WIDTH, NUMBERS, TEXT, TEXTS, Kind, an_object, takes
from ..words import alike, figure_interval, figure_number, level_percent, listed, p_words
from .figure import Rows, along, clean, figure, source, upright, wrapped
from .words import Labels, words

if TYPE_CHECKING:
    import altair as alt

_TONES = ("first", "second", "third", "fourth", "fifth")
_LABEL_LETTERS = 15
_WORDS = Kind(
    "the words of a figure of slopes",
    lambda value: all(hasattr(value, name) for name in ("response", "x", "moderator")),
)
_DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [1, 3])


@dataclass(frozen=True, slots=True, eq=False)
class Slopes:
    """The slope at each of m values of the moderator.

    values : (m,) as text. slope, low, high : (m,). others : other moderators and the values at which they are held.
    mean, sd : of the predictor over the sessions used. p : of the interaction, or None.
    """

    values: tuple[str, ...]
    slope: np.ndarray
    low: np.ndarray
    high: np.ndarray
    others: Mapping[str, str]
    mean: float
    sd: float
    p: float | None


@takes(
    ModelError,
    fit=an_object("MLMFit"),
    x=A_NAME,
    moderator=A_NAME,
    at=A_DICT,
    over=NUMBERS,
    level=A_LEVEL,
    note=TEXT,
    labels=A_DICT,
    width=A_WIDTH,
)
def simple_slopes(
    fit: MLMFit,
    x: str,
    moderator: str | None = None,
    at: Mapping[str, Sequence[Any]] | None = None,
    *,
    over: tuple[float, float] | None = None,
    level: float = 0.95,
    note: str = "",
    labels: Labels | None = None,
    width: int = 640,
) -> alt.LayerChart:
    """The response over a predictor at levels of its moderator, as the difference from where the predictor is average.

    So drawn, lines differ by their slopes alone, and the bands are the intervals of these slopes.

    Parameters
    ----------
    fit : a multilevel model with an interaction of `x`.
    x : a numeric predictor as it stands in the formula.
    moderator : the other variable of the interaction; may be left out if there is only one.
    at : moderator -> values, five at most; default all categories, 0 and 1, or mean and mean ± SD. Moderators
        beside the one drawn are held at their first value (the middle one of three).
    over : values of x between which the lines are drawn; default from one SD below to one SD above the average.
    level : of the intervals; t with Satterthwaite's degrees of freedom.
    note : ends the subtitle.
    labels : column, expression or 'moderator=value' (as `pd=1`) -> what to call it.
    width : of the whole figure, in pixels.

    Raises
    ------
    ModelError : no such predictor, no moderator or several and none named, more than five levels, no range.
    """
    names = _moderators(fit, x)
    moderator = _one(fit, x, moderator, names)
    found = _slopes(fit, x, moderator, at, level)
    said = _Said(fit, labels or {}, x, moderator)
    named = tuple(said.value(v) for v in found.values)
    held = "".join(f" {words_of} is held at {value}." for words_of, value in said.held(found.others))
    return draw_slopes(found, named, said, over=over, level=level, held=held, note=note, width=width)


@takes(
    ModelError,
    found=an_object("Slopes"),
    named=TEXTS,
    said=_WORDS,
    over=NUMBERS,
    level=A_LEVEL,
    held=TEXT,
    note=TEXT,
    width=A_WIDTH,
)
def draw_slopes(
    found: Slopes,
    named: tuple[str, ...],
    said: Said,
    *,
    over: tuple[float, float] | None = None,
    level: float = 0.95,
    held: str = "",
    note: str = "",
    width: int = 640,
) -> alt.LayerChart:
    """The figure of slopes that are known already. named : the moderator's values, as said. held : what is fixed."""
    if len(named) != len(found.slope):
        raise ModelError(
            f"named holds {len(named)} texts for {len(found.slope)} slopes.", remedy="Give one for each value."
        )
    low, high = _range(found, over)
    data = {
        "slopes": [
            {"at": name, "slope": clean(b), "low": clean(low), "high": clean(high)}
            for name, b, low, high in zip(named, found.slope, found.low, found.high, strict=True)
        ],
        "lines": _lines(found, named, np.linspace(low, high, 21)),
    }
    return figure(
        _layers(found, named, said, data["lines"]),
        data,
        title=_title(found, named, said),
        subtitle=[
            f"Lines: difference in {said.response} from where {said.x} is average, at levels of {said.moderator}; "
            f"bands: {level_percent(level)} intervals of the slopes.{held}",
            note,
        ],
        seen=_seen(found, named, level),
        width=width,
        height=320,
        heads={"at": said.moderator},
    )


class Said(Protocol):
    """What the variables are called."""

    @property
    def response(self) -> str: ...
    @property
    def x(self) -> str: ...
    @property
    def moderator(self) -> str: ...


class _Said:
    """What the variables are called."""

    def __init__(self, fit: MLMFit, labels: Labels, x: str, moderator: str) -> None:
        self._labels = labels
        self._of = {show(v): v for v in fit.recipe.design.formula.variables}
        self._moderator = moderator
        self.response: str = words(fit.recipe.design.formula.response, labels)
        self.x: str = words(self._of[x], labels)
        self.moderator: str = words(self._of[moderator], labels)

    def value(self, value: str) -> str:
        return self._labels.get(f"{self._moderator}={value}", f"{self.moderator} {value}")

    def held(self, others: Mapping[str, str]) -> list[tuple[str, str]]:
        return [(words(self._of[name], self._labels), value) for name, value in others.items()]


def _moderators(fit: MLMFit, x: str) -> tuple[str, ...]:
    """Variables that stand in a term together with x."""
    terms = [tuple(map(show, term.factors)) for term in fit.recipe.design.formula.fixed]
    return tuple(dict.fromkeys(name for term in terms if x in term for name in term if name != x))


def _one(fit: MLMFit, x: str, moderator: str | None, names: tuple[str, ...]) -> str:
    where = f"formula {fit.model.formula!r}"
    if x not in {show(f) for term in fit.recipe.design.formula.fixed for f in term.factors}:
        fit.slopes(x)  # says which predictors there are
    if not names:
        raise ModelError(f"{x} has no moderator.", where=where, remedy=f"Add an interaction, such as {x} * moderator.")
    if moderator is None and len(names) > 1:
        raise ModelError(f"{x} has several moderators.", where=where, remedy=f"Name one of them: {some(names)}.")
    if moderator is not None and moderator not in names:
        raise ModelError(
            f"{moderator!r} is no moderator of {x}.{nearest(moderator, names)}",
            where=where,
            remedy=f"Moderators: {some(names)}.",
        )
    return names[0] if moderator is None else moderator


def _slopes(fit: MLMFit, x: str, moderator: str, at: Mapping[str, Sequence[Any]] | None, level: float) -> Slopes:
    table: Any = nw.from_native(fit.slopes(x, at, level=level)).lazy().collect()
    columns = {name: table[name].to_list() for name in table.columns}
    others = [name for name in _moderators(fit, x) if name != moderator]
    keep = np.ones(len(columns["estimate"]), bool)
    held = {}
    for name in others:
        values = list(dict.fromkeys(columns[name]))
        held[name] = values[1] if len(values) == 3 and isinstance(values[0], float) else values[0]
        keep &= np.array([value == held[name] for value in columns[name]])
    rows = np.flatnonzero(keep)
    if len(rows) > len(_TONES):
        raise ModelError(
            f"{len(rows)} lines cannot be told apart.",
            where=f"moderator {moderator}",
            remedy=f"Give five values at most, at={{{moderator!r}: [...]}}.",
        )
    estimate, low, high = (np.array(columns[name])[rows] for name in ("estimate", "low", "high"))
    told = tuple(_text(columns[moderator][i]) for i in rows)
    mean, sd = _mean_sd(fit, x)
    kept = {name: _text(value) for name, value in held.items()}
    return Slopes(told, estimate, low, high, kept, mean, sd, _p(fit, x, moderator))


def _text(value: Any) -> str:
    return figure_number(value) if isinstance(value, float) else str(value)


def _mean_sd(fit: MLMFit, x: str) -> tuple[float, float]:
    """Of a numeric column over the sessions used; mean 0 and SD 1 where the fit does not keep them."""
    back = fit.solution.problem.transform.fixed
    if x not in fit.terms or "(Intercept)" not in fit.terms:
        return 0.0, 1.0
    i, one = fit.terms.index(x), fit.terms.index("(Intercept)")
    sd = 1 / float(back[i, i])
    return -float(back[one, i]) * sd, sd


def _p(fit: MLMFit, x: str, moderator: str) -> float | None:
    """F test of the interaction of the two; None if it is in a larger one."""
    table: Any = nw.from_native(fit.anova()).lazy().collect()
    p = dict(zip(table["term"].to_list(), table["p"].to_list(), strict=True))
    larger = [t for t in fit.recipe.design.formula.fixed if {x, moderator} < set(map(show, t.factors))]
    if larger:
        return None
    return next((p[name] for name in (f"{x}:{moderator}", f"{moderator}:{x}") if name in p), None)


def _range(found: Slopes, over: tuple[float, float] | None) -> tuple[float, float]:
    low, high = over or (found.mean - found.sd, found.mean + found.sd)
    if not low < high:
        raise ModelError(f"there is no line over {low} to {high}.", remedy="Give over=(lowest, highest).")
    return low, high


def _lines(found: Slopes, named: tuple[str, ...], at: np.ndarray) -> Rows:
    """Each line at some values of the predictor."""
    made: Rows = []
    for i, name in enumerate(named):
        for d in at - found.mean:
            low, high = sorted((found.low[i] * d, found.high[i] * d))
            made.append(
                {
                    "at": name,
                    "x": clean(found.mean + d),
                    "difference": clean(found.slope[i] * d),
                    "low": clean(low),
                    "high": clean(high),
                    "_line": i,
                }
            )
    return made


def _layers(found: Slopes, named: tuple[str, ...], said: Said, lines: Rows) -> list[Any]:
    import altair as alt

    tight = alt.Scale(nice=False, zero=False)
    x = alt.X("x:Q", title=along(said.x), scale=tight, axis=alt.Axis(grid=False, tickCount=6))
    y = alt.Y("low:Q", title=upright(f"difference in {said.response}"), scale=alt.Scale(zero=True))
    tips = [alt.Tooltip(f"{name}:Q", format=".3~g") for name in ("x", "difference", "low", "high")]
    layers: list[Any] = [source("slopes").mark_rule(style="zero-line").encode(y=alt.YDatum(0))]
    ends = [max((row for row in lines if row["_line"] == i), key=lambda row: row["x"]) for i in range(len(named))]
    heights = _apart(ends, lines)
    for i, name in enumerate(named):
        base = source("lines").transform_filter(f"datum._line === {i}").encode(x=x)
        band = base.mark_area(style=f"{_TONES[i]}-band", opacity=0.15).encode(y=y, y2=alt.Y2("high:Q"))
        line = base.mark_line(style=f"{_TONES[i]}-line", strokeDash=_DASHES[i]).encode(
            y=alt.Y("difference:Q"), tooltip=tips
        )
        text = source("slopes").transform_filter(f"datum.slope === {clean(found.slope[i])}")
        label = text.mark_text(style=f"{_TONES[i]}-text", align="left", dx=6)
        end = alt.XDatum(ends[i]["x"]), alt.YDatum(clean(heights[i]))
        layers += [band, line, label.encode(x=end[0], y=end[1], text=alt.TextValue(wrapped(name, _LABEL_LETTERS)))]
    return layers


def _apart(ends: Rows, lines: Rows) -> np.ndarray:
    """Heights of the labels: at the ends of their lines, moved where they would overlap."""
    reach = max(row["high"] for row in lines) - min(row["low"] for row in lines)
    told = np.array([row["difference"] for row in ends])
    tall = np.array([len(wrapped(row["at"], _LABEL_LETTERS)) for row in ends])
    order = np.argsort(told, kind="stable")
    placed = told[order].astype(np.float64)
    for i in range(1, len(placed)):
        # the first line of a label stands at its height, further ones below
        placed[i] = max(placed[i], placed[i - 1] + tall[order[i]] * 15 * reach / 300)
    placed += float(np.mean(told[order] - placed))
    heights = np.empty(len(ends))
    heights[order] = placed
    return heights


def _title(found: Slopes, named: tuple[str, ...], said: Said) -> str:
    what = f"The effect of {said.x} on {said.response}"
    if found.p is None:
        low, high = figure_number(float(found.slope.min())), figure_number(float(found.slope.max()))
        return f"{what} is {low} to {high}, by {said.moderator}"
    if found.p >= 0.05:
        return f"{what} does not clearly differ by {said.moderator}"
    slopes = alike(*found.slope.tolist())
    if len(named) > 3:
        return f"{what} differs by {said.moderator}"
    return f"{what} differs: " + listed([f"{b} ({name})" for b, name in zip(slopes, named, strict=True)])


def _seen(found: Slopes, named: tuple[str, ...], level: float) -> str:
    told = [
        f"{name}: slope {figure_number(b)}, {figure_interval(low, high, level)}"
        for name, b, low, high in zip(named, found.slope, found.low, found.high, strict=True)
    ]
    test = "" if found.p is None else f"; interaction {p_words(found.p)}"
    return "; ".join(told) + test
