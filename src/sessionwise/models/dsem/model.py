"""DSEM: the description of a two-level dynamic structural equation model on latent scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ...errors import ModelError, some
from ...options import (
    A_DICT,
    A_FUNCTION,
    A_LIST,
    A_NAME,
    A_SEED,
    NAMES,
    PANEL,
    TEXT,
    YES_OR_NO,
    Kind,
    a_number,
    fields_of_kind,
    is_number,
    one_of,
    takes,
    whole_number,
)
from ..contract import Model
from .given_priors import Own, checked
from .paths import Paths, parsed, person_level

if TYPE_CHECKING:
    from ...panel import Panel
    from .fit import DSEMFit

_ERROR = Kind(
    "'items', 'estimated', or a dict of error variances",
    lambda v: (
        isinstance(v, str | Mapping) or (isinstance(v, tuple) and all(isinstance(p, tuple) and len(p) == 2 for p in v))
    ),
)


@dataclass(frozen=True, slots=True)
class DSEM(Model):
    """Two-level dynamic structural equation model (Asparouhov, Hamaker & Muthén 2018), Bayesian.

    A score is a level of the person, a course, and a deviation; deviations follow a process from session to session, in
    which skipped sessions have a place. Scores may hold measurement error: then the process is that of true scores.

    within : a formula for each variable, such as ('core ~ lag(core) + lag(wai)', 'wai ~ lag(wai) + lag(core) + core'):
        lags by session number, other variables at the same session where no circle comes of it, and covariates, which
        are columns without a formula. Without paths inside a session innovations
        correlate.
    between : '~ pd + age': columns constant in persons that predict levels and random coefficients.
    random : which coefficients differ between persons: 'cross' (those of one variable on another, the default, which
        few sessions can bear), 'all', 'none', or a list of them as written, ['core ~ lag(wai)'].
    variances : of innovations, 'common', or 'random': a log variance for each person.
    trend : the persons' own courses, beside levels: None, 'linear' or 'quadratic'.
    course : the course common to all: 'free' (a level for each session number, beyond 15 a cubic spline), or None.
    error : 'items' (the error variance of scores made by `score`, from how items disagree within sessions), 'estimated'
        (white noise beside the process, whose variance is a parameter; for many sessions), a dict of error variances in
        squared units, or None.
    first : the process's first session: 'own' (a covariance of its own, the default), 'stationary', 'previous' (one
        unobserved session before, with the variances within persons; as Mplus), or 'given' (the likelihood is that of
        later sessions, given the first ones; biased where sessions are few).
    clusters : whether levels differ between the Panel's clusters.
    treatment_length : whether random effects may go with the number of sessions, so that the average person, not the
        average session, is what the mean effect is of.
    outcomes : columns constant in persons that are regressed on all random effects and on `between`.
    factor : whether the random effects are held together by one factor instead of a free covariance matrix.
    correlated : which random effects correlate: 'levels' with each other (the default), 'all', or 'none'.
    priors : 'weak' (docs/dsem.md), 'mplus' (the defaults of that program), or weak ones but for a dict of your own, by
        the names of `DSEMFit.tidy()` in the columns' units: {'core ~ lag(wai)': (0, 2), 'sd(core ~ lag(wai))': 1.0},
        the mean and SD of a normal, or the scale of the half-t of an SD.
    effect_sd : scale of the half-t prior of a random coefficient's SD, in SDs within persons; with priors='weak'.

    Raises
    ------
    FormulaError : a formula that is not of this kind. ModelError : an unknown option.

    >>> import sessionwise as sw
    >>> panel = sw.Panel(sw.datasets.demo(persons=60, scale_scores=True), person="patient", session="session")
    >>> fit = DSEM.reciprocal("core_om", "wai_sr", course=None).fit(panel, seed=1, size=50, most=1000)
    >>> fit.npersons
    60
    """

    within: tuple[str, ...]
    between: str = "~ 1"
    random: str | tuple[str, ...] = "cross"
    variances: Literal["common", "random"] = "common"
    trend: Literal["linear", "quadratic"] | None = None
    course: Literal["free"] | None = "free"
    error: str | tuple[tuple[str, float], ...] | None = None
    first: Literal["own", "stationary", "previous", "given"] = "own"
    clusters: bool = False
    treatment_length: bool = False
    outcomes: tuple[str, ...] = ()
    factor: bool = False
    correlated: Literal["levels", "all", "none"] = "levels"
    priors: Literal["weak", "mplus"] | tuple[tuple[str, Own], ...] = "weak"
    effect_sd: float = 0.3

    label: ClassVar[str] = "DSEM"
    tests: ClassVar[tuple[str, ...]] = ("prior",)

    def __post_init__(self) -> None:
        fields_of_kind(
            self,
            within=NAMES,
            between=TEXT,
            random=TEXT | NAMES,
            error=_ERROR,
            clusters=YES_OR_NO,
            treatment_length=YES_OR_NO,
            outcomes=NAMES,
            factor=YES_OR_NO,
            priors=TEXT | A_DICT | A_LIST,
            effect_sd=a_number(0),
        )
        for name, choices in (
            ("variances", ("common", "random")),
            ("first", ("own", "stationary", "previous", "given")),
            ("correlated", ("levels", "all", "none")),
        ):
            one_of(name, getattr(self, name), choices)
        if isinstance(self.priors, str):
            one_of("priors", self.priors, ("weak", "mplus"))
        else:
            object.__setattr__(self, "priors", checked(self.priors, "priors"))
        if self.trend is not None:
            one_of("trend", self.trend, ("linear", "quadratic"))
        if self.course is not None:
            one_of("course", self.course, ("free",))
        if isinstance(self.within, str):
            object.__setattr__(self, "within", (self.within,))
        for name in ("within", "outcomes"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if not isinstance(self.random, str):
            object.__setattr__(self, "random", tuple(self.random))
        paths = parsed(self.within)
        person_level(self.between)
        self._random_paths(paths)
        self._error(paths)
        self._together(paths)

    def _together(self, paths: Paths) -> None:
        """Options that do not go together."""
        if self.variances == "random" and len(paths.variables) > 1 and not paths.instant:
            raise ModelError(
                "With variances='random' innovations do not correlate, and no path within a session stands for what "
                "two scores of one session share: lagged effects would take it over.",
                where=self.title,
                remedy="Let one score predict the other of the same session, as in 'w ~ lag(w) + lag(y) + y', or use "
                "variances='common'.",
            )
        if self.priors == "mplus" and self.effect_sd != type(self).__dataclass_fields__["effect_sd"].default:
            raise ModelError("effect_sd has no meaning with priors='mplus'.", remedy="Leave one of them out.")
        if self.factor and self.correlated == "all":
            raise ModelError(
                "With factor=True random effects go together by the factor alone, and correlated='all' says otherwise.",
                remedy="Leave one of them out.",
            )
        for name in self.outcomes:
            if name in person_level(self.between):
                raise ModelError(
                    f"{name} is an outcome and in between.", where=self.title, remedy="Leave it out of one of them."
                )

    def _random_paths(self, paths: Paths) -> None:
        names = [p.name for p in paths.paths]
        if isinstance(self.random, str):
            one_of("random", self.random, ("cross", "all", "none"))
            return
        for name in self.random:
            if name not in names:
                raise ModelError(f"random names {name!r}, which is no path of the model.", remedy=f"Use {some(names)}.")

    def _error(self, paths: Paths) -> None:
        if isinstance(self.error, str):
            one_of("error", self.error, ("items", "estimated"))
        elif self.error is not None:
            pairs = dict(self.error)
            for name, value in pairs.items():
                if name not in paths.variables:
                    raise ModelError(
                        f"error names {name!r}, which is no variable of the model.",
                        remedy=f"Use {some(paths.variables)}.",
                    )
                if not (is_number(value) and value >= 0):
                    raise ModelError(
                        f"The error variance of {name} is {value!r}.",
                        remedy="Give a number, 0 or more, in squared units.",
                    )
            object.__setattr__(self, "error", tuple(sorted(pairs.items())))

    @classmethod
    @takes(ModelError, outcome=A_NAME, process=A_NAME)
    def reciprocal(cls, outcome: str, process: str, **options: Any) -> DSEM:
        """Both scores predict themselves and each other at the next session, innovations correlate.

        outcome, process : columns. options : the other fields of DSEM.

        >>> DSEM.reciprocal("core_om", "wai_sr").within
        ('core_om ~ lag(core_om) + lag(wai_sr)', 'wai_sr ~ lag(wai_sr) + lag(core_om)')
        """
        y, x = _quoted(outcome), _quoted(process)
        return cls((f"{y} ~ lag({y}) + lag({x})", f"{x} ~ lag({x}) + lag({y})"), **options)

    @property
    def title(self) -> str:
        other = {f: getattr(self, f) for f in self.__dataclass_fields__ if f not in ("within", "label")}
        given = [f"{k}={v!r}" for k, v in other.items() if v != self.__dataclass_fields__[k].default]
        return f"{self.label} {'; '.join(self.within)}" + (f" ({', '.join(given)})" if given else "")

    @property
    def paths(self) -> Paths:
        """The within level, parsed."""
        return parsed(self.within)

    @property
    def predictors(self) -> tuple[str, ...]:
        """Columns of `between`."""
        return person_level(self.between)

    @takes(
        ModelError,
        panel=PANEL,
        seed=A_SEED,
        chains=whole_number(1, 64),
        size=a_number(0),
        most=whole_number(100),
        threads=whole_number(1, 1024),
        progress=A_FUNCTION,
    )
    def fit(
        self,
        panel: Panel,
        *,
        seed: int = 1,
        chains: int = 4,
        size: float = 400.0,
        most: int = 20_000,
        threads: int | None = None,
        progress: Callable[[int, float], None] | None = None,
    ) -> DSEMFit:
        """Draw from the posterior until it is known well enough.

        seed : equal seeds give equal numbers, whatever the threads. chains : how many. size : effective draws that
        everything reported must have, bulk and tail, beside R-hat < 1.01. most : draws of a chain at most; the verdict
        says so where they were not enough. progress : called with the draws so far and the smallest effective size, NaN
        while that is not known. Ctrl-C ends the chains; the fit then holds what was drawn, and its verdict says so.

        Raises
        ------
        ModelError : no Panel, or a model that cannot be fitted to these data.
        """
        from .estimate import estimate

        return estimate(self, panel, int(seed), int(chains), float(size), int(most), threads, progress)

    @takes(
        ModelError,
        parameters=A_DICT,
        persons=whole_number(2),
        sessions=whole_number(2),
        seed=A_SEED,
        columns=A_DICT,
        clusters=whole_number(2),
    )
    def simulate(
        self,
        parameters: Mapping[str, float],
        persons: int,
        sessions: int = 10,
        *,
        seed: int = 1,
        columns: Mapping[str, Any] | None = None,
        clusters: int = 10,
    ) -> Panel:
        """A Panel drawn from the model: columns person, session, the variables, and what else the description names.

        parameters : by the names of `DSEMFit.tidy()`: 'y ~ lag(w)' the mean coefficient, 'y' the mean level, 'sd(y)'
        and 'sd(y ~ lag(w))' their SDs between persons, 'a | pd' what a predictor adds, 'innovation sd(y)',
        'course(y, 3)', 'o ~ a', and so on. What is not given is 0; SDs of innovations and of outcomes' residuals are 1.
        With 'first sd(y)' the process begins so spread, else as it goes on. columns : predictors of persons (one number
        a person) and covariates (one a person and session, by person); those not given are drawn, standard normal.
        clusters : how many, with persons in each by turns.

        Raises
        ------
        ModelError : an unknown name, an impossible value.
        """
        from .simulate import simulate

        return simulate(
            self, parameters, int(persons), int(sessions), int(seed), dict(columns or {}), min(clusters, persons)
        )


def _quoted(name: str) -> str:
    """As a formula takes it."""
    return name if name.isidentifier() else f"`{name}`"
