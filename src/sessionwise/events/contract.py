"""The contract of detectors: a Detector is a frozen description of a rule, Found is what the rule finds in a Series.

A new detector joins by a final class of this kind and a name in `DETECTORS`; `detect`, its false alarms, the command
line and the test of the contract then know it. Nothing here knows a detector.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import Field, dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from .series import CELLS, Floats, Ints, Series

if TYPE_CHECKING:
    from ..panel import Panel
    from .episodes import Episodes


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Events in a Series, one entry each, by person and then by start; all arrays (n,).

    person : int64, position of the person. kind : int64, position in the detector's `kinds`.
    start, turning, end : int64 session numbers: the last before it began, that of the change or the lowest, the last
    that belongs to it.
    magnitude : float64, size of the change in the column's units, 0 or more.
    evidence : float64, how many times its threshold it reaches, 1 or more.
    probability : float64, of evidence as strong where nothing happened; NaN where the rule gives none.
    more : further columns of this detector, text or numbers.
    assessed : bool (persons,), whether the person has ratings enough for the rule to find anything.
    """

    person: Ints
    kind: Ints
    start: Ints
    turning: Ints
    end: Ints
    magnitude: Floats
    evidence: Floats
    probability: Floats
    assessed: np.ndarray
    more: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.person)

    @property
    def persons(self) -> Ints:
        """Positions of the persons with an event, ascending."""
        return np.unique(self.person)


class Detector(ABC):
    """A description of a rule: a frozen dataclass that can be hashed and pickled, and holds no data.

    column : what it looks at. key : the rule's name on the command line. kinds : what it can find.
    online : whether what it says of a session needs no later one. lasting : whether the change that it looks for is to
    stay, as a gain does, or to pass, as a rupture does.
    event_free : courses ('flat', 'linear', 'log-linear') under which whatever it finds is a false alarm.
    """

    __slots__ = ()
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    key: ClassVar[str]
    kinds: ClassVar[tuple[str, ...]]
    online: ClassVar[bool] = False
    lasting: ClassVar[bool] = True
    event_free: ClassVar[tuple[str, ...]] = ("flat", "linear", "log-linear")
    column: str

    @property
    @abstractmethod
    def rule(self) -> str:
        """The rule in one sentence, with its thresholds."""

    @abstractmethod
    def settled(self, panel: Panel, series: Series) -> Detector:
        """The detector with what was left to the data taken from them: an SD, a reliable change, a fitted model.

        series : the column's ratings in the Panel.

        Raises
        ------
        ModelError : what the data do not tell and the user must say.
        """

    @abstractmethod
    def find(self, series: Series) -> Found:
        """The events in a Series, by a detector that is settled; of real and of simulated ratings alike."""

    def refitted(self, series: Series) -> Detector:
        """A settled detector with what describes the sample, such as its mean change, taken from other ratings."""
        return self

    def detect(self, panel: Panel, *, false_alarms: bool = True, patients: int = 4000, seed: int = 0) -> Episodes:
        """`sessionwise.detect(panel, detector)`."""
        from .detect import detect

        return detect(panel, self, false_alarms=false_alarms, patients=patients, seed=seed)


def in_pieces(detector: Detector, series: Series) -> Found:
    """`find`, some persons at a time, so that what is worked on stays small."""
    size = max(1, CELLS // max(1, series.values.shape[1]))
    starts = range(0, series.persons, size)
    found = [detector.find(series.rows(slice(at, at + size))) for at in starts]
    if len(found) == 1:
        return found[0]
    return put_together(found, list(starts)) if found else detector.find(series)


def put_together(found: Sequence[Found], first: Sequence[int]) -> Found:
    """What was found in pieces, as if it had been one. first : position of each piece's first person."""

    def joined(name: str) -> Any:
        return np.concatenate([getattr(one, name) for one in found])

    return Found(
        person=np.concatenate([one.person + at for one, at in zip(found, first, strict=True)]),
        **{name: joined(name) for name in ("kind", "start", "turning", "end", "magnitude")},
        **{name: joined(name) for name in ("evidence", "probability", "assessed")},
        more={name: np.concatenate([one.more[name] for one in found]) for name in found[0].more},
    )


def in_order(found: Found) -> Found:
    """By person, start and kind."""
    order = np.lexsort((found.kind, found.start, found.person))
    names = ("person", "kind", "start", "turning", "end", "magnitude", "evidence", "probability")
    return Found(
        **{name: getattr(found, name)[order] for name in names},
        assessed=found.assessed,
        more={name: values[order] for name, values in found.more.items()},
    )
