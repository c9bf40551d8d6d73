"""Bias and coverage of the dynamic model by number of sessions and treatment of the first, where the truth is known.

    python -m bench.expected_bias run --replications 40 --out bias.jsonl      (goes on where it was ended)
    python -m bench.expected_bias table bias.jsonl                            (prints the rows of the frozen table)

The table stands in src/sessionwise/models/dsem/expected_bias.py. Truth: 150 persons, two scores that both vary by about
1 within and 1.2 between persons; autoregressions .3 and .35; cross effects -.15 and -.05 on average with an SD of .1
between persons; innovations correlate by -.2. The process is stationary when it begins, or begins with 1.5 times
its SD ("elsewhere"). With error: reliability of change .7, its variance given to the model.
"""

from __future__ import annotations

import argparse
import json
from itertools import product
from pathlib import Path

import numpy as np
import polars as pl

import sessionwise as sw

PERSONS = 150
SESSIONS = (4, 6, 8, 12, 20)
FIRST = ("own", "stationary", "previous", "given")
COEFFICIENTS = {"y ~ lag(y)": 0.3, "w ~ lag(w)": 0.35, "y ~ lag(w)": -0.15, "w ~ lag(y)": -0.05}
SPREAD, BETWEEN, CORRELATION, RELIABILITY, ELSEWHERE = 0.1, 1.2, -0.2, 0.7, 1.5
#: How the process begins, and whether scores hold error; what begins elsewhere is tried with few and some sessions.
TRUTHS = {("stationary", False): SESSIONS, ("stationary", True): SESSIONS, ("elsewhere", False): (6, 12)}


def study(sessions: int, begins: str, error: bool, seed: int) -> tuple[sw.Panel, float]:
    """A Panel, and the error variance of both scores."""
    rng = np.random.default_rng([seed, sessions, begins == "elsewhere", error])
    phi = np.zeros((PERSONS, 2, 2))
    phi[:, 0, 0], phi[:, 1, 1] = COEFFICIENTS["y ~ lag(y)"], COEFFICIENTS["w ~ lag(w)"]
    phi[:, 0, 1] = COEFFICIENTS["y ~ lag(w)"] + SPREAD * rng.standard_normal(PERSONS)
    phi[:, 1, 0] = COEFFICIENTS["w ~ lag(y)"] + SPREAD * rng.standard_normal(PERSONS)
    root = np.linalg.cholesky([[1, CORRELATION], [CORRELATION, 1]])
    burn_in = 30
    z = np.zeros((burn_in + sessions, PERSONS, 2))
    for t in range(1, len(z)):
        z[t] = np.einsum("pij,pj->pi", phi, z[t - 1]) + rng.standard_normal((PERSONS, 2)) @ root.T
        if t == burn_in and begins == "elsewhere":
            z[t] *= ELSEWHERE
    variance = (1 / RELIABILITY - 1) * 1.12 if error else 0.0  # 1.12: of a true score within persons
    shown = z[burn_in:] + np.sqrt(variance) * rng.standard_normal((sessions, PERSONS, 2))
    scores = (shown + BETWEEN * rng.standard_normal((PERSONS, 2))).transpose(1, 0, 2).reshape(-1, 2)
    frame = pl.DataFrame(
        {
            "person": np.repeat(np.arange(PERSONS), sessions),
            "session": np.tile(np.arange(1, sessions + 1), PERSONS),
            "y": scores[:, 0],
            "w": scores[:, 1],
        }
    )
    return sw.Panel(frame, person="person", session="session"), variance


def one(sessions: int, begins: str, error: bool, first: str, seed: int) -> list[list[float]]:
    """(estimate, low, high) of each coefficient."""
    panel, variance = study(sessions, begins, error, seed)
    known = {"y": variance, "w": variance} if error else None
    model = sw.DSEM.reciprocal("y", "w", course=None, first=first, error=known)
    rows = {r["term"]: r for r in model.fit(panel, seed=1, chains=2, size=100, most=3000, threads=1).tidy().to_dicts()}
    return [[rows[name][key] for key in ("estimate", "low", "high")] for name in COEFFICIENTS]


def run(replications: range, out: Path) -> None:
    done = {tuple(json.loads(line)["cell"]) for line in out.read_text().splitlines()} if out.exists() else set()
    for seed in replications:
        for (begins, error), lengths in TRUTHS.items():
            for sessions, first in product(lengths, FIRST):
                cell = (begins, error, first, sessions, seed)
                if cell not in done:
                    found = one(sessions, begins, error, first, seed)
                    with out.open("a") as file:
                        file.write(json.dumps({"cell": cell, "found": found}) + "\n")


def table(paths: list[Path]) -> list[str]:
    """A row a cell: bias, its Monte Carlo error and coverage of the autoregressions (mean of both) and of each cross
    effect; replications."""
    cells: dict[tuple[str, bool, str, int], list[list[list[float]]]] = {}
    for path in paths:
        for line in path.read_text().splitlines():
            record = json.loads(line)
            cells.setdefault(tuple(record["cell"][:4]), []).append(record["found"])
    truth = np.array(list(COEFFICIENTS.values()))
    lines = []
    for (begins, error), lengths in TRUTHS.items():
        for first, sessions in product(FIRST, lengths):
            found = np.array(cells[begins, error, first, sessions])
            off = found[:, :, 0] - truth
            covers = (found[:, :, 1] <= truth) & (truth <= found[:, :, 2])
            parts = []
            for columns in ([0, 1], [2], [3]):
                each = off[:, columns].mean(axis=1)
                se = each.std(ddof=1) / np.sqrt(len(each))
                parts.append(f"Bias({each.mean():.3f}, {se:.3f}, {covers[:, columns].mean():.2f})")
            lines.append(f'    Row("{begins}", {error}, "{first}", {sessions}, {len(found)},')
            lines.append(f"        {', '.join(parts)}),")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.expected_bias", description=__doc__)
    parser.add_argument("what", choices=("run", "table"))
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--replications", type=int, default=40)
    parser.add_argument("--begin", type=int, default=0, help="the first replication")
    parser.add_argument("--out", type=Path, default=Path("bias.jsonl"))
    given = parser.parse_args()
    if given.what == "run":
        run(range(given.begin, given.begin + given.replications), given.out)
    else:
        print("\n".join(table(given.files)))


if __name__ == "__main__":
    main()
