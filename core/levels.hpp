// The profiled criterion of a linear mixed model and its exact gradient, from cross-products.
//
// A level of grouping is eliminated at a time. At a level every group (a person, a therapist) has the
// cross-products G of its own random-effect columns Z (q of them) and of the r columns that remain
// afterwards: those of higher levels, the fixed ones, the response last. With the relative covariance
// factor L (lower triangular, cov b = sigma^2 L L') and M = L' Gzz L + I = (unit lower) D (its transpose),
//
//     out = Grr - W' D^-1 W,   W = (unit lower)^-1 L' Gzr,   criterion += log det D,
//
// are the same products after the random effects have been integrated out: X'V^-1 X and so on. They are
// added up over the groups of a parent, which has its own level, or over all. What remains at the end is
// the table of [X, y], from which coefficients and residual variance are profiled (Bates, Maechler, Bolker
// & Walker 2015, J Stat Softw 67(1), section 3). The gradient goes the same way back: given the adjoint
// H = d criterion / d out (symmetric), with U = L M^-1 L' Gzr, C = Gzr - Gzz U, Y = M^-1 L' Gzr,
//
//     d/dL   = 2 Gzz L M^-1 - 2 C H Y'            (its lower triangle)
//     d/dGzz = L M^-1 L' + U H U',   d/dGzr = -U H,   d/dGrr = H.
//
// Sums run in an order that depends neither on the number of threads nor on the instruction set.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "lanes.hpp"
#include "parallel.hpp"

namespace sessionwise {

constexpr std::int64_t CHUNK = 512; // groups whose sums are formed by one thread; a multiple of LANES
constexpr std::int64_t GRAIN = 60000; // groups times columns for which a thread is started; measured

// Products of `groups` groups in blocks of LANES, as gram.hpp makes them. `at`, (q + r)^2, says in which of the
// `pairs` rows of a block the product of two columns stands, so that a column may be both random and fixed.
struct Level {
    int q, r;
    const std::int32_t *at;
    std::int64_t pairs, groups;
    const double *packed;
    const double *lambda; // q x q by rows
};

// Whose products a group adds to: its parent's (codes ascending), or all together.
struct Above {
    const std::int32_t *parent = nullptr;
};

inline std::size_t size(int a, int b) { return static_cast<std::size_t>(a) * static_cast<std::size_t>(b); }

// Room for one block: v is D^-1 W, h is filled by whoever asks for a gradient, and single columns of other tables are
// kept by themselves where no table is needed.
struct Work {
    Work(int q, int r)
        : pairs(size(std::max(q, r), std::max(q, r) + 1) / 2), room(5 * size(q, q) + 6 * size(q, 1) + 4 * size(q, r) + size(r, r) + pairs) {
        Lanes *next = room.data();
        for (Lanes **square : {&al, &m, &minv, &zz, &slope}) *square = next, next += q * q;
        for (Lanes **single : {&d, &inverse, &column, &of_u, &c, &t}) *single = next, next += q;
        for (Lanes **table : {&w, &v, &y, &u}) *table = next, next += q * r;
        h = next;
        sums = h + r * r;
    }
    Work(const Work &) = delete;
    Work &operator=(const Work &) = delete;
    Lanes *zeroed() { // room for the sums of one block, by pairs of r or of q columns
        std::memset(static_cast<void *>(sums), 0, pairs * sizeof(Lanes));
        return sums;
    }
    std::size_t pairs;
    std::vector<Lanes> room;
    Lanes *al, *m, *minv, *zz, *slope, *d, *inverse, *column, *of_u, *c, *t, *w, *v, *y, *u, *h, *sums;
};

SW_INLINE Lanes product(const Level &g, const double *block, int i, int j) {
    Lanes x;
    load(block + static_cast<std::int64_t>(g.at[i * (g.q + g.r) + j]) * LANES, x);
    return x;
}

// Room for n numbers that stay in registers where Q, and with it n, is known when compiled.
template <int N> struct Column {
    explicit Column(Lanes *) {}
    SW_INLINE Lanes &operator[](int i) { return x[i]; }
    Lanes x[N];
};
template <> struct Column<0> {
    explicit Column(Lanes *room) : x(room) {}
    SW_INLINE Lanes &operator[](int i) { return x[i]; }
    Lanes *x;
};

// A L, and the factors of M and W, for one block. Q is q where it is known when compiled, else 0.
template <int Q> SW_INLINE void factorise(const Level &g, const double *block, Work &s) {
    const int q = Q ? Q : g.q, r = g.r;
    const double *lambda = g.lambda;
    Lanes *al = s.al, *m = s.m, *inverse = s.inverse, *v = s.v, *w = s.w, *d = s.d;
    for (int i = 0; i < q; ++i)
        for (int j = 0; j < q; ++j) {
            Lanes x = product(g, block, i, j) * lambda[j * q + j];
            for (int k = j + 1; k < q; ++k) x += product(g, block, i, k) * lambda[k * q + j];
            al[i * q + j] = x;
        }
    for (int j = 0; j < q; ++j) {
        for (int i = j; i < q; ++i) {
            Lanes x = al[i * q + j] * lambda[i * q + i];
            for (int k = i + 1; k < q; ++k) x += al[k * q + j] * lambda[k * q + i];
            if (i == j) x = x + 1.0;
            for (int k = 0; k < j; ++k) x -= m[i * q + k] * m[j * q + k] * d[k];
            m[i * q + j] = x;
        }
        d[j] = m[j * q + j];
        inverse[j] = 1.0 / d[j];
        for (int i = j + 1; i < q; ++i) m[i * q + j] = m[i * q + j] * inverse[j];
    }
    Column<Q> z(s.column), of_w(s.t);
    for (int e = 0; e < r; ++e) {
        for (int i = 0; i < q; ++i) z[i] = product(g, block, i, q + e);
        for (int i = 0; i < q; ++i) {
            Lanes x = z[i] * lambda[i * q + i];
            for (int k = i + 1; k < q; ++k) x += z[k] * lambda[k * q + i];
            for (int k = 0; k < i; ++k) x -= m[i * q + k] * of_w[k];
            of_w[i] = x;
            w[i * r + e] = x;
            v[i * r + e] = x * inverse[i];
        }
    }
}

// Adds W' D^-1 W to `out`, by pairs a <= b.
template <int Q> SW_INLINE void explain(const Level &g, const Work &s, Lanes *out) {
    const int q = Q ? Q : g.q, r = g.r;
    const Lanes *w = s.w;
    Column<Q> v(s.column);
    for (int a = 0; a < r; ++a) {
        for (int k = 0; k < q; ++k) v[k] = s.v[k * r + a];
        for (int b = a; b < r; ++b, ++out) {
            Lanes x = *out;
            for (int k = 0; k < q; ++k) x += v[k] * w[k * r + b];
            *out = x;
        }
    }
}

// Adds d / dL to `out`, its lower triangle by rows. Leaves U and M^-1 in `s`.
template <int Q> SW_INLINE void differentiate(const Level &g, const double *block, Work &s, Lanes *out) {
    const int q = Q ? Q : g.q, r = g.r;
    const double *lambda = g.lambda;
    const Lanes *al = s.al, *m = s.m, *inverse = s.inverse, *v = s.v, *h = s.h;
    Lanes *y = s.y, *u = s.u, *minv = s.minv;
    const Lanes zero = inverse[0] - inverse[0];
    Column<Q> of_y(s.column);
    for (int e = 0; e < r; ++e)
        for (int i = q - 1; i >= 0; --i) {
            of_y[i] = v[i * r + e];
            for (int k = i + 1; k < q; ++k) of_y[i] -= m[k * q + i] * of_y[k];
            y[i * r + e] = of_y[i];
        }
    for (int j = 0; j < q; ++j) { // columns of M^-1
        for (int i = 0; i < q; ++i) {
            Lanes x = i == j ? zero + 1.0 : zero;
            for (int k = j; k < i; ++k) x -= m[i * q + k] * minv[k * q + j];
            minv[i * q + j] = x;
        }
        for (int i = q - 1; i >= 0; --i) {
            Lanes x = minv[i * q + j] * inverse[i];
            for (int k = i + 1; k < q; ++k) x -= m[k * q + i] * minv[k * q + j];
            minv[i * q + j] = x;
        }
    }
    Column<Q * Q> zz(s.zz);
    Column<Q *(Q + 1) / 2> slope(s.slope);
    for (int i = 0, at = 0; i < q; ++i) {
        for (int k = 0; k < q; ++k) zz[i * q + k] = product(g, block, i, k);
        for (int j = 0; j <= i; ++j, ++at) {
            Lanes x = al[i * q] * minv[j];
            for (int k = 1; k < q; ++k) x += al[i * q + k] * minv[k * q + j];
            slope[at] = x;
        }
    }
    Column<Q> of_u(s.of_u), c(s.c), t(s.t); // of each remaining column in turn
    for (int e = 0; e < r; ++e) {
        for (int i = 0; i < q; ++i) {
            Lanes x = y[e] * lambda[i * q];
            for (int k = 1; k <= i; ++k) x += y[k * r + e] * lambda[i * q + k];
            of_u[i] = x;
            u[i * r + e] = x;
        }
        for (int i = 0; i < q; ++i) {
            c[i] = product(g, block, i, q + e);
            for (int k = 0; k < q; ++k) c[i] -= zz[i * q + k] * of_u[k];
            t[i] = h[e * r] * y[i * r];
        }
        for (int b = 1; b < r; ++b)
            for (int j = 0; j < q; ++j) t[j] += h[e * r + b] * y[j * r + b];
        for (int i = 0, at = 0; i < q; ++i)
            for (int j = 0; j <= i; ++j, ++at) slope[at] -= c[i] * t[j];
    }
    for (int at = 0; at < q * (q + 1) / 2; ++at) out[at] += slope[at] + slope[at];
}

// Both ways for the few numbers of random effects that matter, compiled for each. Not inlined, so that each has its
// clones.
SW_CLONES inline void explain_block(const Level &g, const double *block, Work &s, Lanes *out) {
    switch (g.q) {
    case 1: factorise<1>(g, block, s); return explain<1>(g, s, out);
    case 2: factorise<2>(g, block, s); return explain<2>(g, s, out);
    case 3: factorise<3>(g, block, s); return explain<3>(g, s, out);
    case 4: factorise<4>(g, block, s); return explain<4>(g, s, out);
    default: factorise<0>(g, block, s); return explain<0>(g, s, out);
    }
}

SW_CLONES inline void differentiate_block(const Level &g, const double *block, Work &s, Lanes *out) {
    switch (g.q) {
    case 1: factorise<1>(g, block, s); return differentiate<1>(g, block, s, out);
    case 2: factorise<2>(g, block, s); return differentiate<2>(g, block, s, out);
    case 3: factorise<3>(g, block, s); return differentiate<3>(g, block, s, out);
    case 4: factorise<4>(g, block, s); return differentiate<4>(g, block, s, out);
    default: factorise<0>(g, block, s); return differentiate<0>(g, block, s, out);
    }
}

// Adds d criterion / d product to `out`, a block like the level's own, for lanes first to last. A product off the
// diagonal stands for two entries of the symmetric table.
SW_CLONES inline void adjoint_block(const Level &g, Work &s, int first, int last, double *out) {
    const int q = g.q, r = g.r, k = q + r;
    const Lanes *u = s.u, *h = s.h, *minv = s.minv;
    Lanes *uh = s.y; // no longer needed
    const auto add = [&](int i, int j, const Lanes &x) {
        double *to = out + static_cast<std::int64_t>(g.at[i * k + j]) * LANES;
        const double times = i == j ? 1.0 : 2.0;
        for (int l = first; l < last; ++l) to[l] += times * x[l];
    };
    for (int i = 0; i < q; ++i)
        for (int e = 0; e < r; ++e) {
            Lanes x = u[i * r] * h[e];
            for (int f = 1; f < r; ++f) x += u[i * r + f] * h[f * r + e];
            uh[i * r + e] = x;
            add(i, q + e, x * -1.0);
        }
    for (int i = 0; i < q; ++i)
        for (int j = i; j < q; ++j) {
            Lanes x = uh[i * r] * u[j * r];
            for (int e = 1; e < r; ++e) x += uh[i * r + e] * u[j * r + e];
            for (int a = 0; a <= i; ++a)
                for (int b = 0; b <= j; ++b) x += minv[a * q + b] * (g.lambda[i * q + a] * g.lambda[j * q + b]);
            add(i, j, x);
        }
    for (int e = 0; e < r; ++e)
        for (int f = e; f < r; ++f) add(q + e, q + f, h[e * r + f]);
}

// Where chunk c begins: after CHUNK groups each, moved on so that no parent has groups in two chunks.
inline std::int64_t chunk_start(std::int64_t c, const Level &g, const Above &above) {
    std::int64_t start = std::min(c * CHUNK, g.groups);
    if (above.parent)
        while (start > 0 && start < g.groups && above.parent[start] == above.parent[start - 1]) ++start;
    return start;
}

inline std::int64_t chunk_count(const Level &g) { return (g.groups + CHUNK - 1) / CHUNK; }

// Calls work(scratch, chunk, block, first lane, last lane) for the blocks of each chunk.
template <class Do> void over_chunks(const Level &g, const Above &above, int asked_threads, Do work) {
    const std::int64_t units = g.groups * (g.q + 1) * (g.q + g.r);
    const int threads = static_cast<int>(std::clamp<std::int64_t>(chunk_count(g), 1, thread_count(units, GRAIN, asked_threads)));
    parallel(chunk_count(g), threads, [&](int, std::int64_t from, std::int64_t to) {
        Work scratch(g.q, g.r);
        for (std::int64_t c = from; c < to; ++c) {
            const std::int64_t start = chunk_start(c, g, above), end = chunk_start(c + 1, g, above);
            for (std::int64_t block = start / LANES; block * LANES < end; ++block)
                work(scratch, c, block, static_cast<int>(std::max<std::int64_t>(start - block * LANES, 0)),
                     static_cast<int>(std::min<std::int64_t>(end - block * LANES, LANES)));
        }
    });
}

inline std::vector<Lanes> zeros(std::int64_t n) {
    std::vector<Lanes> x(static_cast<std::size_t>(n));
    if (n) std::memset(static_cast<void *>(x.data()), 0, x.size() * sizeof(Lanes));
    return x;
}

// Sums over chunks in their order, then over lanes: to[i] += sign * sum.
inline void add_chunks(const std::vector<Lanes> &sums, std::int64_t each, double sign, double *to) {
    for (std::int64_t i = 0; i < each; ++i) {
        Lanes x = sums[static_cast<std::size_t>(i)];
        for (std::size_t c = static_cast<std::size_t>(i + each); c < sums.size(); c += static_cast<std::size_t>(each)) x += sums[c];
        to[i] += sign * sum(x);
    }
}

// Adds sign * x, products by pairs of the r columns that remain, to the parents' blocks.
inline void scatter(const Level &g, const Above &above, std::int64_t block, int first, int last, double sign, const Lanes *x, double *out) {
    const std::int64_t pairs = pair_count(g.r);
    for (int l = first; l < last; ++l) {
        const std::int64_t group = block * LANES + l;
        double *to = out + (above.parent[group] / LANES) * pairs * LANES + above.parent[group] % LANES;
        for (std::int64_t pair = 0; pair < pairs; ++pair) to[pair * LANES] += sign * x[pair][l];
    }
}

// Adds the products of the columns that remain, G_rr, of every group to `out`.
inline void collect(const Level &g, const Above &above, int threads, double *out) {
    const std::int64_t pairs = pair_count(g.r);
    const bool all = !above.parent;
    auto sums = zeros(all ? chunk_count(g) * pairs : 0);
    over_chunks(g, above, threads, [&](Work &s, std::int64_t chunk, std::int64_t block, int first, int last) {
        Lanes *to = all ? sums.data() + chunk * pairs : s.zeroed();
        for (int a = 0; a < g.r; ++a)
            for (int b = a; b < g.r; ++b, ++to) {
                Lanes x;
                load(g.packed + (block * g.pairs + g.at[(g.q + a) * (g.q + g.r) + g.q + b]) * LANES, x);
                *to += x; // lanes beyond the last group are zero
            }
        if (!all) scatter(g, above, block, first, last, 1.0, s.sums, out);
    });
    if (all && chunk_count(g)) add_chunks(sums, pairs, 1.0, out);
}

// Subtracts what the random effects of a level explain from `out`; returns the sum of log det M.
inline double eliminate(const Level &g, const Above &above, int threads, double *out) {
    const std::int64_t pairs = pair_count(g.r);
    const bool all = !above.parent;
    if (!g.q) return 0.0;
    std::vector<LogSum> logs(static_cast<std::size_t>(chunk_count(g)));
    auto sums = zeros(all ? chunk_count(g) * pairs : 0);
    over_chunks(g, above, threads, [&](Work &s, std::int64_t chunk, std::int64_t block, int first, int last) {
        const double *products = g.packed + block * g.pairs * LANES;
        explain_block(g, products, s, all ? sums.data() + chunk * pairs : s.zeroed());
        if (!all) scatter(g, above, block, first, last, -1.0, s.sums, out);
        for (int j = 0; j < g.q; ++j) logs[static_cast<std::size_t>(chunk)].add(s.d[j], first, last);
    });
    if (all && chunk_count(g)) add_chunks(sums, pairs, -1.0, out);
    double log = 0.0;
    for (auto &x : logs) log += x.total();
    return log;
}

// The adjoint of what a block's groups left, from `h` as `back_propagate` is given it, into s.h, symmetric; zero for lanes of
// another chunk.
inline void gather(const Level &g, const Above &above, std::int64_t block, int first, int last, const double *h, Work &s) {
    const std::int64_t pairs = pair_count(g.r);
    const bool all = !above.parent;
    const double *from[LANES] = {};
    for (int l = first; l < last && !all; ++l) {
        const std::int64_t group = block * LANES + l;
        from[l] = h + (above.parent[group] / LANES) * pairs * LANES + above.parent[group] % LANES;
    }
    for (int a = 0, pair = 0; a < g.r; ++a)
        for (int b = a; b < g.r; ++b, ++pair) {
            Lanes x = broadcast(all ? h[a * g.r + b] : 0.0);
            if (above.parent) {
                const double half = a == b ? 1.0 : 0.5; // a product off the diagonal stands for two entries
                for (int l = first; l < last; ++l) x[l] = half * from[l][pair * LANES];
            }
            s.h[a * g.r + b] = s.h[b * g.r + a] = x;
        }
}

// The way back. `h`: d criterion / d `out` of eliminate and collect together; for all groups the symmetric r x r, for
// parents their blocks (a product off the diagonal standing for two entries).
// Adds to `gradient`, d criterion / d L, q (q + 1) / 2, and, if there is one, to `adjoint`, shaped like `packed`.
inline void back_propagate(const Level &g, const Above &above, int threads, const double *h, double *gradient, double *adjoint) {
    const std::int64_t entries = pair_count(g.q);
    const bool all = !above.parent;
    auto sums = zeros(chunk_count(g) * entries);
    over_chunks(g, above, threads, [&](Work &s, std::int64_t chunk, std::int64_t block, int first, int last) {
        if (!all || block % (CHUNK / LANES) == 0) gather(g, above, block, first, last, h, s); // else it stays what it was
        Lanes *of_chunk = sums.data() + chunk * entries;
        const bool whole = first == 0 && last == LANES;
        if (g.q) differentiate_block(g, g.packed + block * g.pairs * LANES, s, whole ? of_chunk : s.zeroed());
        for (std::int64_t e = 0; e < entries && !whole; ++e) // lanes of another chunk are added there
            for (int l = first; l < last; ++l) of_chunk[e][l] += s.sums[e][l];
        if (adjoint) adjoint_block(g, s, first, last, adjoint + block * g.pairs * LANES);
    });
    if (chunk_count(g)) add_chunks(sums, entries, 1.0, gradient);
}

} // namespace sessionwise
