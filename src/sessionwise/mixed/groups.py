"""Groups: how persons lie in the levels of a grouping factor, without their rows.

A person has one level of most factors (a patient's therapist), and several of one that changes within persons (a
patient who changes therapist, treatment episodes): these are numbered within the person, and which row stood at which
is in the columns of the cross-products, one for each position.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..designs import Design, Grouping
from ..errors import GramError, ModelError

#: Positions kept for all persons together: beyond this a factor changes too often within persons.
MOST_POSITIONS = 50_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """A grouping factor.

    labels : (levels,), those that occur. codes : int64 (persons, most), the levels that a person has by position,
    -1 for none. is_person : whether levels and persons are the same division, level i being that of person i.
    alike : for each other factor that changes within persons and divides these rows in the same way, the levels that
        are the same: label -> the other's label.
    """

    name: str
    labels: np.ndarray
    codes: np.ndarray
    is_person: bool
    alike: Mapping[str, Mapping[object, object]] = field(default_factory=dict)

    @property
    def most(self) -> int:
        """Levels of the person who has most."""
        return int(self.codes.shape[1])

    @property
    def constant(self) -> bool:
        """Whether every person has one level."""
        return self.most == 1

    @property
    def of_person(self) -> np.ndarray:
        """The level of each person (persons,), of a factor that is constant."""
        return np.asarray(self.codes[:, 0])

    @property
    def within_persons(self) -> bool:
        """Whether every level belongs to one person."""
        own = self.codes[self.codes >= 0]
        return bool(np.bincount(own, minlength=1).max() <= 1)

    def ordered(self, order: np.ndarray) -> Groups:
        """With the persons in another order."""
        codes = self.codes[order]
        if not self.is_person:
            return replace(self, codes=codes)
        return replace(self, codes=np.arange(len(order))[:, None], labels=self.labels[codes[:, 0]])


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """The groups of a Design's grouping factors, and for each factor that changes within persons the position of each
    row's level in its person, int64 (n_rows,)."""

    groups: tuple[Groups, ...]
    of_row: Mapping[str, np.ndarray]


def placed(design: Design) -> Placed:
    """From the rows.

    Raises
    ------
    ModelError : a factor changes so often within persons that its positions cannot be kept.
    """
    used = {t.group for t in design.random}
    factors = [g for g in design.groupings if g.name in used]
    changing = [g for g in factors if not g.constant]
    made, of_row = [], {}
    for g in factors:
        if g.constant:
            codes = g.codes[design.starts[:-1]].astype(np.int64)[:, None]
        else:
            codes, of_row[g.name] = _positions(g, design)
        alike = {other.name: pairs for other in changing if (pairs := _alike(g, other))}
        made.append(Groups(g.name, g.levels, codes, g.is_person, alike))
    return Placed(tuple(made), of_row)


def _alike(one: Grouping, other: Grouping) -> dict[object, object]:
    """Level by level, where two factors that change within persons divide the rows alike; nothing where they do not."""
    if one is other or one.constant or len(one.levels) != len(other.levels):
        return {}
    found = np.zeros(len(one.levels), np.int64)
    found[one.codes] = other.codes
    if (found[one.codes] != other.codes).any() or len(np.unique(found)) < len(found):
        return {}
    return dict(zip(one.levels.tolist(), other.levels[found].tolist(), strict=True))


def _positions(g: Grouping, design: Design) -> tuple[np.ndarray, np.ndarray]:
    """Levels numbered within persons, in ascending order: codes by person, and each row's position."""
    n = len(design.persons)
    person = np.repeat(np.arange(n), np.diff(design.starts))
    pairs, inverse = np.unique(person * len(g.levels) + g.codes, return_inverse=True)
    owner, code = pairs // len(g.levels), pairs % len(g.levels)
    position = np.arange(len(pairs)) - np.searchsorted(owner, np.arange(n))[owner]
    most = int(position.max()) + 1
    _can_be_kept(g.name, n, most)
    codes = np.full((n, most), -1, np.int64)
    codes[owner, position] = code
    return codes, position[inverse]


def _can_be_kept(name: str, persons: int, most: int) -> None:
    if persons * most > MOST_POSITIONS:
        raise ModelError(
            f"a person has up to {most} levels of {name}, too many to keep for {persons:,} persons.",
            remedy="Leave out this random term.",
        )


def together(parts: Sequence[Groups]) -> Groups:
    """One factor over the persons of several Grams, one after the other.

    Raises
    ------
    GramError : levels are numbers in one and text in another.
    ModelError : more positions than can be kept.
    """
    name = parts[0].name
    labels, places = _union([p.labels for p in parts], name)
    n, most = sum(len(p.codes) for p in parts), max(p.most for p in parts)
    _can_be_kept(name, n, most)
    codes, at = np.full((n, most), -1, np.int64), 0
    for part, place in zip(parts, places, strict=True):
        codes[at : at + len(part.codes), : part.most] = np.append(place, -1)[part.codes]
        at += len(part.codes)
    is_person = most == 1 and len(labels) == n
    if is_person:
        labels, codes = labels[codes[:, 0]], np.arange(n)[:, None]
    return Groups(name, labels, codes, is_person, _alike_together(parts))


def _union(labels: Sequence[np.ndarray], name: str) -> tuple[np.ndarray, list[np.ndarray]]:
    """The labels of all, ascending where each Gram's are, and where each one's stand among them."""
    filled = [own.tolist() for own in labels if len(own)]
    if len({isinstance(own[0], str) for own in filled}) > 1:
        raise GramError(
            f"levels of {name} are numbers in one Gram and text in another.", remedy="Label them alike in all."
        )
    found = list(dict.fromkeys(label for own in filled for label in own))
    if all(own == sorted(own) for own in filled):
        found.sort()
    position = {label: i for i, label in enumerate(found)}
    kind = object if any(own.dtype.hasobject for own in labels) else None
    return np.array(found, kind) if found else labels[0], [
        np.array([position[label] for label in own.tolist()], np.int64) for own in labels
    ]


def _alike_together(parts: Sequence[Groups]) -> dict[str, dict[object, object]]:
    """Factors that divide the rows of all Grams alike, with the same pairs of levels."""
    filled = [p for p in parts if len(p.labels)]
    names = set.intersection(*(set(p.alike) for p in filled)) if filled else set()
    made = {}
    for name in sorted(names):
        pairs = {pair for p in filled for pair in p.alike[name].items()}
        if len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs}):
            made[name] = dict(pairs)
    return made
