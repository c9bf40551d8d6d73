// The density of what was observed of one person, its deviations integrated out: the forward pass of the filter alone.
#pragma once

#include "states.hpp"

namespace sessionwise::dsem {

// Up to a constant; what is known exactly beforehand adds nothing.
template <int K, int P> double log_density(const Observed &o) {
    constexpr int M = K * P;
    std::array<double, M> a{}, a0{};
    std::array<double, M * M> p{}, p0{};
    std::array<double, K * M> fp{};
    std::copy(o.first, o.first + M * M, p.begin());
    double total = 0.0;
    const auto seen = [&](int t, int offset) {
        for (int k = 0; k < K; ++k) {
            const double v = o.value[t * K + k];
            if (!(v == v)) continue;
            const double error = o.error ? o.error[t * K + k] * o.factor[k] : 0.0;
            const auto j = static_cast<std::size_t>(offset + k);
            const double s = p[j * M + j] + error, innovation = v - a[j];
            if (!(s > 0.0)) continue;
            total -= 0.5 * (std::log(s) + innovation * innovation / s);
            observe<M>(a.data(), p.data(), offset + k, v, error);
        }
    };
    for (int t = 0; t < P; ++t) seen(t, (P - 1 - t) * K);
    for (int t = P; t < o.T; ++t) {
        a0 = a;
        p0 = p;
        for (int i = 0; i < K; ++i) {
            double s = o.input ? o.input[t * K + i] : 0.0;
            for (int k = 0; k < M; ++k) s += o.f[i * M + k] * a0[static_cast<std::size_t>(k)];
            a[static_cast<std::size_t>(i)] = s;
            for (int j = 0; j < M; ++j) {
                double c = 0.0;
                for (int k = 0; k < M; ++k) c += o.f[i * M + k] * p0[static_cast<std::size_t>(k * M + j)];
                fp[static_cast<std::size_t>(i * M + j)] = c;
            }
        }
        for (int i = 0; i < K; ++i)
            for (int j = 0; j < K; ++j) {
                double c = o.q[i * K + j];
                for (int k = 0; k < M; ++k) c += fp[static_cast<std::size_t>(i * M + k)] * o.f[j * M + k];
                p[static_cast<std::size_t>(i * M + j)] = c;
            }
        for (int i = K; i < M; ++i) { // what was the newest becomes older
            a[static_cast<std::size_t>(i)] = a0[static_cast<std::size_t>(i - K)];
            for (int j = 0; j < K; ++j) p[static_cast<std::size_t>(i * M + j)] = p[static_cast<std::size_t>(j * M + i)] = fp[static_cast<std::size_t>(j * M + i - K)];
            for (int j = K; j < M; ++j) p[static_cast<std::size_t>(i * M + j)] = p0[static_cast<std::size_t>((i - K) * M + j - K)];
        }
        seen(t, 0);
    }
    return total;
}

using StateDensity = double (*)(const Observed &);

inline StateDensity state_density(int K, int P) {
    if (K == 1 && P == 1) return log_density<1, 1>;
    if (K == 2 && P == 1) return log_density<2, 1>;
    if (K == 3 && P == 1) return log_density<3, 1>;
    if (K == 4 && P == 1) return log_density<4, 1>;
    if (K == 1 && P == 2) return log_density<1, 2>;
    if (K == 1 && P == 3) return log_density<1, 3>;
    if (K == 2 && P == 2) return log_density<2, 2>;
    if (K == 2 && P == 3) return log_density<2, 3>;
    if (K == 3 && P == 2) return log_density<3, 2>;
    if (K == 4 && P == 2) return log_density<4, 2>;
    throw Failure("no more than four variables and three lags");
}

} // namespace sessionwise::dsem
