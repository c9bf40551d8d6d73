// Dynamics of each person, kept for as long as they hold: a sweep needs them many times. Where no coefficient is random all
// persons share one matrix, where no variance is random one precision.
#pragma once

#include "state.hpp"

namespace sessionwise::dsem {

class Dynamics {
  public:
    explicit Dynamics(const Spec &m)
        : m_(m), H_(m.sources()), slopes_vary_(m.slopes() > 0), variances_vary_(m.variances() > 0),
          rows_(static_cast<std::size_t>((slopes_vary_ ? m.N : 1) * m.K * H_)),
          precision_(static_cast<std::size_t>((variances_vary_ ? m.N : 1) * m.K * m.K)) {
        for (const Term &t : m.terms) same_session_ |= t.source < m.K;
    }

    // (K x H) on h = [z_t, ..., z_{t-P}, x_t]: innovation = rows h, so [I - A0, -Phi_1, ..., -Phi_P, -Gamma].
    const double *rows(int i) const { return row(rows_, slopes_vary_ ? i : 0, m_.K * H_); }
    // (K x K) inverse covariance of the innovations
    const double *precision(int i) const { return row(precision_, variances_vary_ ? i : 0, m_.K * m_.K); }
    bool slopes_vary() const { return slopes_vary_; }
    bool variances_vary() const { return variances_vary_; }
    bool vary() const { return slopes_vary_ || variances_vary_; }
    bool same_session() const { return same_session_; } // whether I - A0 is other than I

    void refresh_slopes(const State &s) {
        const int size = m_.K * H_, q = m_.effects(), persons = slopes_vary_ ? m_.N : 1;
        Vec common(static_cast<std::size_t>(size), 0.0);
        for (int k = 0; k < m_.K; ++k) at(common, k, k, H_) = 1.0;
        for (const Term &t : m_.terms)
            if (t.random < 0) at(common, t.equation, t.source, H_) -= s.theta[static_cast<std::size_t>(t.common)];
        for (int i = 0; i < persons; ++i) {
            double *own = row(rows_, i, size);
            const double *slopes = row(s.b, i, q) + m_.levels();
            std::copy(common.begin(), common.end(), own);
            for (const Term &t : m_.terms)
                if (t.random >= 0) own[t.equation * H_ + t.source] -= slopes[t.random];
        }
    }

    void refresh_innovations(const State &s) {
        const int K = m_.K, q = m_.effects(), first = m_.levels() + m_.slopes(), persons = variances_vary_ ? m_.N : 1;
        const Vec common = inverse(s.sigma, K);
        for (int i = 0; i < persons; ++i) {
            double *own = row(precision_, i, K * K);
            std::copy(common.begin(), common.end(), own);
            for (int k = 0; k < K; ++k) {
                const int place = m_.log_variance[static_cast<std::size_t>(k)];
                if (place >= 0) own[k * K + k] = std::exp(-at(s.b, i, first + place, q));
            }
        }
    }

  private:
    const Spec &m_;
    int H_;
    bool slopes_vary_, variances_vary_, same_session_ = false;
    Vec rows_, precision_;
};

} // namespace sessionwise::dsem
