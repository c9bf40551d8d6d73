// State: what the next sweep of a chain needs. Sums: what one person's sessions come to, given the common course.
#pragma once

#include "spec.hpp"
#include "states.hpp"

namespace sessionwise::dsem {

struct State {
    Vec theta;                   // (common) coefficients that all persons share
    Vec gamma;                   // (q x W) regressions of random effects on person-level predictors
    Vec omega, precision;        // (q x q) covariance of random effects, and its inverse
    Vec omega_aux;               // (q) of the half-t prior
    Vec b;                       // (N x q) random effects: levels, slopes, log variances
    Vec sigma;                   // (K x K) innovations where they are common
    Vec first;                   // (M x M) covariance of the first P sessions
    Vec delta;                   // (B x K) common course
    Vec kappa;                   // (K) factor of the error variances
    Vec tau, tau_cov, tau_aux;   // (J x levels), (levels x levels), (levels)
    Vec outcome, outcome_var;    // (O x (W + q)), (O)
    Vec eta, loading;            // (N), (q); loading of the marker is 1
    double psi = 1.0;
    Vec z;                       // (rows x K) true scores
};

// Cross-products of g = [E_t, r_t, ..., r_{t-P}, x_t] over a person's sessions from the P-th on, r = true score - course.
struct Sums {
    double n = 0.0;
    Vec g; // (E + H, E + H)
};

// Coefficients of one person as matrices: T[0] = I - A0, T[l] = -Phi_l; (P + 1) x K x K, and covariates (K x X).
struct Dynamics {
    Vec t, x;
};

inline Dynamics dynamics(const Spec &m, const Vec &theta, const double *slopes) {
    Dynamics d{Vec(static_cast<std::size_t>((m.P + 1) * m.K * m.K), 0.0), Vec(static_cast<std::size_t>(m.K * m.X), 0.0)};
    for (int k = 0; k < m.K; ++k) d.t[static_cast<std::size_t>(k * m.K + k)] = 1.0;
    for (const Term &term : m.terms) {
        const double value = term.random >= 0 ? slopes[term.random] : theta[static_cast<std::size_t>(term.common)];
        const int lag = term.source / m.K, k = term.source % m.K;
        if (lag <= m.P)
            d.t[static_cast<std::size_t>((lag * m.K + term.equation) * m.K + k)] -= value;
        else
            d.x[static_cast<std::size_t>(term.equation * m.X + term.source - m.K * (m.P + 1))] += value;
    }
    return d;
}

} // namespace sessionwise::dsem
