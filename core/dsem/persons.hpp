// What persons' effects are drawn from: regressions, covariance, clusters, the common factor; and what the effects predict.
#pragma once

#include "covariance.hpp"

namespace sessionwise::dsem {

// Regressions of the effects on person-level predictors, given the effects.
inline void draw_gamma(const Spec &m, State &s, Random &random) {
    const int q = m.effects();
    std::vector<std::pair<int, int>> free;
    for (int j = 0; j < q; ++j)
        for (int w = 0; w < m.W; ++w)
            if (m.gamma_free[static_cast<std::size_t>(j * m.W + w)]) free.push_back({j, w});
    const int d = static_cast<int>(free.size());
    if (d == 0) return;
    Vec ww(static_cast<std::size_t>(m.W * m.W), 0.0), wb(static_cast<std::size_t>(m.W * q), 0.0);
    const bool apart = m.J > 0 || m.factor;
    for (int i = 0; i < m.N; ++i)
        for (int w = 0; w < m.W; ++w) {
            const double x = at(m.w, i, w, m.W);
            for (int v = 0; v < m.W; ++v) at(ww, w, v, m.W) += x * at(m.w, i, v, m.W);
            for (int j = 0; j < q; ++j) at(wb, w, j, q) += x * (at(s.b, i, j, q) - (apart ? base(m, s, i, j) : 0.0));
        }
    Vec P(static_cast<std::size_t>(d * d)), g(static_cast<std::size_t>(d));
    for (int e = 0; e < d; ++e) {
        const auto [j, w] = free[static_cast<std::size_t>(e)];
        double x = 0.0;
        for (int l = 0; l < q; ++l) {
            double rest = at(wb, w, l, q);
            for (int v = 0; v < m.W; ++v)
                if (!m.gamma_free[static_cast<std::size_t>(l * m.W + v)]) rest -= at(ww, w, v, m.W) * at(s.gamma, l, v, m.W);
            x += at(s.precision, j, l, q) * rest;
        }
        const double k = at(m.gamma_precision, j, w, m.W);
        g[static_cast<std::size_t>(e)] = x + k * at(m.gamma_mean, j, w, m.W);
        for (int e2 = 0; e2 < d; ++e2) {
            const auto [j2, w2] = free[static_cast<std::size_t>(e2)];
            at(P, e, e2, d) = at(s.precision, j, j2, q) * at(ww, w, w2, m.W) + (e == e2 ? k : 0.0);
        }
    }
    draw_gaussian(P.data(), g.data(), d, random);
    for (int e = 0; e < d; ++e) at(s.gamma, free[static_cast<std::size_t>(e)].first, free[static_cast<std::size_t>(e)].second, m.W) = g[static_cast<std::size_t>(e)];
}

inline void draw_omega(const Spec &m, State &s, Random &random) {
    const int q = m.effects();
    Vec squares(static_cast<std::size_t>(q * q), 0.0), d(static_cast<std::size_t>(q));
    for (int i = 0; i < m.N; ++i) {
        const double *b = row(s.b, i, q);
        expect(m, s, i, q, d.data());
        for (int j = 0; j < q; ++j) {
            const double x = d[static_cast<std::size_t>(j)] = b[j] - d[static_cast<std::size_t>(j)];
            double *line = row(squares, j, q);
            for (int l = 0; l <= j; ++l) line[l] += x * d[static_cast<std::size_t>(l)];
        }
    }
    for (int j = 0; j < q; ++j)
        for (int l = 0; l < j; ++l) at(squares, l, j, q) = at(squares, j, l, q);
    for (int j = 0; j < q; j = m.group_end(j)) draw_covariance(m.omega, squares, m.N, j, m.group_end(j), q, s.omega_aux, s.omega, random);
    s.precision = inverse(s.omega, q);
}

// Rows of the factor of the clusters' covariance made longer or shorter, given their standardised effects; without it a
// variance near zero hardly moves. P (J x levels x levels), g (J x levels): what persons say of each cluster's effects.
inline void stretch_clusters(const Spec &m, State &s, const Vec &P, const Vec &g, Random &random) {
    const int nl = m.levels();
    Vec l = s.tau_cov, work(l.size());
    if (!factor(l.data(), nl)) throw Failure("the clusters' covariance is not positive definite");
    for (int i = 0; i < nl; ++i)
        for (int j = i + 1; j < nl; ++j) at(l, i, j, nl) = 0.0;
    const auto density = [&](const Vec &factor, const Vec &tau) {
        inverse_lower(factor.data(), work.data(), nl);
        double x = log_prior(m.tau, factor, work, 0, nl, nl);
        for (int j = 0; j < nl; ++j) x += (nl - j) * std::log(std::abs(at(factor, j, j, nl)));
        for (int c = 0; c < m.J; ++c)
            for (int j = 0; j < nl; ++j) {
                double t = 0.0;
                for (int k = 0; k < nl; ++k) t += P[static_cast<std::size_t>((c * nl + j) * nl + k)] * at(tau, c, k, nl);
                x += at(tau, c, j, nl) * (g[static_cast<std::size_t>(c * nl + j)] - 0.5 * t);
            }
        return x;
    };
    double now = density(l, s.tau);
    for (const double size : {1.5, 0.4, 0.4})
        for (int j = 0; j < nl; ++j) {
            const double step = size * random.normal(), by = std::exp(step);
            Vec trial = l, tau = s.tau;
            for (int k = 0; k <= j; ++k) at(trial, j, k, nl) *= by;
            for (int c = 0; c < m.J; ++c) at(tau, c, j, nl) *= by;
            if (!(std::abs(at(trial, j, j, nl)) > 1e-9)) continue;
            const double then = density(trial, tau);
            if (std::log(random.uniform()) < then - now + (j + 1) * step) l = trial, s.tau = tau, now = then;
        }
    for (int i = 0; i < nl; ++i)
        for (int j = 0; j <= i; ++j) {
            double x = 0.0;
            for (int k = 0; k <= j; ++k) x += at(l, i, k, nl) * at(l, j, k, nl);
            at(s.tau_cov, i, j, nl) = at(s.tau_cov, j, i, nl) = x;
        }
    draw_auxiliary(m.tau, inverse(s.tau_cov, nl), 0, nl, nl, s.tau_aux, random);
}

inline void draw_clusters(const Spec &m, State &s, Random &random) {
    const int q = m.effects(), nl = m.levels();
    Vec d(static_cast<std::size_t>(q));
    Vec tau_inverse = inverse(s.tau_cov, nl);
    Vec P(static_cast<std::size_t>(m.J) * static_cast<std::size_t>(nl * nl), 0.0), g(static_cast<std::size_t>(m.J * nl), 0.0);
    for (int i = 0; i < m.N; ++i) {
        const int c = m.cluster[static_cast<std::size_t>(i)];
        expect(m, s, i, q, d.data());
        for (int j = 0; j < q; ++j) {
            d[static_cast<std::size_t>(j)] = at(s.b, i, j, q) - d[static_cast<std::size_t>(j)];
            if (j < nl) d[static_cast<std::size_t>(j)] += at(s.tau, c, j, nl);
        }
        for (int j = 0; j < nl; ++j) {
            for (int l = 0; l < q; ++l) g[static_cast<std::size_t>(c * nl + j)] += at(s.precision, j, l, q) * d[static_cast<std::size_t>(l)];
            for (int l = 0; l < nl; ++l) P[static_cast<std::size_t>((c * nl + j) * nl + l)] += at(s.precision, j, l, q);
        }
    }
    Vec squares(static_cast<std::size_t>(nl * nl), 0.0);
    const Vec known = P, line = g;
    for (int c = 0; c < m.J; ++c) {
        double *p = P.data() + static_cast<std::size_t>(c * nl * nl), *h = row(g, c, nl);
        for (int j = 0; j < nl * nl; ++j) p[j] += tau_inverse[static_cast<std::size_t>(j)];
        draw_gaussian(p, h, nl, random);
        std::copy(h, h + nl, row(s.tau, c, nl));
    }
    stretch_clusters(m, s, known, line, random);
    for (int c = 0; c < m.J; ++c)
        for (int j = 0; j < nl; ++j)
            for (int l = 0; l < nl; ++l) at(squares, j, l, nl) += at(s.tau, c, j, nl) * at(s.tau, c, l, nl);
    draw_covariance(m.tau, squares, m.J, 0, nl, nl, s.tau_aux, s.tau_cov, random);
}

// One factor of all random effects; Omega is diagonal then.
inline void draw_factor(const Spec &m, State &s, Random &random) {
    const int q = m.effects(), nl = m.levels();
    double squares = 0.0;
    Vec mean(static_cast<std::size_t>(q));
    for (int i = 0; i < m.N; ++i) {
        expect(m, s, i, q, mean.data());
        double k = 1.0 / s.psi, h = 0.0;
        for (int j = 0; j < q; ++j) {
            const double c = s.loading[static_cast<std::size_t>(j)], p = at(s.precision, j, j, q);
            const double rest = at(s.b, i, j, q) - mean[static_cast<std::size_t>(j)] + c * s.eta[static_cast<std::size_t>(i)];
            k += c * c * p;
            h += c * p * rest;
        }
        const double eta = h / k + random.normal() / std::sqrt(k);
        s.eta[static_cast<std::size_t>(i)] = eta;
        squares += eta * eta;
    }
    s.psi = random.inverse_gamma(m.psi_shape + 0.5 * m.N, m.psi_scale + 0.5 * squares);
    for (int j = 1; j < q; ++j) { // loading and regressions of one effect together
        std::vector<int> free;
        for (int w = 0; w < m.W; ++w)
            if (m.gamma_free[static_cast<std::size_t>(j * m.W + w)]) free.push_back(w);
        const int d = static_cast<int>(free.size()) + 1;
        Vec P(static_cast<std::size_t>(d * d), 0.0), g(static_cast<std::size_t>(d), 0.0), f(static_cast<std::size_t>(d));
        const double p = at(s.precision, j, j, q);
        for (int i = 0; i < m.N; ++i) {
            for (int e = 0; e + 1 < d; ++e) f[static_cast<std::size_t>(e)] = at(m.w, i, free[static_cast<std::size_t>(e)], m.W);
            f[static_cast<std::size_t>(d - 1)] = s.eta[static_cast<std::size_t>(i)];
            const double v = at(s.b, i, j, q) - (m.J > 0 && j < nl ? at(s.tau, m.cluster[static_cast<std::size_t>(i)], j, nl) : 0.0);
            for (int a = 0; a < d; ++a) {
                g[static_cast<std::size_t>(a)] += p * f[static_cast<std::size_t>(a)] * v;
                for (int c = 0; c < d; ++c) at(P, a, c, d) += p * f[static_cast<std::size_t>(a)] * f[static_cast<std::size_t>(c)];
            }
        }
        for (int e = 0; e + 1 < d; ++e) {
            const double k = at(m.gamma_precision, j, free[static_cast<std::size_t>(e)], m.W);
            at(P, e, e, d) += k;
            g[static_cast<std::size_t>(e)] += k * at(m.gamma_mean, j, free[static_cast<std::size_t>(e)], m.W);
        }
        draw_gaussian(P.data(), g.data(), d, random);
        for (int e = 0; e + 1 < d; ++e) at(s.gamma, j, free[static_cast<std::size_t>(e)], m.W) = g[static_cast<std::size_t>(e)];
        s.loading[static_cast<std::size_t>(j)] = g[static_cast<std::size_t>(d - 1)];
    }
}

inline void draw_outcomes(const Spec &m, State &s, Random &random) {
    const int q = m.effects();
    for (int o = 0; o < m.O; ++o) {
        std::vector<int> free;
        for (int w = 0; w < m.W; ++w)
            if (m.outcome_on_w[static_cast<std::size_t>(o * m.W + w)]) free.push_back(w);
        for (int j = 0; j < q; ++j)
            if (m.outcome_on_b[static_cast<std::size_t>(o * q + j)]) free.push_back(m.W + j);
        const int d = static_cast<int>(free.size());
        Vec P(static_cast<std::size_t>(d * d), 0.0), g(static_cast<std::size_t>(d), 0.0), f(static_cast<std::size_t>(d));
        const double inverse = 1.0 / s.outcome_var[static_cast<std::size_t>(o)];
        double n = 0.0, squares = 0.0;
        const auto features = [&](int i) {
            for (int e = 0; e < d; ++e) {
                const int j = free[static_cast<std::size_t>(e)];
                f[static_cast<std::size_t>(e)] = j < m.W ? at(m.w, i, j, m.W) : at(s.b, i, j - m.W, q);
            }
        };
        for (int i = 0; i < m.N; ++i) {
            const double v = at(m.outcome, i, o, m.O);
            if (!(v == v)) continue;
            features(i);
            for (int a = 0; a < d; ++a) {
                g[static_cast<std::size_t>(a)] += inverse * f[static_cast<std::size_t>(a)] * v;
                for (int c = 0; c < d; ++c) at(P, a, c, d) += inverse * f[static_cast<std::size_t>(a)] * f[static_cast<std::size_t>(c)];
            }
        }
        for (int a = 0; a < d; ++a) at(P, a, a, d) += m.outcome_precision;
        draw_gaussian(P.data(), g.data(), d, random);
        double *line = row(s.outcome, o, m.W + q);
        for (int e = 0; e < d; ++e) line[free[static_cast<std::size_t>(e)]] = g[static_cast<std::size_t>(e)];
        for (int i = 0; i < m.N; ++i) {
            double v = at(m.outcome, i, o, m.O);
            if (!(v == v)) continue;
            features(i);
            for (int e = 0; e < d; ++e) v -= f[static_cast<std::size_t>(e)] * g[static_cast<std::size_t>(e)];
            squares += v * v;
            n += 1.0;
        }
        s.outcome_var[static_cast<std::size_t>(o)] = random.inverse_gamma(m.outcome_shape + 0.5 * n, m.outcome_scale + 0.5 * squares);
    }
}

} // namespace sessionwise::dsem
