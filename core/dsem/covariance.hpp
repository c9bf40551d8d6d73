// Covariance matrices: their priors, and draws given sums of products.
#pragma once

#include "block.hpp"

namespace sessionwise::dsem {

// log of Omega's prior density told of its factor, the half-t's auxiliary variables integrated out; constants left out.
// inverse (q x q): workspace.
inline double log_prior(const Spec &m, const Vec &l, Vec &inverse, int q) {
    double log_det = 0.0, x = 0.0;
    for (int j = 0; j < q; ++j) log_det += 2.0 * std::log(std::abs(at(l, j, j, q)));
    const VariancePrior &prior = m.omega;
    if (m.full_omega) {
        if (prior.half_t) { // Huang & Wand (2013)
            inverse_lower(l.data(), inverse.data(), q);
            for (int j = 0; j < q; ++j) {
                const double a = prior.scale[static_cast<std::size_t>(j)];
                double precision = 0.0;
                for (int i = j; i < q; ++i) precision += at(inverse, i, j, q) * at(inverse, i, j, q);
                x += std::log(prior.degrees * precision + 1.0 / (a * a));
            }
            return -0.5 * (prior.degrees + 2.0 * q) * log_det - 0.5 * (prior.degrees + q) * x;
        }
        inverse_from(l.data(), inverse.data(), q);
        for (int j = 0; j < q * q; ++j) x += prior.scale[static_cast<std::size_t>(j)] * inverse[static_cast<std::size_t>(j)];
        return -0.5 * (prior.degrees + q + 1) * log_det - 0.5 * x;
    }
    for (int j = 0; j < q; ++j) {
        const double variance = at(l, j, j, q) * at(l, j, j, q), scale = prior.scale[static_cast<std::size_t>(j)];
        if (prior.half_t) x += -0.5 * (prior.degrees + 1.0) * std::log1p(variance / (prior.degrees * scale * scale)) - 0.5 * std::log(variance);
        else x += -(0.5 * prior.degrees + 1.0) * std::log(variance) - 0.5 * scale / variance;
    }
    return x;
}

// The half-t's auxiliary variables given the covariance's precision.
inline void draw_auxiliary(const VariancePrior &prior, bool full, const Vec &precision, int n, Vec &aux, Random &random) {
    if (!prior.half_t) return;
    for (int j = 0; j < n; ++j) {
        const double a = prior.scale[static_cast<std::size_t>(j)];
        aux[static_cast<std::size_t>(j)] =
            random.inverse_gamma(0.5 * (prior.degrees + (full ? n : 1)), prior.degrees * at(precision, j, j, n) + 1.0 / (a * a));
    }
}

// A covariance matrix given deviations' sum of products.
inline void draw_covariance(const VariancePrior &prior, bool full, const Vec &squares, double count, int n, Vec &aux, Vec &cov, Random &random) {
    if (full && prior.half_t) { // Huang & Wand (2013)
        Vec scale = squares;
        for (int j = 0; j < n; ++j) at(scale, j, j, n) += 2.0 * prior.degrees / aux[static_cast<std::size_t>(j)];
        cov = draw_inverse_wishart(scale, prior.degrees + n - 1 + count, n, random);
        draw_auxiliary(prior, true, inverse(cov, n), n, aux, random);
    } else if (full) {
        Vec scale = squares;
        for (int j = 0; j < n * n; ++j) scale[static_cast<std::size_t>(j)] += prior.scale[static_cast<std::size_t>(j)];
        cov = draw_inverse_wishart(scale, prior.degrees + count, n, random);
    } else {
        for (int j = 0; j < n; ++j) {
            const double shape = 0.5 * (prior.degrees + count);
            double scale = 0.5 * at(squares, j, j, n);
            if (prior.half_t) scale += prior.degrees / aux[static_cast<std::size_t>(j)];
            else scale += 0.5 * prior.scale[static_cast<std::size_t>(j)];
            if (!(shape > 0.0)) throw Failure("a variance has an improper distribution: too few persons");
            at(cov, j, j, n) = random.inverse_gamma(shape, scale);
        }
        draw_auxiliary(prior, false, inverse(cov, n), n, aux, random);
    }
}

} // namespace sessionwise::dsem
