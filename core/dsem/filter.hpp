// Draws of one person's deviations on the grid of session numbers: what such a sampler is given.
#pragma once

#include "dense.hpp"

namespace sessionwise::dsem {

// z_t = F s_{t-1} + input_t + N(0, Q) with s_t = (z_t, ..., z_{t-P+1}), observed as value_t = z_t + N(0, error_t factor),
// NaN where not. s_{P-1} ~ N(0, first).
struct Observed {
    int T;
    const double *value;         // (T x K)
    const double *error;         // (T x K), or null: none
    const double *factor;        // (K)
    const double *input;         // (T x K), or null
    const double *f, *q, *first; // (K x M), (K x K), (M x M)
};

class StateSampler {
  public:
    virtual ~StateSampler() = default;
    virtual void draw(const Observed &observed, double *z, Random &random) = 0; // fills z (T x K)
};

} // namespace sessionwise::dsem
