"""Person-level columns: predictors of the random effects, outcomes, clusters. One row a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...errors import ModelError
from ...findings import Finding
from ...words import counted

if TYPE_CHECKING:
    from ...panel import Panel
    from .model import DSEM


@dataclass(frozen=True, slots=True)
class Source:
    """Where a person-level predictor comes from. column : of the Panel, None for the number of sessions. kind : of a
    column of text, the value that counts 1; None for numbers."""

    column: str | None
    kind: object = None


def person_predictors(
    model: DSEM, panel: Panel, used: np.ndarray, sessions: np.ndarray
) -> tuple[np.ndarray, tuple[str, ...], tuple[Source, ...], np.ndarray, list[Finding]]:
    """(persons, W), the intercept first, the others centred; of these names, sources, and (W,) means taken off."""
    columns, names, sources, said = [np.ones(len(used))], [], [], []
    for name in model.predictors:
        if panel.is_numeric(name):
            series = panel.per_person(name).to_numpy().astype(float)[used]
            parts = [(name, Source(name), series)]
        else:
            labels = panel.per_person(name)
            texts = labels.to_list()
            values = [texts[i] for i in used]
            kinds = sorted({v for v in values if v is not None}, key=str)
            if len(kinds) > 10:
                raise ModelError(
                    f"{name} has {len(kinds)} values; as a predictor of persons it can have ten kinds at most.",
                    where=model.title,
                    remedy="Use a numeric column, or fewer kinds.",
                )
            parts = [
                (
                    f"{name}[{kind}]",
                    Source(name, kind),
                    np.array([np.nan if v is None else float(v == kind) for v in values]),
                )
                for kind in kinds[1:]
            ]
        if not parts:
            raise ModelError(
                f"{name} is the same for all persons, or known of none.",
                where=model.title,
                remedy=f"Leave {name} out of between.",
            )
        for label, source, series in parts:
            missing = np.isnan(series)
            if missing.all() or np.isinf(series).any() or np.nanstd(series) == 0:
                raise ModelError(
                    f"{label} is the same for all persons, or infinite for one.",
                    where=model.title,
                    remedy=f"Leave {name} out of between, or correct it.",
                )
            if missing.any():
                what = f"{label} is not known of {counted(int(missing.sum()), 'person')}; the mean is used there."
                said.append(Finding("note", "predictor-filled", what, count=int(missing.sum()), column=name))
            columns.append(np.where(missing, np.nanmean(series), series))
            names.append(label)
            sources.append(source)
    if model.treatment_length and np.ptp(sessions) > 0:
        columns.append(sessions.astype(float))
        names.append("number of sessions")
        sources.append(Source(None))
    elif model.treatment_length:
        what = "All persons have the same number of sessions, so that no effect can go with it."
        said.append(Finding("note", "treatment-length", what))
    table = np.column_stack(columns)
    means = table.mean(axis=0)
    means[0] = 0.0
    _independent(table - means, names, model)
    return table - means, tuple(names), tuple(sources), means, said


def _independent(table: np.ndarray, names: list[str], model: DSEM) -> None:
    """ModelError that names a predictor which others determine."""
    width = np.maximum(table.std(axis=0), 1e-300)
    width[0] = 1.0
    for w in range(2, table.shape[1] + 1):
        if np.linalg.matrix_rank(table[:, :w] / width[:w], tol=1e-8 * len(table) ** 0.5) < w:
            raise ModelError(
                f"{names[w - 2]} is determined by the other person-level predictors.",
                where=model.title,
                remedy=f"Leave {names[w - 2]} or one of these out.",
            )


def person_outcomes(model: DSEM, panel: Panel, used: np.ndarray) -> np.ndarray | None:
    if not model.outcomes:
        return None
    columns = []
    for name in model.outcomes:
        numeric = panel.is_numeric(name)
        column = panel.per_person(name).to_numpy().astype(float)[used] if numeric else np.zeros(1)
        if np.isnan(column).all() or np.isinf(column).any() or not np.nanstd(column) > 0:
            why = "the same for all persons, or infinite" if numeric else "no number"
            raise ModelError(
                f"{name} is {why}, so nothing predicts it.",
                where=model.title,
                remedy="Give a numeric column that differs between persons as an outcome.",
            )
        columns.append(column)
    return np.column_stack(columns)


def person_clusters(model: DSEM, panel: Panel, used: np.ndarray) -> tuple[np.ndarray | None, list[Finding]]:
    """Each person's first cluster."""
    if not model.clusters:
        return None, []
    codes = panel.cluster_codes
    if codes is None:
        raise ModelError(
            "clusters=True, and the Panel has no cluster.",
            where=model.title,
            remedy="Build it with sw.Panel(..., cluster='therapist'), or leave clusters out.",
        )
    firsts, changing = np.empty(len(used), dtype=np.int64), 0
    extra = int(codes.max()) + 1
    for i, p in enumerate(used):
        own = codes[panel.starts[p] : panel.starts[p + 1]]
        own = own[own >= 0]
        if len(own) == 0:
            firsts[i], extra = extra, extra + 1
            continue
        firsts[i] = own[0]
        changing += bool((own != own[0]).any())
    said = []
    if changing:
        what = f"{counted(changing, 'person')} changed {panel.roles.cluster}; the first one is used for all sessions."
        said.append(Finding("note", "cluster-changes", what, count=changing))
    return np.unique(firsts, return_inverse=True)[1], said
