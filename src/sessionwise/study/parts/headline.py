"""Headline: the net lagged effect of each direction, by the estimate that holds most often where the truth is known.

That is the regressions within persons, corrected for few sessions (net_effects.py), with persons' own lines taken out
where it matters for the effects; where these cannot be had (another lag, very few sessions), the main multilevel model.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from ..records import Direction, Estimate, Headline, HeadlineEffect, NotAnswered
from ..study_data import FEWEST_PERSONS
from .confounding import robustness
from .few_sessions import USE_LAG_1
from .net_effects import FORWARD, REVERSE, Contrast, NetProcess, compared, net_process
from .unseen_leaving import shifts

if TYPE_CHECKING:
    from ...panel import Panel
    from ..study_data import StudyData
    from .drop_out import Leaving
    from .dynamic import Dynamic

#: At this level it matters whether persons' own lines are taken out; they are, then.
LEVEL = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class NetEffects:
    """means, lines : with persons' means and with their lines taken out. apart : both compared, None where they
    cannot be. used : the one that the headline is of. unseen : what would have to be taken off both effects if leaving
    depended on scores that nobody saw, in within-person SDs (unseen_leaving.py)."""

    means: NetProcess | NotAnswered
    lines: NetProcess | NotAnswered
    apart: Contrast | None
    unseen: tuple[float, float] = (0.0, 0.0)

    @property
    def used(self) -> NetProcess | NotAnswered:
        return self.lines if self.apart is not None and self.apart.p < LEVEL else self.means

    def estimates(self, used: NetProcess) -> tuple[Estimate, Estimate]:
        """Forward and reverse, in within-person SDs; intervals span what leaving may depend on."""
        forward, reverse = (used.estimate(at) for at in (FORWARD, REVERSE))
        return forward.spanning(self.unseen[0]), reverse.spanning(self.unseen[1])


def net_effects(setting: StudyData, left: Leaving | NotAnswered) -> NetEffects:
    """With means and with lines."""
    found = _means_and_lines(setting)
    used = found.used
    if isinstance(used, NotAnswered) or isinstance(left, NotAnswered):
        return found
    return replace(found, unseen=shifts(setting, used, left))


def _means_and_lines(setting: StudyData) -> NetEffects:
    question = "net lagged effects, corrected for few sessions"
    if setting.study.lag != 1:
        none = NotAnswered(question, f"The formulas are for lag 1, and lag is {setting.study.lag}.", USE_LAG_1)
        return NetEffects(none, none, None)
    means = fitted(setting, question)
    lines = fitted(setting, question, line=True)
    if isinstance(means, NotAnswered) or isinstance(lines, NotAnswered):
        return NetEffects(means, lines, None)
    if min(means.persons, lines.persons) < FEWEST_PERSONS:  # too few for a test of four coefficients together
        return NetEffects(means, lines, None)
    return NetEffects(means, lines, compared(means, lines))


def fitted(
    setting: StudyData,
    question: str,
    *,
    line: bool = False,
    course: tuple[str, ...] | None = None,
    panel: Panel | None = None,
) -> NetProcess | NotAnswered:
    """A NetProcess of the study's columns; course : terms, if not the study's; panel : with other sessions missing."""
    study = setting.study
    held = (*(setting.forward.time if course is None else course), *setting.held)
    sds = setting.sd_outcome, setting.sd_process
    given = setting.panel if panel is None else panel
    return net_process(given, (study.outcome, study.process), held, sds, question, line=line)


def headline(
    setting: StudyData,
    net: NetEffects,
    forward: Direction | NotAnswered,
    reverse: Direction | NotAnswered,
    latent: Dynamic | NotAnswered | None = None,
) -> Headline:
    """Both directions: by the dynamic model where its chains agree, else by the usual analysis."""
    used = net.used
    usual = Headline(
        _effect(setting, net, forward, "forward"),
        _effect(setting, net, reverse, "reverse"),
        own_lines=isinstance(used, NetProcess) and used.line,
    )
    if latent is None:
        return usual
    if isinstance(latent, NotAnswered):
        return replace(usual, dynamic=latent.why)
    return replace(
        usual,
        forward=_latent(setting.scale_forward, latent.forward, latent, usual.forward),
        reverse=_latent(setting.scale_reverse, latent.reverse, latent, usual.reverse),
        usual_forward=None if isinstance(usual.forward, NotAnswered) else usual.forward,
        usual_reverse=None if isinstance(usual.reverse, NotAnswered) else usual.reverse,
        dynamic=latent.verdict,
        true_scores=bool(latent.error),
    )


def _latent(scale: float, within: Estimate, latent: Dynamic, usual: HeadlineEffect | NotAnswered) -> HeadlineEffect:
    """The dynamic model's. What leaving may depend on is known of the usual analysis; the interval spans as much."""
    shift = 0.0
    if not isinstance(usual, NotAnswered) and usual.unseen_leaving is not None:
        shift = usual.value - usual.unseen_leaving
    spanning = within.spanning(shift)
    undone, unclear = _robust(spanning, latent.sessions - latent.persons)
    return HeadlineEffect(
        spanning, spanning.times(scale), latent.method, undone, unclear, within.value - shift if shift else None
    )


def _robust(e: Estimate, freedom: int) -> tuple[float | None, float | None]:
    """How strong a common cause would have to be to undo it, and to leave it unclear."""
    if freedom < 1:
        return None, None
    nearer = e.low if e.value > 0 else e.high
    critical = abs(nearer - e.value) / e.se
    return robustness(e.value, e.se, freedom), robustness(e.value, e.se, freedom, critical=critical)


def _effect(
    setting: StudyData,
    net: NetEffects,
    one: Direction | NotAnswered,
    key: Literal["forward", "reverse"],
) -> HeadlineEffect | NotAnswered:
    scale = setting.scale_forward if key == "forward" else setting.scale_reverse
    used, unseen = net.used, None
    if isinstance(used, NotAnswered):
        if isinstance(one, NotAnswered):
            return one
        within, freedom = one.within, one.sessions - one.persons
        method = "multilevel model"
    else:
        side = 0 if key == "forward" else 1
        within, freedom = net.estimates(used)[side].times(1 / scale), used.freedom[side]
        unseen = within.value - net.unseen[side] / scale
        method = "regressions within persons, corrected for few sessions"
        if used.line:
            method = "regressions within persons' own lines, corrected for few sessions"
    undone, unclear = _robust(within, freedom)
    return HeadlineEffect(within, within.times(scale), method, undone, unclear, unseen)
