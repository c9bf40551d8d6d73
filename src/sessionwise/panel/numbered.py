"""numbered: a Panel in which persons are 1, 2, 3, ... and nothing tells which label each had.

The order is that of a digest of what each person's sessions hold. It has nothing to do with labels or with places in
the file, and the same data give the same numbers, so that a report can be made again byte for byte.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np

from .panel import Panel


def person_numbers(panel: Panel, columns: Iterable[str]) -> np.ndarray:
    """int64 (n_persons,), in the order of `panel.persons`: each person's number from 1.

    columns : those that are analysed; of them and the session numbers the digest is made. Persons with the same values
    in all of them are numbered as they stand, which nothing can tell.

    Raises
    ------
    PanelError : no such column.
    """
    kept = [panel[name] + 0.0 if panel.is_numeric(name) else panel.labels(name).codes for name in columns]
    values = np.column_stack([panel.sessions, *kept]).astype("<f8")
    values[np.isnan(values)] = np.nan  # one kind of missing
    digests = [
        hashlib.sha512(values[a:b].tobytes()).digest() for a, b in zip(panel.starts, panel.starts[1:], strict=False)
    ]
    numbers = np.empty(panel.n_persons, np.int64)
    numbers[sorted(range(panel.n_persons), key=digests.__getitem__)] = np.arange(1, panel.n_persons + 1)
    return numbers


def cluster_numbers(panel: Panel, numbers: np.ndarray) -> np.ndarray:
    """int64 (n_clusters,): each cluster's number from 1, in the order of its first person's `numbers`."""
    assert panel.clusters is not None
    assert panel.cluster_codes is not None
    there = panel.cluster_codes >= 0
    first = np.full(len(panel.clusters), panel.n_persons + 1)
    np.minimum.at(first, panel.cluster_codes[there], numbers[panel.codes[there]])
    ranks = np.empty(len(first), np.int64)
    ranks[np.argsort(first, kind="stable")] = np.arange(1, len(first) + 1)
    return ranks


def numbered(panel: Panel, columns: Iterable[str]) -> Panel:
    """The Panel with numbers for the labels of persons and clusters, ordered by them. Findings, which may tell labels,
    are left out.

    Raises
    ------
    PanelError : no such column.
    """
    import polars as pl

    numbers = person_numbers(panel, columns)
    roles = panel.roles
    of_persons = {roles.whole_person, roles.episode} - {roles.cluster}  # labels, where persons had several treatments
    series = {name: panel.series(name) for name in panel.columns if name not in of_persons}
    series[panel.roles.person] = pl.Series(numbers[panel.codes])
    series[panel.roles.session] = pl.Series(panel.sessions)
    if panel.roles.cluster is not None and panel.cluster_codes is not None:
        known = [*cluster_numbers(panel, numbers).tolist(), None]  # -1 is missing
        series[panel.roles.cluster] = pl.Series([known[code] for code in panel.cluster_codes.tolist()], dtype=pl.Int64)
    named = {role: name for role, name in roles.named().items() if role != "episode"} | {"person": roles.person}
    made = Panel(pl.DataFrame(series), **named)
    return made.with_columns({}, records=panel.records)
