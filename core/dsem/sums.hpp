// What a person's sessions come to: cross-products of g = [E_t, r_t, ..., r_{t-P}, x_t] from the P-th session on,
// r = true score - common course; and, given the levels, of deviations from the person's own course.
#pragma once

#include "state.hpp"

namespace sessionwise::dsem {

class Sums {
  public:
    explicit Sums(const Spec &m) : m_(m), G_(m.E + m.sources()), H_(m.sources()), g_(sized(m.N, G_ * G_)), products_(sized(m.N, H_ * H_)), course_(sized(m.S, m.K)) {
        shift_.assign(static_cast<std::size_t>((m.P + 1) * m.E * m.E), 0.0); // D_0 = I before D_1..D_P
        for (int e = 0; e < m.E; ++e) shift_[static_cast<std::size_t>(e * m.E + e)] = 1.0;
        std::copy(m.shift.begin(), m.shift.end(), shift_.begin() + m.E * m.E);
    }

    double sessions(int i) const { return static_cast<double>(m_.start[static_cast<std::size_t>(i) + 1] - m_.start[static_cast<std::size_t>(i)] - m_.P); }
    const double *raw(int i) const { return row(g_, i, G_ * G_); }             // (G x G), lower triangle
    const double *products(int i) const { return row(products_, i, H_ * H_); } // (H x H)
    const double *shift() const { return shift_.data(); }                      // (P + 1, E, E)
    const double *course() const { return course_.data(); }                    // (S x K) the common course
    const double *residual(std::size_t r) const { return residual_.data() + r * static_cast<std::size_t>(m_.K); }

    void refresh_course(const State &s) {
        for (int t = 0; t < m_.S && m_.B > 0; ++t)
            for (int k = 0; k < m_.K; ++k) {
                double x = 0.0;
                for (int c = 0; c < m_.B; ++c) x += at(m_.basis, t, c, m_.B) * at(s.delta, c, k, m_.K);
                at(course_, t, k, m_.K) = x;
            }
    }

    template <class Shape> void refresh(const Shape &n, const State &s) {
        const auto K = n.K, E = n.E, lags = n.lags(), H = n.sources();
        const auto G = E + H;
        residual_.resize(s.z.size());
        for (std::size_t r = 0; r < m_.session.size(); ++r) {
            const double *c = row(course_, m_.session[r], K);
            for (int k = 0; k < K; ++k) residual_[r * static_cast<std::size_t>(K) + static_cast<std::size_t>(k)] = s.z[r * static_cast<std::size_t>(K) + static_cast<std::size_t>(k)] - c[k];
        }
        Work g(G), total(G * G);
        for (int i = 0; i < m_.N; ++i) {
            const auto r0 = static_cast<std::size_t>(m_.start[static_cast<std::size_t>(i)]), end = static_cast<std::size_t>(m_.start[static_cast<std::size_t>(i) + 1]);
            for (int j = 0; j < G * G; ++j) total[j] = 0.0;
            for (std::size_t r = r0 + static_cast<std::size_t>(n.P); r < end; ++r) {
                const double *e = row(m_.course_rows, m_.session[r], E), *z = residual(r), *x = m_.x.data() + r * static_cast<std::size_t>(n.X);
                for (int j = 0; j < E; ++j) g[j] = e[j];
                for (int l = 0; l <= n.P; ++l)
                    for (int k = 0; k < K; ++k) g[E + l * K + k] = z[k - l * K];
                for (int j = 0; j < n.X; ++j) g[E + lags + j] = x[j];
                for (int a = 0; a < G; ++a)
                    for (int b = 0; b <= a; ++b) total[a * G + b] += g[a] * g[b];
            }
            std::copy(total.data(), total.data() + G * G, row(g_, i, G * G));
        }
    }

    template <class Shape> void refresh_products(const Shape &n, const State &s) {
        const auto K = n.K, E = n.E, lags = n.lags(), H = n.sources();
        const auto G = E + H;
        const int q = m_.effects();
        Work own(E * H), half(E * H);
        for (int i = 0; i < m_.N; ++i) {
            const double *g = raw(i), *b = row(s.b, i, q);
            for (int l = 0; l <= n.P; ++l)
                for (int j = 0; j < K; ++j)
                    for (int e = 0; e < E; ++e) {
                        double x = 0.0;
                        for (int c = 0; c < E; ++c) x += shift_[static_cast<std::size_t>((l * E + e) * E + c)] * b[j * E + c];
                        own[e * H + l * K + j] = x;
                    }
            // (r - E own)'(r - E own) = rr - own' Er - (Er)' own + own' EE own; half = Er - EE own / 2
            for (int e = 0; e < E; ++e)
                for (int c = 0; c < H; ++c) {
                    double x = g[(E + c) * G + e];
                    for (int f = 0; f < E && c < lags; ++f) x -= 0.5 * g[std::max(e, f) * G + std::min(e, f)] * own[f * H + c];
                    half[e * H + c] = x;
                }
            double *out = row(products_, i, H * H);
            for (int a = 0; a < H; ++a)
                for (int c = 0; c <= a; ++c) {
                    double x = g[(E + a) * G + E + c];
                    for (int e = 0; e < E; ++e) x -= own[e * H + a] * half[e * H + c] + half[e * H + a] * own[e * H + c];
                    out[a * H + c] = out[c * H + a] = x;
                }
        }
    }

  private:
    static Vec sized(int count, int each) { return Vec(static_cast<std::size_t>(count) * static_cast<std::size_t>(each), 0.0); }

    const Spec &m_;
    int G_, H_;
    Vec g_, products_, course_, shift_, residual_;
};

} // namespace sessionwise::dsem
