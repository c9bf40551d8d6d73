"""Level derivatives: random effects of one level integrated out, with exact first and second derivatives.

With G the products of a group's random-effect columns Z and of the columns R that remain, psi the relative covariance
of its effects, A = Z'Z, C = Z'R,

    N = (I + psi A)^-1,  P = N psi,  B = A N (= Z'V^-1 Z),  T = N'C (= Z'V^-1 R),  U = P C,  K = [-U; I],

what remains is R'R - C'U, and log det V grows by log det (I + psi A); psi may be singular. For an entry r of psi, with
E_r the symmetric matrix of ones where it stands, and for a parameter a of the levels before, on which G depends
(c_a: the first rows of G_a K), the derivatives are

    d_r   -T'E_r T                                   of log det V   tr(B E_r)
    d_rs  T'E_r B E_s T + its transpose                             -tr(B E_r B E_s)
    d_a   K'G_a K                                                   tr(P A_a)
    d_ab  K'G_ab K - c_a'P c_b - its transpose                      tr(P A_ab) - tr(P A_a P A_b)
    d_ar  -(N'c_a)'E_r T - its transpose                            tr(N'A_a N E_r)

All levels of crossed factors are one group whose psi is block-diagonal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ..random_terms import Entries, factor

#: The sum of x'y, of two (groups, k, r), over the groups of each group of the next level: (parents, r, r).
Total = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True, slots=True, eq=False)
class First:
    """A parameter, by its place in theta, and the derivatives in it: of the matrices (groups, k, k) and of log det V,
    summed over groups."""

    number: int
    matrix: np.ndarray
    log: float


@dataclass(frozen=True, slots=True, eq=False)
class Second:
    """Second derivatives in two parameters."""

    matrix: np.ndarray
    log: float


@dataclass(frozen=True, slots=True, eq=False)
class Expansion:
    """Symmetric matrices of a level's groups (groups, k, k) and their derivatives in m parameters.

    first : m of them. second : for each r <= s.
    """

    value: np.ndarray
    first: tuple[First, ...] = ()
    second: dict[tuple[int, int], Second] = field(default_factory=dict)


def integrated(g: Expansion, entries: Entries, q: int, theta: np.ndarray, total: Total) -> Expansion:
    """What remains of `g` after its first q columns' effects, whose covariance factor is `entries` of theta."""
    lower = factor(entries, q, theta)
    s = _solved(g.value, lower @ lower.T)
    old, new = [_earlier(s, f.matrix) for f in g.first], _psi_entries(entries)
    m = len(old)
    first = [
        *(
            First(f.number, total(s.k, a.gk), f.log + float(np.vdot(s.p, a.a)))
            for f, a in zip(g.first, old, strict=True)
        ),
        *(First(r.number, -total(s.t[:, r.i], s.t[:, r.j]), float(s.b[:, r.i, r.j].sum())) for r in new),
    ]
    second = {(x, y): _of_old(s, g.second[x, y], old[x], old[y], total) for x, y in g.second}
    second |= {(x, m + y): _of_old_and_new(s, a, r, total) for x, a in enumerate(old) for y, r in enumerate(new)}
    second |= {(m + x, m + y): _of_new(s, new[x], new[y], total) for x in range(len(new)) for y in range(x, len(new))}
    one = np.broadcast_to(np.eye(s.rest.shape[1]), s.rest.shape)
    return Expansion(total(one, s.rest), tuple(first), second)


@dataclass(frozen=True, slots=True, eq=False)
class _Solved:
    """N, P, B (groups, q, q), T (groups, q, r), K (groups, q + r, r) and what remains (groups, r, r)."""

    n: np.ndarray
    p: np.ndarray
    b: np.ndarray
    t: np.ndarray
    k: np.ndarray
    rest: np.ndarray


def _solved(g: np.ndarray, psi: np.ndarray) -> _Solved:
    q, r = len(psi), g.shape[2] - len(psi)
    a, c = g[:, :q, :q], g[:, :q, q:]
    n = np.linalg.inv(np.eye(q) + psi @ a)
    p = n @ psi
    u = p @ c
    k = np.concatenate([-u, np.broadcast_to(np.eye(r), (len(g), r, r))], axis=1)
    return _Solved(n, p, a @ n, _turned(n) @ c, k, g[:, q:, q:] - _turned(c) @ u)


@dataclass(frozen=True, slots=True, eq=False)
class _Earlier:
    """Of a parameter of the levels before: A_a, G_a K, c_a, P A_a and A_a N."""

    a: np.ndarray
    gk: np.ndarray
    c: np.ndarray
    pa: np.ndarray
    an: np.ndarray


def _earlier(s: _Solved, of_g: np.ndarray) -> _Earlier:
    q = s.t.shape[1]
    gk, a = of_g @ s.k, of_g[:, :q, :q]
    return _Earlier(a, gk, gk[:, :q], s.p @ a, a @ s.n)


@dataclass(frozen=True, slots=True, eq=False)
class _Entry:
    """An entry of psi: its place in theta, and rows i and columns j of the ones in E."""

    number: int
    i: np.ndarray
    j: np.ndarray


def _psi_entries(entries: Entries) -> list[_Entry]:
    found = []
    for number in np.unique(entries.numbers).tolist():
        i, j = entries.rows[entries.numbers == number], entries.columns[entries.numbers == number]
        mirrored = i != j
        found.append(_Entry(number, np.concatenate([i, j[mirrored]]), np.concatenate([j, i[mirrored]])))
    return found


def _of_old(s: _Solved, of_g: Second, a: _Earlier, b: _Earlier, total: Total) -> Second:
    q = s.t.shape[1]
    half = total(a.c, s.p @ b.c)
    log = of_g.log + float(np.vdot(s.p, of_g.matrix[:, :q, :q])) - float(np.vdot(a.pa, _turned(b.pa)))
    return Second(total(s.k, of_g.matrix @ s.k) - half - _turned(half), log)


def _of_old_and_new(s: _Solved, a: _Earlier, r: _Entry, total: Total) -> Second:
    half = total(_turned(s.n[:, :, r.i]) @ a.c, s.t[:, r.j])
    return Second(-half - _turned(half), float(np.vdot(s.n[:, :, r.i], a.an[:, :, r.j])))


def _of_new(s: _Solved, r: _Entry, t: _Entry, total: Total) -> Second:
    half = total(s.t[:, r.i], s.b[:, r.j[:, None], t.i] @ s.t[:, t.j])
    log = -float(np.vdot(s.b[:, r.j[:, None], t.i], s.b[:, r.i[:, None], t.j]))
    return Second(half + _turned(half), log)


def _turned(x: np.ndarray) -> np.ndarray:
    return np.swapaxes(x, 1, 2)
