"""Clusters (therapists, clinics): missing, changing, too few, or no more than the persons over again."""

from __future__ import annotations

import numpy as np

from ..errors import some
from ..findings import Finding
from ..panel import Panel
from ..words import agree, counted

#: Below this, a variance between clusters can hardly be estimated.
FEW_CLUSTERS = 10


def check_clusters(panel: Panel) -> list[Finding]:
    """Findings on the cluster role; none without it."""
    if panel.clusters is None or panel.cluster_codes is None:
        return []
    codes, column = panel.cluster_codes, f"column {panel.roles.cluster!r}"
    found = _missing(panel, codes)
    known = codes >= 0
    pairs = np.unique(panel.codes[known] * np.int64(len(panel.clusters)) + codes[known])  # each person with each
    person, cluster = np.divmod(pairs, max(1, len(panel.clusters)))
    clusters_each = np.bincount(person, minlength=panel.n_persons)
    persons_each = np.bincount(cluster, minlength=len(panel.clusters))
    if len(panel.clusters) > 1 and (clusters_each <= 1).all() and (persons_each == 1).all():
        what = "Every cluster has one person only: cluster and person are the same."
        remedy = "Leave the cluster out of the model; its variance cannot be told from the persons'."
        return [*found, Finding("warning", "cluster-is-person", what, column, len(panel.clusters), remedy)]
    changing = np.flatnonzero(clusters_each > 1)
    if len(changing):
        what = f"{len(changing):,} of {counted(panel.n_persons, 'person')} have more than one {panel.roles.cluster}."
        where = f"{panel.roles.person} {some(panel.persons[changing].tolist())}"
        remedy = "Persons are then crossed with clusters, which the multilevel model allows; or keep the first one."
        found.append(Finding("note", "cluster-changes", what, where, len(changing), remedy))
    alone = np.flatnonzero(persons_each == 1)
    if len(alone):
        has = agree(len(alone), "has", "have")
        what = f"{len(alone):,} of {counted(len(panel.clusters), 'cluster')} {has} one person only."
        where = f"{panel.roles.cluster} {some(panel.clusters[alone].tolist())}"
        found.append(Finding("note", "cluster-of-one", what, where, len(alone)))
    if 0 < len(panel.clusters) < FEW_CLUSTERS:
        n = len(panel.clusters)
        what = f"There {agree(n, 'is', 'are')} only {counted(n, 'cluster')}."
        remedy = "Their variance can hardly be estimated; consider the clusters as a fixed effect."
        found.append(Finding("note", "few-clusters", what, column, n, remedy))
    return found


def _missing(panel: Panel, codes: np.ndarray) -> list[Finding]:
    rows = np.flatnonzero(codes < 0)
    if not len(rows):
        return []
    what = f"Column {panel.roles.cluster!r} (cluster) is empty in {counted(len(rows), 'row')}."
    remedy = "Fill them in; a model with the cluster leaves these rows out."
    return [Finding("warning", "cluster-missing", what, panel.where(rows), len(rows), remedy)]
