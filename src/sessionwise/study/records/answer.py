"""The answer: the net effect of both directions, which effect each number is of, what stands against it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .estimate import Estimate, NotAnswered

DiagnosticKey = Literal["course", "own-trends", "stay", "drop-out"]


@dataclass(frozen=True, slots=True)
class HeadlineEffect:
    """The net lagged effect of one direction: what one unit more than usual in the predictor does to the response at
    the next session, within persons, by whatever way.

    estimate : in the data's units; standardised : in within-person SDs of both. method : in words. robustness : the
    share of what is left within persons, of the predictor and of the response, that a common cause between sessions
    would have to explain to undo the estimate (Cinelli & Hazlett 2020); robustness_interval : to bring zero into its
    interval, 0 where it is there already. None where nothing is left to count on. unseen_leaving : what the estimate
    would be if leaving depended on the scores that would have come next, not on the last ones; the interval spans both.
    None where it is not known.
    """

    estimate: Estimate
    standardised: Estimate
    method: str
    robustness: float | None
    robustness_interval: float | None
    unseen_leaving: float | None = None

    @property
    def value(self) -> float:
        """In the data's units."""
        return self.estimate.value

    @property
    def low(self) -> float:
        """Lower end of the 95 % interval."""
        return self.estimate.low

    @property
    def high(self) -> float:
        """Upper end."""
        return self.estimate.high


@dataclass(frozen=True, slots=True)
class Headline:
    """The answer in numbers.

    own_lines : whether it is about deviations from persons' own lines, not from means. usual_forward, usual_reverse :
    what the usual analysis says where the dynamic model gives the answer, None elsewhere. dynamic : the chains'
    verdict, or why that model gives no answer; empty where it was not asked for. true_scores : whether the answer is of
    scores without their measurement error.
    """

    forward: HeadlineEffect | NotAnswered
    reverse: HeadlineEffect | NotAnswered
    own_lines: bool = False
    usual_forward: HeadlineEffect | None = None
    usual_reverse: HeadlineEffect | None = None
    dynamic: str = ""
    true_scores: bool = False


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """Something that would make the answer wrong, tested: question, chi-square with df degrees of freedom, p.

    alarm : whether these data show it. words : what that means. effects : what was compared, each with its effects
    forward and reverse, in within-person SDs; none where leaving was tested.
    """

    key: DiagnosticKey
    question: str
    chi2: float
    df: int
    p: float
    alarm: bool
    words: str
    effects: tuple[tuple[str, float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Estimand:
    """One of the effects that two scores of one session and two of the next can have on each other.

    key : 'net' (all ways from one session to the next; the answer), 'same_session' (within the session, from the score
    that is rated first to the other), 'given_same_session' (from one session to the next, by ways that do not lead
    through the predictor's own value of that session). held : what is held constant.
    robustness, robustness_interval, unseen_leaving : of the answer's two, see `HeadlineEffect`.
    """

    key: Literal["net", "same_session", "given_same_session"]
    direction: Literal["forward", "reverse"]
    label: str
    held: str
    estimate: Estimate
    standardised: Estimate
    method: str
    robustness: float | None = None
    robustness_interval: float | None = None
    unseen_leaving: float | None = None
