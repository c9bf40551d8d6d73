// Forward filtering, backward sampling where there is one lag (states.hpp has the general case).
#pragma once

#include "../simd.hpp"
#include "filter.hpp"

#include <vector>

namespace sessionwise::dsem {

template <int K> struct Session { // given what was observed up to it
    double mean[K], cov[K * K];
    double ahead[K], ahead_cov[K * K]; // of the next session
    double with[K * K];                // covariance of the next session with this one
};

// The lower Cholesky factor of a positive semidefinite matrix; pivots that are nothing but rounding give a column of zeros.
template <int K> SW_INLINE void semidefinite_factor(const double *p, const double *size, double *l) {
    for (int j = 0; j < K; ++j) {
        double d = p[j * K + j];
        for (int k = 0; k < j; ++k) d -= l[j * K + k] * l[j * K + k];
        const double root = d > 1e-12 * size[j * K + j] ? std::sqrt(d) : 0.0, scale = root > 0.0 ? 1.0 / root : 0.0;
        l[j * K + j] = root;
        for (int i = j + 1; i < K; ++i) {
            double x = p[i * K + j];
            for (int k = 0; k < j; ++k) x -= l[i * K + k] * l[j * K + k];
            l[i * K + j] = x * scale;
        }
    }
}

template <int K> SW_INLINE void draw_session(const double *mean, const double *l, double *out, Random &random) {
    double e[K];
    for (int j = 0; j < K; ++j) e[j] = l[j * K + j] > 0.0 ? random.normal() : 0.0;
    for (int i = 0; i < K; ++i) {
        double x = mean[i];
        for (int k = 0; k <= i; ++k) x += l[i * K + k] * e[k];
        out[i] = x;
    }
}

// Takes the values of one session into (a, p), each with its error variance; a variance of zero is exact.
template <int K> SW_INLINE void take(const double *value, const double *error, const double *factor, double *a, double *p) {
    for (int j = 0; j < K; ++j) {
        if (!(value[j] == value[j])) continue;
        const double e = error ? error[j] * factor[j] : 0.0, s = p[j * K + j] + e;
        if (!(s > 0.0)) continue; // known already
        const double scale = 1.0 / s, surprise = value[j] - a[j];
        double line[K], gain[K];
        for (int i = 0; i < K; ++i) {
            line[i] = p[j * K + i];
            gain[i] = line[i] * scale;
        }
        for (int i = 0; i < K; ++i) {
            a[i] += gain[i] * surprise;
            for (int k = 0; k < K; ++k) p[i * K + k] -= gain[i] * line[k];
        }
        if (e == 0.0) {
            a[j] = value[j];
            for (int i = 0; i < K; ++i) p[i * K + j] = p[j * K + i] = 0.0;
        }
    }
}

template <int K> class OneLag : public StateSampler {
  public:
    explicit OneLag(int longest) : sessions_(static_cast<std::size_t>(longest)) {}

    void draw(const Observed &o, double *z, Random &random) override {
        const double *f = o.f;
        double a[K], p[K * K], l[K * K];
        for (int i = 0; i < K; ++i) a[i] = 0.0;
        for (int i = 0; i < K * K; ++i) p[i] = o.first[i];
        take<K>(o.value, o.error, o.factor, a, p);
        for (int t = 1; t < o.T; ++t) {
            Session<K> &s = sessions_[static_cast<std::size_t>(t - 1)];
            for (int i = 0; i < K; ++i) {
                s.mean[i] = a[i];
                double x = o.input ? o.input[t * K + i] : 0.0;
                for (int k = 0; k < K; ++k) x += f[i * K + k] * a[k];
                s.ahead[i] = x;
            }
            for (int i = 0; i < K; ++i)
                for (int j = 0; j < K; ++j) {
                    double x = 0.0;
                    for (int k = 0; k < K; ++k) x += f[i * K + k] * p[k * K + j];
                    s.with[i * K + j] = x;
                    s.cov[i * K + j] = p[i * K + j];
                }
            for (int i = 0; i < K; ++i) {
                a[i] = s.ahead[i];
                for (int j = 0; j <= i; ++j) {
                    double x = o.q[i * K + j];
                    for (int k = 0; k < K; ++k) x += s.with[i * K + k] * f[j * K + k];
                    p[i * K + j] = p[j * K + i] = s.ahead_cov[i * K + j] = x;
                }
            }
            take<K>(o.value + t * K, o.error ? o.error + t * K : nullptr, o.factor, a, p);
        }
        semidefinite_factor<K>(p, p, l);
        draw_session<K>(a, l, z + (o.T - 1) * K, random);
        for (int t = o.T - 2; t >= 0; --t) {
            smooth(sessions_[static_cast<std::size_t>(t)], z + (t + 1) * K, a, l);
            draw_session<K>(a, l, z + t * K, random);
        }
    }

  private:
    // Mean and factor of a session given the next one. No session's factor waits for what is drawn for another.
    static SW_INLINE void smooth(const Session<K> &s, const double *next, double *mean, double *l) {
        double v[K * K], g[K * K], remains[K * K], scale[K], surprise[K];
        for (int i = 0; i < K; ++i) {
            surprise[i] = next[i] - s.ahead[i];
            for (int j = 0; j < K; ++j) {
                g[i * K + j] = s.with[i * K + j];
                if (j <= i) v[i * K + j] = s.ahead_cov[i * K + j];
            }
        }
        // ahead_cov = L D L', L with ones on the diagonal; g = L^-1 with, surprise = L^-1 surprise
        for (int j = 0; j < K; ++j) {
            if (!(v[j * K + j] > 0.0)) throw Failure("the innovations' covariance is not positive definite");
            scale[j] = 1.0 / v[j * K + j];
            for (int i = j + 1; i < K; ++i) {
                const double x = v[i * K + j] * scale[j];
                for (int k = j + 1; k <= i; ++k) v[i * K + k] -= x * v[k * K + j];
                for (int k = 0; k < K; ++k) g[i * K + k] -= x * g[j * K + k];
                surprise[i] -= x * surprise[j];
            }
        }
        for (int i = 0; i < K; ++i) {
            double gain[K], x = s.mean[i];
            for (int k = 0; k < K; ++k) {
                gain[k] = g[k * K + i] * scale[k];
                x += gain[k] * surprise[k];
            }
            mean[i] = x;
            for (int j = 0; j <= i; ++j) {
                double y = s.cov[i * K + j];
                for (int k = 0; k < K; ++k) y -= gain[k] * g[k * K + j];
                remains[i * K + j] = y;
            }
        }
        semidefinite_factor<K>(remains, s.cov, l);
    }

    std::vector<Session<K>> sessions_; // as many as the longest person has
};

} // namespace sessionwise::dsem
