// Random numbers of a chain: xoshiro256++ (Blackman & Vigna 2021), normal by the ziggurat (Marsaglia & Tsang 2000),
// gamma by Marsaglia & Tsang (2000), Wishart by Bartlett's decomposition. Equal seeds give equal numbers everywhere.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>

namespace sessionwise::dsem {

class Random {
  public:
    Random(std::uint64_t seed, std::uint64_t stream) {
        std::uint64_t x = seed * 0x9e3779b97f4a7c15ULL + stream * 0xd1342543de82ef95ULL + 0x2545f4914f6cdd1dULL;
        for (auto &word : state_) { // splitmix64
            x += 0x9e3779b97f4a7c15ULL;
            std::uint64_t z = x;
            z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
            z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
            word = z ^ (z >> 31);
        }
    }

    double uniform() { return (static_cast<double>(next() >> 11) + 0.5) * 0x1p-53; }

    double normal() {
        const Ziggurat &z = ziggurat();
        for (;;) {
            const std::uint64_t bits = next();
            const auto layer = static_cast<std::size_t>(bits & 127);
            const double u = 2.0 * (static_cast<double>(bits >> 11) * 0x1p-53) - 1.0;
            const double x = u * z.x[layer];
            if (std::abs(x) < z.x[layer + 1]) return x;
            if (layer == 0) return std::copysign(tail(), u);
            if (z.f[layer] + uniform() * (z.f[layer + 1] - z.f[layer]) < std::exp(-0.5 * x * x)) return x;
        }
    }

    // Gamma of this shape and scale 1.
    double gamma(double shape) {
        if (shape < 1.0) return gamma(shape + 1.0) * std::pow(uniform(), 1.0 / shape);
        const double d = shape - 1.0 / 3.0, c = 1.0 / std::sqrt(9.0 * d);
        for (;;) {
            const double x = normal(), t = 1.0 + c * x;
            if (t <= 0.0) continue;
            const double v = t * t * t, u = uniform();
            if (u < 1.0 - 0.0331 * (x * x) * (x * x)) return d * v; // what follows would say so too
            if (std::log(u) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
        }
    }

    double inverse_gamma(double shape, double scale) { return scale / gamma(shape); }

  private:
    static constexpr double R = 3.442619855899; // where the tail of 128 layers begins
    struct Ziggurat {
        std::array<double, 129> x{}, f{};
        Ziggurat() {
            const double area = 9.91256303526217e-3;
            x[0] = area / std::exp(-0.5 * R * R);
            x[1] = R;
            for (std::size_t i = 2; i < 128; ++i)
                x[i] = std::sqrt(-2.0 * std::log(area / x[i - 1] + std::exp(-0.5 * x[i - 1] * x[i - 1])));
            x[128] = 0.0;
            for (std::size_t i = 0; i < 129; ++i) f[i] = std::exp(-0.5 * x[i] * x[i]);
        }
    };
    static const Ziggurat &ziggurat() {
        static const Ziggurat tables;
        return tables;
    }
    double tail() {
        for (;;) {
            const double x = -std::log(uniform()) / R, y = -std::log(uniform());
            if (y + y > x * x) return R + x;
        }
    }
    std::uint64_t next() {
        const std::uint64_t result = rotate(state_[0] + state_[3], 23) + state_[0], t = state_[1] << 17;
        state_[2] ^= state_[0];
        state_[3] ^= state_[1];
        state_[1] ^= state_[2];
        state_[0] ^= state_[3];
        state_[2] ^= t;
        state_[3] = rotate(state_[3], 45);
        return result;
    }
    static std::uint64_t rotate(std::uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }
    std::array<std::uint64_t, 4> state_{};
};

} // namespace sessionwise::dsem
