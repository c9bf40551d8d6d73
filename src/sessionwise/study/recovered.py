"""Recovered: what a study of simulated data found beside the parameters that are true."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .records import Direction, Estimate, FewSessions, Moderation

if TYPE_CHECKING:
    from ..datasets import DemoTruth
    from .result import StudyResult


@dataclass(frozen=True, slots=True)
class Recovered:
    """A parameter that is known. found : by the main models. corrected : for few sessions (the answer). riclpm : by the
    random-intercept cross-lagged panel model. dsem : by the dynamic model of true scores, where it was asked for. None
    where that is not computed; their intervals are there for effects alone."""

    what: str
    true: float
    found: float
    low: float
    high: float
    corrected: float | None = None
    corrected_low: float | None = None
    corrected_high: float | None = None
    riclpm: float | None = None
    riclpm_low: float | None = None
    riclpm_high: float | None = None
    dsem: float | None = None
    dsem_low: float | None = None
    dsem_high: float | None = None


#: Methods beside the main models, in the order of the fields.
_WAYS = ("net", "riclpm", "dsem")


def recovered(result: StudyResult, truth: DemoTruth) -> tuple[Recovered, ...]:
    """The coefficients of both main models beside those of the process behind the data.

    Net effects are those of the process. In the model of w with the same session's y held constant, e_w = k e_y + rest,
    k = Cov(e_y, e_w) / Var(e_y): the coefficient of y is k, that of the previous y is c - k a_y.
    """
    forward, reverse = result.forward, result.reverse
    if not isinstance(forward, Direction) or not isinstance(reverse, Direction):
        return ()
    t = truth.parameters
    var_y, cov, _ = t.innovation_cov
    k, b = cov / var_y, float(truth.persons["b"].to_numpy().mean())
    few = result.few_sessions.coefficients if isinstance(result.few_sessions, FewSessions) else ()
    corrected: dict[tuple[str, ...], float] = {(c.direction, c.key): c.without for c in few}

    scale = result.sensitivity.sd_outcome / result.sensitivity.sd_process
    units = {"forward": scale, "reverse": 1 / scale}  # what turns within-person SDs into points

    def by(method: str, side: str) -> tuple[float | None, float | None, float | None]:
        found = [getattr(r, side) for r in result.sensitivity.rows if r.key == method]
        if not found or not isinstance(found[0], Estimate):
            return None, None, None
        e = found[0].times(units[side])
        return e.value, e.low, e.high

    def row(what: str, true: float, e: Estimate, *key: str) -> Recovered:
        if key[1:] == ("effect",):
            return Recovered(what, true, e.value, e.low, e.high, *(n for way in _WAYS for n in by(way, key[0])))
        return Recovered(what, true, e.value, e.low, e.high, corrected.get(key))

    rows = [row("WAI-SR → next CORE-OM, mean", b, forward.within, "forward", "effect")]
    for m in (m for m in forward.moderators if isinstance(m, Moderation) and m.moderator == "pd"):
        rows += [row(f"  {s.at}", t.b0 + at * t.b_pd, s.estimate) for at, s in zip((0, 1), m.slopes, strict=False)]
    rows += [
        row("CORE-OM → next CORE-OM", t.a_y, forward.previous, "forward", "previous"),
        row("CORE-OM → next WAI-SR", t.c, reverse.within, "reverse", "effect"),
        row("WAI-SR → next WAI-SR", t.a_w, reverse.previous, "reverse", "previous"),
    ]
    if reverse.same_session is not None and reverse.given_same_session is not None:
        rows += [
            row("CORE-OM → WAI-SR, same session", k, reverse.same_session),
            row("CORE-OM → next WAI-SR, given that", t.c - k * t.a_y, reverse.given_same_session),
        ]
    return tuple(rows)
