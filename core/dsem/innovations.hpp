// Innovations: their common covariance, and persons' log variances.
#pragma once

#include "block.hpp"
#include "dynamics.hpp"
#include "sums.hpp"

namespace sessionwise::dsem {

// A log-concave density with an exponential tail: a proposal at its mode with its curvature, t with 8 degrees (normal
// tails are lighter than its own, and a chain that begins far out would stay there).
// j: the effect; n, squares: number of the person's innovations, and their sum of squares; mean: what effects are expected to be.
inline void draw_log_variance(const Spec &m, State &s, int i, int j, double n, double squares, const double *mean, Random &random) {
    const int q = m.effects();
    double *b = row(s.b, i, q);
    const double *precision = row(s.precision, j, q);
    double k = precision[j], h = k * mean[j];
    for (int l = 0; l < q && m.correlated == 1; ++l)
        if (l != j) h -= precision[l] * (b[l] - mean[l]);
    add_outcomes(m, s, i, j, j + 1, &k, &h);
    const auto density = [&](double x) { return -0.5 * n * x - 0.5 * squares * std::exp(-x) - 0.5 * k * x * x + h * x; };
    // Newton's steps, bounded, from where the mode would be if what the squares say were normal; no mode lies below that
    // for squares of zero.
    double mode = (h - 0.5 * n) / k;
    if (squares > 0.0 && n > 0.0) mode = std::max(mode, (h + 0.5 * n * std::log(squares / n)) / (k + 0.5 * n));
    double e = 0.0;
    for (int step = 0; step < 50; ++step) {
        e = 0.5 * squares * std::exp(-mode);
        const double inverse = 1.0 / (e + k), slope = -0.5 * n + e - k * mode + h;
        double change = slope * inverse;
        if (std::abs(change) < 0.5) change += 0.5 * change * change * e * inverse; // the third order
        mode += std::clamp(change, -1.0, 1.0);
        if (std::abs(change) < 1e-5) {
            e *= 1.0 - change + 0.5 * change * change; // at the mode; what is left out is of the order of change cubed
            break;
        }
    }
    const double spread = 1.0 / std::sqrt(e + k);
    const double then = random.normal() / std::sqrt(random.gamma(4.0) / 4.0), now = (b[j] - mode) / spread, proposal = mode + spread * then;
    const double proposed = 4.5 * std::log((8.0 + then * then) / (8.0 + now * now));
    if (std::log(random.uniform()) < density(proposal) - density(b[j]) + proposed) b[j] = proposal;
}

template <class Shape> void draw_innovations(const Shape &n, const Spec &m, State &s, const Dynamics &dynamics, const Sums &sums, Random &random) {
    const auto K = n.K, H = n.sources();
    const int first = m.levels() + m.slopes(), q = m.effects();
    const bool vary = m.variances() > 0;
    Work half(K * H), squares(K * K), total(K * K);
    Vec mean(static_cast<std::size_t>(q));
    double count = 0.0;
    for (int i = 0; i < m.N; ++i) {
        const double *rows = dynamics.rows(i), *C = sums.products(i), sessions = sums.sessions(i);
        for (int k = 0; k < K; ++k)
            for (int c = 0; c < H; ++c) {
                double x = 0.0;
                for (int a = 0; a < H; ++a) x += rows[k * H + a] * C[a * H + c];
                half[k * H + c] = x;
            }
        for (int k = 0; k < K; ++k)
            for (int j = 0; j <= k; ++j) {
                double x = 0.0;
                for (int c = 0; c < H; ++c) x += half[k * H + c] * rows[j * H + c];
                squares[k * K + j] = x;
                total[k * K + j] += x;
            }
        count += sessions;
        if (!vary) continue;
        expect(m, s, i, q, mean.data());
        for (int k = 0; k < K; ++k) {
            const int place = m.log_variance[static_cast<std::size_t>(k)];
            if (place >= 0) draw_log_variance(m, s, i, first + place, sessions, squares[k * K + k], mean.data(), random);
        }
    }
    if (m.full_sigma) {
        Vec scale = m.sigma.scale;
        for (int k = 0; k < K; ++k)
            for (int j = 0; j < K; ++j) scale[static_cast<std::size_t>(k * K + j)] += j <= k ? total[k * K + j] : total[j * K + k];
        s.sigma = draw_inverse_wishart(scale, m.sigma.degrees + count, K, random);
        return;
    }
    for (int k = 0; k < K; ++k)
        if (m.log_variance[static_cast<std::size_t>(k)] < 0)
            at(s.sigma, k, k, K) = random.inverse_gamma(0.5 * (m.sigma.degrees + count), 0.5 * (at(m.sigma.scale, k, k, K) + total[k * K + k]));
}

// The covariance of the first P sessions.
template <class Shape> void draw_first(const Shape &n, const Spec &m, State &s, const Sums &sums, Random &random) {
    const auto K = n.K, E = n.E, M = n.states();
    const int q = m.effects();
    Work v(M), total(M * M);
    for (int i = 0; i < m.N; ++i) {
        const double *b = row(s.b, i, q);
        for (int j = 0; j < M; ++j) {
            const auto r = static_cast<std::size_t>(m.start[static_cast<std::size_t>(i)] + n.P - 1 - j / K);
            const double *course = row(m.course_rows, m.session[r], E);
            double x = sums.residual(r)[j % K];
            for (int e = 0; e < E; ++e) x -= course[e] * b[j % K * E + e];
            v[j] = x;
        }
        for (int j = 0; j < M; ++j)
            for (int c = 0; c <= j; ++c) total[j * M + c] += v[j] * v[c];
    }
    Vec scale = m.first.scale;
    for (int j = 0; j < M; ++j)
        for (int c = 0; c < M; ++c) scale[static_cast<std::size_t>(j * M + c)] += j >= c ? total[j * M + c] : total[c * M + j];
    s.first = draw_inverse_wishart(scale, m.first.degrees + m.N, M, random);
}

} // namespace sessionwise::dsem
