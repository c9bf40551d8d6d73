// From [X, y] cross-products to the profiled criterion; and all levels one after the other (levels.hpp).
//
// With S = X'V^-1 X, b = S^-1 X'V^-1 y and r the residual sum of squares, all relative to sigma^2, the criterion
// (-2 log-likelihood) is log det V + nu (1 + log(2 pi r / nu)), for REML plus log det S, with nu = n or n - p.
// With a given sigma^2 it is log det V + nu log(2 pi sigma^2) + r / sigma^2 (for REML plus log det S).
#pragma once

#include "levels.hpp"

namespace sessionwise {

struct Asked {
    bool reml;
    double nu;
    double sigma2; // 0: profiled
    const double *directions; // (p + 1) x (columns + 1) by rows: the model is fitted to [X, y] times this; or null
    int columns;
};

struct Finished {
    double criterion = std::numeric_limits<double>::infinity();
    double rss = 0.0, log_s = 0.0;
};

// `table`: symmetric (p + 1) x (p + 1), y last. `h`, of the same shape, becomes d criterion / d table.
// Infinite if S is not positive definite or nothing is left over.
inline Finished finish(const double *table, int p, double log_v, const Asked &asked, double *h) {
    const int k = p + 1;
    std::vector<double> l(static_cast<std::size_t>(k * k), 0.0), inverse(static_cast<std::size_t>(k * k), 0.0);
    const auto at = [k](int i, int j) { return static_cast<std::size_t>(i * k + j); };
    Finished done;
    for (int j = 0; j < k; ++j) // the last row of the Cholesky factor holds what y explains; its last pivot is r
        for (int i = j; i < k; ++i) {
            double x = table[at(i, j)];
            for (int c = 0; c < j; ++c) x -= l[at(i, c)] * l[at(j, c)];
            if (i == j) {
                if (!(x > 0.0)) return done;
                if (j == p) done.rss = x;
                else done.log_s += std::log(x);
                l[at(j, j)] = std::sqrt(x);
            } else {
                l[at(i, j)] = x / l[at(j, j)];
            }
        }
    const double two_pi = 6.283185307179586476925286766559;
    const double sigma2 = asked.sigma2 > 0.0 ? asked.sigma2 : done.rss / asked.nu;
    done.criterion = log_v + asked.nu * std::log(two_pi * sigma2) + done.rss / sigma2 + (asked.reml ? done.log_s : 0.0);
    if (!h) return done;
    for (int j = 0; j < p; ++j) // inverse of the factor of S
        for (int i = j; i < p; ++i) {
            double x = i == j ? 1.0 : 0.0;
            for (int c = j; c < i; ++c) x -= l[at(i, c)] * inverse[at(c, j)];
            inverse[at(i, j)] = x / l[at(i, i)];
        }
    std::vector<double> e(static_cast<std::size_t>(k), 1.0); // [-b, 1]
    for (int i = 0; i < p; ++i) {
        double b = 0.0;
        for (int c = i; c < p; ++c) b += inverse[at(c, i)] * l[at(p, c)];
        e[static_cast<std::size_t>(i)] = -b;
    }
    for (int i = 0; i < k; ++i)
        for (int j = 0; j < k; ++j) {
            double x = e[static_cast<std::size_t>(i)] * e[static_cast<std::size_t>(j)] / sigma2;
            if (asked.reml && i < p && j < p)
                for (int c = std::max(i, j); c < p; ++c) x += inverse[at(c, i)] * inverse[at(c, j)];
            h[at(i, j)] = x;
        }
    return done;
}

// `finish` for the products of [X, y] times `asked.directions`, if there are any; `h` is that of the whole table.
inline Finished finish_asked(const double *table, int k, double log_v, const Asked &asked, double *h) {
    if (!asked.directions) return finish(table, k - 1, log_v, asked, h);
    const double *d = asked.directions;
    const int c = asked.columns + 1;
    std::vector<double> small(static_cast<std::size_t>(c * c)), hs(small.size()), half(static_cast<std::size_t>(k * c));
    const auto product = [](const double *a, bool turned_a, const double *b, bool turned_b, int rows, int inner, int columns, double *out) {
        for (int i = 0; i < rows; ++i)
            for (int j = 0; j < columns; ++j) {
                double x = 0.0;
                for (int m = 0; m < inner; ++m) x += a[turned_a ? m * rows + i : i * inner + m] * b[turned_b ? j * inner + m : m * columns + j];
                out[i * columns + j] = x;
            }
    };
    product(table, false, d, false, k, k, c, half.data());
    product(d, true, half.data(), false, c, k, c, small.data());
    const Finished done = finish(small.data(), asked.columns, log_v, asked, h ? hs.data() : nullptr);
    if (h) {
        product(d, false, hs.data(), false, k, c, c, half.data());
        product(half.data(), false, d, true, k, c, k, h);
    }
    return done;
}

// Levels in order, each with the groups' parents in the next; the last has none. `base`: what `collect` gives for the
// first. table, (p + 1)^2, is filled with the products of [X, y] at the end, before any directions.
struct Chain {
    std::vector<Level> levels; // packed of the first; that of the others is made here
    std::vector<Above> above;
    const double *base;
};

inline Finished evaluate(Chain chain, double log_v, const Asked &asked, int threads, double *table, double *log_det,
                         const std::vector<double *> &gradients, double *adjoint) {
    const std::size_t n = chain.levels.size();
    std::vector<std::vector<double>> reduced(n), adjoints(n);
    for (std::size_t i = 0; i < n; ++i) {
        const std::int64_t pairs = pair_count(chain.levels[i].r);
        const std::int64_t size = i + 1 < n ? (chain.levels[i + 1].groups + LANES - 1) / LANES * pairs * LANES : pairs;
        if (i == 0) {
            reduced[i].assign(chain.base, chain.base + size);
        } else {
            reduced[i].assign(static_cast<std::size_t>(size), 0.0);
            collect(chain.levels[i], chain.above[i], threads, reduced[i].data());
        }
        log_v += eliminate(chain.levels[i], chain.above[i], threads, reduced[i].data());
        if (i + 1 < n) chain.levels[i + 1].packed = reduced[i].data();
    }
    *log_det = log_v;
    const int k = chain.levels[n - 1].r;
    for (int a = 0, pair = 0; a < k; ++a)
        for (int b = a; b < k; ++b, ++pair) table[a * k + b] = table[b * k + a] = reduced[n - 1][static_cast<std::size_t>(pair)];
    std::vector<double> h(static_cast<std::size_t>(k * k));
    double *wanted = gradients.empty() ? nullptr : h.data();
    const Finished done = finish_asked(table, k, log_v, asked, wanted);
    if (!wanted || !(done.criterion < std::numeric_limits<double>::infinity())) return done;
    const double *from = h.data();
    for (std::size_t i = n; i-- > 0;) {
        double *to = adjoint;
        if (i > 0) {
            adjoints[i].assign(reduced[i - 1].size(), 0.0);
            to = adjoints[i].data();
        }
        back_propagate(chain.levels[i], chain.above[i], threads, from, gradients[i], to);
        from = adjoints[i].data();
    }
    return done;
}

} // namespace sessionwise
