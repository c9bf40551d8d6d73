// Covariance matrices: their priors, and draws given sums of products. Effects correlate within groups, which are
// independent of each other.
#pragma once

#include "block.hpp"

namespace sessionwise::dsem {

// An inverse Wishart's degrees are told of a single variance; each further effect of a group takes one off.
// log of the prior density of one group [low, high) of a covariance matrix told of its factor l (q x q), half-t's auxiliary
// variables integrated out; constants left out. inverse (q x q): workspace.
inline double log_prior(const VariancePrior &prior, const Vec &l, Vec &inverse, int low, int high, int q) {
    const int n = high - low;
    double log_det = 0.0, x = 0.0;
    for (int j = low; j < high; ++j) log_det += 2.0 * std::log(std::abs(at(l, j, j, q)));
    if (prior.half_t) { // Huang & Wand (2013); of one variance the half-t
        for (int j = low; j < high; ++j) {
            const double a = prior.scale[static_cast<std::size_t>(j)];
            double precision = 0.0;
            for (int i = j; i < high; ++i) precision += at(inverse, i, j, q) * at(inverse, i, j, q);
            x += std::log(prior.degrees * precision + 1.0 / (a * a));
        }
        return -0.5 * (prior.degrees + 2.0 * n) * log_det - 0.5 * (prior.degrees + n) * x;
    }
    for (int i = low; i < high; ++i)
        for (int j = low; j < high; ++j) {
            double precision = 0.0;
            for (int k = std::max(i, j); k < high; ++k) precision += at(inverse, k, i, q) * at(inverse, k, j, q);
            x += at(prior.scale, i, j, q) * precision;
        }
    return -0.5 * (prior.degrees - (n - 1) + n + 1) * log_det - 0.5 * x;
}

// Of all groups of the random effects.
inline double log_prior(const Spec &m, const Vec &l, Vec &inverse, int q) {
    inverse_lower(l.data(), inverse.data(), q);
    double x = 0.0;
    for (int low = 0; low < q; low = m.group_end(low)) x += log_prior(m.omega, l, inverse, low, m.group_end(low), q);
    return x;
}

// The half-t's auxiliary variables of one group of effects given the covariance's precision (n x n).
inline void draw_auxiliary(const VariancePrior &prior, const Vec &precision, int low, int high, int n, Vec &aux, Random &random) {
    if (!prior.half_t) return;
    for (int j = low; j < high; ++j) {
        const double a = prior.scale[static_cast<std::size_t>(j)];
        aux[static_cast<std::size_t>(j)] =
            random.inverse_gamma(0.5 * (prior.degrees + high - low), prior.degrees * at(precision, j, j, n) + 1.0 / (a * a));
    }
}

// A group [low, high) of a covariance matrix (n x n) given deviations' sums of products.
inline void draw_covariance(const VariancePrior &prior, const Vec &squares, double count, int low, int high, int n, Vec &aux, Vec &cov, Random &random) {
    const int size = high - low;
    Vec scale(static_cast<std::size_t>(size * size));
    for (int i = 0; i < size; ++i)
        for (int j = 0; j < size; ++j) {
            at(scale, i, j, size) = at(squares, low + i, low + j, n);
            if (!prior.half_t) at(scale, i, j, size) += at(prior.scale, low + i, low + j, n);
            else if (i == j) at(scale, i, j, size) += 2.0 * prior.degrees / aux[static_cast<std::size_t>(low + j)]; // Huang & Wand (2013)
        }
    const double degrees = prior.half_t ? prior.degrees + size - 1 : prior.degrees - (size - 1);
    const Vec drawn = draw_inverse_wishart(scale, degrees + count, size, random), own = inverse(drawn, size);
    Vec precision(cov.size(), 0.0);
    for (int i = 0; i < size; ++i)
        for (int j = 0; j < size; ++j) {
            at(cov, low + i, low + j, n) = at(drawn, i, j, size);
            at(precision, low + i, low + j, n) = at(own, i, j, size);
        }
    draw_auxiliary(prior, precision, low, high, n, aux, random);
}

} // namespace sessionwise::dsem
