// True scores of persons of whom something is latent, given the courses and the dynamics.
#pragma once

#include "density.hpp"
#include "dynamics.hpp"
#include "states.hpp"
#include "sums.hpp"

#include <memory>

namespace sessionwise::dsem {

// The inverse of a matrix of any kind (Gauss-Jordan); I - A0 of an acyclic A0 always has one.
inline void inverse_general(Vec w, double *out, int n) {
    std::fill(out, out + n * n, 0.0);
    for (int i = 0; i < n; ++i) out[i * n + i] = 1.0;
    for (int c = 0; c < n; ++c) {
        int best = c;
        for (int i = c + 1; i < n; ++i)
            if (std::abs(at(w, i, c, n)) > std::abs(at(w, best, c, n))) best = i;
        if (at(w, best, c, n) == 0.0) throw Failure("the paths within a session have no solution");
        for (int k = 0; k < n; ++k) {
            std::swap(at(w, c, k, n), at(w, best, k, n));
            std::swap(out[c * n + k], out[best * n + k]);
        }
        const double pivot = 1.0 / at(w, c, c, n);
        for (int k = 0; k < n; ++k) {
            at(w, c, k, n) *= pivot;
            out[c * n + k] *= pivot;
        }
        for (int i = 0; i < n; ++i) {
            const double x = at(w, i, c, n);
            if (i == c || x == 0.0) continue;
            for (int k = 0; k < n; ++k) {
                at(w, i, k, n) -= x * at(w, c, k, n);
                out[i * n + k] -= x * out[c * n + k];
            }
        }
    }
}

class TrueScores {
  public:
    // Puts what is observed without error into the state, and finds the persons of whom something is not.
    TrueScores(const Spec &m, State &s) : m_(m), latent_(static_cast<std::size_t>(m.N)) {
        int longest = m.P;
        for (int i = 0; i < m.N; ++i) {
            const auto first = static_cast<std::size_t>(m.start[static_cast<std::size_t>(i)]), end = static_cast<std::size_t>(m.start[static_cast<std::size_t>(i) + 1]);
            longest = std::max(longest, static_cast<int>(end - first));
            bool latent = !m.error.empty();
            for (std::size_t r = first * static_cast<std::size_t>(m.K); r < end * static_cast<std::size_t>(m.K); ++r) {
                if (!(m.y[r] == m.y[r])) latent = true;
                else if (m.error.empty()) s.z[r] = m.y[r];
            }
            latent_[static_cast<std::size_t>(i)] = latent;
            any_ |= latent;
        }
        for (Vec *v : {&value_, &level_, &input_}) v->resize(static_cast<std::size_t>(longest * m.K));
        sampler_ = state_sampler(m.K, m.P, longest);
        density_ = state_density(m.K, m.P);
    }

    bool any() const { return any_; }

    template <class Shape> void draw(const Shape &n, State &s, const Dynamics &dynamics, const Sums &sums, Random &random) {
        each(n, s, dynamics, sums, [&](std::size_t r0, const Observed &observed) {
            double *z = s.z.data() + r0 * static_cast<std::size_t>(n.K);
            sampler_->draw(observed, z, random);
            for (int j = 0; j < observed.T * n.K; ++j) z[j] += level_[static_cast<std::size_t>(j)];
        });
    }

    // Of what was observed, true scores integrated out, up to a constant.
    template <class Shape> double log_density(const Shape &n, const State &s, const Dynamics &dynamics, const Sums &sums) {
        double total = 0.0;
        each(n, s, dynamics, sums, [&](std::size_t, const Observed &observed) { total += density_(observed); });
        return total;
    }

  private:
    // f(first row, what was observed) of each person of whom something is latent; level_ is then the person's.
    template <class Shape, class F> void each(const Shape &n, const State &s, const Dynamics &dynamics, const Sums &sums, F f_of) {
        const auto K = n.K, E = n.E, H = n.sources(), M = n.states();
        const int q = m_.effects();
        Work f(K * M), noise(K * K), own0(K * K), half(K * K);
        for (int k = 0; k < K; ++k) own0[k * K + k] = 1.0;
        bool known = false; // the transition of all, where the dynamics do not vary
        for (int i = 0; i < m_.N; ++i) {
            if (!latent_[static_cast<std::size_t>(i)]) continue;
            const double *rows = dynamics.rows(i), *b = row(s.b, i, q);
            // (I - A0) z_t = Phi s + Gamma x + e: solve with the paths within a session
            if (!known || dynamics.vary()) {
                if (dynamics.same_session()) {
                    Vec paths(static_cast<std::size_t>(K * K));
                    for (int j = 0; j < K * K; ++j) paths[static_cast<std::size_t>(j)] = rows[j / K * H + j % K];
                    inverse_general(paths, own0.data(), K);
                }
                for (int r = 0; r < K; ++r)
                    for (int c = 0; c < M; ++c) {
                        double x = 0.0;
                        for (int k = 0; k < K; ++k) x -= own0[r * K + k] * rows[k * H + K + c];
                        f[r * M + c] = x;
                    }
                covariance(s, dynamics.precision(i));
                for (int r = 0; r < K; ++r)
                    for (int c = 0; c < K; ++c) {
                        double x = 0.0;
                        for (int k = 0; k < K; ++k) x += own0[r * K + k] * covariance_[static_cast<std::size_t>(k * K + c)];
                        half[r * K + c] = x;
                    }
                for (int r = 0; r < K; ++r)
                    for (int c = 0; c < K; ++c) {
                        double x = 0.0;
                        for (int k = 0; k < K; ++k) x += half[r * K + k] * own0[c * K + k];
                        noise[r * K + c] = x;
                    }
                known = true;
            }
            const auto r0 = static_cast<std::size_t>(m_.start[static_cast<std::size_t>(i)]);
            const int T = static_cast<int>(m_.start[static_cast<std::size_t>(i) + 1]) - static_cast<int>(r0);
            const double *y = m_.y.data() + r0 * static_cast<std::size_t>(K);
            for (int t = 0; t < T; ++t) {
                const int session = m_.session[r0 + static_cast<std::size_t>(t)];
                const double *e = row(m_.course_rows, session, E), *common = sums.course() + session * K;
                for (int k = 0; k < K; ++k) {
                    double x = common[k];
                    for (int c = 0; c < E; ++c) x += e[c] * b[k * E + c];
                    level_[static_cast<std::size_t>(t * K + k)] = x;
                    value_[static_cast<std::size_t>(t * K + k)] = y[t * K + k] - x;
                }
            }
            if (n.X > 0) put_input(T, r0, rows, own0.data());
            f_of(r0, Observed{T, value_.data(), m_.error.empty() ? nullptr : m_.error.data() + r0 * static_cast<std::size_t>(K), s.kappa.data(),
                            n.X > 0 ? input_.data() : nullptr, f.data(), noise.data(), s.first.data()});
        }
    }

    void covariance(const State &s, const double *precision) { // of a person's innovations
        covariance_ = m_.variances() > 0 ? inverse(Vec(precision, precision + m_.K * m_.K), m_.K) : s.sigma;
    }

    void put_input(int T, std::size_t r0, const double *rows, const double *own0) {
        const int K = m_.K, X = m_.X, H = m_.sources(), lags = H - X;
        for (int t = 0; t < T; ++t) {
            const double *x = m_.x.data() + (r0 + static_cast<std::size_t>(t)) * static_cast<std::size_t>(X);
            for (int k = 0; k < K; ++k) {
                double y = 0.0;
                for (int l = 0; l < K; ++l)
                    for (int c = 0; c < X; ++c) y -= own0[k * K + l] * rows[l * H + lags + c] * x[c];
                input_[static_cast<std::size_t>(t * K + k)] = y;
            }
        }
    }

    const Spec &m_;
    std::vector<char> latent_;
    bool any_ = false;
    Vec value_, level_, input_, covariance_;
    std::unique_ptr<StateSampler> sampler_;
    StateDensity density_ = nullptr;
};

} // namespace sessionwise::dsem
