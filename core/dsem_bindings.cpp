// The door of the dynamic model's chains. Arrays come in a dict each, by the names of dsem/spec.hpp and dsem/state.hpp.
#include "dsem/chain.hpp"

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>

#include <memory>
#include <string>

namespace nb = nanobind;
namespace ds = sessionwise::dsem;
using namespace nb::literals;

using Reals = nb::ndarray<const double, nb::c_contig, nb::device::cpu>;
using Integers = nb::ndarray<const std::int64_t, nb::c_contig, nb::device::cpu>;
using Draws = nb::ndarray<double, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using PersonDraws = nb::ndarray<double, nb::ndim<3>, nb::c_contig, nb::device::cpu>;

static ds::Vec reals(const nb::dict &d, const char *name, std::size_t size) {
    const auto a = nb::cast<Reals>(d[name]);
    if (a.size() != size) throw nb::value_error((std::string("Chain: ") + name + " does not fit").c_str());
    return ds::Vec(a.data(), a.data() + a.size());
}

template <class T> static std::vector<T> integers(const nb::dict &d, const char *name, std::size_t size) {
    const auto a = nb::cast<Integers>(d[name]);
    if (a.size() != size) throw nb::value_error((std::string("Chain: ") + name + " does not fit").c_str());
    return std::vector<T>(a.data(), a.data() + a.size());
}

static int whole(const nb::dict &d, const char *name) { return nb::cast<int>(d[name]); }
static double real(const nb::dict &d, const char *name) { return nb::cast<double>(d[name]); }
static bool yes(const nb::dict &d, const char *name) { return nb::cast<bool>(d[name]); }

static ds::VariancePrior prior(const nb::dict &d, const char *name, std::size_t n) {
    const auto p = nb::cast<nb::dict>(d[name]);
    const bool half_t = yes(p, "half_t");
    return {half_t, real(p, "degrees"), reals(p, "scale", half_t ? n : n * n)};
}

static ds::Spec spec_of(const nb::dict &d) {
    ds::Spec m;
    m.K = whole(d, "variables"), m.P = whole(d, "lags"), m.X = whole(d, "covariates"), m.E = whole(d, "own_course");
    m.S = whole(d, "sessions"), m.N = whole(d, "persons"), m.W = whole(d, "predictors"), m.B = whole(d, "course");
    m.J = whole(d, "clusters"), m.O = whole(d, "outcomes");
    const auto size = [](auto a) { return static_cast<std::size_t>(a); };
    const auto K = size(m.K), N = size(m.N), W = size(m.W), P = size(m.P), E = size(m.E), X = size(m.X), S = size(m.S), B = size(m.B), O = size(m.O);
    const auto terms = integers<int>(d, "terms", 4 * size(whole(d, "term_count")));
    for (std::size_t t = 0; t + 3 < terms.size(); t += 4) {
        m.terms.push_back({terms[t], terms[t + 1], terms[t + 2], terms[t + 3]});
        if (terms[t] < 0 || terms[t] >= m.K || terms[t + 1] < 0 || terms[t + 1] >= m.sources()) throw nb::value_error("Chain: a term does not fit");
    }
    m.log_variance = integers<int>(d, "log_variance", K);
    m.full_sigma = yes(d, "full_sigma"), m.own_first = yes(d, "own_first"), m.correlated = whole(d, "correlated_effects"), m.factor = yes(d, "factor");
    m.shift = reals(d, "shift", P * E * E);
    m.start = integers<std::int64_t>(d, "start", N + 1);
    if (m.start[0] != 0) throw nb::value_error("Chain: the first person does not begin at the first row");
    const auto rows = size(m.start.back());
    for (std::size_t i = 0; i < N; ++i)
        if (m.start[i + 1] - m.start[i] < m.P) throw nb::value_error("Chain: a person has fewer rows than lags");
    m.session = integers<int>(d, "session", rows);
    for (const int s : m.session)
        if (s < 0 || s >= m.S) throw nb::value_error("Chain: no such session");
    for (std::size_t i = 0; i < N; ++i)
        for (auto r = size(m.start[i]) + 1; r < size(m.start[i + 1]); ++r)
            if (m.session[r] != m.session[r - 1] + 1) throw nb::value_error("Chain: a person's sessions do not follow one another");
    m.y = reals(d, "y", rows * K);
    if (yes(d, "has_error")) m.error = reals(d, "error", rows * K);
    m.x = reals(d, "x", rows * X);
    m.course_rows = reals(d, "course_rows", S * E), m.basis = reals(d, "basis", S * B), m.w = reals(d, "w", N * W);
    if (m.J > 0) m.cluster = integers<int>(d, "cluster", N);
    for (const int c : m.cluster)
        if (c < 0 || c >= m.J) throw nb::value_error("Chain: no such cluster");
    m.outcome = reals(d, "outcome", N * O);
    const auto q = size(m.effects()), p = size(m.commons());
    m.gamma_free = integers<char>(d, "gamma_free", q * W);
    m.outcome_on_w = integers<char>(d, "outcome_on_w", O * W), m.outcome_on_b = integers<char>(d, "outcome_on_b", O * q);
    m.theta_mean = reals(d, "theta_mean", p), m.theta_precision = reals(d, "theta_precision", p);
    m.gamma_mean = reals(d, "gamma_mean", q * W), m.gamma_precision = reals(d, "gamma_precision", q * W);
    m.sigma = prior(d, "sigma_prior", K), m.first = prior(d, "first_prior", size(m.states()));
    m.omega = prior(d, "omega_prior", q), m.tau = prior(d, "tau_prior", size(m.levels()));
    m.kappa_shape = reals(d, "kappa_shape", K), m.kappa_scale = reals(d, "kappa_scale", K);
    m.kappa_sd = reals(d, "kappa_sd", K), m.kappa_degrees = real(d, "kappa_degrees"), m.adapting = whole(d, "adapting");
    m.outcome_precision = real(d, "outcome_precision"), m.outcome_shape = real(d, "outcome_shape"), m.outcome_scale = real(d, "outcome_scale");
    m.psi_shape = real(d, "psi_shape"), m.psi_scale = real(d, "psi_scale");
    return m;
}

static ds::State state_of(const nb::dict &d, const ds::Spec &m) {
    const auto size = [](auto a) { return static_cast<std::size_t>(a); };
    const auto q = size(m.effects()), K = size(m.K), M = size(m.states()), nl = size(m.levels()), N = size(m.N);
    ds::State s;
    s.theta = reals(d, "theta", size(m.commons())), s.gamma = reals(d, "gamma", q * size(m.W));
    s.omega = reals(d, "omega", q * q), s.omega_aux = ds::Vec(q, 1.0), s.b = reals(d, "b", N * q);
    s.precision = ds::inverse(s.omega, m.effects());
    s.sigma = reals(d, "sigma", K * K), s.first = reals(d, "first", M * M), s.delta = reals(d, "delta", size(m.B) * K);
    s.kappa = reals(d, "kappa", K), s.kappa_aux = ds::Vec(K, 1.0);
    s.tau = ds::Vec(size(m.J) * nl, 0.0), s.tau_cov = reals(d, "tau_cov", nl * nl), s.tau_aux = ds::Vec(nl, 1.0);
    s.outcome = ds::Vec(size(m.O) * (size(m.W) + q), 0.0), s.outcome_var = reals(d, "outcome_var", size(m.O));
    s.eta = ds::Vec(N, 0.0), s.loading = ds::Vec(q, m.factor ? 0.5 : 0.0), s.psi = 1.0;
    if (m.factor) s.loading[0] = 1.0;
    s.z = reals(d, "z", size(m.start.back()) * K);
    return s;
}

// Fills draws (kept, size) with every thin-th sweep; adds persons' effects to sum and squares (N, q), and the last kept
// ones to the thinned draws (kept persons' draws, N, q).
static void run(ds::Chain &chain, std::int64_t thin, Draws draws, Draws sum, Draws squares, PersonDraws persons, std::int64_t every) {
    const auto size = static_cast<std::size_t>(chain.size()), n = static_cast<std::size_t>(chain.persons() * chain.effects());
    if (draws.shape(1) != size || sum.size() != n || squares.size() != n || thin < 1 || every < 1 ||
        (persons.shape(0) > 0 && (persons.shape(1) * persons.shape(2) != n || persons.shape(0) * static_cast<std::size_t>(every) < draws.shape(0))))
        throw nb::value_error("Chain.run: an output does not fit");
    nb::gil_scoped_release free;
    for (std::size_t d = 0; d < draws.shape(0); ++d) {
        for (std::int64_t t = 0; t < thin; ++t) chain.sweep();
        const ds::Vec kept = chain.packed();
        for (const double x : kept)
            if (!std::isfinite(x)) throw ds::Failure("the chain left the range of numbers");
        std::copy(kept.begin(), kept.end(), draws.data() + d * size);
        const ds::Vec &b = chain.state().b;
        for (std::size_t j = 0; j < n; ++j) {
            sum.data()[j] += b[j];
            squares.data()[j] += b[j] * b[j];
        }
        if (persons.shape(0) > 0 && d % static_cast<std::size_t>(every) == 0) std::copy(b.begin(), b.end(), persons.data() + d / static_cast<std::size_t>(every) * n);
    }
}

void bind_dsem(nb::module_ &m) {
    nb::exception<ds::Failure>(m, "ChainFailure");
    nb::class_<ds::Chain>(m, "Chain", "A chain of the dynamic model: a specification and a state by the names of core/dsem.")
        .def("__init__",
             [](ds::Chain *self, const nb::dict &spec, const nb::dict &state, std::uint64_t seed, std::uint64_t number) {
                 ds::Spec m = spec_of(spec);
                 ds::State s = state_of(state, m);
                 new (self) ds::Chain(std::move(m), std::move(s), seed, number);
             },
             "spec"_a, "state"_a, "seed"_a, "number"_a)
        .def("size", &ds::Chain::size, "Numbers kept of a sweep.")
        .def("run", &run, "thin"_a, "draws"_a, "sum"_a, "squares"_a, "persons"_a, "every"_a,
             "Fill draws (kept, size), each after `thin` sweeps; add persons' effects to sum and squares (persons, effects).");
}
