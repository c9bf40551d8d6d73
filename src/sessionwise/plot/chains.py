"""Chains: where the draws of each chain went, and whether all went through the same (Vehtari et al. 2021).

Left the draws one after another; right how many of a chain's draws have a rank from here to there among the draws of
all chains: as many everywhere, if the chains agree.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ModelError
from ..models import DSEMFit
from ..options import A_DICT, A_WIDTH, NAMES, TEXT, an_object, takes
from ..words import counted
from .figure import Rows, clean, figure, source, tip
from .small_multiples import PANELS, Cells, cells, heading_lines, own_scales, panel_source
from .words import Labels

if TYPE_CHECKING:
    import altair as alt

_TALL = 80
#: Numbers drawn where none are named: those of which least is known.
_WORST = 6
#: Draws of a chain that are drawn; classes of ranks.
_DRAWN, _CLASSES = 150, 20
_TONES = ("first", "second", "third", "fourth", "fifth")
_DASHES = ([1, 0], [6, 2], [2, 1], [8, 2, 2, 2], [1, 2])


@takes(ModelError, fit=an_object("DSEMFit"), names=NAMES, note=TEXT, labels=A_DICT, width=A_WIDTH)
def chains(
    fit: DSEMFit,
    names: Iterable[str] | None = None,
    *,
    note: str = "",
    labels: Labels | None = None,
    width: int = 640,
) -> alt.LayerChart:
    """Trace and ranks of the chains, number by number.

    Parameters
    ----------
    fit : a dynamic model.
    names : as in `fit.tidy()`. Default the six with the fewest effective draws.
    note : ends the subtitle.
    labels : name -> what to call it.
    width : of the whole figure, in pixels.

    Raises
    ------
    ModelError : a number that there is not.
    """
    chosen = list(dict.fromkeys([names] if isinstance(names, str) else names or _least_known(fit)))
    draws = {name: fit.draws(name) for name in chosen}
    called = [(labels or {}).get(name, name) for name in chosen]
    count, kept = next(iter(draws.values())).shape
    place, heads = _places(fit, chosen, called, width)
    every = -(-kept // _DRAWN)
    data: dict[str, Rows] = {PANELS: _panel_rows(fit, chosen, called), "traces": [], "ranks": []}
    layers: list[Any] = [*_key(place, count)]
    for i, name in enumerate(chosen):
        data["traces"] += _traces(draws[name], called[i], i, every)
        data["ranks"] += _ranks(draws[name], called[i], i)
        last = i + 1 == len(chosen)
        highest = max(row["share"] for row in data["ranks"] if row["_panel"] == i)
        layers += [_trace_panel(draws[name], i, place, last), _rank_panel(fit, name, i, place, highest, last)]
        layers += place.heading_layers(i, i, 0, *heads[i])
    some = f"Of each chain every {every}th draw is drawn. " if every > 1 else ""
    which = (
        f" The {len(chosen)} of {len(fit.reported.names)} numbers with the fewest effective draws." if not names else ""
    )
    chart = figure(
        layers,
        data,
        title=_title(fit),
        subtitle=[
            f"Left: draws of {counted(count, 'chain')} one after another; right: ranks of each chain's draws among "
            "all; band: 95 % interval of the share that each class has if chains agree, at so many effective draws. "
            f"{some}{which}".strip(),
            note,
        ],
        seen=_seen(data[PANELS]),
        width=width,
        height=place.height,
        heads={"panel": "number", "rhat": "R-hat", "ess_bulk": "effective draws, bulk", "ess_tail": "tail"},
    )
    return own_scales(chart)


def _least_known(fit: DSEMFit) -> list[str]:
    """Names of the numbers with the fewest effective draws, the fewest first; those that never moved have none."""
    fewest = np.minimum(fit.convergence.bulk, fit.convergence.tail)
    order = [int(j) for j in np.argsort(fewest, kind="stable") if np.isfinite(fewest[j])]
    return [fit.reported.names[j] for j in order[:_WORST]] or list(fit.reported.names[:_WORST])


def _places(fit: DSEMFit, names: list[str], called: list[str], width: int) -> tuple[Cells, list[tuple[list[str], int]]]:
    """A row of two panels for each number, and the words above it."""
    letters = 2 * Cells(2, 1, _TALL, 0).letters(width)
    heads = []
    for name, said in zip(names, called, strict=True):
        rhat, fewest = _convergence(fit, name)
        heads.append(heading_lines(said, f"R-hat {rhat:.3f}, effective draws {fewest:,.0f}", letters))
    alone = cells([lines for lines, _ in heads], 1, _TALL)
    return Cells(2, len(names), _TALL, alone.heading), heads


def _convergence(fit: DSEMFit, name: str) -> tuple[float, float]:
    """R-hat and the smaller effective size."""
    j = fit.reported.names.index(name)
    found = fit.convergence
    return float(found.rhat[j]), float(min(found.bulk[j], found.tail[j]))


def _panel_rows(fit: DSEMFit, names: list[str], called: list[str]) -> Rows:
    rows: Rows = []
    for i, (name, said) in enumerate(zip(names, called, strict=True)):
        j = fit.reported.names.index(name)
        known = {"rhat": fit.convergence.rhat, "ess_bulk": fit.convergence.bulk, "ess_tail": fit.convergence.tail}
        rows.append({"panel": said, **{key: clean(float(v[j])) for key, v in known.items()}, "_panel": i})
    return rows


def _traces(draws: np.ndarray, called: str, i: int, every: int) -> Rows:
    return [
        {"panel": called, "chain": c + 1, "draw": d + 1, "value": clean(draws[c, d]), "_panel": i}
        for c in range(len(draws))
        for d in range(0, draws.shape[1], every)
    ]


def _ranks(draws: np.ndarray, called: str, i: int) -> Rows:
    """The share of a chain's draws in each class of ranks, and once more the last, so that its step has a width."""
    count, kept = draws.shape
    order = np.argsort(draws.ravel(), kind="stable")
    ranks = np.empty(draws.size, int)
    ranks[order] = np.arange(draws.size)
    classes = (ranks.reshape(count, kept) * _CLASSES) // draws.size
    rows: Rows = []
    for c in range(count):
        share = np.bincount(classes[c], minlength=_CLASSES) / kept
        for k in (*range(_CLASSES), _CLASSES):
            at = {"chain": c + 1, "rank": k / _CLASSES, "share": clean(share[min(k, _CLASSES - 1)])}
            rows.append({"panel": called, **at, "_panel": i})
    return rows


def _band(fit: DSEMFit, name: str, count: int) -> tuple[float, float]:
    """Between which ends a class's share lies in 95 of 100 cases: normal, by the effective draws of a chain."""
    fewest = _convergence(fit, name)[1] / count
    p = 1 / _CLASSES
    half = 1.959964 * np.sqrt(p * (1 - p) / max(fewest, 1.0)) if np.isfinite(fewest) else 0.0
    return max(0.0, p - half), p + half


def _look(chain: int, count: int) -> dict[str, Any]:
    """Of a chain's line; more chains than hues look all the same."""
    if count > len(_TONES):
        return {"style": "person-line", "strokeWidth": 0.8, "opacity": 0.6}
    return {"style": f"{_TONES[chain]}-line", "strokeWidth": 0.9, "opacity": 0.8}


def _key(place: Cells, count: int) -> list[Any]:
    """Which chain has which hue, above the first ranks."""
    import altair as alt

    made = []
    for c in range(count if count <= len(_TONES) else 0):
        x = {"expr": f"{place.end(1)} - {18 * (count - c) + (0 if c else 36)}"}
        text = panel_source(0).mark_text(style=f"{_TONES[c]}-text", align="left", x=x, y=place.top(0) - 6)
        made.append(text.encode(text=alt.TextValue(f"chain {c + 1}" if c == 0 else str(c + 1))))
    return made


def _trace_panel(draws: np.ndarray, i: int, place: Cells, foot: bool) -> Any:
    import altair as alt

    count, kept = draws.shape
    low, high = float(draws.min()), float(draws.max())
    edge = 0.04 * (high - low or 1.0)
    axis = place.foot(i, grid=False, tickCount=4, format="d")
    x = alt.X("draw:Q", title="draw" if foot else None, scale=place.x(0, (1, kept)), axis=axis)
    side = place.side(0, tickCount=3, grid=True)
    y = alt.Y("value:Q", title=None, scale=place.y(i, (low - edge, high + edge)), axis=side)
    tips = [tip("chain:Q", "chain"), tip("draw:Q", "draw", "d"), tip("value:Q", "value", ".3~g")]
    lines = []
    for c in range(count):
        base = source("traces").transform_filter(f"datum._panel === {i} && datum.chain === {c + 1}")
        lines.append(base.mark_line(**_look(c, count)).encode(x=x, y=y, tooltip=tips))
    return alt.layer(*lines)


def _rank_panel(fit: DSEMFit, name: str, i: int, place: Cells, highest: float, foot: bool) -> Any:
    import altair as alt

    count = len(fit.draws(name))
    low, high = _band(fit, name, count)
    axis = place.foot(i, grid=False, values=[0, 0.5, 1], format=".0%")
    x = alt.X("rank:Q", title="rank" if foot else None, scale=place.x(1, (0, 1)), axis=axis)
    side = place.side(1, values=[0, 1 / _CLASSES, 2 / _CLASSES], format=".0%", grid=False)
    y = alt.Y("share:Q", title=None, scale=place.y(i, (0, max(2.2 / _CLASSES, 1.05 * highest))), axis=side)
    ends = {"x": alt.XDatum(0), "x2": alt.X2Datum(1)}
    one = panel_source(i)
    layers = [
        one.mark_rect(style="plain-band", opacity=0.12).encode(**ends, y=alt.YDatum(low), y2=alt.Y2Datum(high)),
        one.mark_rule(style="zero-line", strokeDash=[4, 3]).encode(**ends, y=alt.YDatum(1 / _CLASSES)),
    ]
    tips = [tip("chain:Q", "chain"), tip("rank:Q", "rank from", ".0%"), tip("share:Q", "share of the chain", ".1%")]
    for c in range(count):
        base = source("ranks").transform_filter(f"datum._panel === {i} && datum.chain === {c + 1}")
        how = _look(c, count) | {"strokeWidth": 1.3, "strokeDash": _DASHES[c % len(_DASHES)]}
        line = base.mark_line(interpolate="step-after", **how)
        layers.append(line.encode(x=x, y=y, tooltip=tips))
    return alt.layer(*layers)


def _title(fit: DSEMFit) -> str:
    """What R-hat and effective draws say of all numbers, not of those drawn alone."""
    found = fit.convergence
    numbers = f"R-hat at most {found.largest_rhat:.3f}, effective draws at least {found.smallest:,.0f}"
    return f"{'The chains agree' if fit.verdict else 'The chains are not yet long enough'}: {numbers}"


def _seen(rows: Rows) -> str:
    return "; ".join(f"{row['panel']}: R-hat {row['rhat']:.3f}" for row in rows if row["rhat"] is not None)
