// One chain of the dynamic structural equation model. A sweep draws, each given the rest: true scores; the common course;
// levels with their regressions; coefficients with theirs; innovations; the first sessions; covariances of random effects;
// clusters; the common factor; person-level outcomes; the error's factor. Where the error is estimated beside the process, the
// two are first told apart with the true scores integrated out.
#pragma once

#include "collapsed.hpp"
#include "course.hpp"
#include "error_and_process.hpp"
#include "inform.hpp"
#include "innovations.hpp"
#include "interweave.hpp"
#include "persons.hpp"
#include "true_scores.hpp"

namespace sessionwise::dsem {

class Chain {
  public:
    Chain(Spec spec, State state, std::uint64_t seed, std::uint64_t number)
        : m(std::move(spec)), s(std::move(state)), random(seed, number), q(m.effects()), nl(m.levels()), nd(m.slopes()), levels_(m, 0, nl, 0),
          slopes_(m, nl, nl + nd, m.commons()), slope_information_(m), dynamics_(m), sums_(m), true_scores_(m, s), course_(m), error_and_process_(m) {
        dynamics_.refresh_slopes(s);
        dynamics_.refresh_innovations(s);
        first_inverse_ = inverse(s.first, m.states());
        sums_.refresh_course(s);
        with_shape(m.K, m.P, m.E, m.X, [this](auto n) { sums_.refresh(n, s); });
    }
    Chain(const Chain &) = delete; // its parts refer to its specification
    Chain &operator=(const Chain &) = delete;

    void sweep() {
        with_shape(m.K, m.P, m.E, m.X, [this](auto n) { sweep(n); });
    }

    int size() const { return static_cast<int>(packed().size()); }

    // What is kept of a sweep, in the order that sessionwise.gibbs names.
    Vec packed() const {
        Vec out(s.theta);
        for (int j = 0; j < q * m.W; ++j)
            if (m.gamma_free[static_cast<std::size_t>(j)]) out.push_back(s.gamma[static_cast<std::size_t>(j)]);
        for (int i = 0; i < m.K; ++i)
            for (int j = m.full_sigma ? 0 : i; j <= i; ++j)
                if (m.log_variance[static_cast<std::size_t>(i)] < 0) out.push_back(at(s.sigma, i, j, m.K));
        for (int i = 0; i < q; ++i)
            for (int j = m.group_start(i); j <= i; ++j) out.push_back(at(s.omega, i, j, q));
        if (m.own_first) triangle(out, s.first, m.states());
        out.insert(out.end(), s.delta.begin(), s.delta.end());
        for (int k = 0; k < m.K; ++k)
            if (!m.error.empty()) out.push_back(s.kappa[static_cast<std::size_t>(k)]);
        if (m.J > 0) triangle(out, s.tau_cov, nl);
        for (int o = 0; o < m.O; ++o) {
            for (int j = 0; j < m.W; ++j)
                if (m.outcome_on_w[static_cast<std::size_t>(o * m.W + j)]) out.push_back(at(s.outcome, o, j, m.W + q));
            for (int j = 0; j < q; ++j)
                if (m.outcome_on_b[static_cast<std::size_t>(o * q + j)]) out.push_back(at(s.outcome, o, m.W + j, m.W + q));
            out.push_back(s.outcome_var[static_cast<std::size_t>(o)]);
        }
        if (m.factor) {
            out.insert(out.end(), s.loading.begin() + 1, s.loading.end());
            out.push_back(s.psi);
        }
        for (int j = 0; j < q; ++j) { // means over the persons who are there
            double x = 0.0;
            for (int i = 0; i < m.N; ++i) x += at(s.b, i, j, q);
            out.push_back(x / m.N);
        }
        return out;
    }

    const State &state() const { return s; }
    int effects() const { return q; }
    int persons() const { return m.N; }
    std::int64_t grid() const { return m.start.back(); }
    int variables() const { return m.K; }

  private:
    // Dynamics, sums and first_inverse_ always belong to the state: whoever draws what they are made of refreshes them.
    template <class Shape> void sweep(const Shape &n) {
        if (error_and_process_.any()) error_and_process_.step(n, s, dynamics_, first_inverse_, sums_, true_scores_, random);
        if (true_scores_.any()) true_scores_.draw(n, s, dynamics_, sums_, random);
        if (m.B > 0) {
            course_.draw(n, s, dynamics_, first_inverse_, random);
            sums_.refresh_course(s);
        }
        if (true_scores_.any() || m.B > 0) sums_.refresh(n, s);
        levels_.update(s, random, [&](Block &block) { inform_levels(n, m, dynamics_, sums_, first_inverse_, block); });
        levels_.interweave(s, random);
        sums_.refresh_products(n, s);
        slopes_.update(s, random, [&](Block &block) { slope_information_.inform(m, dynamics_, sums_, block); });
        slopes_.interweave(s, random);
        dynamics_.refresh_slopes(s);
        draw_innovations(n, m, s, dynamics_, sums_, random);
        dynamics_.refresh_innovations(s);
        if (m.own_first) {
            draw_first(n, m, s, sums_, random);
            first_inverse_ = inverse(s.first, m.states());
        }
        if (m.factor) draw_factor(m, s, random);
        draw_gamma(m, s, random);
        draw_omega(m, s, random);
        if (m.J > 0) draw_clusters(m, s, random);
        if (m.O > 0) draw_outcomes(m, s, random);
        if (!m.error.empty()) draw_error();
    }

    static void triangle(Vec &out, const Vec &a, int n) {
        for (int i = 0; i < n; ++i)
            for (int j = 0; j <= i; ++j) out.push_back(at(a, i, j, n));
    }

    void draw_error() {
        for (int k = 0; k < m.K; ++k) {
            const bool estimated = m.kappa_sd[static_cast<std::size_t>(k)] > 0.0; // else around what is known of it
            if (!estimated && !(m.kappa_shape[static_cast<std::size_t>(k)] > 0.0)) continue;
            double n = 0.0, squares = 0.0;
            for (std::size_t r = static_cast<std::size_t>(k); r < m.y.size(); r += static_cast<std::size_t>(m.K)) {
                const double v = m.y[r];
                if (!(v == v) || !(m.error[r] > 0.0)) continue;
                squares += (v - s.z[r]) * (v - s.z[r]) / m.error[r];
                n += 1.0;
            }
            const double shape = estimated ? 0.5 * m.kappa_degrees : m.kappa_shape[static_cast<std::size_t>(k)];
            const double scale = estimated ? m.kappa_degrees / s.kappa_aux[static_cast<std::size_t>(k)] : m.kappa_scale[static_cast<std::size_t>(k)];
            s.kappa[static_cast<std::size_t>(k)] = random.inverse_gamma(shape + 0.5 * n, scale + 0.5 * squares);
        }
    }

    Spec m;
    State s;
    Random random;
    int q, nl, nd;
    Block levels_, slopes_;
    SlopeInformation slope_information_;
    Dynamics dynamics_;
    Sums sums_;
    TrueScores true_scores_;
    Course course_;
    ErrorAndProcess error_and_process_;
    Vec first_inverse_;
};

} // namespace sessionwise::dsem
