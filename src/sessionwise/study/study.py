"""Study: the description of a whole analysis of one question, and running it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, get_args

from ..errors import Argument, StudyError, Wording
from ..options import (
    A_DICT,
    A_FUNCTION,
    A_NAME,
    A_SEED,
    NAMES,
    PANEL,
    YES_OR_NO,
    Kind,
    is_number,
    of_kind,
    one_of,
    takes,
)
from ..threads import one_thread

if TYPE_CHECKING:
    from ..panel import Panel
    from .result import StudyResult

Trend = Literal["free", "linear", "quadratic"]
Order = Literal["outcome first", "process first", "together"]
Expected = Literal["negative", "positive"]
#: A reliability, as the Study holds it.
PAIRS = Kind(
    "pairs of a column and a number",
    lambda value: isinstance(value, tuple) and all(isinstance(one, tuple) and len(one) == 2 for one in value),
)
#: Called with the name of a part, its number from 0, and the number of parts, before the part begins.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Study:
    """Does a change in the process predict a change in the outcome by the next session, within persons, and back?

    outcome, process : columns of numbers, such as symptoms and the working alliance.
    moderators : columns that are the same in all sessions of a person; does the effect depend on them?
    covariates : columns that are held constant in every multilevel model with predictors; numbers that change within
        persons as deviations from person means beside these.
    trend : the course over session numbers that all persons share: 'free' (a level for each session number, or a smooth
        curve where there are many), 'linear', 'quadratic', None for none. A course that is not what it is taken for
        is found as an effect that is not there; anything but 'free' is tested against it (`StudyResult.diagnostics`).
    lag : how many sessions from the predictor to the response.
    order : what is rated first in a session. With 'outcome first' (symptoms before the session, the alliance after
        it) a further model gives the effect within the session, of the outcome on the process, and that of the session
        before given it; with 'process first' the other way round; with 'together' there is none. The answer is the net
        lagged effect in both directions, whatever the order.
    expected : the direction that the effect of the process on the outcome is expected to have; if not given, as the
        instruments say (a better alliance, fewer symptoms: 'negative'), or else 'negative'.
    as_scored : columns whose values are scores however odd. Of outcome and process none is refused as a code for
        'missing' or as outside a scale's range, nor because they are few; moderators and covariates whose values have
        labels (1 man, 2 woman) are numbers and not categories.
    dynamic : whether the dynamic structural equation model is fitted too; where its chains agree it gives the answer,
        of true scores where their error is known, and the usual analysis stands beside it. It takes seconds; if not
        given, it is fitted where there are at most 20,000 sessions.
    reliability : of change within persons, column -> share of what varies from session to session that is no error; for
        the dynamic model. If not given, it is known from the items of columns that `score` made.
    first_sessions : how many first sessions the analyses of first sessions and of complete cases look at; if not
        given the persons' median, at least 4.

    Raises
    ------
    StudyError : the same column twice, or an option that there is not.

    >>> import sessionwise as sw
    >>> table = sw.datasets.demo(persons=100, scale_scores=True)
    >>> panel = sw.Panel(table, person="patient", session="session", cluster="therapist")
    >>> result = Study("core_om", "wai_sr", moderators=["pd"]).run(panel)
    >>> len(result.answer)
    2
    """

    outcome: str
    process: str
    moderators: tuple[str, ...] = ()
    covariates: tuple[str, ...] = ()
    trend: Trend | None = "free"
    lag: int = 1
    order: Order = "outcome first"
    expected: Expected | None = None
    first_sessions: int | None = None
    as_scored: tuple[str, ...] = ()
    dynamic: bool | None = None
    reliability: tuple[tuple[str, float], ...] = ()

    def __init__(
        self,
        outcome: str,
        process: str,
        *,
        moderators: Any = (),
        covariates: Any = (),
        trend: Trend | None = "free",
        lag: int = 1,
        order: Order = "outcome first",
        expected: Expected | None = None,
        first_sessions: int | None = None,
        as_scored: Any = (),
        dynamic: bool | None = None,
        reliability: Any = (),
    ) -> None:
        for name, kind, value in (
            ("outcome", A_NAME, outcome),
            ("process", A_NAME, process),
            ("moderators", NAMES, moderators),
            ("covariates", NAMES, covariates),
            ("as_scored", NAMES, as_scored),
            ("dynamic", YES_OR_NO, bool(dynamic) if dynamic is None else dynamic),
            ("reliability", A_DICT | PAIRS, reliability),
        ):
            of_kind(name, value, kind, StudyError)
        given = (outcome, process, _several(moderators), _several(covariates))
        values = (
            *given,
            trend,
            lag,
            order,
            expected,
            first_sessions,
            _several(as_scored),
            None if dynamic is None else bool(dynamic),
            _pairs(reliability),
        )
        for f, value in zip(fields(self), values, strict=True):
            object.__setattr__(self, f.name, value)
        _columns_differ(self)
        _options(self)

    @takes(StudyError, panel=PANEL, seed=A_SEED, progress=A_FUNCTION)
    @one_thread()
    def run(self, panel: Panel, *, seed: int = 1, progress: Progress | None = None) -> StudyResult:
        """Analyse a Panel.

        seed : of the dynamic model's chains; equal seeds give equal numbers. progress : called before each part.

        Raises
        ------
        StudyError, PanelError : columns that are not there or hold no numbers, an outcome or process that varies in no
            person, infinite numbers. What else cannot be estimated is a NotAnswered in its place.
        """
        from .run import run

        return run(self, panel, seed, progress)

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns it uses: outcome, process, moderators, covariates."""
        return (self.outcome, self.process, *self.moderators, *self.covariates)

    def __repr__(self) -> str:
        """As it would be written, without options left as they are."""
        usual = {
            "moderators": (),
            "covariates": (),
            "trend": "free",
            "lag": 1,
            "order": "outcome first",
            "as_scored": (),
            "dynamic": None,
            "reliability": (),
        }
        told = [f"{name}={getattr(self, name)!r}" for name in ("outcome", "process")]
        for f in fields(self)[2:]:
            value = getattr(self, f.name)
            if f.name == "reliability" and value:
                told.append(f"reliability={dict(value)!r}")
            elif value not in ((), usual.get(f.name)):
                told.append(f"{f.name}={list(value) if isinstance(value, tuple) else value!r}")
        return f"Study({', '.join(told)})"


def _pairs(shares: Any) -> tuple[tuple[str, float], ...]:
    """A dict as pairs, which can be hashed."""
    pairs = shares.items() if isinstance(shares, Mapping) else shares
    return tuple((str(name), float(share)) for name, share in pairs)


def _several(names: Any) -> tuple[str, ...]:
    """One name is a list of one; a name given twice counts once."""
    return (names,) if isinstance(names, str) else tuple(dict.fromkeys(names))


def _columns_differ(study: Study) -> None:
    if study.outcome == study.process:
        raise StudyError(
            f"outcome and process are the same column, {study.outcome!r}.",
            remedy="Name two columns: what treatment is to change, and what is thought to change it.",
        )
    seen: dict[str, str] = {study.outcome: "the outcome", study.process: "the process"}
    for kind, names in (("moderator", study.moderators), ("covariate", study.covariates)):
        for name in names:
            if name in seen:
                raise StudyError(
                    f"{kind} {name!r} is {seen[name]} already.", remedy=f"Leave it out of the {kind}s, or use another."
                )
            seen[name] = f"a {kind}"


def _options(study: Study) -> None:
    one_of("trend", study.trend, (None, *get_args(Trend)), StudyError)
    one_of("order", study.order, get_args(Order), StudyError)
    one_of("expected", study.expected, (None, *get_args(Expected)), StudyError)
    if not _whole(study.lag) or study.lag < 1:
        raise StudyError(f"lag is {study.lag!r}.", remedy="Give a whole number of sessions, 1 or more.")
    for name in study.as_scored:
        if name not in study.columns:
            option = Argument("as_scored", ("--as-scored",))
            raise StudyError(
                Wording(option, f" names {name!r}, which is no column of the study."),
                remedy=f"Name some of these: {', '.join(study.columns)}.",
            )
    for name, share in study.reliability:
        option = Argument("reliability", ("--reliability",))
        if name not in (study.outcome, study.process):
            raise StudyError(
                Wording(option, f" names {name!r}, which is neither the outcome nor the process."),
                remedy=f"Name {study.outcome} or {study.process}.",
            )
        if not (is_number(share) and 0 < share <= 1):
            raise StudyError(
                Wording(option, f" of {name} is {share!r}."), remedy="Give a share above 0, up to 1, such as 0.8."
            )
    if study.reliability and study.dynamic is False:
        raise StudyError(
            Wording(Argument("reliability", ("--reliability",)), " is for the dynamic model, which is left out."),
            remedy=Wording("Leave ", Argument("dynamic=False", ("--quick",)), " out, or the reliability."),
        )
    first = study.first_sessions
    if first is not None and (not _whole(first) or first < study.lag + 2):
        raise StudyError(
            Wording(Argument("first_sessions", ("--first-sessions",)), f" is {first!r}."),
            remedy=f"Give a whole number, {study.lag + 2} or more: fewer hold no change.",
        )


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
