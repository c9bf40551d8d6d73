"""Fingerprint: one number that changes when the data analysed change, and not when rows change places."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ..panel import Panel


def fingerprint(panel: Panel, columns: tuple[str, ...]) -> str:
    """SHA-512, as 128 hexadecimal digits, of persons, sessions, clusters and `columns`, names included.

    Rows count in the Panel's order, by person and session. Numbers count as 64-bit floats, so 1 and 1.0 are the same;
    a missing value counts as itself, whichever way it was written.
    """
    digest = hashlib.sha512()
    for name, values in _columns(panel, columns):
        digest.update(f"{name}\0{len(values)}\0".encode())
        digest.update(values)
    return digest.hexdigest()


def _columns(panel: Panel, columns: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    yield "person", _texts(panel.persons.tolist())
    yield "rows", panel.starts.astype("<i8").tobytes()
    yield "session", panel.sessions.astype("<i8").tobytes()
    if panel.cluster_codes is not None and panel.clusters is not None:
        yield "cluster", _texts(panel.clusters.tolist()) + panel.cluster_codes.astype("<i8").tobytes()
    for name in columns:
        if panel.is_numeric(name):
            values = panel[name] + 0.0  # no negative zero
            yield name, np.where(np.isnan(values), np.nan, values).astype("<f8").tobytes()
        else:
            labels = panel.labels(name)
            yield name, _texts(labels.levels.tolist()) + labels.codes.astype("<i8").tobytes()


def _texts(labels: list[object]) -> bytes:
    return "".join(f"{label}\0" for label in labels).encode()
