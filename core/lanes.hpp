// Eight persons side by side: one number of each, and arithmetic on all of them at once.
#pragma once

#include <cmath>
#include <cstring>

#include "gram.hpp"

namespace sessionwise {

// A class of its own, not the compiler's vector type alone, so that containers know how it must be aligned.
struct alignas(LANES * sizeof(double)) Lanes {
#ifdef __GNUC__
    typedef double Values __attribute__((vector_size(LANES * sizeof(double))));
    Values v;
#else
    double v[LANES];
#endif
    SW_INLINE double &operator[](int l) { return reinterpret_cast<double *>(&v)[l]; }
    SW_INLINE double operator[](int l) const { return reinterpret_cast<const double *>(&v)[l]; }
};

// GCC and clang take the arithmetic of whole vectors, other compilers that of each lane.
#ifdef __GNUC__
#define SW_OPERATOR(sign)                                                                                              \
    SW_INLINE Lanes operator sign(const Lanes &a, const Lanes &b) { return {a.v sign b.v}; }                           \
    SW_INLINE Lanes operator sign(const Lanes &a, double b) { return {a.v sign b}; }                                   \
    SW_INLINE Lanes operator sign(double a, const Lanes &b) { return {a sign b.v}; }
#else
#define SW_OPERATOR(sign)                                                                                              \
    SW_INLINE Lanes operator sign(Lanes a, const Lanes &b) {                                                           \
        for (int l = 0; l < LANES; ++l) a.v[l] = a.v[l] sign b.v[l];                                                   \
        return a;                                                                                                      \
    }                                                                                                                  \
    SW_INLINE Lanes operator sign(Lanes a, double b) {                                                                 \
        for (int l = 0; l < LANES; ++l) a.v[l] = a.v[l] sign b;                                                        \
        return a;                                                                                                      \
    }                                                                                                                  \
    SW_INLINE Lanes operator sign(double a, Lanes b) {                                                                 \
        for (int l = 0; l < LANES; ++l) b.v[l] = a sign b.v[l];                                                        \
        return b;                                                                                                      \
    }
#endif
SW_OPERATOR(+)
SW_OPERATOR(-)
SW_OPERATOR(*)
SW_OPERATOR(/)
#undef SW_OPERATOR
SW_INLINE Lanes &operator+=(Lanes &a, const Lanes &b) { return a = a + b; }
SW_INLINE Lanes &operator-=(Lanes &a, const Lanes &b) { return a = a - b; }

static_assert(LANES == 8 && sizeof(Lanes) == LANES * sizeof(double));

SW_INLINE void load(const double *from, Lanes &to) { std::memcpy(&to, from, sizeof to); }
SW_INLINE void store(const Lanes &from, double *to) { std::memcpy(to, &from, sizeof from); }

SW_INLINE Lanes broadcast(double x) {
    Lanes all;
    for (int l = 0; l < LANES; ++l) all[l] = x;
    return all;
}

inline double sum(const Lanes &x) {
    double total = 0.0;
    for (int l = 0; l < LANES; ++l) total += x[l];
    return total;
}

// Sum of logarithms of numbers of 1 or more: few logarithms are taken, of products.
class LogSum {
  public:
    LogSum() {
        for (int l = 0; l < LANES; ++l) product_[l] = 1.0;
    }
    // Numbers of lanes first to last (without it) only.
    void add(const Lanes &x, int first, int last) {
        for (int l = first; l < last; ++l) product_[l] *= x[l];
        bool small = true;
        for (int l = 0; l < LANES; ++l) small &= product_[l] < 1e150;
        for (int l = 0; l < LANES && !small; ++l) flush(l);
    }
    double total() {
        for (int l = 0; l < LANES; ++l) flush(l);
        return total_;
    }

  private:
    void flush(int l) {
        total_ += std::log(product_[l]);
        product_[l] = 1.0;
    }
    Lanes product_;
    double total_ = 0.0;
};

} // namespace sessionwise
