// State: what the next sweep of a chain needs; and what it expects of a person's effects.
#pragma once

#include "spec.hpp"

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
    Vec kappa, kappa_aux;        // (K) factor of the error variances, and of its half-t prior
    Vec tau, tau_cov, tau_aux;   // (J x levels), (levels x levels), (levels)
    Vec outcome, outcome_var;    // (O x (W + q)), (O)
    Vec eta, loading;            // (N), (q); loading of the marker is 1
    double psi = 1.0;
    Vec z;                       // (rows x K) true scores
};

// What a person's effects are expected to be apart from gamma: the cluster's deviation, the factor.
inline double base(const Spec &m, const State &s, int i, int j) {
    double x = 0.0;
    if (m.J > 0 && j < m.levels()) x += at(s.tau, m.cluster[static_cast<std::size_t>(i)], j, m.levels());
    if (m.factor) x += s.loading[static_cast<std::size_t>(j)] * s.eta[static_cast<std::size_t>(i)];
    return x;
}

// What the first n effects of a person are expected to be.
inline void expect(const Spec &m, const State &s, int i, int n, double *out) {
    const double *w = row(m.w, i, m.W), *gamma = s.gamma.data();
    if (m.W == 1) { // the usual case, in a loop that is one
        for (int j = 0; j < n; ++j) out[j] = gamma[j] * w[0];
    } else {
        for (int j = 0; j < n; ++j) {
            double x = 0.0;
            for (int v = 0; v < m.W; ++v) x += gamma[j * m.W + v] * w[v];
            out[j] = x;
        }
    }
    if (m.J > 0 || m.factor)
        for (int j = 0; j < n; ++j) out[j] += base(m, s, i, j);
}

} // namespace sessionwise::dsem
