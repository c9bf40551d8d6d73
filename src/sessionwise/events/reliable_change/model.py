"""ReliableChange: whether a person has changed by more than measurement error, and to which side of a cut-off."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ...errors import ModelError
from ...options import A_NAME, PANEL, Kind, a_number, fields_of_kind, is_number, one_of, takes
from ...panel.frame_kind import TableKind
from ...threads import one_thread
from ...words import num, percent
from ..contract import Detector, Found
from ..norms import Better, Scales, better_of
from ..series import SERIES, Series, first_and_last, rated
from .cutoffs import CUTOFFS, CutoffKind, Norm, cutoff
from .indices import Sample
from .slopes import Slopes, fitted_slopes

if TYPE_CHECKING:
    from ...panel import Panel

Method = Literal[
    "jacobson-truax",
    "edwards-nunnally",
    "gulliksen-lord-novick",
    "hsu-linn-lord",
    "nunnally-kotsch",
    "hageman-arrindell",
    "hierarchical-linear",
    "percentage",
    "anchor",
]
METHODS: tuple[Method, ...] = (
    "jacobson-truax",
    "edwards-nunnally",
    "gulliksen-lord-novick",
    "hsu-linn-lord",
    "nunnally-kotsch",
    "hageman-arrindell",
    "hierarchical-linear",
    "percentage",
    "anchor",
)
Against = Literal["last", "each"]
AGAINST: tuple[Against, ...] = ("last", "each")
CATEGORIES = ("recovered", "improved", "deteriorated")
UNCHANGED = "unchanged"

NORM = Kind(
    "a mean and an SD, such as (8, 4)",
    lambda value: (
        isinstance(value, tuple | list)
        and len(value) == 2
        and all(is_number(one) and abs(one) < 1e150 for one in value)
        and value[1] > 0
    ),
)
A_CUTOFF = Kind(
    "'a', 'b', 'c' or a score", lambda value: (isinstance(value, str) and value in CUTOFFS) or a_number().holds(value)
)


@dataclass(frozen=True, slots=True)
class ReliableChange(Detector):
    """Reliable and clinically significant change since the first rating: recovered, improved, deteriorated; all others
    are unchanged.

    Parameters
    ----------
    column : the measure.
    method : how change is told from measurement error: an index of `indices.py`; 'hierarchical-linear', the person's
        own slope over sessions by a multilevel model; 'percentage', a share of the first score; 'anchor', a smallest
        difference that matters to patients.
    against : 'last', the last rating against the first; 'each', every later one against the first: then an event is a
        run of ratings of one category.
    better : which scores are better; default what the instrument says, else 'lower'.
    reliability : of the measure. Not needed for 'hierarchical-linear', 'percentage' and 'anchor', nor for
        'jacobson-truax' where the instrument's key has a reliable change.
    reliability_post : at the end, for 'nunnally-kotsch'; default `reliability`.
    norm : mean and SD of patients before treatment; default those of the data's first ratings.
    functional : mean and SD in the community, for the cut-offs 'b' and 'c'.
    cutoff : between illness and health, 'a', 'b', 'c' or a score; default that of the instrument, else none, and nobody
        is 'recovered'.
    critical : of the index; default 1.96, for 'hageman-arrindell' 1.65 (a risk of 5 % to err in each direction).
    slope : for 'hierarchical-linear', the person's 'own' slope against zero, or its 'deviation' from the mean slope, as
        clinicalsignificance has it: who improves as most do is unchanged there.
    percentage, worsening : for 'percentage', shares of the distance of the first score from `best`; default of the
        second is the first.
    best : the score of somebody without any symptom.
    difference : for 'anchor', in the column's units.
    sample, slopes, change : what `settled` takes from the data and the instrument; left out by users.
    """

    key: ClassVar[str] = "reliable-change"
    kinds: ClassVar[tuple[str, ...]] = CATEGORIES
    event_free: ClassVar[tuple[str, ...]] = ("flat",)

    column: str
    method: Method = "jacobson-truax"
    against: Against = "last"
    better: Better | None = None
    reliability: float | None = None
    reliability_post: float | None = None
    norm: tuple[float, float] | None = None
    functional: tuple[float, float] | None = None
    cutoff: CutoffKind | float | None = None
    critical: float | None = None
    slope: Literal["own", "deviation"] = "own"
    percentage: float = 0.5
    worsening: float | None = None
    best: float = 0.0
    difference: float | None = None
    sample: Sample | None = None
    slopes: Slopes | None = None
    change: float | None = None

    def __post_init__(self) -> None:
        positive, share = a_number(above=0), a_number(above=0, below=1)
        fields_of_kind(
            self,
            column=A_NAME,
            reliability=share,
            reliability_post=share,
            norm=NORM,
            functional=NORM,
            cutoff=A_CUTOFF,
            critical=positive,
            percentage=positive,
            worsening=positive,
            best=a_number(),
            difference=positive,
            change=positive,
            sample=Kind("a Sample", lambda value: isinstance(value, Sample)),
            slopes=Kind("Slopes", lambda value: isinstance(value, Slopes)),
        )
        one_of("method", self.method, METHODS)
        one_of("against", self.against, AGAINST)
        one_of("better", self.better, (None, "lower", "higher"))
        one_of("slope", self.slope, ("own", "deviation"))
        for name in ("norm", "functional"):
            value = getattr(self, name)
            if isinstance(value, list):
                object.__setattr__(self, name, tuple(value))
        if self.method == "hierarchical-linear" and self.against == "each":
            raise ModelError(
                "a slope is one for a whole course: hierarchical-linear does not go against each session.",
                remedy="Use against='last'.",
            )
        if self.cutoff in ("b", "c") and self.functional is None:
            raise ModelError(
                f"cut-off {self.cutoff} needs the mean and SD of people in the community.",
                remedy="Give functional=(mean, sd), from a published norm.",
            )
        if self.method == "anchor" and self.difference is None:
            raise ModelError(
                "the smallest difference that matters is not known.", remedy="Give difference=, in the column's units."
            )

    @property
    def limit(self) -> float:
        """The critical value of the index."""
        if self.critical is not None:
            return self.critical
        return 1.65 if self.method == "hageman-arrindell" else 1.96

    @property
    def rule(self) -> str:
        words = {
            "percentage": f"{percent(self.percentage)} of the first score or more",
            "anchor": f"{num(self.difference)} or more",
        }
        size = words.get(self.method, f"more than {self.limit:g} by the index of {self.method}")
        border = "" if self.cutoff is None else f"; recovered across the cut-off {_said(self.cutoff)}"
        later = "last rating" if self.against == "last" else "each later rating"
        return f"{self.column}: {later} against the first, {size}{border}"

    @takes(ModelError, panel=PANEL, series=SERIES)
    @one_thread()
    def settled(self, panel: Panel, series: Series) -> ReliableChange:
        """With direction, norms and cut-off of the instrument and the data, and the fitted slopes.

        Raises
        ------
        ModelError : the reliability is needed and not known, or the first ratings do not differ between persons.
        """
        scales = Scales.of(panel)
        scale = scales.get(self.column)
        pre, post = first_and_last(series)
        found = Sample.of(pre, post)
        if self.norm is not None:
            found = replace(found, mean=float(self.norm[0]), sd=float(self.norm[1]))
        border = self.cutoff if self.cutoff is not None else (None if scale is None else scale.cutoff)
        made = replace(self, better=better_of(scales, self.column, self.better), sample=found)
        if self.method == "hierarchical-linear":
            made = replace(made, slopes=fitted_slopes(series))
        if self.method not in ("hierarchical-linear", "percentage", "anchor"):
            made = self._with_error(made, None if scale is None else scale.reliable_change, found)
        return made if border is None else replace(made, cutoff=made._border(border))

    def _with_error(self, made: ReliableChange, shipped: float | None, found: Sample) -> ReliableChange:
        if self.reliability is None:
            if self.method == "jacobson-truax" and shipped is not None:
                return replace(made, change=shipped)
            raise ModelError(
                f"the reliability of {self.column!r} is not known, and {self.method} needs it.",
                remedy="Give reliability=0.9, for instance from the measure's manual or sw.reliability(panel, ...).",
            )
        if not found.sd > 0:
            raise ModelError(
                f"first ratings of {self.column!r} do not differ between persons with two: no SD can be had.",
                remedy="Give norm=(mean, sd) of patients before treatment.",
            )
        return made

    def _border(self, border: CutoffKind | float) -> float:
        if isinstance(border, str):
            assert self.sample is not None
            true = 1.0
            if self.method == "hageman-arrindell" and self.reliability is not None:
                true = self.reliability**0.5  # the cut-off of true scores
            clinical = Norm(self.sample.mean, self.sample.sd * true)
            functional = None if self.functional is None else Norm(self.functional[0], self.functional[1] * true)
            return cutoff(border, clinical, functional, self.better or "lower")
        return float(border)

    @takes(ModelError, series=SERIES)
    @one_thread()
    def refitted(self, series: Series) -> ReliableChange:
        """With the sample's means, SDs and slopes in other ratings."""
        sample = Sample.of(*first_and_last(series))
        if self.norm is not None:
            sample = replace(sample, mean=float(self.norm[0]), sd=float(self.norm[1]))
        slopes = None if self.slopes is None else fitted_slopes(series)
        return replace(self, sample=sample if sample.sd > 0 else self.sample, slopes=slopes)

    @takes(ModelError, series=SERIES)
    def find(self, series: Series) -> Found:
        """Reliable changes; `more` has the first and last scores and the index, positive for better."""
        from .classified import found_by_scores, found_by_slope

        return found_by_slope(self, series) if self.slopes is not None else found_by_scores(self, series)

    @takes(ModelError, panel=PANEL)
    def changes(self, panel: Panel) -> Any:
        """Every person with two ratings or more and their category, a dataframe of the kind that came in.

        Returns
        -------
        person, first, last (session numbers), before, after (scores), index, category: 'recovered', 'improved',
        'unchanged' or 'deteriorated', by the last rating.
        """
        from .classified import every_person

        series = rated(panel, self.column)
        settled = replace(self, against="last").settled(panel, series)
        return TableKind.of(panel).table(every_person(settled, series, panel.persons))


def _said(border: CutoffKind | float) -> str:
    return border if isinstance(border, str) else num(float(border))
