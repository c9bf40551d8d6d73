// Forward filtering, backward sampling where there is one lag (states.hpp has the general case). What going backward needs of a session, gains and the factor of what remains unknown, does not depend on what is
// drawn for the next one: it is worked out on the way forward.
#pragma once

#include "../simd.hpp"
#include "filter.hpp"

#include <vector>

namespace sessionwise::dsem {

template <int K> struct Session {
    double mean[K];      // given what was observed up to it
    double ahead[K];     // of the next session
    double gain[K * K];  // by which the next session's surprise moves this one
    double factor[K * K]; // lower, of the covariance given the next session; 0 on the diagonal where all is known
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
        double a[K], p[K * K], ahead[K * K], l[K * K];
        for (int i = 0; i < K; ++i) a[i] = 0.0;
        for (int i = 0; i < K * K; ++i) p[i] = o.first[i];
        take<K>(o.value, o.error, o.factor, a, p);
        for (int t = 1; t < o.T; ++t) {
            Session<K> &s = sessions_[static_cast<std::size_t>(t - 1)];
            double fp[K * K], v[K * K], g[K * K], remains[K * K], scale[K];
            for (int i = 0; i < K; ++i)
                for (int j = 0; j < K; ++j) {
                    double x = 0.0;
                    for (int k = 0; k < K; ++k) x += f[i * K + k] * p[k * K + j];
                    fp[i * K + j] = g[i * K + j] = x;
                }
            for (int i = 0; i < K; ++i)
                for (int j = 0; j <= i; ++j) {
                    double x = o.q[i * K + j];
                    for (int k = 0; k < K; ++k) x += fp[i * K + k] * f[j * K + k];
                    ahead[i * K + j] = ahead[j * K + i] = v[i * K + j] = x;
                }
            // V = L D L', L with ones on the diagonal; g = L^-1 F p, so that p F' V^-1 F p = g' D^-1 g
            for (int j = 0; j < K; ++j) {
                if (!(v[j * K + j] > 0.0)) throw Failure("the innovations' covariance is not positive definite");
                scale[j] = 1.0 / v[j * K + j];
                for (int i = j + 1; i < K; ++i) {
                    const double x = v[i * K + j] * scale[j];
                    for (int k = j + 1; k <= i; ++k) v[i * K + k] -= x * v[k * K + j];
                    for (int k = 0; k < K; ++k) g[i * K + k] -= x * g[j * K + k];
                }
            }
            for (int i = 0; i < K; ++i)
                for (int j = 0; j <= i; ++j) {
                    double x = p[i * K + j];
                    for (int k = 0; k < K; ++k) x -= g[k * K + i] * scale[k] * g[k * K + j];
                    remains[i * K + j] = x;
                }
            semidefinite_factor<K>(remains, p, s.factor);
            for (int j = K - 1; j >= 0; --j) // gain' = L'^-1 D^-1 g
                for (int i = 0; i < K; ++i) {
                    double x = g[j * K + i] * scale[j];
                    for (int k = j + 1; k < K; ++k) x -= v[k * K + j] * scale[j] * s.gain[i * K + k];
                    s.gain[i * K + j] = x;
                }
            for (int i = 0; i < K; ++i) {
                s.mean[i] = a[i];
                double x = o.input ? o.input[t * K + i] : 0.0;
                for (int k = 0; k < K; ++k) x += f[i * K + k] * a[k];
                s.ahead[i] = x;
            }
            for (int i = 0; i < K; ++i) a[i] = s.ahead[i];
            for (int i = 0; i < K * K; ++i) p[i] = ahead[i];
            take<K>(o.value + t * K, o.error ? o.error + t * K : nullptr, o.factor, a, p);
        }
        semidefinite_factor<K>(p, p, l);
        draw_session<K>(a, l, z + (o.T - 1) * K, random);
        for (int t = o.T - 2; t >= 0; --t) {
            const Session<K> &s = sessions_[static_cast<std::size_t>(t)];
            const double *next = z + (t + 1) * K;
            double mean[K];
            for (int i = 0; i < K; ++i) {
                double x = s.mean[i];
                for (int k = 0; k < K; ++k) x += s.gain[i * K + k] * (next[k] - s.ahead[k]);
                mean[i] = x;
            }
            draw_session<K>(mean, s.factor, z + t * K, random);
        }
    }

  private:
    std::vector<Session<K>> sessions_;
};

} // namespace sessionwise::dsem
