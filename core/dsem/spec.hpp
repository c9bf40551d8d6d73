// What a chain is given: the data on the grid of session numbers, the model's terms, the priors. Indices are checked in
// Python (sessionwise.gibbs); shapes are told here.
#pragma once

#include "dense.hpp"

#include <cstdint>
#include <vector>

namespace sessionwise::dsem {

// A coefficient of the within level: `equation` on `source`, which indexes h = [z_t, z_{t-1}, ..., z_{t-P}, x_t].
// random: its place among the random coefficients, or -1; common: its place among the common ones, or -1.
struct Term {
    int equation, source, random, common;
};

// Inverse-gamma or half-t priors of one variance, inverse-Wishart or scaled half-t ones (Huang & Wand 2013) of a matrix.
struct VariancePrior {
    bool half_t = false;
    double degrees = 0.0; // of the inverse Wishart, or of the half-t
    Vec scale;            // (n x n) of the inverse Wishart; (n) SD scales of the half-t
};

struct Spec {
    int K = 0, P = 1;         // variables, lags
    int X = 0;                // covariates inside the dynamics
    int E = 1;                // columns of a person's own course: 1, and powers of the session
    int S = 0;                // session numbers of the grid
    int N = 0;                // persons
    int W = 1;                // person-level predictors, the intercept among them
    int B = 0;                // columns of the common course for each variable
    int J = 0;                // clusters, 0 for none
    int O = 0;                // person-level outcomes
    std::vector<Term> terms;
    std::vector<int> log_variance; // (K) place among random log variances, or -1
    bool full_sigma = true;        // innovations of one session correlate, one covariance for all
    bool own_first = true;         // the first P sessions have a covariance of their own, estimated
    int correlated = 1;            // random effects: 0 none correlate, 1 all, 2 levels with levels
    bool factor = false;           // random effects share one factor instead, marker: the first
    std::vector<double> shift;     // (P x E x E): E_{t-l} = E_t D_l for l = 1..P

    // data
    std::vector<std::int64_t> start; // (N + 1) rows of the grid
    std::vector<int> session;        // (rows) index of the session number
    Vec y;                           // (rows x K), NaN where not observed
    Vec error;                       // (rows x K) error variances before scaling, or empty
    Vec x;                           // (rows x X)
    Vec course_rows;                 // (S x E) a person's own course at a session number
    Vec basis;                       // (S x B)
    Vec w;                           // (N x W)
    std::vector<int> cluster;        // (N) or empty
    Vec outcome;                     // (N x O), NaN where not observed

    // which regressions there are
    std::vector<char> gamma_free;   // (q x W)
    std::vector<char> outcome_on_w; // (O x W)
    std::vector<char> outcome_on_b; // (O x q)

    // priors: normal ones by mean and precision
    Vec theta_mean, theta_precision;     // (common)
    Vec gamma_mean, gamma_precision;     // (q x W)
    VariancePrior sigma, first, omega, tau;
    Vec kappa_shape, kappa_scale;        // (K) inverse gamma of the error's factor; shape 0: the factor is 1, known
    Vec kappa_sd;                        // (K) scale of the half-t of the error's SD, where that is estimated; else 0
    double kappa_degrees = 2.0;          // of these
    int adapting = 0;                    // sweeps in which a step may learn its width
    double outcome_precision = 0.0, outcome_shape = -1.0, outcome_scale = 0.0;
    double psi_shape = -1.0, psi_scale = 0.0;

    int levels() const { return K * E; }
    int commons() const {
        int n = 0;
        for (const auto &t : terms) n += t.common >= 0;
        return n;
    }
    int slopes() const { return static_cast<int>(terms.size()) - commons(); }
    int variances() const {
        int n = 0;
        for (int v : log_variance) n += v >= 0;
        return n;
    }
    int effects() const { return levels() + slopes() + variances(); }
    // Effects that effect j correlates with: from the first of its group up to, not including, its end.
    int group_start(int j) const { return correlated == 1 ? 0 : correlated == 2 && j < levels() ? 0 : j; }
    int group_end(int j) const { return correlated == 1 ? effects() : correlated == 2 && j < levels() ? levels() : j + 1; }
    int sources() const { return K * (P + 1) + X; }
    int states() const { return K * P; }
};

} // namespace sessionwise::dsem
