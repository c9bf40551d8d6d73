// Ancillarity-sufficiency interweaving (Yu & Meng 2011): a block's rows of the Cholesky factor of Omega, and gamma, anew given
// the standardised effects.
#pragma once

#include "../simd.hpp"
#include "covariance.hpp"

#include <limits>

namespace sessionwise::dsem {

// Persons come in batches, columns in quads, so that inner loops have a length that is known.
constexpr int BATCH = 4, QUAD = 4;

// Adds value[e] * weighted[place[e]][e2] of a batch to the rows' columns e2 <= e (and what fills the last quad).
// value: (BATCH x width), weighted: (effects x BATCH x width), out: (count x width).
SW_CLONES inline void add_weighted(int count, int width, const int *place, const double *__restrict value, const double *__restrict weighted, double *__restrict out) {
    for (int e = 0; e < count; ++e) {
        const double *o = weighted + place[e] * BATCH * width;
        const double v0 = value[e], v1 = value[width + e], v2 = value[2 * width + e], v3 = value[3 * width + e];
        double *line = out + e * width;
        for (int c = 0; c <= e; c += QUAD)
            for (int j = c; j < c + QUAD; ++j) line[j] += v0 * o[j] + v1 * o[width + j] + (v2 * o[2 * width + j] + v3 * o[3 * width + j]);
    }
}

// One person's part of a batch: its values, known[source[e]], and K[a][place[e]] value[e] for each effect a, as far as the
// last coefficient of that effect. weighted: of the person in the first effect, the next effect's is BATCH rows on.
inline void pack(int n, int count, int width, const int *__restrict place, const int *__restrict source, const int *__restrict ends, const double *__restrict known,
                 const double *__restrict K, double *__restrict value, double *__restrict weighted) {
    for (int e = 0; e < count; ++e) value[e] = known[source[e]];
    for (int a = 0; a < n; ++a, weighted += BATCH * width)
        for (int e = 0; e < ends[a]; ++e) weighted[e] = K[a * n + place[e]] * value[e];
}

inline void Block::interweave(State &s, Random &random) {
    const int n = n_, q = q_, f = static_cast<int>(free_.size());
    if (n == 0) return;
    Vec l = s.omega;
    if (!factor(l.data(), q)) throw Failure("the random effects' covariance is not positive definite");
    for (int i = 0; i < q; ++i)
        for (int j = i + 1; j < q; ++j) at(l, i, j, q) = 0.0;
    struct Entry {
        int effect, column; // of the block's rows of the factor
    };
    std::vector<Entry> entries;
    for (int j = 0; j < n; ++j)
        for (int k = m_.group_start(low_ + j); k <= low_ + j; ++k) entries.push_back({j, k});
    const int d = f + static_cast<int>(entries.size()), reach = low_ + n;
    const auto entry = [&](int e) { return entries[static_cast<std::size_t>(e - f)]; };
    // the block's effect of a coefficient, what it multiplies, where the coefficients of an effect end
    std::vector<int> place(static_cast<std::size_t>(d)), source(place), ends(static_cast<std::size_t>(n), 0);
    for (int e = 0; e < d; ++e) {
        place[static_cast<std::size_t>(e)] = e < f ? free_[static_cast<std::size_t>(e)].first : entry(e).effect;
        source[static_cast<std::size_t>(e)] = e < f ? reach + free_[static_cast<std::size_t>(e)].second : entry(e).column;
        ends[static_cast<std::size_t>(place[static_cast<std::size_t>(e)])] = e + 1;
    }
    const int width = (d + QUAD - 1) / QUAD * QUAD;
    Vec sums(static_cast<std::size_t>(d * width), 0.0), values(static_cast<std::size_t>(BATCH * width), 0.0), weighted(static_cast<std::size_t>(n * BATCH * width), 0.0);
    Vec g(static_cast<std::size_t>(d), 0.0), rest(static_cast<std::size_t>(n)), known(static_cast<std::size_t>(reach + m_.W)), mean(static_cast<std::size_t>(q)),
        pivot(static_cast<std::size_t>(reach));
    for (int j = 0; j < reach; ++j) pivot[static_cast<std::size_t>(j)] = 1.0 / at(l, j, j, q);
    const bool apart = m_.J > 0 || m_.factor;
    for (int i = 0; i < m_.N; ++i) {
        double *u = row(u_, i, q);
        const double *b = row(s.b, i, q), *K = row(K_, i, n * n), *h = row(h_, i, n), *w = row(m_.w, i, m_.W);
        expect(m_, s, i, reach, mean.data());
        for (int j = 0; j < reach; ++j) {
            double x = b[j] - mean[static_cast<std::size_t>(j)];
            for (int k = 0; k < j; ++k) x -= l[static_cast<std::size_t>(j * q + k)] * u[k];
            u[j] = x * pivot[static_cast<std::size_t>(j)];
        }
        std::copy(u, u + reach, known.begin());
        std::copy(w, w + m_.W, known.begin() + reach);
        double *value = row(values, i % BATCH, width);
        pack(n, d, width, place.data(), source.data(), ends.data(), known.data(), K, value, row(weighted, i % BATCH, width));
        for (int a = 0; a < n; ++a) {
            double x = h[a];
            for (int c = 0; c < n && apart; ++c) x -= K[a * n + c] * base(m_, s, i, low_ + c);
            rest[static_cast<std::size_t>(a)] = x;
        }
        for (int e = 0; e < d; ++e) g[static_cast<std::size_t>(e)] += value[e] * rest[static_cast<std::size_t>(place[static_cast<std::size_t>(e)])];
        const bool last = i + 1 == m_.N;
        if (last) std::fill(value + width, values.data() + BATCH * width, 0.0); // persons that there are not
        if (last || i % BATCH == BATCH - 1) add_weighted(d, width, place.data(), values.data(), weighted.data(), sums.data());
    }
    Vec P(static_cast<std::size_t>(d * d), 0.0);
    for (int e = 0; e < d; ++e) std::copy(row(sums, e, width), row(sums, e, width) + e + 1, row(P, e, d));
    add_gamma_prior(P, g, 0, d);
    double largest = 0.0;
    for (int e = 0; e < d; ++e) largest = std::max(largest, at(P, e, e, d));
    for (int e = f; e < d; ++e)
        if (!(at(P, e, e, d) > 1e-10 * largest)) return; // nothing is known of this entry
    // What holds given standardised effects is a normal density of x = (gamma, entries), times the prior. Moves: all of x
    // from the normal density; a row of the factor made longer or shorter, which leaves places where a variance is nearly
    // zero (there the prior of the row is steep, and the first kind is hardly ever taken).
    const Vec table = P, line = g;
    Vec trial(static_cast<std::size_t>(d)), x(trial), inverse(l.size());
    for (int e = 0; e < f; ++e) x[static_cast<std::size_t>(e)] = at(s.gamma, low_ + free_[static_cast<std::size_t>(e)].first, free_[static_cast<std::size_t>(e)].second, m_.W);
    for (int e = f; e < d; ++e) x[static_cast<std::size_t>(e)] = at(l, low_ + entry(e).effect, entry(e).column, q);
    const auto put = [&](const Vec &v) { // into the factor
        for (int e = f; e < d; ++e) at(l, low_ + entry(e).effect, entry(e).column, q) = v[static_cast<std::size_t>(e)];
    };
    const auto prior = [&](const Vec &v) { // of Omega, told of its factor
        put(v);
        double jacobian = 0.0;
        for (int j = low_; j < reach; ++j) {
            const double y = std::abs(at(l, j, j, q));
            if (!(y > 1e-9)) return -std::numeric_limits<double>::infinity();
            jacobian += (m_.group_end(j) - j) * std::log(y);
        }
        return log_prior(m_, l, inverse, q) + jacobian;
    };
    double now = prior(x);
    const auto stretch = [&](double size) {
        for (int j = 0; j < n; ++j) {
            const double step = size * random.normal(), by = std::exp(step);
            const int end = ends[static_cast<std::size_t>(j)], begin = end - (low_ + j + 1 - m_.group_start(low_ + j));
            // of the log density: what is linear in the row's length, and what is quadratic
            double linear = 0.0, square = 0.0;
            for (int e = begin; e < end; ++e) {
                double others = 0.0, own = 0.0;
                for (int c = 0; c < d; ++c) (c >= begin && c < end ? own : others) += at(table, std::max(e, c), std::min(e, c), d) * x[static_cast<std::size_t>(c)];
                linear += x[static_cast<std::size_t>(e)] * (line[static_cast<std::size_t>(e)] - others);
                square += x[static_cast<std::size_t>(e)] * own;
            }
            trial = x;
            for (int e = begin; e < end; ++e) trial[static_cast<std::size_t>(e)] *= by;
            const double then = prior(trial), gain = (by - 1.0) * linear - 0.5 * (by * by - 1.0) * square;
            if (std::log(random.uniform()) < then - now + gain + (end - begin) * step) x = trial, now = then;
        }
    };
    stretch(1.5);
    stretch(0.4);
    draw_gaussian(P.data(), g.data(), d, random);
    const double then = prior(g);
    if (std::log(random.uniform()) < then - now) x = g, now = then;
    stretch(0.4);
    stretch(1.5);
    put(x);
    for (int e = 0; e < f; ++e) at(s.gamma, low_ + free_[static_cast<std::size_t>(e)].first, free_[static_cast<std::size_t>(e)].second, m_.W) = x[static_cast<std::size_t>(e)];
    for (int i = 0; i < q; ++i)
        for (int j = 0; j <= i; ++j) {
            double y = 0.0;
            for (int k = 0; k <= j; ++k) y += at(l, i, k, q) * at(l, j, k, q);
            at(s.omega, i, j, q) = at(s.omega, j, i, q) = y;
        }
    inverse_from(l.data(), s.precision.data(), q);
    for (int j = 0; j < q; j = m_.group_end(j)) draw_auxiliary(m_.omega, s.precision, j, m_.group_end(j), q, s.omega_aux, random);
    for (int i = 0; i < m_.N; ++i) {
        const double *u = row(u_, i, q);
        double *b = row(s.b, i, q);
        expect(m_, s, i, reach, mean.data());
        for (int j = low_; j < reach; ++j) {
            double y = mean[static_cast<std::size_t>(j)];
            for (int k = 0; k <= j; ++k) y += l[static_cast<std::size_t>(j * q + k)] * u[k];
            b[j] = y;
        }
    }
}

} // namespace sessionwise::dsem
