"""Where the nodes, arrows and labels of a path diagram stand.

Time runs along, variables stand across. A place is a share of the plot's width plus pixels for x, pixels for y, so
that the diagram can be as wide as its page. Coefficients of cross-lagged arrows stand a little more than a quarter
along: there no two arrows meet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ..words import coefficient_label
from .figure import EDGE, Row, Rows, clean, shortened, wrapped

if TYPE_CHECKING:
    from .diagram import Arrow, PathDiagram

_STEP, _BOX = 44, 26  # pixels between waves that labels need, and of the smallest box
_LEFT, _RIGHT = 96, 44  # room for names of rows and for the correlation of random intercepts
_ALONG = 0.28


class Place(NamedTuple):
    """x = share * width + pixels, y in pixels."""

    share: float
    pixels: float
    y: float


@dataclass(frozen=True, slots=True)
class Layout:
    """waves : how many. within : whether there are random intercepts and parts within persons. down : whether time
    runs down. box : pixels (width, height) of an observed score. height : of the plot."""

    waves: int
    within: bool
    down: bool
    box: tuple[float, float]
    height: int

    @classmethod
    def of(cls, waves: int, within: bool, width: int) -> Layout:
        gap, right = (10, _RIGHT) if within else (40, 4)
        room = width - 2 * EDGE - _LEFT - right
        box = min(66.0, (room - gap * (waves - 1)) / waves)
        if box < _BOX or (room - box) / max(1, waves - 1) < _STEP:
            return cls(waves, within, True, (44.0, 18.0), 60 * (waves - 1) + (100 if within else 64))
        return cls(waves, within, False, (box, 20.0), 384 if within else 220)

    def at(self, wave: float, row: str, side: int) -> Place:
        """A place at a wave (0, 1, ..., fractions between), in the row 'level', 'observed' or 'within' of one."""
        if self.down:
            across = {"level": 0.06, "observed": 0.2 if self.within else 0.16, "within": 0.35}[row]
            return Place(across if side == 0 else 1 - across, 0.0, 44 + 60 * wave)
        across = {"level": 18.0, "observed": 78.0 if self.within else 40.0, "within": 126.0}[row]
        t = wave / max(1, self.waves - 1)
        first, last = _LEFT + self.box[0] / 2, (_RIGHT if self.within else 4) + self.box[0] / 2
        return Place(t, first - (first + last) * t, across if side == 0 else self.height - across)

    def level(self, side: int) -> Place:
        """A random intercept stands in the middle of its waves."""
        return self.at((self.waves - 1) / 2, "level", side)

    @property
    def acting(self) -> str:
        """The row whose nodes the arrows join."""
        return "within" if self.within else "observed"

    @property
    def radius(self) -> str:
        """Pixels from a node's centre to its edge, as an expression of the direction (_ux, _uy)."""
        if self.within:
            return "10"
        w, h = self.box[0] / 2 + 3, self.box[1] / 2 + 3
        return f"min({w} / max(abs(datum._ux), 1e-6), {h} / max(abs(datum._uy), 1e-6))"


def arrow_rows(d: PathDiagram, layout: Layout, names: dict[str, str]) -> Rows:
    """Each arrow with its ends, its label and where that stands."""
    told = _told_once(d.arrows)
    rows = []
    for a in d.arrows:
        start, end = d.waves.index(a.from_wave), d.waves.index(a.to_wave)
        sides = d.variables.index(a.from_variable), d.variables.index(a.to_variable)
        ends = layout.at(start, layout.acting, sides[0]), layout.at(end, layout.acting, sides[1])
        same = sides[0] == sides[1]
        size = abs(a.estimate if a.standardised is None else a.standardised)
        row = {
            "from": f"{names[a.from_variable]}, {a.from_wave}",
            "to": f"{names[a.to_variable]}, {a.to_wave}",
            "kind": "autoregressive" if same else "cross-lagged" if start != end else "within a wave",
            **{name: clean(value) for name, value in (("estimate", a.estimate), ("low", a.low), ("high", a.high))},
            "_tone": "plain" if same else ("first", "second")[sides[0]],
            "_thick": 0.8 + 4.2 * min(size, 1.0),
            "_dash": _dash(a.clear),
            "_label": coefficient_label(a.estimate) if a in told else "",
            **_ends(*ends),
            **_label(_beside(layout, ends, sides[0]) if same else _on(ends, _ALONG)),
        }
        rows.append(row)
    return rows


def correlation_rows(d: PathDiagram, layout: Layout, names: dict[str, str]) -> Rows:
    """Correlations at each wave, and that of the random intercepts, which goes round the outside."""
    a, b = (names[v] for v in d.variables)
    rows: Rows = []
    for c in d.correlations:
        wave = d.waves.index(c.wave)
        ends = layout.at(wave, layout.acting, 0), layout.at(wave, layout.acting, 1)
        row = {"from": f"{a}, {c.wave}", "to": f"{b}, {c.wave}", "kind": "correlation"}
        numbers = {"estimate": clean(c.estimate), "low": clean(c.low), "high": clean(c.high)}
        look: Row = {"_tone": "neither", "_thick": 1.0, "_dash": _dash(c.low * c.high > 0)}
        look["_label"] = coefficient_label(c.estimate)
        rows.append(row | numbers | look | _ends(*ends) | _label(_on(ends, 0.5)))
    i = d.intercepts
    if i is not None and i.correlation is not None:
        row = {"from": f"{a}, lasting", "to": f"{b}, lasting", "kind": "correlation"}
        numbers = {"estimate": clean(i.correlation), "low": clean(i.low), "high": clean(i.high)}
        look = {"_tone": "round", "_label": coefficient_label(i.correlation)}
        rows.append(row | numbers | look | _label(around(layout)[2]))
    return rows


def around(layout: Layout) -> list[Place]:
    """Corners of the way from one random intercept to the other, past the last wave; the third is its middle."""
    a, b = layout.level(0), layout.level(1)
    if layout.down:
        y = layout.height - 12.0
        return [a, Place(a.share, a.pixels, y), Place(0.5, 0, y), Place(b.share, b.pixels, y), b]
    return [a, Place(1, -16, a.y), Place(1, -16, layout.height / 2), Place(1, -16, b.y), b]


def node_rows(d: PathDiagram, layout: Layout, names: dict[str, str]) -> Rows:
    """Nodes, names of rows, loadings, and the way round between random intercepts."""
    rows: Rows = []
    waves = _fitting(d.waves, int((layout.box[0] - 4) / 6))
    for side, variable in enumerate(d.variables):
        name = names[variable]
        level = layout.level(side)
        for wave, (label, short) in enumerate(zip(d.waves, waves, strict=True)):
            box = layout.at(wave, "observed", side)
            tip = {"node": f"{name}, {label}"}
            rows.append(tip | {"_node": "box", "_text": short} | _xy(box, ""))
            if layout.within:
                inner = layout.at(wave, "within", side)
                rows.append({"node": f"{name}, {label}, within persons", "_node": "circle"} | _xy(inner, ""))
                rows.append({"_node": "loading"} | _ends(inner, box))
                rows.append({"_node": "loading"} | _ends(level, box))
        if layout.within and d.intercepts:
            impossible = d.intercepts.variances[side] < 0
            tip = {"node": f"{name}, lasting level of persons", "_node": "impossible" if impossible else "level"}
            rows.append(tip | _xy(level, ""))
        rows.append(_heading(layout, name, side))
    if d.intercepts and d.intercepts.correlation is not None:
        rows += [{"_node": "round", "_order": i} | _xy(place, "") for i, place in enumerate(around(layout))]
    return rows


def _fitting(labels: tuple[str, ...], letters: int) -> list[str]:
    """Labels of waves that fit their boxes: 'session 1', 'session 2' become '1', '2'."""
    if max(map(len, labels)) <= letters:
        return list(labels)
    alike = next((i for i, signs in enumerate(zip(*labels, strict=False)) if len(set(signs)) > 1), 0)
    cut = max(labels[0][:alike].rfind(sign) for sign in " _-.") + 1
    return [shortened(label[cut:], max(3, letters)) for label in labels]


def _heading(layout: Layout, name: str, side: int) -> Row:
    """The variable's name, at the left of its row or above its column."""
    if layout.down:
        align, away = ("right", -14.0) if side == 0 else ("left", 14.0)
        return {"_node": f"name {align}", "_text": [shortened(name, 22)]} | _xy(Place(0.5, away, 10.0), "")
    lines = wrapped(shortened(name, 36), 12)
    y = layout.at(0, "observed", side).y - 7 * (len(lines) - 1)
    return {"_node": "name left", "_text": lines} | _xy(Place(0.0, 0.0, y), "")


def _told_once(arrows: tuple[Arrow, ...]) -> set[Arrow]:
    """The arrows that bear a label: all, or one of each kind whose coefficients are the same at every wave."""
    told: set[Arrow] = set()
    for way in {_way(a) for a in arrows}:
        own = [a for a in arrows if _way(a) == way]
        same = len({(round(a.estimate, 9), round(a.low, 9), round(a.high, 9)) for a in own}) == 1
        told |= {own[(len(own) - 1) // 2]} if same else set(own)
    return told


def _way(a: Arrow) -> tuple[str, str, bool]:
    return a.from_variable, a.to_variable, a.from_wave == a.to_wave


def _on(ends: tuple[Place, Place], share: float) -> Place:
    """A point of the line between two places."""
    a, b = ends
    x, pixels, y = (u + share * (v - u) for u, v in zip(a, b, strict=True))
    return Place(x, pixels, y)


def _beside(layout: Layout, ends: tuple[Place, Place], side: int) -> Place:
    """Outside the middle of an autoregressive arrow."""
    middle = _on(ends, 0.5)
    out = -1 if side == 0 else 1
    if layout.down:
        return Place(middle.share, middle.pixels + 16 * out, middle.y)
    return Place(middle.share, middle.pixels, middle.y + 11 * out)


def _dash(solid: bool) -> list[int]:
    return [1, 0] if solid else [5, 3]


def _xy(place: Place, which: str) -> Row:
    return {f"_x{which}": place.share, f"_px{which}": place.pixels, f"_y{which}": place.y}


def _ends(a: Place, b: Place) -> Row:
    return _xy(a, "1") | _xy(b, "2")


def _label(place: Place) -> Row:
    return _xy(place, "")
