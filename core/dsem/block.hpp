// Random effects of one block (levels, or slopes) with the hyperparameters drawn first, persons' effects integrated out:
// given the rest, a person's likelihood of common coefficients t and effects b is
// exp(-(t'A t + 2 t'B b + b'K b)/2 + a't + h'b), b ~ N(offset + Z gamma, C). Then b given them. Last, the block's rows of
// the Cholesky factor of Omega and gamma anew given standardised effects (ancillarity-sufficiency interweaving, Yu & Meng
// 2011), which moves variances near zero.
#pragma once

#include "state.hpp"

#include <utility>

namespace sessionwise::dsem {

// What a person's sessions say: A, a add up over persons, the rest is the person's own; K is filled in both triangles.
struct Information {
    double *A, *a, *K, *B, *h;
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

class Block {
  public:
    Block(const Spec &m, int low, int high, int commons)
        : m_(m), low_(low), n_(high - low), p_(commons), q_(m.effects()), A_(static_cast<std::size_t>(p_ * p_)), a_(static_cast<std::size_t>(p_)),
          offset_(sized(n_)), K_(sized(n_ * n_)), B_(sized(p_ * n_)), M_(sized(n_ * n_)), h_(sized(n_)), r_(sized(n_)), u_(sized(q_)) {
        for (int j = 0; j < n_; ++j)
            for (int w = 0; w < m.W; ++w)
                if (m.gamma_free[static_cast<std::size_t>((low + j) * m.W + w)]) free_.push_back({j, w});
        for (int w = 0; w < m.W; ++w)
            if (std::any_of(free_.begin(), free_.end(), [w](const auto &f) { return f.second == w; })) used_.push_back(w);
    }

    // inform(*this) tells what each person's sessions say.
    template <class Inform> void update(State &s, Random &random, Inform inform) {
        if (n_ == 0 && p_ == 0) return;
        with_size(n_, [&](auto n) { condition(n, s); });
        std::fill(A_.begin(), A_.end(), 0.0);
        std::fill(a_.begin(), a_.end(), 0.0);
        inform(*this);
        for (int i = 0; i < m_.N && m_.O > 0; ++i) add_outcomes(m_, s, i, low_, low_ + n_, row(K_, i, n_ * n_), row(h_, i, n_));
        move_variances(s, random);
        with_size(n_, [&](auto n) {
            draw_common(n, s, random);
            draw_effects(n, s, random);
        });
    }
    Information person(int i) { return {A_.data(), a_.data(), row(K_, i, n_ * n_), row(B_, i, p_ * n_), row(h_, i, n_)}; }

    void interweave(State &s, Random &random);

  private:
    void move_variances(State &s, Random &random);
    template <class Size> void weigh(Size n, const State &s);
    template <class Size> double likelihood(Size n) const;
    Vec sized(int each) const { return Vec(static_cast<std::size_t>(m_.N) * static_cast<std::size_t>(each)); }
    bool inside(int j) const { return j >= low_ && j < low_ + n_; }

    // C = covariance of the block's effects given the other effects, its factor, and what each person's offset is.
    template <class Size> void condition(Size n, const State &s) {
        Vec C(static_cast<std::size_t>(n_ * n_)), d(static_cast<std::size_t>(q_));
        for (int i = 0; i < n_; ++i)
            for (int j = 0; j < n_; ++j) at(C, i, j, n_) = at(s.precision, low_ + i, low_ + j, q_);
        if (n_) C = inverse(C, n_);
        L_ = C;
        if (!factor(L_.data(), n_)) throw Failure("the random effects' covariance is not positive definite");
        for (int i = 0; i < n_; ++i)
            for (int j = i + 1; j < n_; ++j) at(L_, i, j, n_) = 0.0;
        // offset_i = base_i - C Q_rest (b_rest - M_rest)
        if (m_.J > 0 || m_.factor)
            for (int i = 0; i < m_.N; ++i)
                for (int j = 0; j < n_; ++j) at(offset_, i, j, n_) = base(m_, s, i, low_ + j);
        else std::fill(offset_.begin(), offset_.end(), 0.0);
        if (m_.correlated != 1 || n_ == q_) return;
        Vec regression(static_cast<std::size_t>(q_ * n_)); // (C Q_rest)'
        for (int j = 0; j < n_; ++j)
            for (int k = 0; k < n_; ++k)
                for (int l = 0; l < q_; ++l)
                    if (!inside(l)) at(regression, l, j, n_) += at(C, j, k, n_) * at(s.precision, low_ + k, l, q_);
        Work pull(n);
        for (int i = 0; i < m_.N; ++i) {
            const double *b = row(s.b, i, q_);
            double *o = row(offset_, i, n);
            expect(m_, s, i, q_, d.data());
            for (int j = 0; j < n; ++j) pull[j] = o[j];
            for (int l = 0; l < q_; ++l) {
                const double x = b[l] - d[static_cast<std::size_t>(l)], *line = row(regression, l, n);
                for (int j = 0; j < n; ++j) pull[j] -= line[j] * x;
            }
            for (int j = 0; j < n; ++j) o[j] = pull[j];
        }
    }

    // Common coefficients and regressions together, the persons' effects integrated out.
    template <class Size> void draw_common(Size n, State &s, Random &random) {
        const int p = p_, f = static_cast<int>(free_.size()), d = p + f, used = static_cast<int>(used_.size());
        Vec P(static_cast<std::size_t>(d * d), 0.0), g(static_cast<std::size_t>(d), 0.0);
        Vec BL(static_cast<std::size_t>(p * n)), BR(BL);
        Vec cross(static_cast<std::size_t>(used * p * n), 0.0), square(static_cast<std::size_t>(used * used * n * n), 0.0), line(static_cast<std::size_t>(used * n), 0.0);
        Work KL(n * n), M(n * n), Y(n * n), D(n * n), white(n), rest(n);
        const double *L = L_.data();
        for (int i = 0; i < m_.N; ++i) {
            const double *K = row(K_, i, n * n), *B = row(B_, i, p * n), *h = row(h_, i, n), *o = row(offset_, i, n), *w = row(m_.w, i, m_.W);
            // S = L M^-1 L' is the effects' covariance given the common coefficients
            scaled_information(n, K, L, KL.data(), M.data());
            if (!factor(M.data(), n)) throw Failure("a person's information is not positive definite");
            for (int a = 0; a < n; ++a) M[a * n + a] = 1.0 / M[a * n + a];
            // Y = M^-1/2 L'K, D = K - Y'Y = (I - K S) K the precision of the mean of b
            const auto half = [&](const double *x, double *out) { whiten(n, M.data(), L, x, out); };
            half(h, white.data());
            for (int a = 0; a < n; ++a)
                for (int b = 0; b < n; ++b) {
                    double x = KL[b * n + a];
                    for (int c = 0; c < a; ++c) x -= M[a * n + c] * Y[c * n + b];
                    Y[a * n + b] = x * M[a * n + a];
                }
            for (int a = 0; a < n; ++a)
                for (int b = 0; b <= a; ++b) {
                    double x = K[a * n + b];
                    for (int c = 0; c < n; ++c) x -= Y[c * n + a] * Y[c * n + b];
                    D[a * n + b] = D[b * n + a] = x;
                }
            for (int a = 0; a < n; ++a) { // (I - K S) h - D offset
                double x = h[a];
                for (int c = 0; c < n; ++c) x -= Y[c * n + a] * white[c] + D[a * n + c] * o[c];
                rest[a] = x;
            }
            for (int a = 0; a < p; ++a) { // B L M^-1/2', and B (I - S K)
                double *bl = row(BL, a, n), *br = row(BR, a, n);
                half(B + a * n, bl);
                double x = 0.0;
                for (int b = 0; b < n; ++b) {
                    double y = B[a * n + b];
                    for (int c = 0; c < n; ++c) y -= bl[c] * Y[c * n + b];
                    br[b] = y;
                    x -= bl[b] * white[b] + y * o[b];
                }
                g[static_cast<std::size_t>(a)] += x;
                for (int b = 0; b <= a; ++b) {
                    double y = 0.0;
                    for (int c = 0; c < n; ++c) y += bl[c] * at(BL, b, c, n);
                    at(P, a, b, d) -= y;
                }
            }
            for (int v = 0; v < used; ++v) {
                const double x = w[used_[static_cast<std::size_t>(v)]];
                for (int j = 0; j < n; ++j) line[static_cast<std::size_t>(v * n + j)] += x * rest[j];
                for (int j = 0; j < p * n; ++j) cross[static_cast<std::size_t>(v * p * n + j)] += x * BR[static_cast<std::size_t>(j)];
                for (int v2 = 0; v2 < used; ++v2) {
                    const double y = x * w[used_[static_cast<std::size_t>(v2)]];
                    double *to = row(square, v * used + v2, n * n);
                    for (int j = 0; j < n * n; ++j) to[j] += y * D[j];
                }
            }
            std::copy(M.data(), M.data() + n * n, row(M_, i, n * n));
        }
        for (int a = 0; a < p; ++a) {
            const double k = m_.theta_precision[static_cast<std::size_t>(a)];
            for (int b = 0; b <= a; ++b) at(P, a, b, d) += at(A_, a, b, p) + (a == b ? k : 0.0);
            g[static_cast<std::size_t>(a)] += a_[static_cast<std::size_t>(a)] + k * m_.theta_mean[static_cast<std::size_t>(a)];
        }
        for (int e = 0; e < f; ++e) {
            const auto [j, w] = free_[static_cast<std::size_t>(e)];
            const int v = place(w);
            g[static_cast<std::size_t>(p + e)] = line[static_cast<std::size_t>(v * n + j)];
            for (int a = 0; a < p; ++a) at(P, p + e, a, d) = cross[static_cast<std::size_t>((v * p + a) * n + j)];
            for (int e2 = 0; e2 <= e; ++e2) {
                const auto [j2, w2] = free_[static_cast<std::size_t>(e2)];
                at(P, p + e, p + e2, d) = square[static_cast<std::size_t>(((v * used + place(w2)) * n + j) * n + j2)];
            }
        }
        add_gamma_prior(P, g, p, d);
        draw_gaussian(P.data(), g.data(), d, random);
        if (p) std::copy(g.begin(), g.begin() + p, s.theta.begin());
        for (int e = 0; e < f; ++e) {
            const auto [j, v] = free_[static_cast<std::size_t>(e)];
            at(s.gamma, low_ + j, v, m_.W) = g[static_cast<std::size_t>(p + e)];
        }
    }

    int place(int predictor) const { return static_cast<int>(std::find(used_.begin(), used_.end(), predictor) - used_.begin()); }

    void add_gamma_prior(Vec &P, Vec &g, int p, int d) const {
        for (int e = 0; e < static_cast<int>(free_.size()); ++e) {
            const auto [j, v] = free_[static_cast<std::size_t>(e)];
            const double k = at(m_.gamma_precision, low_ + j, v, m_.W);
            at(P, p + e, p + e, d) += k;
            g[static_cast<std::size_t>(p + e)] += k * at(m_.gamma_mean, low_ + j, v, m_.W);
        }
    }

    template <class Size> void draw_effects(Size n, State &s, Random &random) {
        Work mean(n), t(n), e(n);
        const double *L = L_.data();
        for (int i = 0; i < m_.N && n > 0; ++i) {
            double *h = row(h_, i, n);
            const double *B = row(B_, i, p_ * n), *K = row(K_, i, n * n), *M = row(M_, i, n * n);
            for (int a = 0; a < p_; ++a)
                for (int c = 0; c < n; ++c) h[c] -= B[a * n + c] * s.theta[static_cast<std::size_t>(a)];
            expected(n, s, i, mean.data());
            // b = mean + L M^-1/2' (M^-1/2 L' (h - K mean) + e)
            for (int a = 0; a < n; ++a) {
                double x = h[a];
                for (int c = 0; c < n; ++c) x -= K[a * n + c] * mean[c];
                t[a] = x;
            }
            whiten(n, M, L, t.data(), e.data());
            for (int a = 0; a < n; ++a) e[a] += random.normal();
            for (int a = n - 1; a >= 0; --a) {
                double x = e[a];
                for (int c = a + 1; c < n; ++c) x -= M[c * n + a] * e[c];
                e[a] = x * M[a * n + a];
            }
            double *b = row(s.b, i, q_) + low_;
            for (int a = 0; a < n; ++a) {
                double x = mean[a];
                for (int c = 0; c <= a; ++c) x += L[a * n + c] * e[c];
                b[a] = x;
            }
        }
    }

    // KL, and M = I + L'KL in its lower triangle.
    template <class Size> static void scaled_information(Size n, const double *K, const double *L, double *KL, double *M) {
        for (int a = 0; a < n; ++a)
            for (int b = 0; b < n; ++b) {
                double x = 0.0;
                for (int c = b; c < n; ++c) x += K[a * n + c] * L[c * n + b];
                KL[a * n + b] = x;
            }
        for (int a = 0; a < n; ++a)
            for (int b = 0; b <= a; ++b) {
                double x = a == b ? 1.0 : 0.0;
                for (int c = a; c < n; ++c) x += L[c * n + a] * KL[c * n + b];
                M[a * n + b] = x;
            }
    }

    // What the block's effects of a person are expected to be given the other effects.
    template <class Size> void expected(Size n, const State &s, int i, double *out) const {
        const double *o = row(offset_, i, n), *w = row(m_.w, i, m_.W);
        for (int j = 0; j < n; ++j) {
            const double *gamma = row(s.gamma, low_ + j, m_.W);
            double x = o[j];
            for (int v = 0; v < m_.W; ++v) x += gamma[v] * w[v];
            out[j] = x;
        }
    }

    // out = M^-1/2 L' x; M is the factor with its diagonal inverted.
    template <class Size> static void whiten(Size n, const double *M, const double *L, const double *x, double *out) {
        for (int a = 0; a < n; ++a) {
            double y = 0.0;
            for (int c = a; c < n; ++c) y += L[c * n + a] * x[c];
            for (int c = 0; c < a; ++c) y -= M[a * n + c] * out[c];
            out[a] = y * M[a * n + a];
        }
    }

    const Spec &m_;
    int low_, n_, p_, q_;
    std::vector<std::pair<int, int>> free_; // effect of the block, person-level predictor
    std::vector<int> used_;                 // predictors of any of its effects
    Vec A_, a_, L_, offset_;
    Vec K_, B_, M_, h_; // a person's information, kept from drawing the common coefficients
    Vec r_;             // what sessions say beyond what is expected
    Vec u_;             // standardised effects
};

} // namespace sessionwise::dsem
