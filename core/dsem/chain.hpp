// One chain of the dynamic structural equation model. A sweep draws, each given the rest: true scores; the common course;
// levels with their regressions; coefficients with theirs; innovations; the first sessions; covariances of random effects;
// clusters; the common factor; person-level outcomes; the error's factor.
#pragma once

#include "block.hpp"

#include <limits>

namespace sessionwise::dsem {

class Chain {
  public:
    Chain(Spec spec, State state, std::uint64_t seed, std::uint64_t number)
        : m(std::move(spec)), s(std::move(state)), random(seed, number), H(m.sources()), q(m.effects()), nl(m.levels()), nd(m.slopes()),
          levels_(m, 0, nl, 0), slopes_(m, nl, nl + nd, m.commons()), sums_(static_cast<std::size_t>(m.N)), latent_(static_cast<std::size_t>(m.N)) {
        int longest = m.P;
        for (int i = 0; i < m.N; ++i) {
            longest = std::max(longest, rows(i));
            bool latent = !m.error.empty();
            for (std::int64_t r = m.start[static_cast<std::size_t>(i)] * m.K; r < m.start[static_cast<std::size_t>(i) + 1] * m.K; ++r) {
                const double v = m.y[static_cast<std::size_t>(r)];
                if (!(v == v)) latent = true;
                else s.z[static_cast<std::size_t>(r)] = latent && !m.error.empty() ? s.z[static_cast<std::size_t>(r)] : v;
            }
            latent_[static_cast<std::size_t>(i)] = latent;
            any_latent_ |= latent;
        }
        filtered_.reserve(longest, m.states());
        value_.resize(static_cast<std::size_t>(longest * m.K));
        input_.resize(value_.size());
        deviation_.resize(value_.size());
        sampler_ = state_sampler(m.K, m.P);
        shift_to_first();
        for (int i = 0; i < m.N; ++i) sums_[static_cast<std::size_t>(i)] = sums(i);
    }

    void sweep() {
        if (any_latent_) draw_states();
        if (m.B > 0) draw_course();
        if (any_latent_ || m.B > 0)
            for (int i = 0; i < m.N; ++i) sums_[static_cast<std::size_t>(i)] = sums(i);
        refresh_innovations();
        levels_.update(s, random, [this](int i, Information &info) { inform_levels(i, info); });
        levels_.interweave(s, random);
        cross_products();
        refresh_innovations();
        slopes_.update(s, random, [this](int i, Information &info) { inform_slopes(i, info); });
        slopes_.interweave(s, random);
        draw_innovations();
        if (m.own_first) draw_first();
        if (m.factor) draw_factor();
        draw_gamma();
        draw_omega();
        if (m.J > 0) draw_clusters();
        if (m.O > 0) draw_outcomes();
        if (!m.error.empty()) draw_error();
    }

    int size() const { return static_cast<int>(packed().size()); }

    // What is kept of a sweep, in the order that sessionwise.gibbs names.
    Vec packed() const {
        Vec out(s.theta);
        for (int j = 0; j < q * m.W; ++j)
            if (m.gamma_free[static_cast<std::size_t>(j)]) out.push_back(s.gamma[static_cast<std::size_t>(j)]);
        for (int i = 0; i < m.K; ++i)
            for (int j = m.full_sigma ? 0 : i; j <= i; ++j)
                if (m.log_variance[static_cast<std::size_t>(i)] < 0) out.push_back(at(s.sigma, i, j, m.K));
        for (int i = 0; i < q; ++i)
            for (int j = m.group_start(i); j <= i; ++j) out.push_back(at(s.omega, i, j, q));
        if (m.own_first) triangle(out, s.first, m.states());
        out.insert(out.end(), s.delta.begin(), s.delta.end());
        for (int k = 0; k < m.K; ++k)
            if (!m.error.empty()) out.push_back(s.kappa[static_cast<std::size_t>(k)]);
        if (m.J > 0) triangle(out, s.tau_cov, nl);
        for (int o = 0; o < m.O; ++o) {
            for (int j = 0; j < m.W; ++j)
                if (m.outcome_on_w[static_cast<std::size_t>(o * m.W + j)]) out.push_back(at(s.outcome, o, j, m.W + q));
            for (int j = 0; j < q; ++j)
                if (m.outcome_on_b[static_cast<std::size_t>(o * q + j)]) out.push_back(at(s.outcome, o, m.W + j, m.W + q));
            out.push_back(s.outcome_var[static_cast<std::size_t>(o)]);
        }
        if (m.factor) {
            out.insert(out.end(), s.loading.begin() + 1, s.loading.end());
            out.push_back(s.psi);
        }
        for (int j = 0; j < q; ++j) { // means over the persons who are there
            double x = 0.0;
            for (int i = 0; i < m.N; ++i) x += at(s.b, i, j, q);
            out.push_back(x / m.N);
        }
        return out;
    }

    const State &state() const { return s; }
    int effects() const { return q; }
    int persons() const { return m.N; }
    std::int64_t grid() const { return m.start.back(); }
    int variables() const { return m.K; }

  private:
    static void triangle(Vec &out, const Vec &a, int n) {
        for (int i = 0; i < n; ++i)
            for (int j = 0; j <= i; ++j) out.push_back(at(a, i, j, n));
    }

    int rows(int i) const { return static_cast<int>(m.start[static_cast<std::size_t>(i) + 1] - m.start[static_cast<std::size_t>(i)]); }
    std::size_t first_row(int i) const { return static_cast<std::size_t>(m.start[static_cast<std::size_t>(i)]); }
    const double *slopes(int i) const { return row(s.b, i, q) + nl; }
    const double *course(int session) const { return row(m.course_rows, session, m.E); }

    double common_course(int session, int k) const {
        double x = 0.0;
        for (int c = 0; c < m.B; ++c) x += at(m.basis, session, c, m.B) * at(s.delta, c, k, m.K);
        return x;
    }
    double own_course(int i, int session, int k) const {
        double x = 0.0;
        for (int e = 0; e < m.E; ++e) x += course(session)[e] * at(s.b, i, k * m.E + e, q);
        return x;
    }

    // The inverse covariance of a person's innovations; the same for all where none is random.
    Vec innovations(int i) const {
        Vec inverse = sigma_inverse_;
        for (int k = 0; k < m.K; ++k)
            if (m.log_variance[static_cast<std::size_t>(k)] >= 0)
                at(inverse, k, k, m.K) = std::exp(-at(s.b, i, nl + nd + m.log_variance[static_cast<std::size_t>(k)], q));
        return inverse;
    }
    void refresh_innovations() {
        Vec sigma = s.sigma;
        sigma_inverse_ = inverse(sigma, m.K);
        first_inverse_ = inverse(s.first, m.states());
    }

    void draw_states() {
        refresh_innovations();
        const int K = m.K, M = m.states();
        Vec f(static_cast<std::size_t>(K * M)), noise(static_cast<std::size_t>(K * K)), a0(noise), half(noise);
        Vec courses(static_cast<std::size_t>(m.S * K), 0.0);
        for (int t = 0; t < m.S && m.B > 0; ++t)
            for (int k = 0; k < K; ++k) at(courses, t, k, K) = common_course(t, k);
        Vec level(value_.size());
        for (int i = 0; i < m.N; ++i) {
            if (!latent_[static_cast<std::size_t>(i)]) continue;
            const Dynamics d = dynamics(m, s.theta, slopes(i));
            const Vec precision = innovations(i);
            // (I - A0) z_t = Phi s + Gamma x + e: solve with the lag-0 paths
            const double *T0 = d.t.data();
            Vec inverse0 = inverse_general(T0, K);
            for (int r = 0; r < K; ++r)
                for (int c = 0; c < M; ++c) {
                    double x = 0.0;
                    for (int k = 0; k < K; ++k) x -= at(inverse0, r, k, K) * d.t[static_cast<std::size_t>(((c / K + 1) * K + k) * K + c % K)];
                    at(f, r, c, M) = x;
                }
            const Vec covariance = inverse(precision, K);
            for (int r = 0; r < K; ++r)
                for (int c = 0; c < K; ++c) {
                    double x = 0.0;
                    for (int k = 0; k < K; ++k) x += at(inverse0, r, k, K) * at(covariance, k, c, K);
                    at(half, r, c, K) = x;
                }
            for (int r = 0; r < K; ++r)
                for (int c = 0; c < K; ++c) {
                    double x = 0.0;
                    for (int k = 0; k < K; ++k) x += at(half, r, k, K) * at(inverse0, c, k, K);
                    at(noise, r, c, K) = x;
                }
            const int T = rows(i);
            const std::size_t r0 = first_row(i);
            const double *b = row(s.b, i, q);
            for (int t = 0; t < T; ++t) {
                const int session = m.session[r0 + static_cast<std::size_t>(t)];
                const double *e = course(session);
                for (int k = 0; k < K; ++k) {
                    double x = at(courses, session, k, K);
                    for (int c = 0; c < m.E; ++c) x += e[c] * b[k * m.E + c];
                    level[static_cast<std::size_t>(t * K + k)] = x;
                    value_[static_cast<std::size_t>(t * K + k)] = m.y[(r0 + static_cast<std::size_t>(t)) * static_cast<std::size_t>(K) + static_cast<std::size_t>(k)] - x;
                }
                if (m.X > 0)
                    for (int k = 0; k < K; ++k) {
                        double x = 0.0;
                        for (int l = 0; l < K; ++l)
                            for (int c = 0; c < m.X; ++c)
                                x += at(inverse0, k, l, K) * at(d.x, l, c, m.X) * m.x[(r0 + static_cast<std::size_t>(t)) * static_cast<std::size_t>(m.X) + static_cast<std::size_t>(c)];
                        input_[static_cast<std::size_t>(t * K + k)] = x;
                    }
            }
            sampler_(T, value_.data(), m.error.empty() ? nullptr : m.error.data() + r0 * static_cast<std::size_t>(K), s.kappa.data(), m.X > 0 ? input_.data() : nullptr,
                     f.data(), noise.data(), s.first.data(), filtered_, deviation_.data(), random);
            double *z = s.z.data() + r0 * static_cast<std::size_t>(K);
            for (int j = 0; j < T * K; ++j) z[j] = deviation_[static_cast<std::size_t>(j)] + level[static_cast<std::size_t>(j)];
        }
    }

    static Vec inverse_general(const double *a, int n) { // Gauss-Jordan; I - A0 of an acyclic A0 always has an inverse
        Vec w(a, a + n * n), out(static_cast<std::size_t>(n * n), 0.0);
        for (int i = 0; i < n; ++i) at(out, i, i, n) = 1.0;
        for (int c = 0; c < n; ++c) {
            int best = c;
            for (int i = c + 1; i < n; ++i)
                if (std::abs(at(w, i, c, n)) > std::abs(at(w, best, c, n))) best = i;
            if (at(w, best, c, n) == 0.0) throw Failure("the paths within a session have no solution");
            for (int k = 0; k < n; ++k) {
                std::swap(at(w, c, k, n), at(w, best, k, n));
                std::swap(at(out, c, k, n), at(out, best, k, n));
            }
            const double pivot = 1.0 / at(w, c, c, n);
            for (int k = 0; k < n; ++k) {
                at(w, c, k, n) *= pivot;
                at(out, c, k, n) *= pivot;
            }
            for (int i = 0; i < n; ++i) {
                const double x = at(w, i, c, n);
                if (i == c || x == 0.0) continue;
                for (int k = 0; k < n; ++k) {
                    at(w, i, k, n) -= x * at(w, c, k, n);
                    at(out, i, k, n) -= x * at(out, c, k, n);
                }
            }
        }
        return out;
    }

    // The common course, given true scores and each person's own: a chain of session numbers, joined by the lags.
    void draw_course() {
        refresh_innovations();
        const int K = m.K, n = m.S * K, M = m.states();
        Vec P(static_cast<std::size_t>(n) * static_cast<std::size_t>(n), 0.0), g(static_cast<std::size_t>(n), 0.0);
        Vec weighted(static_cast<std::size_t>((m.P + 1) * K * K)), pairs(static_cast<std::size_t>((m.P + 1) * (m.P + 1) * K * K)), a(static_cast<std::size_t>(K)), r(static_cast<std::size_t>(M)), ri(r);
        for (int i = 0; i < m.N; ++i) {
            const Dynamics d = dynamics(m, s.theta, slopes(i));
            const Vec precision = innovations(i);
            const int T = rows(i);
            const std::size_t r0 = first_row(i);
            for (int l = 0; l <= m.P; ++l) // weighted[l] = T_l' Sigma^-1
                for (int k = 0; k < K; ++k)
                    for (int c = 0; c < K; ++c) {
                        double x = 0.0;
                        for (int e = 0; e < K; ++e) x += d.t[static_cast<std::size_t>((l * K + e) * K + k)] * at(precision, e, c, K);
                        weighted[static_cast<std::size_t>((l * K + k) * K + c)] = x;
                    }
            for (int l = 0; l <= m.P; ++l)
                for (int l2 = 0; l2 <= m.P; ++l2)
                    for (int k = 0; k < K; ++k)
                        for (int c = 0; c < K; ++c) {
                            double x = 0.0;
                            for (int e = 0; e < K; ++e) x += weighted[static_cast<std::size_t>((l * K + k) * K + e)] * d.t[static_cast<std::size_t>((l2 * K + e) * K + c)];
                            pairs[static_cast<std::size_t>((((l * (m.P + 1)) + l2) * K + k) * K + c)] = x;
                        }
            double *v = value_.data(); // true score - own course
            for (int t = 0; t < T; ++t)
                for (int k = 0; k < K; ++k)
                    v[t * K + k] = s.z[(r0 + static_cast<std::size_t>(t)) * static_cast<std::size_t>(K) + static_cast<std::size_t>(k)] - own_course(i, m.session[r0 + static_cast<std::size_t>(t)], k);
            // the first sessions
            for (int j = 0; j < M; ++j) r[static_cast<std::size_t>(j)] = v[(m.P - 1 - j / K) * K + j % K];
            for (int j = 0; j < M; ++j) {
                const int sj = m.session[r0 + static_cast<std::size_t>(m.P - 1 - j / K)] * K + j % K;
                for (int c = 0; c < M; ++c) {
                    const int sc = m.session[r0 + static_cast<std::size_t>(m.P - 1 - c / K)] * K + c % K;
                    at(P, sj, sc, n) += at(first_inverse_, j, c, M);
                    g[static_cast<std::size_t>(sj)] += at(first_inverse_, j, c, M) * r[static_cast<std::size_t>(c)];
                }
            }
            for (int t = m.P; t < T; ++t) {
                for (int k = 0; k < K; ++k) {
                    double x = 0.0;
                    for (int l = 0; l <= m.P; ++l)
                        for (int c = 0; c < K; ++c) x += d.t[static_cast<std::size_t>((l * K + k) * K + c)] * v[(t - l) * K + c];
                    for (int c = 0; c < m.X; ++c) x -= at(d.x, k, c, m.X) * m.x[(r0 + static_cast<std::size_t>(t)) * static_cast<std::size_t>(m.X) + static_cast<std::size_t>(c)];
                    a[static_cast<std::size_t>(k)] = x;
                }
                for (int l = 0; l <= m.P; ++l) {
                    const int sl = m.session[r0 + static_cast<std::size_t>(t - l)] * K;
                    for (int k = 0; k < K; ++k) {
                        for (int c = 0; c < K; ++c) g[static_cast<std::size_t>(sl + k)] += weighted[static_cast<std::size_t>((l * K + k) * K + c)] * a[static_cast<std::size_t>(c)];
                        for (int l2 = 0; l2 <= m.P; ++l2) {
                            const int sc = m.session[r0 + static_cast<std::size_t>(t - l2)] * K;
                            for (int c = 0; c < K; ++c) at(P, sl + k, sc + c, n) += pairs[static_cast<std::size_t>((((l * (m.P + 1)) + l2) * K + k) * K + c)];
                        }
                    }
                }
            }
        }
        // from session numbers to the columns of the course
        const int nb = m.B * K;
        Vec half(static_cast<std::size_t>(n) * static_cast<std::size_t>(nb), 0.0), Q(static_cast<std::size_t>(nb * nb), 0.0), h(static_cast<std::size_t>(nb), 0.0);
        const int band = (m.P + 1) * K;
        for (int r1 = 0; r1 < n; ++r1)
            for (int c = std::max(0, r1 - band); c < std::min(n, r1 + band); ++c) {
                const double x = at(P, r1, c, n);
                if (x == 0.0) continue;
                for (int b = 0; b < m.B; ++b) at(half, r1, b * K + c % K, nb) += x * at(m.basis, c / K, b, m.B);
            }
        for (int r1 = 0; r1 < n; ++r1)
            for (int b = 0; b < m.B; ++b) {
                const double x = at(m.basis, r1 / K, b, m.B);
                if (x == 0.0) continue;
                const int to = b * K + r1 % K;
                h[static_cast<std::size_t>(to)] += x * g[static_cast<std::size_t>(r1)];
                for (int c = 0; c < nb; ++c) at(Q, to, c, nb) += x * at(half, r1, c, nb);
            }
        for (int b = 0; b < nb; ++b) at(Q, b, b, nb) += 1e-8; // sessions that nobody reached
        draw_gaussian(Q.data(), h.data(), nb, random);
        s.delta = h;
    }

    Sums sums(int i) const {
        const int K = m.K, G = m.E + H, T = rows(i);
        Sums out{static_cast<double>(T - m.P), Vec(static_cast<std::size_t>(G * G), 0.0)};
        Vec g(static_cast<std::size_t>(G));
        const std::size_t r0 = first_row(i);
        for (int t = m.P; t < T; ++t) {
            const double *e = course(m.session[r0 + static_cast<std::size_t>(t)]);
            std::copy(e, e + m.E, g.begin());
            for (int l = 0; l <= m.P; ++l)
                for (int k = 0; k < K; ++k)
                    g[static_cast<std::size_t>(m.E + l * K + k)] = residual(r0 + static_cast<std::size_t>(t - l), k);
            for (int c = 0; c < m.X; ++c) g[static_cast<std::size_t>(m.E + (m.P + 1) * K + c)] = m.x[(r0 + static_cast<std::size_t>(t)) * static_cast<std::size_t>(m.X) + static_cast<std::size_t>(c)];
            for (int a = 0; a < G; ++a) {
                const double x = g[static_cast<std::size_t>(a)];
                double *line = row(out.g, a, G);
                for (int b = 0; b <= a; ++b) line[b] += x * g[static_cast<std::size_t>(b)];
            }
        }
        for (int a = 0; a < G; ++a)
            for (int b = 0; b < a; ++b) at(out.g, b, a, G) = at(out.g, a, b, G);
        return out;
    }
    double residual(std::size_t r, int k) const {
        const double z = s.z[r * static_cast<std::size_t>(m.K) + static_cast<std::size_t>(k)];
        return m.B > 0 ? z - common_course(m.session[r], k) : z;
    }

    void shift_to_first() { // D_0 = I before D_1..D_P
        shift_.assign(static_cast<std::size_t>((m.P + 1) * m.E * m.E), 0.0);
        for (int e = 0; e < m.E; ++e) shift_[static_cast<std::size_t>(e * m.E + e)] = 1.0;
        std::copy(m.shift.begin(), m.shift.end(), shift_.begin() + m.E * m.E);
    }

    // What a person's sessions say of the levels, given the dynamics: residual_t = a_t - sum_k E_t C_k lambda, C from T and D.
    void inform_levels(int i, Information &info) {
        const int K = m.K, E = m.E, M = m.states();
        const Dynamics d = dynamics(m, s.theta, slopes(i));
        const Vec precision = innovations(i);
        const Sums &sum = sums_[static_cast<std::size_t>(i)];
        const int G = E + H;
        // C[k][j] (E x E): how lambda_j enters equation k through E_t
        Vec C(static_cast<std::size_t>(K * K * E * E), 0.0);
        for (int k = 0; k < K; ++k)
            for (int j = 0; j < K; ++j)
                for (int l = 0; l <= m.P; ++l) {
                    const double x = d.t[static_cast<std::size_t>((l * K + k) * K + j)];
                    if (x == 0.0) continue;
                    for (int e = 0; e < E * E; ++e) C[static_cast<std::size_t>((k * K + j) * E * E + e)] += x * shift_[static_cast<std::size_t>(l * E * E + e)];
                }
        // sums of E_t a_t,k with a = sum_l T_l r_{t-l} - Gamma x
        Vec ea(static_cast<std::size_t>(K * E), 0.0);
        for (int k = 0; k < K; ++k)
            for (int e = 0; e < E; ++e) {
                double x = 0.0;
                for (int l = 0; l <= m.P; ++l)
                    for (int j = 0; j < K; ++j) x += d.t[static_cast<std::size_t>((l * K + k) * K + j)] * at(sum.g, e, E + l * K + j, G);
                for (int c = 0; c < m.X; ++c) x -= at(d.x, k, c, m.X) * at(sum.g, e, E + (m.P + 1) * K + c, G);
                ea[static_cast<std::size_t>(k * E + e)] = x;
            }
        for (int k = 0; k < K; ++k)
            for (int k2 = 0; k2 < K; ++k2) {
                const double x = at(precision, k, k2, K);
                if (x == 0.0) continue;
                for (int j = 0; j < K; ++j)
                    for (int e = 0; e < E; ++e) {
                        double h = 0.0;
                        for (int c = 0; c < E; ++c) h += C[static_cast<std::size_t>(((k * K + j) * E + c) * E + e)] * ea[static_cast<std::size_t>(k2 * E + c)];
                        info.h[static_cast<std::size_t>(j * E + e)] += x * h;
                        for (int j2 = 0; j2 < K; ++j2)
                            for (int e2 = 0; e2 < E; ++e2) {
                                double p = 0.0;
                                for (int c = 0; c < E; ++c)
                                    for (int c2 = 0; c2 < E; ++c2)
                                        p += C[static_cast<std::size_t>(((k * K + j) * E + c) * E + e)] * at(sum.g, c, c2, G) * C[static_cast<std::size_t>(((k2 * K + j2) * E + c2) * E + e2)];
                                at(info.K, j * E + e, j2 * E + e2, nl) += x * p;
                            }
                    }
            }
        // the first P sessions
        const std::size_t r0 = first_row(i);
        for (int a = 0; a < M; ++a) {
            const std::size_t ra = r0 + static_cast<std::size_t>(m.P - 1 - a / K);
            const double *ea1 = course(m.session[ra]);
            for (int c = 0; c < M; ++c) {
                const double x = at(first_inverse_, a, c, M);
                const std::size_t rc = r0 + static_cast<std::size_t>(m.P - 1 - c / K);
                const double *ec = course(m.session[rc]);
                const double r = residual(rc, c % K);
                for (int e = 0; e < E; ++e) {
                    info.h[static_cast<std::size_t>((a % K) * E + e)] += x * ea1[e] * r;
                    for (int e2 = 0; e2 < E; ++e2) at(info.K, (a % K) * E + e, (c % K) * E + e2, nl) += x * ea1[e] * ec[e2];
                }
            }
        }
    }

    // Cross-products of deviations, given the levels: (N x H x H)
    void cross_products() {
        const int K = m.K, E = m.E, G = E + H, lags = K * (m.P + 1);
        products_.resize(static_cast<std::size_t>(m.N) * static_cast<std::size_t>(H * H));
        Vec own(static_cast<std::size_t>(E * H), 0.0), eh(own), half(own);
        for (int i = 0; i < m.N; ++i) {
            const Vec &g = sums_[static_cast<std::size_t>(i)].g;
            const double *b = row(s.b, i, q);
            for (int l = 0; l <= m.P; ++l)
                for (int j = 0; j < K; ++j)
                    for (int e = 0; e < E; ++e) {
                        double x = 0.0;
                        for (int c = 0; c < E; ++c) x += shift_[static_cast<std::size_t>((l * E + e) * E + c)] * b[j * E + c];
                        at(own, e, l * K + j, H) = x;
                    }
            // C = (r - E own)'(r - E own) = rr - own' Er - (Er)' own + own' EE own; half = Er - EE own / 2
            for (int e = 0; e < E; ++e)
                for (int c = 0; c < H; ++c) {
                    double x = at(g, e, E + c, G);
                    for (int f = 0; f < E && c < lags; ++f) x -= 0.5 * at(g, e, f, G) * at(own, f, c, H);
                    at(half, e, c, H) = x;
                }
            double *out = products_.data() + static_cast<std::size_t>(i) * static_cast<std::size_t>(H * H);
            for (int a = 0; a < H; ++a)
                for (int c = 0; c <= a; ++c) {
                    double x = at(g, E + a, E + c, G);
                    for (int e = 0; e < E; ++e) x -= at(own, e, a, H) * at(half, e, c, H) + at(half, e, a, H) * at(own, e, c, H);
                    out[a * H + c] = out[c * H + a] = x;
                }
        }
    }
    const double *products(int i) const { return products_.data() + static_cast<std::size_t>(i) * static_cast<std::size_t>(H * H); }

    void inform_slopes(int i, Information &info) {
        const Vec precision = innovations(i);
        const double *C = products(i);
        const int p = m.commons();
        for (const Term &t : m.terms) {
            double h = 0.0;
            for (int k = 0; k < m.K; ++k) h += at(precision, t.equation, k, m.K) * C[t.source * H + k];
            (t.random >= 0 ? info.h[static_cast<std::size_t>(t.random)] : info.a[static_cast<std::size_t>(t.common)]) += h;
            for (const Term &u : m.terms) {
                const double x = at(precision, t.equation, u.equation, m.K) * C[t.source * H + u.source];
                if (t.random >= 0 && u.random >= 0) at(info.K, t.random, u.random, nd) += x;
                else if (t.common >= 0 && u.common >= 0) at(info.A, t.common, u.common, p) += x;
                else if (t.common >= 0) at(info.B, t.common, u.random, nd) += x;
            }
        }
    }

    // Sums of squares and products of a person's innovations (K x K).
    Vec innovation_products(int i) const {
        const Dynamics d = dynamics(m, s.theta, slopes(i));
        const double *C = products(i);
        Vec t(static_cast<std::size_t>(m.K * H), 0.0), half(t), out(static_cast<std::size_t>(m.K * m.K));
        for (int l = 0; l <= m.P; ++l)
            for (int k = 0; k < m.K; ++k)
                for (int j = 0; j < m.K; ++j) at(t, k, l * m.K + j, H) = d.t[static_cast<std::size_t>((l * m.K + k) * m.K + j)];
        for (int k = 0; k < m.K; ++k)
            for (int c = 0; c < m.X; ++c) at(t, k, (m.P + 1) * m.K + c, H) = -at(d.x, k, c, m.X);
        for (int k = 0; k < m.K; ++k)
            for (int c = 0; c < H; ++c) {
                double x = 0.0;
                for (int a = 0; a < H; ++a) x += at(t, k, a, H) * C[a * H + c];
                at(half, k, c, H) = x;
            }
        for (int k = 0; k < m.K; ++k)
            for (int j = 0; j < m.K; ++j) {
                double x = 0.0;
                for (int c = 0; c < H; ++c) x += at(half, k, c, H) * at(t, j, c, H);
                at(out, k, j, m.K) = x;
            }
        return out;
    }

    void draw_innovations() {
        const int K = m.K;
        Vec total(static_cast<std::size_t>(K * K), 0.0);
        double n = 0.0;
        for (int i = 0; i < m.N; ++i) {
            const Vec e = innovation_products(i);
            const double sessions = sums_[static_cast<std::size_t>(i)].n;
            n += sessions;
            for (int j = 0; j < K * K; ++j) total[static_cast<std::size_t>(j)] += e[static_cast<std::size_t>(j)];
            for (int k = 0; k < K; ++k)
                if (m.log_variance[static_cast<std::size_t>(k)] >= 0) draw_log_variance(i, nl + nd + m.log_variance[static_cast<std::size_t>(k)], sessions, at(e, k, k, K));
        }
        if (m.full_sigma) {
            for (int j = 0; j < K * K; ++j) total[static_cast<std::size_t>(j)] += m.sigma.scale[static_cast<std::size_t>(j)];
            s.sigma = draw_inverse_wishart(total, m.sigma.degrees + n, K, random);
            return;
        }
        for (int k = 0; k < K; ++k)
            if (m.log_variance[static_cast<std::size_t>(k)] < 0)
                at(s.sigma, k, k, K) = random.inverse_gamma(0.5 * (m.sigma.degrees + n), 0.5 * (at(m.sigma.scale, k, k, K) + at(total, k, k, K)));
    }

    // A log-concave density with an exponential tail: a proposal at its mode with its curvature, t with 8 degrees (normal
    // tails are lighter than its own, and a chain that begins far out would stay there).
    void draw_log_variance(int i, int j, double n, double squares) {
        double *b = row(s.b, i, q);
        double k = at(s.precision, j, j, q), h = k * expected(m, s, i, j);
        for (int l = 0; l < q && m.correlated == 1; ++l)
            if (l != j) h -= at(s.precision, j, l, q) * (b[l] - expected(m, s, i, l));
        add_outcomes(m, s, i, j, j + 1, &k, &h);
        const auto density = [&](double x) { return -0.5 * n * x - 0.5 * squares * std::exp(-x) - 0.5 * k * x * x + h * x; };
        double mode = h / k; // from above where squares are few, Newton's steps are bounded
        for (int step = 0; step < 50; ++step) {
            const double e = 0.5 * squares * std::exp(-mode), slope = -0.5 * n + e - k * mode + h, change = slope / (e + k);
            mode += std::clamp(change, -1.0, 1.0);
            if (std::abs(change) < 1e-9) break;
        }
        const double spread = 1.0 / std::sqrt(0.5 * squares * std::exp(-mode) + k);
        const double then = random.normal() / std::sqrt(random.gamma(4.0) / 4.0), now = (b[j] - mode) / spread, proposal = mode + spread * then;
        const double proposed = 4.5 * (std::log1p(then * then / 8.0) - std::log1p(now * now / 8.0));
        if (std::log(random.uniform()) < density(proposal) - density(b[j]) + proposed) b[j] = proposal;
    }

    void draw_first() {
        const int M = m.states(), K = m.K;
        Vec scale = m.first.scale, v(static_cast<std::size_t>(M));
        for (int i = 0; i < m.N; ++i) {
            const std::size_t r0 = first_row(i);
            for (int j = 0; j < M; ++j) {
                const std::size_t r = r0 + static_cast<std::size_t>(m.P - 1 - j / K);
                v[static_cast<std::size_t>(j)] = residual(r, j % K) - own_course(i, m.session[r], j % K);
            }
            for (int j = 0; j < M; ++j)
                for (int c = 0; c < M; ++c) at(scale, j, c, M) += v[static_cast<std::size_t>(j)] * v[static_cast<std::size_t>(c)];
        }
        s.first = draw_inverse_wishart(scale, m.first.degrees + m.N, M, random);
    }

    // Regressions of the effects on person-level predictors, given the effects.
    void draw_gamma() {
        std::vector<std::pair<int, int>> free;
        for (int j = 0; j < q; ++j)
            for (int w = 0; w < m.W; ++w)
                if (m.gamma_free[static_cast<std::size_t>(j * m.W + w)]) free.push_back({j, w});
        const int d = static_cast<int>(free.size());
        if (d == 0) return;
        Vec ww(static_cast<std::size_t>(m.W * m.W), 0.0), wb(static_cast<std::size_t>(m.W * q), 0.0);
        for (int i = 0; i < m.N; ++i)
            for (int w = 0; w < m.W; ++w) {
                const double x = at(m.w, i, w, m.W);
                for (int v = 0; v < m.W; ++v) at(ww, w, v, m.W) += x * at(m.w, i, v, m.W);
                for (int j = 0; j < q; ++j) at(wb, w, j, q) += x * (at(s.b, i, j, q) - base(m, s, i, j));
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

    // A group [low, high) of a covariance matrix (n x n) given deviations' sums of products.
    void draw_covariance(const VariancePrior &prior, const Vec &squares, double count, int low, int high, int n, Vec &aux, Vec &cov) {
        const int size = high - low;
        Vec scale(static_cast<std::size_t>(size * size));
        for (int i = 0; i < size; ++i)
            for (int j = 0; j < size; ++j) {
                at(scale, i, j, size) = at(squares, low + i, low + j, n);
                if (!prior.half_t) at(scale, i, j, size) += at(prior.scale, low + i, low + j, n);
                else if (i == j) at(scale, i, j, size) += 2.0 * prior.degrees / aux[static_cast<std::size_t>(low + j)]; // Huang & Wand (2013)
            }
        const double degrees = prior.half_t ? prior.degrees + size - 1 : prior.degrees;
        const Vec drawn = draw_inverse_wishart(scale, degrees + count, size, random), own = inverse(drawn, size);
        Vec precision(cov.size(), 0.0);
        for (int i = 0; i < size; ++i)
            for (int j = 0; j < size; ++j) {
                at(cov, low + i, low + j, n) = at(drawn, i, j, size);
                at(precision, low + i, low + j, n) = at(own, i, j, size);
            }
        draw_auxiliary(prior, precision, low, high, n, aux, random);
    }

    void draw_omega() {
        Vec squares(static_cast<std::size_t>(q * q), 0.0), d(static_cast<std::size_t>(q));
        for (int i = 0; i < m.N; ++i) {
            for (int j = 0; j < q; ++j) d[static_cast<std::size_t>(j)] = at(s.b, i, j, q) - expected(m, s, i, j);
            for (int j = 0; j < q; ++j)
                for (int l = 0; l < q; ++l) at(squares, j, l, q) += d[static_cast<std::size_t>(j)] * d[static_cast<std::size_t>(l)];
        }
        for (int j = 0; j < q; j = m.group_end(j)) draw_covariance(m.omega, squares, m.N, j, m.group_end(j), q, s.omega_aux, s.omega);
        s.precision = inverse(s.omega, q);
    }

    void draw_clusters() {
        Vec block(static_cast<std::size_t>(nl * nl)), d(static_cast<std::size_t>(q));
        Vec tau_inverse = inverse(s.tau_cov, nl);
        Vec P(static_cast<std::size_t>(m.J) * static_cast<std::size_t>(nl * nl), 0.0), g(static_cast<std::size_t>(m.J * nl), 0.0);
        for (int i = 0; i < m.N; ++i) {
            const int c = m.cluster[static_cast<std::size_t>(i)];
            for (int j = 0; j < q; ++j) {
                d[static_cast<std::size_t>(j)] = at(s.b, i, j, q) - expected(m, s, i, j);
                if (j < nl) d[static_cast<std::size_t>(j)] += at(s.tau, c, j, nl);
            }
            for (int j = 0; j < nl; ++j) {
                for (int l = 0; l < q; ++l) g[static_cast<std::size_t>(c * nl + j)] += at(s.precision, j, l, q) * d[static_cast<std::size_t>(l)];
                for (int l = 0; l < nl; ++l) P[static_cast<std::size_t>((c * nl + j) * nl + l)] += at(s.precision, j, l, q);
            }
        }
        Vec squares(static_cast<std::size_t>(nl * nl), 0.0), known = P, line = g;
        for (int c = 0; c < m.J; ++c) {
            double *p = P.data() + static_cast<std::size_t>(c * nl * nl), *h = row(g, c, nl);
            for (int j = 0; j < nl * nl; ++j) p[j] += tau_inverse[static_cast<std::size_t>(j)];
            draw_gaussian(p, h, nl, random);
            std::copy(h, h + nl, row(s.tau, c, nl));
        }
        stretch_clusters(known, line);
        for (int c = 0; c < m.J; ++c)
            for (int j = 0; j < nl; ++j)
                for (int l = 0; l < nl; ++l) at(squares, j, l, nl) += at(s.tau, c, j, nl) * at(s.tau, c, l, nl);
        draw_covariance(m.tau, squares, m.J, 0, nl, nl, s.tau_aux, s.tau_cov);
    }

    // A row of the factor of the clusters' covariance made longer or shorter, given their standardised effects; without it
    // a variance near zero hardly moves. P, g: what the persons say of each cluster's effects.
    void stretch_clusters(const Vec &P, const Vec &g) {
        const auto prior = [&](const Vec &l) {
            Vec precision(l.size());
            inverse_from(l.data(), precision.data(), nl);
            double log_det = 0.0, x = 0.0;
            for (int j = 0; j < nl; ++j) {
                const double a = m.tau.scale[static_cast<std::size_t>(j)];
                log_det += 2.0 * std::log(std::abs(at(l, j, j, nl)));
                x += std::log(m.tau.degrees * at(precision, j, j, nl) + 1.0 / (a * a));
            }
            double all = -0.5 * (m.tau.degrees + 2.0 * nl) * log_det - 0.5 * (m.tau.degrees + nl) * x;
            for (int j = 0; j < nl; ++j) all += (nl - j) * std::log(std::abs(at(l, j, j, nl)));
            return all;
        };
        const auto likelihood = [&](const Vec &tau) {
            double x = 0.0;
            for (int c = 0; c < m.J; ++c)
                for (int j = 0; j < nl; ++j) {
                    double t = 0.0;
                    for (int l = 0; l < nl; ++l) t += P[static_cast<std::size_t>((c * nl + j) * nl + l)] * at(tau, c, l, nl);
                    x += at(tau, c, j, nl) * (g[static_cast<std::size_t>(c * nl + j)] - 0.5 * t);
                }
            return x;
        };
        Vec l = s.tau_cov;
        if (!factor(l.data(), nl)) throw Failure("the clusters' covariance is not positive definite");
        for (int i = 0; i < nl; ++i)
            for (int j = i + 1; j < nl; ++j) at(l, i, j, nl) = 0.0;
        double now = prior(l) + likelihood(s.tau);
        for (int turn = 0; turn < 3; ++turn)
            for (int j = 0; j < nl; ++j) {
                const double step = (turn == 0 ? 1.5 : 0.4) * random.normal(), by = std::exp(step);
                Vec trial = l, tau = s.tau;
                for (int k = 0; k <= j; ++k) at(trial, j, k, nl) *= by;
                for (int c = 0; c < m.J; ++c) at(tau, c, j, nl) *= by;
                if (!(std::abs(at(trial, j, j, nl)) > 1e-9)) continue;
                const double then = prior(trial) + likelihood(tau);
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

    // One factor of all random effects; Omega is diagonal then.
    void draw_factor() {
        double squares = 0.0;
        for (int i = 0; i < m.N; ++i) {
            double k = 1.0 / s.psi, h = 0.0;
            for (int j = 0; j < q; ++j) {
                const double c = s.loading[static_cast<std::size_t>(j)], p = at(s.precision, j, j, q);
                const double rest = at(s.b, i, j, q) - expected(m, s, i, j) + c * s.eta[static_cast<std::size_t>(i)];
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

    void draw_outcomes() {
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

    void draw_error() {
        for (int k = 0; k < m.K; ++k) {
            if (!(m.kappa_shape[static_cast<std::size_t>(k)] > 0.0)) continue;
            double n = 0.0, squares = 0.0;
            for (std::size_t r = static_cast<std::size_t>(k); r < m.y.size(); r += static_cast<std::size_t>(m.K)) {
                const double v = m.y[r];
                if (!(v == v) || !(m.error[r] > 0.0)) continue;
                squares += (v - s.z[r]) * (v - s.z[r]) / m.error[r];
                n += 1.0;
            }
            s.kappa[static_cast<std::size_t>(k)] =
                random.inverse_gamma(m.kappa_shape[static_cast<std::size_t>(k)] + 0.5 * n, m.kappa_scale[static_cast<std::size_t>(k)] + 0.5 * squares);
        }
    }

    Spec m;
    State s;
    Random random;
    int H, q, nl, nd;
    Block levels_, slopes_;
    std::vector<Sums> sums_;
    std::vector<char> latent_;
    bool any_latent_ = false;
    Filtered filtered_;
    Vec value_, input_, deviation_, shift_, products_, sigma_inverse_, first_inverse_;
    StateSampler sampler_;
};

} // namespace sessionwise::dsem
