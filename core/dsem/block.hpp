// Random effects of one block (levels, or slopes) with the hyperparameters drawn first, persons' effects integrated out:
// given the rest, a person's likelihood of common coefficients t and effects b is
// exp(-(t'A t + 2 t'B b + b'K b)/2 + a't + h'b), b ~ N(offset + Z gamma, C). Then b given them. Last, the block's rows of
// the Cholesky factor of Omega and gamma anew given standardised effects (ancillarity-sufficiency interweaving, Yu & Meng
// 2011), which moves variances near zero.
#pragma once

#include "state.hpp"

#include <limits>

namespace sessionwise::dsem {

struct Information { // of one person
    Vec A, B, K, a, h;
    Information(int p, int q)
        : A(static_cast<std::size_t>(p * p)), B(static_cast<std::size_t>(p * q)), K(static_cast<std::size_t>(q * q)), a(static_cast<std::size_t>(p)),
          h(static_cast<std::size_t>(q)) {}
    void clear() {
        for (Vec *v : {&A, &B, &K, &a, &h}) std::fill(v->begin(), v->end(), 0.0);
    }
};

// Outcomes of a person say something of the effects: adds what they say of effects [low, high) given the others.
inline void add_outcomes(const Spec &m, const State &s, int i, int low, int high, double *k, double *h) {
    const int q = m.effects(), n = high - low;
    for (int o = 0; o < m.O; ++o) {
        const double value = at(m.outcome, i, o, m.O);
        if (!(value == value)) continue;
        const double *c = row(s.outcome, o, m.W + q), *b = row(s.b, i, q), inverse = 1.0 / s.outcome_var[static_cast<std::size_t>(o)];
        double rest = value;
        for (int w = 0; w < m.W; ++w) rest -= c[w] * at(m.w, i, w, m.W);
        for (int j = 0; j < q; ++j)
            if (j < low || j >= high) rest -= c[m.W + j] * b[j];
        for (int j = 0; j < n; ++j) {
            h[j] += inverse * rest * c[m.W + low + j];
            for (int l = 0; l < n; ++l) k[j * n + l] += inverse * c[m.W + low + j] * c[m.W + low + l];
        }
    }
}

// What a person's effects are expected to be apart from gamma: the cluster's deviation, the factor.
inline double base(const Spec &m, const State &s, int i, int j) {
    double x = 0.0;
    if (m.J > 0 && j < m.levels()) x += at(s.tau, m.cluster[static_cast<std::size_t>(i)], j, m.levels());
    if (m.factor) x += s.loading[static_cast<std::size_t>(j)] * s.eta[static_cast<std::size_t>(i)];
    return x;
}

inline double expected(const Spec &m, const State &s, int i, int j) {
    double x = base(m, s, i, j);
    for (int w = 0; w < m.W; ++w) x += at(s.gamma, j, w, m.W) * at(m.w, i, w, m.W);
    return x;
}

// log of Omega's prior density, the half-t's auxiliary variables integrated out; constants left out. Groups of correlated
// effects are independent; l is Omega's factor.
inline double log_prior(const Spec &m, const Vec &l, const Vec &precision, int q) {
    const VariancePrior &prior = m.omega;
    double all = 0.0;
    for (int low = 0; low < q; low = m.group_end(low)) {
        const int high = m.group_end(low), n = high - low;
        double log_det = 0.0, x = 0.0;
        for (int j = low; j < high; ++j) log_det += 2.0 * std::log(std::abs(at(l, j, j, q)));
        if (prior.half_t) { // Huang & Wand (2013); of one variance the half-t
            for (int j = low; j < high; ++j) {
                const double a = prior.scale[static_cast<std::size_t>(j)];
                x += std::log(prior.degrees * at(precision, j, j, q) + 1.0 / (a * a));
            }
            all += -0.5 * (prior.degrees + 2.0 * n) * log_det - 0.5 * (prior.degrees + n) * x;
            continue;
        }
        for (int j = low; j < high; ++j)
            for (int k = low; k < high; ++k) x += at(prior.scale, j, k, q) * at(precision, j, k, q);
        all += -0.5 * (prior.degrees + n + 1) * log_det - 0.5 * x;
    }
    return all;
}

// The half-t's auxiliary variables of one group of effects given the covariance's precision (n x n).
inline void draw_auxiliary(const VariancePrior &prior, const Vec &precision, int low, int high, int n, Vec &aux, Random &random) {
    if (!prior.half_t) return;
    for (int j = low; j < high; ++j) {
        const double a = prior.scale[static_cast<std::size_t>(j)];
        aux[static_cast<std::size_t>(j)] =
            random.inverse_gamma(0.5 * (prior.degrees + high - low), prior.degrees * at(precision, j, j, n) + 1.0 / (a * a));
    }
}

class Block {
  public:
    Block(const Spec &m, int low, int high, int commons)
        : m_(m), low_(low), n_(high - low), p_(commons), q_(m.effects()), K_(sized(n_ * n_)), B_(sized(p_ * n_)), V_(sized(n_ * n_)), h_(sized(n_)),
          u_(static_cast<std::size_t>(m.N * q_)) {
        for (int j = 0; j < n_; ++j)
            for (int w = 0; w < m.W; ++w)
                if (m.gamma_free[static_cast<std::size_t>((low + j) * m.W + w)]) free_.push_back({j, w});
    }

    // inform(i, Information &) fills what the person's sessions say; accept tells how many of the proposals held.
    template <class Inform> void update(State &s, Random &random, Inform inform) {
        if (n_ == 0 && p_ == 0) return;
        condition(s);
        draw_common(s, random, inform);
        draw_effects(s, random);
    }

    void interweave(State &s, Random &random);

  private:
    std::vector<double> sized(int each) const { return Vec(static_cast<std::size_t>(m_.N) * static_cast<std::size_t>(each)); }

    // C = covariance of the block's effects given the other effects, its factor, and what each person's offset is.
    void condition(const State &s) {
        C_.assign(static_cast<std::size_t>(n_ * n_), 0.0);
        for (int i = 0; i < n_; ++i)
            for (int j = 0; j < n_; ++j) at(C_, i, j, n_) = at(s.precision, low_ + i, low_ + j, q_);
        if (n_) C_ = inverse(C_, n_);
        L_ = C_;
        if (n_ && !factor(L_.data(), n_)) throw Failure("the random effects' covariance is not positive definite");
        for (int i = 0; i < n_; ++i)
            for (int j = i + 1; j < n_; ++j) at(L_, i, j, n_) = 0.0;
        // offset_i = base_i - C Q_rest (b_rest - M_rest)
        offset_ = sized(n_);
        Vec pull(static_cast<std::size_t>(n_)), d(static_cast<std::size_t>(q_));
        const bool alone = m_.correlated != 1 || n_ == q_;
        for (int i = 0; i < m_.N; ++i) {
            double *o = row(offset_, i, n_);
            for (int j = 0; j < n_; ++j) o[j] = base(m_, s, i, low_ + j);
            if (alone) continue;
            for (int j = 0; j < q_; ++j) d[static_cast<std::size_t>(j)] = inside(j) ? 0.0 : at(s.b, i, j, q_) - expected(m_, s, i, j);
            for (int j = 0; j < n_; ++j) {
                double x = 0.0;
                for (int l = 0; l < q_; ++l)
                    if (!inside(l)) x += at(s.precision, low_ + j, l, q_) * d[static_cast<std::size_t>(l)];
                pull[static_cast<std::size_t>(j)] = x;
            }
            for (int j = 0; j < n_; ++j)
                for (int l = 0; l < n_; ++l) o[j] -= at(C_, j, l, n_) * pull[static_cast<std::size_t>(l)];
        }
    }

    bool inside(int j) const { return j >= low_ && j < low_ + n_; }

    template <class Inform> void draw_common(State &s, Random &random, Inform inform) {
        const int n = n_, p = p_, f = static_cast<int>(free_.size()), d = p + f;
        Vec P(static_cast<std::size_t>(d * d), 0.0), g(static_cast<std::size_t>(d), 0.0);
        Information info(p, n);
        Vec KL(static_cast<std::size_t>(n * n)), M(KL), S(KL), R(KL), D(KL), BS(static_cast<std::size_t>(p * n)), BR(BS);
        for (int i = 0; i < m_.N; ++i) {
            info.clear();
            inform(i, info);
            add_outcomes(m_, s, i, low_, low_ + n, info.K.data(), info.h.data());
            multiply(info.K.data(), L_.data(), KL.data(), n, n, n);
            // M = I + L'KL, V = M^-1/2 L', S = V'V the effects' covariance given the common coefficients
            for (int a = 0; a < n; ++a)
                for (int b = 0; b <= a; ++b) {
                    double x = a == b ? 1.0 : 0.0;
                    for (int c = 0; c < n; ++c) x += at(L_, c, a, n) * at(KL, c, b, n);
                    at(M, a, b, n) = x;
                }
            if (n && !factor(M.data(), n)) throw Failure("a person's information is not positive definite");
            double *V = row(V_, i, n * n);
            for (int a = 0; a < n; ++a)
                for (int b = 0; b < n; ++b) {
                    double x = at(L_, b, a, n);
                    for (int c = 0; c < a; ++c) x -= at(M, a, c, n) * V[c * n + b];
                    V[a * n + b] = x / at(M, a, a, n);
                }
            for (int a = 0; a < n; ++a)
                for (int b = 0; b <= a; ++b) {
                    double x = 0.0;
                    for (int c = 0; c < n; ++c) x += V[c * n + a] * V[c * n + b];
                    at(S, a, b, n) = at(S, b, a, n) = x;
                }
            multiply(info.K.data(), S.data(), R.data(), n, n, n); // R = I - K S
            for (int a = 0; a < n; ++a)
                for (int b = 0; b < n; ++b) at(R, a, b, n) = (a == b ? 1.0 : 0.0) - at(R, a, b, n);
            multiply(R.data(), info.K.data(), D.data(), n, n, n);       // precision of the mean of b
            multiply(info.B.data(), S.data(), BS.data(), p, n, n);
            for (int a = 0; a < p; ++a)
                for (int b = 0; b < n; ++b) {
                    double x = 0.0;
                    for (int c = 0; c < n; ++c) x += at(info.B, a, c, n) * at(R, b, c, n); // B R'
                    at(BR, a, b, n) = x;
                }
            const double *o = row(offset_, i, n), *w = row(m_.w, i, m_.W);
            for (int a = 0; a < p; ++a) {
                for (int b = 0; b <= a; ++b) {
                    double x = at(info.A, a, b, p);
                    for (int c = 0; c < n; ++c) x -= at(BS, a, c, n) * at(info.B, b, c, n);
                    at(P, a, b, d) += x;
                }
                double x = info.a[static_cast<std::size_t>(a)];
                for (int c = 0; c < n; ++c) x -= at(BS, a, c, n) * info.h[static_cast<std::size_t>(c)] + at(BR, a, c, n) * o[c];
                g[static_cast<std::size_t>(a)] += x;
            }
            for (int e = 0; e < f; ++e) {
                const auto [j, v] = free_[static_cast<std::size_t>(e)];
                const double we = w[v];
                if (we == 0.0) continue;
                for (int a = 0; a < p; ++a) at(P, p + e, a, d) += at(BR, a, j, n) * we;
                for (int e2 = 0; e2 <= e; ++e2) {
                    const auto [j2, v2] = free_[static_cast<std::size_t>(e2)];
                    at(P, p + e, p + e2, d) += we * at(D, j, j2, n) * w[v2];
                }
                double x = 0.0;
                for (int c = 0; c < n; ++c) x += at(R, j, c, n) * info.h[static_cast<std::size_t>(c)] - at(D, j, c, n) * o[c];
                g[static_cast<std::size_t>(p + e)] += we * x;
            }
            std::copy(info.K.begin(), info.K.end(), row(K_, i, n * n));
            std::copy(info.B.begin(), info.B.end(), row(B_, i, p * n));
            std::copy(info.h.begin(), info.h.end(), row(h_, i, n));
        }
        for (int a = 0; a < p; ++a) {
            at(P, a, a, d) += m_.theta_precision[static_cast<std::size_t>(a)];
            g[static_cast<std::size_t>(a)] += m_.theta_precision[static_cast<std::size_t>(a)] * m_.theta_mean[static_cast<std::size_t>(a)];
        }
        add_gamma_prior(P, g, p, d);
        draw_gaussian(P.data(), g.data(), d, random);
        if (p) std::copy(g.begin(), g.begin() + p, s.theta.begin());
        for (int e = 0; e < f; ++e) {
            const auto [j, v] = free_[static_cast<std::size_t>(e)];
            at(s.gamma, low_ + j, v, m_.W) = g[static_cast<std::size_t>(p + e)];
        }
    }

    void add_gamma_prior(Vec &P, Vec &g, int p, int d) const {
        for (int e = 0; e < static_cast<int>(free_.size()); ++e) {
            const auto [j, v] = free_[static_cast<std::size_t>(e)];
            const double k = at(m_.gamma_precision, low_ + j, v, m_.W);
            at(P, p + e, p + e, d) += k;
            g[static_cast<std::size_t>(p + e)] += k * at(m_.gamma_mean, low_ + j, v, m_.W);
        }
    }

    void draw_effects(State &s, Random &random) {
        const int n = n_;
        Vec mean(static_cast<std::size_t>(n)), t(mean), e(mean);
        for (int i = 0; i < m_.N && n; ++i) {
            double *h = row(h_, i, n);
            const double *B = row(B_, i, p_ * n), *K = row(K_, i, n * n), *V = row(V_, i, n * n);
            for (int c = 0; c < n; ++c)
                for (int a = 0; a < p_; ++a) h[c] -= B[a * n + c] * s.theta[static_cast<std::size_t>(a)];
            for (int j = 0; j < n; ++j) {
                double x = at(offset_, i, j, n);
                for (int w = 0; w < m_.W; ++w) x += at(s.gamma, low_ + j, w, m_.W) * at(m_.w, i, w, m_.W);
                mean[static_cast<std::size_t>(j)] = x;
            }
            // b = mean + S (h - K mean) + V'e
            for (int a = 0; a < n; ++a) {
                double x = h[a];
                for (int c = 0; c < n; ++c) x -= K[a * n + c] * mean[static_cast<std::size_t>(c)];
                t[static_cast<std::size_t>(a)] = x;
            }
            for (int a = 0; a < n; ++a) {
                double x = random.normal();
                for (int c = 0; c < n; ++c) x += V[a * n + c] * t[static_cast<std::size_t>(c)];
                e[static_cast<std::size_t>(a)] = x;
            }
            double *b = row(s.b, i, q_) + low_;
            for (int a = 0; a < n; ++a) {
                double x = mean[static_cast<std::size_t>(a)];
                for (int c = 0; c < n; ++c) x += V[c * n + a] * e[static_cast<std::size_t>(c)];
                b[a] = x;
            }
        }
    }

    static void multiply(const double *a, const double *b, double *out, int rows, int inner, int columns) {
        for (int i = 0; i < rows; ++i)
            for (int j = 0; j < columns; ++j) {
                double x = 0.0;
                for (int k = 0; k < inner; ++k) x += a[i * inner + k] * b[k * columns + j];
                out[i * columns + j] = x;
            }
    }

    const Spec &m_;
    int low_, n_, p_, q_;
    std::vector<std::pair<int, int>> free_; // effect of the block, person-level predictor
    Vec C_, L_, offset_;
    Vec K_, B_, V_, h_; // a person's information, kept from drawing the common coefficients
    Vec u_;
};

inline void Block::interweave(State &s, Random &random) {
    const int n = n_, q = q_, f = static_cast<int>(free_.size());
    if (n == 0) return;
    Vec l = s.omega;
    if (!factor(l.data(), q)) throw Failure("the random effects' covariance is not positive definite");
    for (int i = 0; i < q; ++i)
        for (int j = i + 1; j < q; ++j) at(l, i, j, q) = 0.0;
    std::vector<std::pair<int, int>> entries; // of the factor's rows of this block
    for (int j = 0; j < n; ++j)
        for (int k = m_.group_start(low_ + j); k <= low_ + j; ++k) entries.push_back({j, k});
    const int d = f + static_cast<int>(entries.size());
    std::vector<int> place(static_cast<std::size_t>(d)); // the block's effect that a coefficient belongs to
    for (int e = 0; e < d; ++e) place[static_cast<std::size_t>(e)] = e < f ? free_[static_cast<std::size_t>(e)].first : entries[static_cast<std::size_t>(e - f)].first;
    Vec P(static_cast<std::size_t>(d * d), 0.0), g(static_cast<std::size_t>(d), 0.0), value(static_cast<std::size_t>(d)), rest(static_cast<std::size_t>(n));
    for (int i = 0; i < m_.N; ++i) {
        double *u = row(u_, i, q);
        for (int j = 0; j < q; ++j) u[j] = at(s.b, i, j, q) - expected(m_, s, i, j);
        forward(l.data(), u, q);
        const double *K = row(K_, i, n * n), *h = row(h_, i, n);
        for (int e = 0; e < d; ++e)
            value[static_cast<std::size_t>(e)] = e < f ? at(m_.w, i, free_[static_cast<std::size_t>(e)].second, m_.W) : u[entries[static_cast<std::size_t>(e - f)].second];
        for (int a = 0; a < n; ++a) {
            double x = h[a];
            for (int c = 0; c < n; ++c) x -= K[a * n + c] * base(m_, s, i, low_ + c);
            rest[static_cast<std::size_t>(a)] = x;
        }
        for (int e = 0; e < d; ++e) {
            const int a = place[static_cast<std::size_t>(e)];
            const double v = value[static_cast<std::size_t>(e)];
            double *line = row(P, e, d);
            for (int e2 = 0; e2 <= e; ++e2) line[e2] += v * K[a * n + place[static_cast<std::size_t>(e2)]] * value[static_cast<std::size_t>(e2)];
            g[static_cast<std::size_t>(e)] += v * rest[static_cast<std::size_t>(a)];
        }
    }
    add_gamma_prior(P, g, 0, d);
    double largest = 0.0;
    for (int e = 0; e < d; ++e) largest = std::max(largest, at(P, e, e, d));
    for (int e = f; e < d; ++e)
        if (!(at(P, e, e, d) > 1e-10 * largest)) return; // nothing is known of this entry
    // What holds given standardised effects is a normal density of x = (gamma, entries), times the prior. Moves: all of x
    // from the normal density; a row of the factor made longer or shorter, which leaves places where a variance is nearly
    // zero (there the prior of the row is steep, and the first kind is hardly ever taken).
    const Vec table = P, line = g;
    Vec l2 = l, precision(s.omega.size()), trial(static_cast<std::size_t>(d));
    Vec x(static_cast<std::size_t>(d));
    for (int e = 0; e < f; ++e) x[static_cast<std::size_t>(e)] = at(s.gamma, low_ + free_[static_cast<std::size_t>(e)].first, free_[static_cast<std::size_t>(e)].second, m_.W);
    for (int e = f; e < d; ++e) x[static_cast<std::size_t>(e)] = at(l, low_ + entries[static_cast<std::size_t>(e - f)].first, entries[static_cast<std::size_t>(e - f)].second, q);
    const auto prior = [&](const Vec &v) { // of Omega, told of its factor
        for (int e = f; e < d; ++e) at(l2, low_ + entries[static_cast<std::size_t>(e - f)].first, entries[static_cast<std::size_t>(e - f)].second, q) = v[static_cast<std::size_t>(e)];
        double jacobian = 0.0;
        for (int j = low_; j < low_ + n; ++j) {
            const double y = std::abs(at(l2, j, j, q));
            if (!(y > 1e-9)) return -std::numeric_limits<double>::infinity();
            jacobian += (m_.group_end(j) - j) * std::log(y);
        }
        inverse_from(l2.data(), precision.data(), q);
        return log_prior(m_, l2, precision, q) + jacobian;
    };
    const auto likelihood = [&](const Vec &v) {
        double y = 0.0;
        for (int e = 0; e < d; ++e) {
            double t = 0.0;
            for (int c = 0; c < e; ++c) t += at(table, e, c, d) * v[static_cast<std::size_t>(c)];
            y += v[static_cast<std::size_t>(e)] * (line[static_cast<std::size_t>(e)] - t - 0.5 * at(table, e, e, d) * v[static_cast<std::size_t>(e)]);
        }
        return y;
    };
    double now = prior(x), fit = likelihood(x);
    const auto stretch = [&](double size) {
        for (int j = 0; j < n; ++j) {
            const double step = size * random.normal(), by = std::exp(step);
            trial = x;
            int count = 0;
            for (int e = f; e < d; ++e)
                if (entries[static_cast<std::size_t>(e - f)].first == j) trial[static_cast<std::size_t>(e)] *= by, ++count;
            const double then = prior(trial), there = likelihood(trial);
            if (std::log(random.uniform()) < then - now + there - fit + count * step) x = trial, now = then, fit = there;
        }
    };
    stretch(1.5);
    stretch(0.4);
    P = table;
    draw_gaussian(P.data(), g.data(), d, random);
    const double then = prior(g);
    if (std::log(random.uniform()) < then - now) x = g, now = then, fit = likelihood(x);
    stretch(0.4);
    stretch(1.5);
    prior(x); // l2 and precision of what holds
    Vec omega(s.omega.size());
    for (int i = 0; i < q; ++i)
        for (int j = 0; j <= i; ++j) {
            double y = 0.0;
            for (int k = 0; k <= j; ++k) y += at(l2, i, k, q) * at(l2, j, k, q);
            at(omega, i, j, q) = at(omega, j, i, q) = y;
        }
    g = x;
    for (int e = 0; e < f; ++e) at(s.gamma, low_ + free_[static_cast<std::size_t>(e)].first, free_[static_cast<std::size_t>(e)].second, m_.W) = g[static_cast<std::size_t>(e)];
    s.omega = omega;
    s.precision = precision;
    for (int j = 0; j < q; j = m_.group_end(j)) draw_auxiliary(m_.omega, s.precision, j, m_.group_end(j), q, s.omega_aux, random);
    for (int i = 0; i < m_.N; ++i) {
        const double *u = row(u_, i, q);
        for (int j = low_; j < low_ + n; ++j) {
            double x = expected(m_, s, i, j);
            for (int k = 0; k <= j; ++k) x += at(l2, j, k, q) * u[k];
            at(s.b, i, j, q) = x;
        }
    }
}

} // namespace sessionwise::dsem
