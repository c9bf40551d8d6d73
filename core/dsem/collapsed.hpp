// Variances of a block's effects moved with persons' effects integrated out: where few sessions say little of a person, a
// variance drawn given effects hardly leaves the size that they have, and one drawn here does.
#pragma once

#include "covariance.hpp"

#include <limits>

namespace sessionwise::dsem {

// Moves of the block's rows of Omega's Cholesky factor: a row longer or shorter, which is an effect's SD, and turned towards
// another column, which is a correlation. Given common coefficients and regressions a person's share of the likelihood is
// |M|^-1/2 exp(|M^-1/2 L' r|^2 / 2) with M = I + L'KL, r = h - B theta - K mean. Only of a block that correlates with
// no effect outside it; levels without courses of their own are known well enough as it is.
inline void Block::move_variances(State &s, Random &random) {
    const int n = n_, q = q_;
    if (n == 0 || (low_ == 0 && m_.E == 1) || m_.group_start(low_) < low_ || m_.group_end(low_ + n - 1) > low_ + n) return;
    with_size(n, [&](auto size) { weigh(size, s); });
    Vec l = s.omega, work(l.size());
    if (!factor(l.data(), q)) throw Failure("the random effects' covariance is not positive definite");
    for (int i = 0; i < q; ++i)
        for (int j = i + 1; j < q; ++j) at(l, i, j, q) = 0.0;
    const auto density = [&](const Vec &trial) {
        double x = log_prior(m_, trial, work, q);
        for (int j = low_; j < low_ + n; ++j) {
            const double pivot = at(trial, j, j, q);
            if (!(pivot > 1e-9)) return -std::numeric_limits<double>::infinity();
            x += (m_.group_end(j) - j) * std::log(pivot); // from Omega to its factor
            for (int k = 0; k < n; ++k) at(L_, j - low_, k, n) = at(trial, j, low_ + k, q);
        }
        with_size(n, [&](auto size) { x += likelihood(size); });
        return x;
    };
    double now = density(l);
    Vec trial(l);
    const auto offer = [&](double jacobian) {
        const double then = density(trial);
        if (std::log(random.uniform()) < then - now + jacobian) l = trial, now = then;
        else trial = l;
    };
    for (const double scale : {2.0, 0.5}) {
        if (low_ == 0 && random.uniform() < 0.5) continue; // of levels every other sweep is enough
        for (int j = low_; j < low_ + n; ++j) {
            const int start = m_.group_start(j);
            const double step = scale * random.normal(), by = std::exp(step);
            for (int k = start; k <= j; ++k) at(trial, j, k, q) *= by;
            offer((j + 1 - start) * step);
            for (int k = start; k < j; ++k) {
                const double angle = scale * random.normal(), c = std::cos(angle), d = std::sin(angle);
                const double one = at(l, j, k, q), pivot = at(l, j, j, q);
                at(trial, j, k, q) = c * one - d * pivot;
                at(trial, j, j, q) = d * one + c * pivot;
                offer(0.0);
            }
        }
    }
    for (int i = 0; i < q; ++i)
        for (int j = 0; j <= i; ++j) {
            double x = 0.0;
            for (int k = 0; k <= j; ++k) x += at(l, i, k, q) * at(l, j, k, q);
            at(s.omega, i, j, q) = at(s.omega, j, i, q) = x;
        }
    inverse_from(l.data(), s.precision.data(), q);
    for (int j = low_; j < low_ + n; j = m_.group_end(j)) draw_auxiliary(m_.omega, s.precision, j, m_.group_end(j), q, s.omega_aux, random);
    for (int j = 0; j < n; ++j)
        for (int k = 0; k < n; ++k) at(L_, j, k, n) = at(l, low_ + j, low_ + k, q);
}

// r of each person.
template <class Size> void Block::weigh(Size n, const State &s) {
    Work mean(n);
    for (int i = 0; i < m_.N; ++i) {
        const double *B = row(B_, i, p_ * n), *K = row(K_, i, n * n), *h = row(h_, i, n);
        expected(n, s, i, mean.data());
        double *r = row(r_, i, n);
        for (int a = 0; a < n; ++a) {
            double x = h[a];
            for (int c = 0; c < n; ++c) x -= K[a * n + c] * mean[c];
            for (int c = 0; c < p_; ++c) x -= B[c * n + a] * s.theta[static_cast<std::size_t>(c)];
            r[a] = x;
        }
    }
}

// Of all persons, by the factor L; constants left out.
template <class Size> double Block::likelihood(Size n) const {
    const double *L = L_.data();
    Work KL(n * n), M(n * n), white(n);
    double total = 0.0;
    for (int i = 0; i < m_.N; ++i) {
        const double *K = row(K_, i, n * n);
        scaled_information(n, K, L, KL.data(), M.data());
        if (!factor(M.data(), n)) return -std::numeric_limits<double>::infinity();
        double pivots = 1.0, square = 0.0;
        for (int a = 0; a < n; ++a) {
            pivots *= M[a * n + a];
            M[a * n + a] = 1.0 / M[a * n + a];
        }
        whiten(n, M.data(), L, row(r_, i, n), white.data());
        for (int a = 0; a < n; ++a) square += white[a] * white[a];
        total += 0.5 * square - std::log(pivots);
    }
    return total;
}

} // namespace sessionwise::dsem
