// What persons' sessions say of their levels given the dynamics, and of their coefficients given the levels.
#pragma once

#include "block.hpp"
#include "dynamics.hpp"
#include "sums.hpp"

namespace sessionwise::dsem {

// innovation_t = a_t - sum_j E_t C_j lambda_j, a = rows [r_t, ..., r_{t-P}, x_t]; C comes of the dynamics and D.
template <class Shape>
void inform_levels(const Shape &n, const Spec &m, const Dynamics &dynamics, const Sums &sums, const Vec &first_inverse, Block &block) {
    const auto K = n.K, E = n.E, H = n.sources(), M = n.states(), nl = n.levels();
    const auto G = E + H;
    const double *shift = sums.shift();
    Work C(K * E * nl), ea(K * E), half(K * E * nl), weighted(E * nl), h(nl), wa(E);
    for (int i = 0; i < m.N; ++i) {
        const double *rows = dynamics.rows(i), *precision = dynamics.precision(i), *g = sums.raw(i);
        // C[k] (E x levels): how the levels enter equation k through E_t
        if (i == 0 || dynamics.slopes_vary())
            for (int k = 0; k < K; ++k)
                for (int j = 0; j < K; ++j)
                    for (int e = 0; e < E; ++e)
                        for (int e2 = 0; e2 < E; ++e2) {
                            double x = 0.0;
                            for (int l = 0; l <= n.P; ++l) x += rows[k * H + l * K + j] * shift[(l * E + e) * E + e2];
                            C[(k * E + e) * nl + j * E + e2] = x;
                        }
        for (int k = 0; k < K; ++k) // sums of E_t a_t,k
            for (int e = 0; e < E; ++e) {
                double x = 0.0;
                for (int a = 0; a < H; ++a) x += rows[k * H + a] * g[(E + a) * G + e];
                ea[k * E + e] = x;
            }
        for (int k = 0; k < K; ++k) // sums of E_t' E_t C[k]
            for (int e = 0; e < E; ++e)
                for (int j = 0; j < nl; ++j) {
                    double x = 0.0;
                    for (int c = 0; c < E; ++c) x += g[e > c ? e * G + c : c * G + e] * C[(k * E + c) * nl + j];
                    half[(k * E + e) * nl + j] = x;
                }
        Information info = block.person(i);
        for (int j = 0; j < nl; ++j) h[j] = 0.0;
        for (int k = 0; k < K; ++k) {
            for (int e = 0; e < E; ++e) {
                double y = 0.0;
                for (int k2 = 0; k2 < K; ++k2) y += precision[k * K + k2] * ea[k2 * E + e];
                wa[e] = y;
                for (int j = 0; j < nl; ++j) {
                    double x = 0.0;
                    for (int k2 = 0; k2 < K; ++k2) x += precision[k * K + k2] * half[(k2 * E + e) * nl + j];
                    weighted[e * nl + j] = x;
                }
            }
            for (int j = 0; j < nl; ++j) {
                for (int e = 0; e < E; ++e) h[j] += C[(k * E + e) * nl + j] * wa[e];
                for (int j2 = 0; j2 <= j; ++j2) {
                    double x = k == 0 ? 0.0 : info.K[j * nl + j2];
                    for (int e = 0; e < E; ++e) x += C[(k * E + e) * nl + j] * weighted[e * nl + j2];
                    info.K[j * nl + j2] = x;
                }
            }
        }
        // the first P sessions, the newest first
        const auto r0 = static_cast<std::size_t>(m.start[static_cast<std::size_t>(i)]);
        for (int a = 0; a < M; ++a) {
            const std::size_t ra = r0 + static_cast<std::size_t>(n.P - 1 - a / K);
            const double *course = row(m.course_rows, m.session[ra], E);
            double rest = 0.0;
            for (int c = 0; c < M; ++c) {
                const std::size_t rc = r0 + static_cast<std::size_t>(n.P - 1 - c / K);
                const double *other = row(m.course_rows, m.session[rc], E), x = first_inverse[static_cast<std::size_t>(a * M + c)];
                rest += x * sums.residual(rc)[c % K];
                if (a % K < c % K) continue; // the upper triangle
                for (int e = 0; e < E; ++e)
                    for (int e2 = 0; e2 < E; ++e2) {
                        if (a % K == c % K && e2 > e) continue;
                        info.K[(a % K * E + e) * nl + c % K * E + e2] += x * course[e] * other[e2];
                    }
            }
            for (int e = 0; e < E; ++e) h[a % K * E + e] += course[e] * rest;
        }
        for (int j = 0; j < nl; ++j) {
            info.h[j] = h[j];
            for (int j2 = 0; j2 < j; ++j2) info.K[j2 * nl + j] = info.K[j * nl + j2];
        }
    }
}

// Which cross-products of deviations make up what is known of the coefficients: a list, made once.
class SlopeInformation {
  public:
    explicit SlopeInformation(const Spec &m) {
        const int H = m.sources(), nd = m.slopes(), p = m.commons();
        for (const Term &t : m.terms) {
            const Single single{t.equation * m.K, t.source * H, t.random >= 0 ? t.random : t.common};
            (t.random >= 0 ? h_ : a_).push_back(single);
            for (const Term &u : m.terms) {
                const int weight = t.equation * m.K + u.equation, product = t.source * H + u.source;
                if (t.random >= 0 && u.random >= 0) K_.push_back({weight, product, t.random * nd + u.random});
                else if (t.common >= 0 && u.common >= 0) A_.push_back({weight, product, t.common * p + u.common});
                else if (t.common >= 0) B_.push_back({weight, product, t.common * nd + u.random});
            }
        }
    }

    void inform(const Spec &m, const Dynamics &dynamics, const Sums &sums, Block &block) const {
        for (int i = 0; i < m.N; ++i) {
            const double *precision = dynamics.precision(i), *C = sums.products(i);
            const Information info = block.person(i);
            const auto along = [&](const Single &s) {
                double x = 0.0;
                for (int k = 0; k < m.K; ++k) x += precision[s.weights + k] * C[s.products + k];
                return x;
            };
            for (const Single &s : h_) info.h[s.place] = along(s);
            for (const Single &s : a_) info.a[s.place] += along(s);
            for (const Pair &s : K_) info.K[s.place] = precision[s.weight] * C[s.product];
            for (const Pair &s : B_) info.B[s.place] = precision[s.weight] * C[s.product];
            for (const Pair &s : A_) info.A[s.place] += precision[s.weight] * C[s.product];
        }
    }

  private:
    struct Single {
        int weights, products, place;
    };
    struct Pair {
        int weight, product, place;
    };
    std::vector<Single> h_, a_;
    std::vector<Pair> K_, B_, A_;
};

} // namespace sessionwise::dsem
