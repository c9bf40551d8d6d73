// Error and process told apart: a Metropolis step on the error's SDs, the innovations' SDs and the mean coefficients
// together, with all true scores integrated out. Given true scores each of these is drawn from its conditional too, but
// there they hardly move: what is error in the one is innovation in the other.
#pragma once

#include "dynamics.hpp"
#include "true_scores.hpp"

namespace sessionwise::dsem {

class ErrorAndProcess {
  public:
    explicit ErrorAndProcess(const Spec &m) : m_(m) {
        const int low = m.levels();
        for (int k = 0; k < m.K; ++k)
            if (m.kappa_sd[static_cast<std::size_t>(k)] > 0.0) moved_.push_back({Kind::error, k});
        if (moved_.empty()) return;
        const auto shifts = [&](int effect) { return m.O == 0 && m.gamma_free[static_cast<std::size_t>(effect * m.W)]; };
        for (int k = 0; k < m.K; ++k) {
            const int place = m.log_variance[static_cast<std::size_t>(k)];
            if (place < 0) moved_.push_back({Kind::innovation, k});
            else if (shifts(low + m.slopes() + place)) moved_.push_back({Kind::effect, low + m.slopes() + place});
        }
        for (int c = 0; c < m.commons(); ++c) moved_.push_back({Kind::common, c});
        for (int j = low; j < low + m.slopes(); ++j)
            if (shifts(j)) moved_.push_back({Kind::effect, j});
        const auto d = moved_.size();
        mean_.assign(d, 0.0);
        cov_.assign(d * d, 0.0);
        factor_.assign(d * d, 0.0);
        for (std::size_t j = 0; j < d; ++j) factor_[j * d + j] = 0.02;
    }

    bool any() const { return !moved_.empty(); }

    // True scores are to be drawn after it: it is a step of the density in which they are not. Keeps dynamics, and
    // first_inverse, as the state has them.
    template <class Shape> void step(const Shape &n, State &s, Dynamics &dynamics, Vec &first_inverse, const Sums &sums, TrueScores &scores, Random &random) {
        double now = scores.log_density(n, s, dynamics, sums);
        for (int turn = 0; turn < TURNS; ++turn) {
            const auto d = static_cast<int>(moved_.size());
            Vec e(static_cast<std::size_t>(d)), by(static_cast<std::size_t>(d), 0.0);
            for (double &x : e) x = random.normal();
            const double width = std::exp(log_width_) * 2.38 / std::sqrt(static_cast<double>(d));
            for (int i = 0; i < d; ++i)
                for (int j = 0; j <= i; ++j) by[static_cast<std::size_t>(i)] += width * at(factor_, i, j, d) * e[static_cast<std::size_t>(j)];
            const double before = log_prior(s, first_inverse);
            keep(s);
            const double jacobian = move(s, by);
            bool taken = false;
            double chance = 0.0;
            if (jacobian > -1e300) {
                const Vec inverse_before = first_inverse;
                dynamics.refresh_slopes(s);
                dynamics.refresh_innovations(s);
                if (m_.own_first) first_inverse = inverse(s.first, m_.states());
                const double then = scores.log_density(n, s, dynamics, sums);
                const double more = then - now + log_prior(s, first_inverse) - before + jacobian;
                chance = more >= 0.0 ? 1.0 : more > -700.0 ? std::exp(more) : 0.0;
                taken = random.uniform() < chance;
                if (taken) now = then;
                else first_inverse = inverse_before;
            }
            if (!taken) {
                restore(s);
                dynamics.refresh_slopes(s);
                dynamics.refresh_innovations(s);
            }
            if (sweeps_ < m_.adapting) log_width_ += (chance - 0.25) / std::sqrt(1.0 + sweeps_);
        }
        for (int k = 0; k < m_.K; ++k) { // of the half-t, which the step integrates out
            const double a = m_.kappa_sd[static_cast<std::size_t>(k)], degrees = m_.kappa_degrees;
            if (a > 0.0)
                s.kappa_aux[static_cast<std::size_t>(k)] =
                    random.inverse_gamma(0.5 * (degrees + 1.0), degrees / s.kappa[static_cast<std::size_t>(k)] + 1.0 / (a * a));
        }
        if (sweeps_ < m_.adapting) learn(s);
    }

  private:
    static constexpr int TURNS = 2;
    enum class Kind { error, innovation, common, effect };
    struct Moved {
        Kind kind;
        int place;
    };

    double value(const State &s, const Moved &one) const {
        switch (one.kind) {
        case Kind::error: return std::sqrt(s.kappa[static_cast<std::size_t>(one.place)]);
        case Kind::innovation: return 0.5 * std::log(at(s.sigma, one.place, one.place, m_.K));
        case Kind::common: return s.theta[static_cast<std::size_t>(one.place)];
        default: return at(s.gamma, one.place, 0, m_.W);
        }
    }

    void keep(const State &s) { old_ = {s.kappa, s.sigma, s.first, s.theta, s.gamma, s.b}; }
    void restore(State &s) {
        s.kappa = old_[0], s.sigma = old_[1], s.first = old_[2], s.theta = old_[3], s.gamma = old_[4], s.b = old_[5];
    }

    // The log Jacobian of the innovations' and first sessions' new scales; -inf where an SD would be negative.
    double move(State &s, const Vec &by) const {
        double jacobian = 0.0;
        for (std::size_t a = 0; a < moved_.size(); ++a) {
            const int j = moved_[a].place, q = m_.effects(), M = m_.states();
            switch (moved_[a].kind) {
            case Kind::error: {
                const double sd = std::sqrt(s.kappa[static_cast<std::size_t>(j)]) + by[a];
                if (!(sd > 1e-8)) return -HUGE_VAL;
                s.kappa[static_cast<std::size_t>(j)] = sd * sd;
                break;
            }
            case Kind::innovation: { // and with it the first sessions' SD, correlations as they are
                const double times = std::exp(by[a]);
                for (int k = 0; k < m_.K; ++k) {
                    at(s.sigma, j, k, m_.K) *= times;
                    at(s.sigma, k, j, m_.K) *= times;
                }
                jacobian += (m_.full_sigma ? m_.K + 1.0 : 2.0) * by[a];
                if (!m_.own_first) break;
                for (int f = j; f < M; f += m_.K) {
                    for (int k = 0; k < M; ++k) {
                        at(s.first, f, k, M) *= times;
                        at(s.first, k, f, M) *= times;
                    }
                    jacobian += (M + 1.0) * by[a];
                }
                break;
            }
            case Kind::common: s.theta[static_cast<std::size_t>(j)] += by[a]; break;
            default: // persons' effects with their mean
                at(s.gamma, j, 0, m_.W) += by[a];
                for (int i = 0; i < m_.N; ++i) at(s.b, i, j, q) += by[a];
            }
        }
        return jacobian;
    }

    double log_prior(const State &s, const Vec &first_inverse) const {
        double x = 0.0;
        for (const Moved &one : moved_) {
            const auto j = static_cast<std::size_t>(one.place);
            if (one.kind == Kind::error) { // half-t, of the SD
                const double a = m_.kappa_sd[j], degrees = m_.kappa_degrees;
                x -= 0.5 * (degrees + 1.0) * std::log1p(s.kappa[j] / (degrees * a * a));
            } else if (one.kind == Kind::common) {
                const double off = s.theta[j] - m_.theta_mean[j];
                x -= 0.5 * m_.theta_precision[j] * off * off;
            } else if (one.kind == Kind::effect) {
                const double off = at(s.gamma, one.place, 0, m_.W) - at(m_.gamma_mean, one.place, 0, m_.W);
                x -= 0.5 * at(m_.gamma_precision, one.place, 0, m_.W) * off * off;
            }
        }
        if (m_.full_sigma) {
            x += log_inverse_wishart(s.sigma, inverse(s.sigma, m_.K), m_.sigma, m_.K);
        } else {
            for (int k = 0; k < m_.K; ++k)
                if (m_.log_variance[static_cast<std::size_t>(k)] < 0) {
                    const double v = at(s.sigma, k, k, m_.K);
                    x -= 0.5 * ((m_.sigma.degrees + 2.0) * std::log(v) + at(m_.sigma.scale, k, k, m_.K) / v);
                }
        }
        if (m_.own_first) x += log_inverse_wishart(s.first, first_inverse, m_.first, m_.states());
        return x;
    }

    static double log_inverse_wishart(Vec v, const Vec &inverted, const VariancePrior &prior, int n) {
        double x = 0.0;
        for (int j = 0; j < n * n; ++j) x -= 0.5 * prior.scale[static_cast<std::size_t>(j)] * inverted[static_cast<std::size_t>(j)];
        if (!factor(v.data(), n)) throw Failure("the innovations' covariance is not positive definite");
        for (int j = 0; j < n; ++j) x -= (prior.degrees + n + 1.0) * std::log(at(v, j, j, n));
        return x;
    }

    // Adaptive Metropolis (Haario, Saksman & Tamminen 2001), for as long as nothing is kept.
    void learn(const State &s) {
        const auto d = static_cast<int>(moved_.size());
        sweeps_ += 1.0;
        if (sweeps_ == FORGET) { // what was on the way
            std::fill(cov_.begin(), cov_.end(), 0.0);
            counted_ = 0.0;
        }
        counted_ += 1.0;
        Vec off(static_cast<std::size_t>(d)), rest(static_cast<std::size_t>(d));
        for (int j = 0; j < d; ++j) {
            const double x = value(s, moved_[static_cast<std::size_t>(j)]);
            if (counted_ == 1.0) mean_[static_cast<std::size_t>(j)] = x;
            off[static_cast<std::size_t>(j)] = x - mean_[static_cast<std::size_t>(j)];
            mean_[static_cast<std::size_t>(j)] += off[static_cast<std::size_t>(j)] / counted_;
            rest[static_cast<std::size_t>(j)] = x - mean_[static_cast<std::size_t>(j)];
        }
        for (int j = 0; j < d; ++j)
            for (int k = 0; k < d; ++k) at(cov_, j, k, d) += 0.5 * (off[static_cast<std::size_t>(j)] * rest[static_cast<std::size_t>(k)] + off[static_cast<std::size_t>(k)] * rest[static_cast<std::size_t>(j)]);
        if (counted_ < 10.0 * d || static_cast<int>(counted_) % 20 != 0) return;
        Vec root = cov_;
        for (int j = 0; j < d * d; ++j) root[static_cast<std::size_t>(j)] /= counted_;
        for (int j = 0; j < d; ++j) at(root, j, j, d) += 1e-8;
        if (!factor(root.data(), d)) return;
        factor_ = root;
    }

    static constexpr double FORGET = 300.0;
    const Spec &m_;
    std::vector<Moved> moved_;
    Vec mean_, cov_, factor_;
    std::array<Vec, 6> old_;
    double log_width_ = 0.0, sweeps_ = 0.0, counted_ = 0.0;
};

} // namespace sessionwise::dsem
