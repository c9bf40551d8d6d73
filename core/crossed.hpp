// Crossed grouping factors: a sparse system of all random effects, eliminated one level after the other, and the way
// back to the gradient.
//
// The system is M = L' A L + I with A = Z'Z over all effects, L block-diagonal with a level's relative covariance factor
// for each, and k columns X besides (fixed ones, the response last). Levels stand in the order that ordering.hpp finds:
// first those of the head. A level of the head has its own block of M, the products C of its q effects with the later
// effects that it meets, and X. With its own block factored, W = (lower factor)^-1 [C X], what it leaves to those is
// less W'W, and log det M grows. The tail is dense, and is factored by whoever calls. Back from the adjoint G of all that
// is left after a level, with U = M^-1 [C X]: that of [C X] is -U G, that of M is M^-1 + U G U' (as Takahashi's
// recursion has the inverse, here with the part of the coefficients). Every product of A is then a product of L' A L,
// whose adjoint is known where A is not zero, which is all that d / dL and d / dA take.
//
// Effects are numbered by the order of their levels. Triangles are upper ones, by rows.
#pragma once

#include <cstring>

#include "lanes.hpp"

namespace sessionwise {

template <int M, int N> struct Widths {
    static constexpr int m = M, n = N;
};

// A block of products between two levels: entry (i, j) is at[i * down + j * across].
struct Block {
    const double *at;
    int down, across;
    double operator()(int i, int j) const { return at[i * down + j * across]; }
};

struct System {
    std::int64_t levels, head, joined; // head: levels in it
    std::int64_t effects, inner; // all of them, and those of the head
    int k;
    // of each level, in order:
    const std::int32_t *kind;
    const std::int64_t *effect; // its first one, and one past the last
    const std::int64_t *block, *x; // where its own block and its rows of X stand in the values
    // of each level of the head:
    const std::int64_t *starts; // its first number in `columns`, and one past the last
    const std::int32_t *columns; // the later effects that it meets, ascending
    // of each pair of joined levels:
    const std::int32_t *earlier, *later;
    const std::int64_t *pair_block, *slot; // where its block stands in the values; which column of the earlier, if of the head
    const char *turned; // whether the block's rows are those of the later
    // of each kind:
    const std::int32_t *q;
    const std::int64_t *factor; // where its factor (q x q) stands in `lambda`
    std::int64_t kinds;

    std::int64_t tail() const { return effects - inner; }
    int width(std::int64_t level) const { return q[kind[level]]; }
    std::int64_t met(std::int64_t level) const { return starts[level + 1] - starts[level]; }
    Block pair(std::int64_t p, const double *values) const {
        const int rows = width(earlier[p]), across = width(later[p]);
        return turned[p] ? Block{values + pair_block[p], 1, rows} : Block{values + pair_block[p], across, 1};
    }
};

// Numbers of a system on its way. own: the head's blocks, `block_at` those of a level. c: q x met of each level of the
// head, at `c_at`. x: effects of the head x k. dense: tail x tail. border: k x tail. table: k x k.
struct Room {
    double *own, *c, *x, *dense, *border, *table;
    const std::int64_t *own_at, *c_at;
};

// Scratch for one level: rows of as many numbers as any level meets, and some of q x q.
struct Scratch {
    explicit Scratch(const System &s) {
        for (std::int64_t i = 0; i < s.levels; ++i) q = std::max(q, s.width(i));
        for (std::int64_t i = 0; i < s.head; ++i) met = std::max(met, s.met(i));
        row.resize(static_cast<std::size_t>(met));
        left.resize(static_cast<std::size_t>(q) * static_cast<std::size_t>(met + s.k));
        for (auto *square : {&one, &two}) square->resize(static_cast<std::size_t>(q) * static_cast<std::size_t>(std::max(q, s.k)));
        owner.resize(static_cast<std::size_t>(s.inner));
        for (std::int64_t i = 0; i < s.head; ++i)
            std::fill(owner.begin() + s.effect[i], owner.begin() + s.effect[i + 1], static_cast<std::int32_t>(i));
    }
    int q = 1;
    std::int64_t met = 0;
    std::vector<double> row, left, one, two;
    std::vector<std::int32_t> owner; // the level of each effect of the head
};

// Calls work(Widths<M, N>) with numbers of effects that are few, so that loops are unrolled, and with 0, 0 for others.
template <class Work> inline void for_widths(int m, int n, Work &&work) {
    if (m == 1 && n == 1) return work(Widths<1, 1>{});
    if (m == 1 && n == 2) return work(Widths<1, 2>{});
    if (m == 2 && n == 1) return work(Widths<2, 1>{});
    if (m == 2 && n == 2) return work(Widths<2, 2>{});
    if (m == 3 && n == 1) return work(Widths<3, 1>{});
    if (m == 3 && n == 3) return work(Widths<3, 3>{});
    work(Widths<0, 0>{});
}

// out (m x n by rows, its rows `stride` apart) = L' a R, of lower triangular L (m x m), R (n x n).
template <int M, int N>
SW_INLINE void scaled(const double *l, int m_given, const Block &a, const double *r, int n_given, double *half, double *out, std::int64_t stride) {
    const int m = M ? M : m_given, n = N ? N : n_given;
    for (int i = 0; i < m; ++i)
        for (int j = 0; j < n; ++j) {
            double x = a(i, j) * r[j * n + j];
            for (int f = j + 1; f < n; ++f) x += a(i, f) * r[f * n + j];
            half[i * n + j] = x;
        }
    for (int i = 0; i < m; ++i)
        for (int j = 0; j < n; ++j) {
            double x = l[i * m + i] * half[i * n + j];
            for (int e = i + 1; e < m; ++e) x += l[e * m + i] * half[e * n + j];
            out[i * stride + j] = x;
        }
}

// Rows shorter than this are dealt with in place: to call a function that was compiled for wider instructions takes
// longer.
constexpr std::int64_t SHORT_ROW = 24;

// row[b] = sum over the q rows of w of w[a] w[b], for b from a on.
template <int Q> SW_INLINE void outer_row_here(const double *w, std::int64_t stride, int q_given, std::int64_t a, std::int64_t n, double *row) {
    const int q = Q ? Q : q_given;
    const double first = w[a];
    for (std::int64_t b = a; b < n; ++b) row[b] = first * w[b];
    for (int e = 1; e < q; ++e) {
        const double *next = w + e * stride;
        const double x = next[a];
        for (std::int64_t b = a; b < n; ++b) row[b] += x * next[b];
    }
}

SW_CLONES inline void outer_row(const double *w, std::int64_t stride, int q, std::int64_t a, std::int64_t n, double *row) {
    outer_row_here<0>(w, stride, q, a, n, row);
}

// One row of a symmetric matrix, from its diagonal on: out += row x, both ways. Sums in a fixed order.
SW_INLINE void add_symmetric_here(const double *row, std::int64_t a, std::int64_t n, const double *x, double *out) {
    const double own = x[a];
    double total = row[a] * own;
    for (std::int64_t b = a + 1; b < n; ++b) total += row[b] * x[b], out[b] += row[b] * own;
    out[a] += total;
}

SW_CLONES inline void add_symmetric(const double *row, std::int64_t a, std::int64_t n, const double *x, double *out) {
    const double own = x[a];
    Lanes sums;
    std::memset(static_cast<void *>(&sums), 0, sizeof sums);
    std::int64_t b = a + 1;
    for (; b + LANES <= n; b += LANES) {
        Lanes h, y, o;
        load(row + b, h), load(x + b, y), load(out + b, o);
        sums += h * y;
        o += h * own;
        store(o, out + b);
    }
    double total = sum(sums) + row[a] * own;
    for (; b < n; ++b) total += row[b] * x[b], out[b] += row[b] * own;
    out[a] += total;
}

// The values of L' A L + I and L'X into the room.
inline void spread(const System &s, const double *values, const double *lambda, Scratch &t, const Room &room) {
    const std::int64_t n = s.tail(), k = s.k;
    double *half = t.one.data();
    std::memset(room.c, 0, static_cast<std::size_t>(room.c_at[s.head]) * sizeof(double));
    std::memset(room.dense, 0, static_cast<std::size_t>(n * n) * sizeof(double));
    for (std::int64_t i = 0; i < s.levels; ++i)
        for_widths(s.width(i), s.width(i), [&](auto widths) {
            const int q = decltype(widths)::m ? decltype(widths)::m : s.width(i);
            const double *l = lambda + s.factor[s.kind[i]], *x = values + s.x[i];
            const bool inside = i < s.head;
            const std::int64_t at = s.effect[i] - s.inner;
            double *own = inside ? room.own + room.own_at[i] : t.two.data();
            scaled<decltype(widths)::m, decltype(widths)::n>(l, q, {values + s.block[i], q, 1}, l, q, half, own, q);
            for (int e = 0; e < q; ++e) own[e * q + e] += 1.0;
            for (int e = 0; e < q; ++e) {
                for (int f = e; f < q && !inside; ++f) room.dense[(at + e) * n + at + f] = own[e * q + f];
                double *to = inside ? room.x + (s.effect[i] + e) * k : room.border + at + e;
                const std::int64_t step = inside ? 1 : n;
                for (int c = 0; c < k; ++c) {
                    double sum = l[e * q + e] * x[e * k + c];
                    for (int f = e + 1; f < q; ++f) sum += l[f * q + e] * x[f * k + c];
                    to[c * step] = sum;
                }
            }
        });
    for (std::int64_t p = 0; p < s.joined; ++p) {
        const std::int64_t i = s.earlier[p], j = s.later[p];
        const int qi = s.width(i), qj = s.width(j);
        const std::int64_t stride = i < s.head ? s.met(i) : n;
        double *to = i < s.head ? room.c + room.c_at[i] + s.slot[p] : room.dense + (s.effect[i] - s.inner) * n + s.effect[j] - s.inner;
        const double *l = lambda + s.factor[s.kind[i]], *r = lambda + s.factor[s.kind[j]];
        for_widths(qi, qj, [&](auto widths) { scaled<decltype(widths)::m, decltype(widths)::n>(l, qi, s.pair(p, values), r, qj, half, to, stride); });
    }
    std::memcpy(room.table, values + s.x[s.levels], static_cast<std::size_t>(k * k) * sizeof(double));
}

// Calls each(number, b) for the numbers where products of the later effect number `a` of level i with its later effects
// from b = a on stand. The effects that i meets after one of the head are among those that this one meets.
template <class Each> inline void over_row(const System &s, const Scratch &t, const Room &room, std::int64_t i, std::int64_t a, Each each) {
    const std::int32_t *columns = s.columns + s.starts[i];
    const std::int64_t met = s.met(i), effect = columns[a];
    std::int64_t b = a;
    if (effect >= s.inner) {
        double *row = room.dense + (effect - s.inner) * s.tail() - s.inner;
        for (; b < met; ++b) each(row[columns[b]], b);
        return;
    }
    const std::int64_t j = t.owner[static_cast<std::size_t>(effect)], e = effect - s.effect[j];
    double *own = room.own + room.own_at[j] + e * s.width(j) - s.effect[j], *c = room.c + room.c_at[j] + e * s.met(j);
    for (; b < met && columns[b] < s.effect[j + 1]; ++b) each(own[columns[b]], b);
    const std::int32_t *theirs = s.columns + s.starts[j];
    for (; b < met; ++b, ++theirs, ++c) {
        while (*theirs < columns[b]) ++theirs, ++c;
        each(*c, b);
    }
}

// Level i of the head; returns the product of the pivots.
template <int Q> SW_INLINE double eliminate_level(const System &s, Scratch &t, const Room &room, std::int64_t i) {
    const int k = s.k, q = Q ? Q : s.width(i);
    const std::int64_t n = s.tail(), met = s.met(i);
    double *m = room.own + room.own_at[i], *w = room.c + room.c_at[i], *x = room.x + s.effect[i] * k;
    double pivots = 1.0;
    for (int e = 0; e < q; ++e) { // upper factor R, M = R'R, row by row, and W
        double pivot = m[e * q + e];
        for (int f = 0; f < e; ++f) pivot -= m[f * q + e] * m[f * q + e];
        pivots *= pivot; // of 1 or more: M = I + something that is not negative
        const double root = std::sqrt(pivot), inverse = 1.0 / root;
        m[e * q + e] = root;
        for (int g = e + 1; g < q; ++g) {
            double y = m[e * q + g];
            for (int f = 0; f < e; ++f) y -= m[f * q + e] * m[f * q + g];
            m[e * q + g] = y * inverse;
        }
        double *row = w + e * met, *of_x = x + e * k;
        for (int f = 0; f < e; ++f) {
            const double y = m[f * q + e];
            for (std::int64_t b = 0; b < met; ++b) row[b] -= y * w[f * met + b];
            for (int c = 0; c < k; ++c) of_x[c] -= y * x[f * k + c];
        }
        for (std::int64_t b = 0; b < met; ++b) row[b] *= inverse;
        for (int c = 0; c < k; ++c) of_x[c] *= inverse;
    }
    const std::int32_t *columns = s.columns + s.starts[i];
    for (std::int64_t a = 0; a < met; ++a) {
        double *row = t.row.data();
        if (met - a < SHORT_ROW) outer_row_here<Q>(w, met, q, a, met, row);
        else outer_row(w, met, q, a, met, row);
        over_row(s, t, room, i, a, [row](double &number, std::int64_t b) { number -= row[b]; });
        const std::int64_t effect = columns[a], step = effect < s.inner ? 1 : n;
        double *to = effect < s.inner ? room.x + effect * k : room.border + effect - s.inner;
        for (int c = 0; c < k; ++c) {
            double y = w[a] * x[c];
            for (int e = 1; e < q; ++e) y += w[e * met + a] * x[e * k + c];
            to[c * step] -= y;
        }
    }
    for (int c = 0; c < k; ++c)
        for (int d = c; d < k; ++d) {
            double y = x[c] * x[d];
            for (int e = 1; e < q; ++e) y += x[e * k + c] * x[e * k + d];
            room.table[c * k + d] -= y;
        }
    return pivots;
}

// Eliminates the head. What is left of the tail and of X is in the room; returns log det of the head.
inline double eliminate_head(const System &s, const double *values, const double *lambda, const Room &room) {
    Scratch t(s);
    spread(s, values, lambda, t, room);
    double log = 0.0, product = 1.0;
    for (std::int64_t i = 0; i < s.head; ++i) {
        double pivots;
        switch (s.width(i)) {
        case 1: pivots = eliminate_level<1>(s, t, room, i); break;
        case 2: pivots = eliminate_level<2>(s, t, room, i); break;
        case 3: pivots = eliminate_level<3>(s, t, room, i); break;
        default: pivots = eliminate_level<0>(s, t, room, i);
        }
        if (pivots < 1e100) product *= pivots; // few logarithms are taken, of products
        else log += std::log(pivots);
        if (product > 1e150) log += std::log(product), product = 1.0;
    }
    for (int c = 0; c < s.k; ++c)
        for (int d = 0; d < c; ++d) room.table[c * s.k + d] = room.table[d * s.k + c];
    return log + std::log(product);
}

// The way back through level i of the head: its own, c and x become the adjoints of L'AL + I and of L'X.
template <int Q> SW_INLINE void restore_level(const System &s, Scratch &t, const Room &room, std::int64_t i) {
    const int k = s.k, q = Q ? Q : s.width(i);
    const std::int64_t n = s.tail(), met = s.met(i);
    double *m = room.own + room.own_at[i], *u = room.c + room.c_at[i], *x = room.x + s.effect[i] * k;
    for (int e = q - 1; e >= 0; --e) { // U = R^-1 W
        const double inverse = 1.0 / m[e * q + e];
        for (int f = e + 1; f < q; ++f) {
            const double y = m[e * q + f];
            for (std::int64_t b = 0; b < met; ++b) u[e * met + b] -= y * u[f * met + b];
            for (int c = 0; c < k; ++c) x[e * k + c] -= y * x[f * k + c];
        }
        for (std::int64_t b = 0; b < met; ++b) u[e * met + b] *= inverse;
        for (int c = 0; c < k; ++c) x[e * k + c] *= inverse;
    }
    double *ug = t.left.data(), *xg = ug + q * met; // U G
    std::memset(ug, 0, static_cast<std::size_t>(q * (met + k)) * sizeof(double));
    const std::int32_t *columns = s.columns + s.starts[i];
    for (std::int64_t a = 0; a < met; ++a) {
        double *row = t.row.data();
        over_row(s, t, room, i, a, [row](double &number, std::int64_t b) { row[b] = number; });
        for (int e = 0; e < q; ++e) {
            if (met - a < SHORT_ROW) add_symmetric_here(row, a, met, u + e * met, ug + e * met);
            else add_symmetric(row, a, met, u + e * met, ug + e * met);
        }
        const std::int64_t effect = columns[a], step = effect < s.inner ? 1 : n;
        const double *from = effect < s.inner ? room.x + effect * k : room.border + effect - s.inner;
        for (int c = 0; c < k; ++c) {
            const double g = from[c * step];
            for (int e = 0; e < q; ++e) {
                ug[e * met + a] += g * x[e * k + c];
                xg[e * k + c] += g * u[e * met + a];
            }
        }
    }
    for (int e = 0; e < q; ++e)
        for (int c = 0; c < k; ++c)
            for (int d = 0; d < k; ++d) xg[e * k + c] += room.table[c * k + d] * x[e * k + d];
    double *inverse = t.one.data(), *g = t.two.data();
    for (int e = 0; e < q; ++e) // R^-1, upper
        for (int f = e; f >= 0; --f) {
            double y = e == f ? 1.0 : 0.0;
            for (int h = f + 1; h <= e; ++h) y -= m[f * q + h] * inverse[h * q + e];
            inverse[f * q + e] = y / m[f * q + f];
        }
    for (int e = 0; e < q; ++e)
        for (int f = e; f < q; ++f) {
            double y = 0.0;
            for (int h = f; h < q; ++h) y += inverse[e * q + h] * inverse[f * q + h];
            for (std::int64_t b = 0; b < met; ++b) y += ug[e * met + b] * u[f * met + b];
            for (int c = 0; c < k; ++c) y += xg[e * k + c] * x[f * k + c];
            g[e * q + f] = g[f * q + e] = y;
        }
    std::memcpy(m, g, static_cast<std::size_t>(q * q) * sizeof(double));
    for (std::int64_t b = 0; b < q * met; ++b) u[b] = -ug[b];
    for (int c = 0; c < q * k; ++c) x[c] = -xg[c];
}

// Of a block a between levels with factors L (m x m), R (n x n), given the adjoint (m x n by rows) of L'a R: adds
// 2 a R adjoint' to `of_left`, 2 a'L adjoint to `of_right`, and times * L adjoint R' to `back`, laid out like a, if wanted.
template <int M, int N>
SW_INLINE void differentiate_block(const double *l, int m_given, const Block &a, const double *r, int n_given, const double *adjoint, double times,
                                   double *half, double *of_left, double *of_right, double *back) {
    const int m = M ? M : m_given, n = N ? N : n_given;
    for (int i = 0; i < m; ++i)
        for (int j = 0; j < n; ++j) {
            double x = a(i, j) * r[j * n + j];
            for (int f = j + 1; f < n; ++f) x += a(i, f) * r[f * n + j];
            half[i * n + j] = x;
        }
    for (int i = 0; i < m; ++i)
        for (int e = 0; e <= i; ++e) {
            double x = 0.0;
            for (int j = 0; j < n; ++j) x += half[i * n + j] * adjoint[e * n + j];
            of_left[i * m + e] += 2.0 * x;
        }
    if (of_right)
        for (int j = 0; j < n; ++j)
            for (int i = 0; i < m; ++i) {
                double x = 0.0;
                for (int e = i; e < m; ++e) x += a(e, j) * l[e * m + i];
                for (int f = 0; f <= j; ++f) of_right[j * n + f] += 2.0 * x * adjoint[i * n + f];
            }
    if (!back) return;
    for (int i = 0; i < m; ++i)
        for (int j = 0; j < n; ++j) {
            double x = 0.0;
            for (int e = 0; e <= i; ++e)
                for (int f = 0; f <= j; ++f) x += l[i * m + e] * adjoint[e * n + f] * r[j * n + f];
            back[i * a.down + j * a.across] += times * x;
        }
}

// The way back. The room is as `eliminate_head` left it, but for dense, border and table, which are now the adjoints of
// what was left there. On return own, c and x are the adjoints of L'AL + I and L'X; d criterion / d L is added to
// `gradient`, laid out like lambda, and d criterion / d value to `adjoint`, if wanted, where a product off the diagonal
// that stands once counts for both.
inline void back_propagate_system(const System &s, const double *values, const double *lambda, const Room &room, double *gradient, double *adjoint) {
    Scratch t(s);
    for (std::int64_t i = s.head; i-- > 0;) switch (s.width(i)) {
        case 1: restore_level<1>(s, t, room, i); break;
        case 2: restore_level<2>(s, t, room, i); break;
        case 3: restore_level<3>(s, t, room, i); break;
        default: restore_level<0>(s, t, room, i);
        }
    const int k = s.k;
    const std::int64_t n = s.tail();
    double *half = t.one.data(), *g = t.two.data();
    for (std::int64_t i = 0; i < s.levels; ++i)
        for_widths(s.width(i), s.width(i), [&](auto widths) {
            const int q = decltype(widths)::m ? decltype(widths)::m : s.width(i);
            const double *l = lambda + s.factor[s.kind[i]], *x = values + s.x[i];
            double *of_l = gradient + s.factor[s.kind[i]];
            const bool inside = i < s.head;
            const std::int64_t at = s.effect[i] - s.inner, step = inside ? 1 : n;
            for (int e = 0; e < q; ++e)
                for (int f = e; f < q; ++f) g[e * q + f] = g[f * q + e] = inside ? room.own[room.own_at[i] + e * q + f] : room.dense[(at + e) * n + at + f];
            differentiate_block<decltype(widths)::m, decltype(widths)::n>(l, q, {values + s.block[i], q, 1}, l, q, g, 1.0, half, of_l, nullptr,
                                                    adjoint ? adjoint + s.block[i] : nullptr);
            for (int e = 0; e < q; ++e) {
                const double *own = inside ? room.x + (s.effect[i] + e) * k : room.border + at + e;
                for (int f = e; f < q; ++f) {
                    double sum = 0.0;
                    for (int c = 0; c < k; ++c) sum += x[f * k + c] * own[c * step];
                    of_l[f * q + e] += 2.0 * sum;
                    for (int c = 0; c < k && adjoint; ++c) adjoint[s.x[i] + f * k + c] += 2.0 * l[f * q + e] * own[c * step];
                }
            }
        });
    for (std::int64_t p = 0; p < s.joined; ++p) {
        const std::int64_t i = s.earlier[p], j = s.later[p];
        const int qi = s.width(i), qj = s.width(j);
        const std::int64_t stride = i < s.head ? s.met(i) : n;
        const double *from = i < s.head ? room.c + room.c_at[i] + s.slot[p] : room.dense + (s.effect[i] - s.inner) * n + s.effect[j] - s.inner;
        for (int e = 0; e < qi; ++e)
            for (int f = 0; f < qj; ++f) g[e * qj + f] = from[e * stride + f];
        const double *l = lambda + s.factor[s.kind[i]], *r = lambda + s.factor[s.kind[j]];
        double *of_l = gradient + s.factor[s.kind[i]], *of_r = gradient + s.factor[s.kind[j]];
        for_widths(qi, qj, [&](auto widths) {
            differentiate_block<decltype(widths)::m, decltype(widths)::n>(l, qi, s.pair(p, values), r, qj, g, 2.0, half, of_l, of_r, adjoint ? adjoint + s.pair_block[p] : nullptr);
        });
    }
    if (adjoint)
        for (int c = 0; c < k * k; ++c) adjoint[s.x[s.levels] + c] += room.table[c];
}

} // namespace sessionwise
