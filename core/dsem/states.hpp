// Forward filtering, backward sampling of one person's deviations on the grid of session numbers (Carter & Kohn 1994), for
// any number of lags.
#pragma once

#include "one_lag.hpp"

#include <array>
#include <memory>

namespace sessionwise::dsem {

// Lower Cholesky factor in place.
template <int N> bool factor_small(double *a) {
    for (int j = 0; j < N; ++j)
        for (int i = j; i < N; ++i) {
            double sum = a[i * N + j];
            for (int k = 0; k < j; ++k) sum -= a[i * N + k] * a[j * N + k];
            if (i == j) {
                if (!(sum > 0.0)) return false;
                a[j * N + j] = std::sqrt(sum);
            } else {
                a[i * N + j] = sum / a[j * N + j];
            }
        }
    return true;
}

// Takes one scalar observation of state j with this error variance into (a, p); a variance of zero is exact.
template <int M> void observe(double *a, double *p, int j, double value, double error) {
    const double s = p[j * M + j] + error;
    if (!(s > 0.0)) return; // known already
    std::array<double, M> gain;
    for (int i = 0; i < M; ++i) gain[static_cast<std::size_t>(i)] = p[i * M + j] / s;
    const double innovation = value - a[j];
    std::array<double, M> line;
    for (int i = 0; i < M; ++i) line[static_cast<std::size_t>(i)] = p[j * M + i];
    for (int i = 0; i < M; ++i) {
        a[i] += gain[static_cast<std::size_t>(i)] * innovation;
        for (int k = 0; k < M; ++k) p[i * M + k] -= gain[static_cast<std::size_t>(i)] * line[static_cast<std::size_t>(k)];
    }
    if (error == 0.0) {
        a[j] = value;
        for (int i = 0; i < M; ++i) p[i * M + j] = p[j * M + i] = 0.0;
    }
}

// A draw of N(a, p) for a positive semidefinite p; pivots that are nothing but rounding give no noise.
template <int M> void draw_state(const double *a, const double *p, const double *size, double *out, Random &random) {
    std::array<double, M * M> l{};
    std::array<double, M> e;
    for (int i = 0; i < M; ++i) e[static_cast<std::size_t>(i)] = 0.0;
    for (int j = 0; j < M; ++j) {
        double d = p[j * M + j];
        for (int k = 0; k < j; ++k) d -= l[static_cast<std::size_t>(j * M + k)] * l[static_cast<std::size_t>(j * M + k)];
        if (!(d > 1e-12 * size[j * M + j])) continue;
        const double root = std::sqrt(d);
        l[static_cast<std::size_t>(j * M + j)] = root;
        for (int i = j + 1; i < M; ++i) {
            double s = p[i * M + j];
            for (int k = 0; k < j; ++k) s -= l[static_cast<std::size_t>(i * M + k)] * l[static_cast<std::size_t>(j * M + k)];
            l[static_cast<std::size_t>(i * M + j)] = s / root;
        }
        e[static_cast<std::size_t>(j)] = random.normal();
    }
    for (int i = 0; i < M; ++i) {
        double s = a[i];
        for (int k = 0; k <= i; ++k) s += l[static_cast<std::size_t>(i * M + k)] * e[static_cast<std::size_t>(k)];
        out[i] = s;
    }
}

template <int K, int P> class ManyLags : public StateSampler {
    static constexpr int M = K * P;

  public:
    explicit ManyLags(int longest) : mean_(static_cast<std::size_t>(longest * M)), cov_(static_cast<std::size_t>(longest * M * M)) {}

    void draw(const Observed &o, double *z, Random &random) override {
        const double *f = o.f;
        const auto seen = [&](int t, double *a, double *p, int offset) {
            for (int k = 0; k < K; ++k) {
                const double v = o.value[t * K + k];
                if (v == v) observe<M>(a, p, offset + k, v, o.error ? o.error[t * K + k] * o.factor[k] : 0.0);
            }
        };
        double *a = mean_.data(), *p = cov_.data();
        std::fill(a, a + M, 0.0);
        std::copy(o.first, o.first + M * M, p);
        for (int t = 0; t < P; ++t) seen(t, a, p, (P - 1 - t) * K);
        std::array<double, K * M> fp;
        for (int t = P; t < o.T; ++t) {
            const double *a0 = a, *p0 = p;
            a += M;
            p += M * M;
            for (int i = 0; i < K; ++i) {
                double s = o.input ? o.input[t * K + i] : 0.0;
                for (int k = 0; k < M; ++k) s += f[i * M + k] * a0[k];
                a[i] = s;
                for (int j = 0; j < M; ++j) {
                    double c = 0.0;
                    for (int k = 0; k < M; ++k) c += f[i * M + k] * p0[k * M + j];
                    fp[static_cast<std::size_t>(i * M + j)] = c;
                }
            }
            for (int i = 0; i < K; ++i)
                for (int j = 0; j < K; ++j) {
                    double c = o.q[i * K + j];
                    for (int k = 0; k < M; ++k) c += fp[static_cast<std::size_t>(i * M + k)] * f[j * M + k];
                    p[i * M + j] = c;
                }
            for (int i = K; i < M; ++i) { // what was the newest becomes older
                a[i] = a0[i - K];
                for (int j = 0; j < K; ++j) p[i * M + j] = p[j * M + i] = fp[static_cast<std::size_t>(j * M + i - K)];
                for (int j = K; j < M; ++j) p[i * M + j] = p0[(i - K) * M + j - K];
            }
            seen(t, a, p, 0);
        }
        std::array<double, M> s;
        draw_state<M>(a, p, p, s.data(), random);
        std::array<double, M> m;
        std::array<double, M * M> c;
        const auto keep = [&](int t, int offset) {
            for (int k = 0; k < K; ++k) z[t * K + k] = s[static_cast<std::size_t>(offset + k)];
        };
        if (o.T > P) keep(o.T - 1, 0);
        for (int t = o.T - 2; t >= P - 1; --t) {
            a -= M;
            p -= M * M;
            std::copy(a, a + M, m.begin());
            std::copy(p, p + M * M, c.begin());
            for (int j = 0; j < M - K; ++j) observe<M>(m.data(), c.data(), j, s[static_cast<std::size_t>(j + K)], 0.0); // known: they are in the next state
            // the next session's z, seen through F with noise Q: one joint update
            std::array<double, K * M> g; // F C
            std::array<double, K * K> v;
            std::array<double, K> d;
            for (int i = 0; i < K; ++i) {
                double e = s[static_cast<std::size_t>(i)] - (o.input ? o.input[(t + 1) * K + i] : 0.0);
                for (int k = 0; k < M; ++k) e -= f[i * M + k] * m[static_cast<std::size_t>(k)];
                d[static_cast<std::size_t>(i)] = e;
                for (int j = 0; j < M; ++j) {
                    double x = 0.0;
                    for (int k = 0; k < M; ++k) x += f[i * M + k] * c[static_cast<std::size_t>(k * M + j)];
                    g[static_cast<std::size_t>(i * M + j)] = x;
                }
            }
            for (int i = 0; i < K; ++i)
                for (int j = 0; j < K; ++j) {
                    double x = o.q[i * K + j];
                    for (int k = 0; k < M; ++k) x += g[static_cast<std::size_t>(i * M + k)] * f[j * M + k];
                    v[static_cast<std::size_t>(i * K + j)] = x;
                }
            if (!factor_small<K>(v.data())) throw Failure("the innovations' covariance is not positive definite");
            // whiten: g <- L^-1 g, d <- L^-1 d
            for (int i = 0; i < K; ++i) {
                for (int k = 0; k < i; ++k) {
                    d[static_cast<std::size_t>(i)] -= v[static_cast<std::size_t>(i * K + k)] * d[static_cast<std::size_t>(k)];
                    for (int j = 0; j < M; ++j) g[static_cast<std::size_t>(i * M + j)] -= v[static_cast<std::size_t>(i * K + k)] * g[static_cast<std::size_t>(k * M + j)];
                }
                const double r = 1.0 / v[static_cast<std::size_t>(i * K + i)];
                d[static_cast<std::size_t>(i)] *= r;
                for (int j = 0; j < M; ++j) g[static_cast<std::size_t>(i * M + j)] *= r;
            }
            for (int i = 0; i < M; ++i)
                for (int k = 0; k < K; ++k) {
                    m[static_cast<std::size_t>(i)] += g[static_cast<std::size_t>(k * M + i)] * d[static_cast<std::size_t>(k)];
                    for (int j = 0; j < M; ++j) c[static_cast<std::size_t>(i * M + j)] -= g[static_cast<std::size_t>(k * M + i)] * g[static_cast<std::size_t>(k * M + j)];
                }
            std::array<double, M> next;
            draw_state<M>(m.data(), c.data(), p, next.data(), random);
            s = next;
            if (t >= P) keep(t, 0);
        }
        for (int t = P - 1; t >= 0; --t) keep(t, (P - 1 - t) * K);
    }

  private:
    Vec mean_, cov_; // of each state, given what was observed up to it
};

// longest: rows of the longest person
inline std::unique_ptr<StateSampler> state_sampler(int K, int P, int longest) {
    if (K == 1 && P == 1) return std::make_unique<OneLag<1>>(longest);
    if (K == 2 && P == 1) return std::make_unique<OneLag<2>>(longest);
    if (K == 3 && P == 1) return std::make_unique<OneLag<3>>(longest);
    if (K == 4 && P == 1) return std::make_unique<OneLag<4>>(longest);
    if (K == 1 && P == 2) return std::make_unique<ManyLags<1, 2>>(longest);
    if (K == 1 && P == 3) return std::make_unique<ManyLags<1, 3>>(longest);
    if (K == 2 && P == 2) return std::make_unique<ManyLags<2, 2>>(longest);
    if (K == 2 && P == 3) return std::make_unique<ManyLags<2, 3>>(longest);
    if (K == 3 && P == 2) return std::make_unique<ManyLags<3, 2>>(longest);
    if (K == 4 && P == 2) return std::make_unique<ManyLags<4, 2>>(longest);
    throw Failure("no more than four variables and three lags");
}

} // namespace sessionwise::dsem
