// Small dense matrices, row-major in plain vectors: what one person, or the hyperparameters, need.
#pragma once

#include "random.hpp"
#include "sizes.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <stdexcept>
#include <vector>

namespace sessionwise::dsem {

using Vec = std::vector<double>;

struct Failure : std::runtime_error {
    using std::runtime_error::runtime_error;
};

inline double *row(Vec &a, int i, int n) { return a.data() + static_cast<std::size_t>(i) * static_cast<std::size_t>(n); }
inline const double *row(const Vec &a, int i, int n) { return a.data() + static_cast<std::size_t>(i) * static_cast<std::size_t>(n); }
inline double &at(Vec &a, int i, int j, int n) { return a[static_cast<std::size_t>(i) * static_cast<std::size_t>(n) + static_cast<std::size_t>(j)]; }
inline double at(const Vec &a, int i, int j, int n) { return a[static_cast<std::size_t>(i) * static_cast<std::size_t>(n) + static_cast<std::size_t>(j)]; }

// Lower Cholesky factor in place (the upper triangle is left as it is); false if not positive definite. Column by column:
// the rows of one do not wait for each other.
template <class Size> bool factor(double *a, Size n) {
    for (int i = 0; i < n; ++i) {
        const double *ai = a + i * n;
        double square = ai[i];
        for (int k = 0; k < i; ++k) square -= ai[k] * ai[k];
        if (!(square > 0.0)) return false;
        const double root = std::sqrt(square), pivot = 1.0 / root;
        a[i * n + i] = root;
        for (int j = i + 1; j < n; ++j) {
            double *aj = a + j * n;
            double sum = aj[i];
            for (int k = 0; k < i; ++k) sum -= aj[k] * ai[k];
            aj[i] = sum * pivot;
        }
    }
    return true;
}

// x <- L^-1 x
inline void forward(const double *l, double *x, int n) {
    for (int i = 0; i < n; ++i) {
        double sum = x[i];
        for (int k = 0; k < i; ++k) sum -= l[i * n + k] * x[k];
        x[i] = sum / l[i * n + i];
    }
}

// x <- L'^-1 x
inline void backward(const double *l, double *x, int n) {
    for (int i = n - 1; i >= 0; --i) {
        const double value = x[i] /= l[i * n + i];
        for (int k = 0; k < i; ++k) x[k] -= l[i * n + k] * value;
    }
}

// The inverse of a lower triangle; the upper one of out is not touched.
inline void inverse_lower(const double *l, double *out, int n) {
    for (int i = 0; i < n; ++i) {
        double *line = out + i * n;
        const double pivot = 1.0 / l[i * n + i];
        std::fill(line, line + i, 0.0);
        for (int k = 0; k < i; ++k)
            for (int j = 0; j <= k; ++j) line[j] -= l[i * n + k] * out[k * n + j];
        for (int j = 0; j < i; ++j) line[j] *= pivot;
        line[i] = pivot;
    }
}

// The inverse of a symmetric positive definite matrix from its factor, both triangles.
inline void inverse_from(const double *l, double *out, int n) {
    inverse_lower(l, out, n);
    for (int i = 0; i < n; ++i) // row i of L^-1 is in no later row of L'^-1 L^-1
        for (int j = 0; j <= i; ++j) {
            double sum = 0.0;
            for (int k = i; k < n; ++k) sum += out[k * n + i] * out[k * n + j];
            out[i * n + j] = sum;
        }
    for (int i = 0; i < n; ++i)
        for (int j = 0; j < i; ++j) out[j * n + i] = out[i * n + j];
}

inline Vec inverse(const Vec &a, int n) {
    Vec l = a, out(a.size());
    if (!factor(l.data(), n)) throw Failure("a covariance matrix is not positive definite");
    inverse_from(l.data(), out.data(), n);
    return out;
}

// A draw of N(P^-1 h, P^-1) in place of h; P is destroyed. A little is added to the diagonal if P is singular.
inline void draw_gaussian(double *p, double *h, int n, Random &random) {
    if (n == 0) return;
    Vec copy(p, p + n * n);
    double jitter = 0.0;
    while (!factor(p, n)) {
        double largest = 0.0;
        for (int i = 0; i < n; ++i) largest = std::max(largest, std::abs(copy[static_cast<std::size_t>(i * n + i)]));
        jitter = jitter == 0.0 ? 1e-12 * largest : jitter * 100.0;
        if (!(jitter < largest) || !std::isfinite(largest)) throw Failure("a conditional distribution is not proper");
        std::copy(copy.begin(), copy.end(), p);
        for (int i = 0; i < n; ++i) p[i * n + i] += jitter;
    }
    forward(p, h, n);
    for (int i = 0; i < n; ++i) h[i] += random.normal();
    backward(p, h, n);
}

// Inverse Wishart with this scale (n x n) and these degrees of freedom (mean scale/(degrees - n - 1)).
inline Vec draw_inverse_wishart(const Vec &scale, double degrees, int n, Random &random) {
    if (!(degrees > n - 1)) throw Failure("a covariance matrix has an improper distribution: too few persons");
    // Omega = S (T T')^-1 S', S the factor of the scale, T T' Wishart(I): Omega = (S T'^-1)(S T'^-1)'.
    Vec s = scale, t(scale.size(), 0.0);
    if (!factor(s.data(), n)) throw Failure("the scale of a covariance matrix is not positive definite");
    for (int i = 0; i < n; ++i) {
        for (int j = 0; j < i; ++j) at(t, i, j, n) = random.normal();
        at(t, i, i, n) = std::sqrt(2.0 * random.gamma(0.5 * (degrees - i)));
    }
    // rows of M = S T'^-1, so M T' = S: solve T m = s for every row
    Vec m(scale.size(), 0.0), out(scale.size());
    for (int i = 0; i < n; ++i) {
        for (int j = 0; j <= i; ++j) at(m, i, j, n) = at(s, i, j, n);
        forward(t.data(), row(m, i, n), n);
    }
    for (int i = 0; i < n; ++i)
        for (int j = 0; j <= i; ++j) {
            double sum = 0.0;
            for (int k = 0; k < n; ++k) sum += at(m, i, k, n) * at(m, j, k, n);
            at(out, i, j, n) = at(out, j, i, n) = sum;
        }
    return out;
}

} // namespace sessionwise::dsem
