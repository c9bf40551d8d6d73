// Sizes that the compiler may know. A kernel is written once, for sizes of any kind: ints, or Ints where a model has one of
// the usual shapes, whose loops are then unrolled and whose small matrices lie on the stack.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

namespace sessionwise::dsem {

template <int V> struct Int {
    constexpr operator int() const { return V; }
};
template <int A, int B> constexpr Int<A + B> operator+(Int<A>, Int<B>) { return {}; }
template <int A, int B> constexpr Int<A * B> operator*(Int<A>, Int<B>) { return {}; }

// A small array of zeros: Work w(n * n).
template <class Size> class Work;
template <int V> class Work<Int<V>> {
  public:
    explicit Work(Int<V>) {}
    double *data() { return values_.data(); }
    double &operator[](int j) { return values_[static_cast<std::size_t>(j)]; }

  private:
    std::array<double, V == 0 ? 1 : V> values_{};
};
template <> class Work<int> {
  public:
    explicit Work(int n) : values_(static_cast<std::size_t>(n)) {}
    double *data() { return values_.data(); }
    double &operator[](int j) { return values_[static_cast<std::size_t>(j)]; }

  private:
    std::vector<double> values_;
};
template <int V> Work(Int<V>) -> Work<Int<V>>;
Work(int) -> Work<int>;

// Variables, lags, columns of a person's own course, covariates; what they come to is named as in spec.hpp.
template <class Variables, class Lags, class Columns, class Covariates> struct Shape {
    Variables K;
    Lags P;
    Columns E;
    Covariates X;
    constexpr auto lags() const { return K * (P + Int<1>{}); } // z_t, ..., z_{t-P}
    constexpr auto sources() const { return lags() + X; }
    constexpr auto states() const { return K * P; }
    constexpr auto levels() const { return K * E; }
};

template <int K, int P, int E> constexpr Shape<Int<K>, Int<P>, Int<E>, Int<0>> usual{};

template <class F> void with_shape(int K, int P, int E, int X, F f) {
    if (X == 0 && K == 2 && P == 1 && E == 1) return f(usual<2, 1, 1>);
    if (X == 0 && K == 2 && P == 1 && E == 2) return f(usual<2, 1, 2>);
    if (X == 0 && K == 3 && P == 1 && E == 1) return f(usual<3, 1, 1>);
    f(Shape<int, int, int, int>{K, P, E, X});
}

template <class F> void with_size(int n, F f) {
    switch (n) {
    case 1: return f(Int<1>{});
    case 2: return f(Int<2>{});
    case 3: return f(Int<3>{});
    case 4: return f(Int<4>{});
    case 5: return f(Int<5>{});
    case 6: return f(Int<6>{});
    default: f(n);
    }
}

} // namespace sessionwise::dsem
