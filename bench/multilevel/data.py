"""Simulated sessions of persons in therapists; truth and numbers the same on every machine."""

from __future__ import annotations

import numpy as np

PER_THERAPIST = 11
SETTINGS = 28


def simulate(persons: int, sessions: int | None = None, seed: int = 1) -> dict[str, np.ndarray]:
    """person, therapist, session, x, z, y, sorted by person and session.

    sessions : of each person; None for 3 to 13, 8 on average. With one seed, persons and therapists have the same
    random effects however many sessions there are.
    """
    rng = np.random.default_rng(seed)
    therapists = max(persons // PER_THERAPIST, 2)
    therapist = rng.integers(0, therapists, persons)
    of_therapist = 0.5 * rng.standard_normal(therapists)
    cov = np.array([[1.0, 0.1, 0.0], [0.1, 0.09, 0.03], [0.0, 0.03, 0.09]])
    b = rng.standard_normal((persons, 3)) @ np.linalg.cholesky(cov).T
    counts = rng.integers(3, 14, persons)
    if sessions is not None:
        counts[:] = sessions
    p = np.repeat(np.arange(persons), counts)
    n = len(p)
    session = np.arange(n) - np.repeat(np.cumsum(counts) - counts, counts) + 1
    x, z, y = rng.standard_normal(n), rng.standard_normal(n), rng.standard_normal(n)
    y += 1 + 0.5 * x - 0.3 * z - 0.05 * np.minimum(session, 13)
    y += b[p, 0] + b[p, 1] * x + b[p, 2] * z + of_therapist[therapist[p]]
    return {"person": p, "therapist": therapist[p], "session": session, "x": x, "z": z, "y": y}


def simulate_crossed(persons: int, therapists: int, rows: int, seed: int = 1) -> dict[str, np.ndarray]:
    """person, therapist, setting, session, x, z, y: persons who see another therapist nearly every session, as students
    have another lecturer in every course (lme4's InstEval, which has as many of each).

    Therapists stand in 14 clinics, most of a person's in one of them; a setting is a clinic by the kind of session.
    """
    rng = np.random.default_rng(seed)
    p = np.sort(np.concatenate([np.repeat(np.arange(persons), 3), rng.integers(0, persons, rows - 3 * persons)]))
    clinic = rng.integers(0, SETTINGS // 2, therapists)
    of_clinic = np.argsort(clinic, kind="stable")
    ends = np.searchsorted(clinic[of_clinic], np.arange(SETTINGS // 2 + 1))
    home = rng.integers(0, SETTINGS // 2, persons)[p]
    near = ends[home] + (rng.random(rows) * (ends[home + 1] - ends[home])).astype(int)
    t = np.where(rng.random(rows) < 0.8, of_clinic[near], rng.integers(0, therapists, rows))
    setting = clinic[t] * 2 + (rng.random(rows) < 0.43)
    session = np.arange(rows) - np.searchsorted(p, p) + 1
    x, z, y = rng.standard_normal((3, rows))
    y += 1 + 0.5 * x - 0.3 * z - 0.05 * np.minimum(session, 13) + 0.28 * rng.standard_normal(persons)[p]
    y += 0.44 * rng.standard_normal(therapists)[t] + 0.09 * rng.standard_normal(SETTINGS)[setting]
    return {"person": p, "therapist": t, "setting": setting, "session": session, "x": x, "z": z, "y": y}
