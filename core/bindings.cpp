// The only file that knows Python. Kernels see pointers; arrays are made and checked here.

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include "gram.hpp"
#include "criterion.hpp"
#include "score.hpp"

namespace nb = nanobind;
using namespace nb::literals;
namespace sw = sessionwise;

using Vector = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Integers = nb::ndarray<const std::int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Output1 = nb::ndarray<double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Codes = nb::ndarray<const std::int32_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Table = nb::ndarray<const double, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using CodeTable = nb::ndarray<const std::int32_t, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Packed = nb::ndarray<const double, nb::ndim<3>, nb::c_contig, nb::device::cpu>;
using Output2 = nb::ndarray<double, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Output3 = nb::ndarray<double, nb::ndim<3>, nb::c_contig, nb::device::cpu>;

// Arrays to fill are made by NumPy: its allocator asks for huge pages where the system has them.
static std::int64_t gram(const std::vector<Vector> &columns, const Integers &starts, const Integers &ends, const Vector &centre,
                         const Vector &inverse_scale, Output3 packed, int threads) {
    const auto k = static_cast<std::int64_t>(columns.size());
    const auto persons = static_cast<std::int64_t>(starts.size());
    if (ends.size() != starts.size() || static_cast<std::int64_t>(centre.size()) != k || static_cast<std::int64_t>(inverse_scale.size()) != k)
        throw nb::value_error("gram: starts, centre or scale do not fit the columns");
    if (static_cast<std::int64_t>(packed.shape(0)) != (persons + sw::LANES - 1) / sw::LANES ||
        static_cast<std::int64_t>(packed.shape(1)) != sw::pair_count(k) || packed.shape(2) != sw::LANES)
        throw nb::value_error("gram: the output does not fit the columns and persons");
    std::int64_t rows = 0;
    for (std::int64_t p = 0; p < persons; ++p) {
        if (starts.data()[p] < 0 || starts.data()[p] > ends.data()[p]) throw nb::value_error("gram: a person ends before the first row");
        rows = std::max(rows, ends.data()[p]);
    }
    std::vector<const double *> data;
    for (const auto &column : columns) {
        if (static_cast<std::int64_t>(column.size()) < rows) throw nb::value_error("gram: a column is too short");
        data.push_back(column.data());
    }
    const sw::Columns view{data.data(), centre.data(), inverse_scale.data(), static_cast<int>(k)};
    nb::gil_scoped_release free;
    return sw::gram(view, starts.data(), ends.data(), persons, threads, packed.data());
}

// --- the mixed model ---

// (at, groups, packed or None, parent or None, q, rows, columns, numbers): `at` has q + r rows; the relative covariance
// factor has theta[numbers] at its rows and columns.
using LevelArgs = std::tuple<CodeTable, std::int64_t, std::optional<Packed>, std::optional<Codes>, int, Integers, Integers, Integers>;

static sw::Level level_of(const CodeTable &at, std::int64_t groups, std::int64_t pairs, const double *packed, int q, const double *lambda) {
    const auto k = static_cast<int>(at.shape(0));
    if (at.shape(1) != at.shape(0) || q < 0 || q >= k) throw nb::value_error("mlm: at or lambda do not fit");
    for (std::size_t i = 0; i < at.size(); ++i)
        if (at.data()[i] < 0 || at.data()[i] >= pairs) throw nb::value_error("mlm: at names a product that is not there");
    return {q, k - q, at.data(), pairs, groups, packed, lambda};
}

static sw::Level level_of(const CodeTable &at, std::int64_t groups, const Packed &packed, const Table &lambda) {
    if (lambda.shape(1) != lambda.shape(0)) throw nb::value_error("mlm: lambda must be square");
    return level_of(at, groups, static_cast<std::int64_t>(packed.shape(1)), packed.data(), static_cast<int>(lambda.shape(0)), lambda.data());
}

static void must_fit(const Packed &packed, std::int64_t groups) {
    if (packed.shape(2) != sw::LANES || static_cast<std::int64_t>(packed.shape(0)) != (groups + sw::LANES - 1) / sw::LANES)
        throw nb::value_error("mlm: the products do not fit the groups");
}

static sw::Above parents_of(const std::optional<Codes> &parent, std::int64_t groups, std::int64_t parents) {
    if (!parent) return {};
    if (static_cast<std::int64_t>(parent->size()) != groups) throw nb::value_error("mlm: one parent for each group");
    for (std::int64_t g = 0; g < groups; ++g)
        if (parent->data()[g] < 0 || parent->data()[g] >= parents || (g && parent->data()[g] < parent->data()[g - 1]))
            throw nb::value_error("mlm: parents must ascend");
    return {parent->data(), nullptr, 0};
}

static sw::Above map_of(const CodeTable &map, std::int64_t groups, int r, std::int64_t order) {
    if (static_cast<std::int64_t>(map.shape(0)) != groups || static_cast<int>(map.shape(1)) != r) throw nb::value_error("mlm: map does not fit");
    for (std::size_t i = 0; i < map.size(); ++i)
        if (map.data()[i] < 0 || map.data()[i] >= order) throw nb::value_error("mlm: map points outside the matrix");
    return {nullptr, map.data(), order};
}

// A level's factor and its gradient, and where theta stands in them.
struct Factor {
    Factor(const LevelArgs &level, const Vector &theta) {
        const auto &[at, groups, packed, parent, q, rows, columns, numbers] = level;
        const std::size_t count = numbers.size();
        if (q < 0 || rows.size() != count || columns.size() != count) throw nb::value_error("evaluate: entries do not fit");
        lambda.assign(static_cast<std::size_t>(q * q), 0.0);
        gradient.assign(static_cast<std::size_t>(sw::pair_count(q)), 0.0);
        for (std::size_t e = 0; e < count; ++e) {
            const std::int64_t i = rows.data()[e], j = columns.data()[e], number = numbers.data()[e];
            if (j < 0 || j > i || i >= q || number < 0 || number >= static_cast<std::int64_t>(theta.size()))
                throw nb::value_error("evaluate: entries do not fit");
            lambda[static_cast<std::size_t>(i * q + j)] = theta.data()[number];
            entries.emplace_back(static_cast<std::size_t>(i * (i + 1) / 2 + j), static_cast<std::size_t>(number));
        }
    }
    void add_to(double *slopes) const {
        for (const auto &[from, to] : entries) slopes[to] += gradient[from];
    }
    std::vector<double> lambda, gradient; // by rows; lower triangle by rows
    std::vector<std::pair<std::size_t, std::size_t>> entries; // in the gradient, in theta
};

static std::tuple<double, double, double, double> evaluate(const std::vector<LevelArgs> &levels, const Vector &theta, const Vector &base, double log_v,
                                                           bool reml, double nu, double sigma2, const std::optional<Table> &directions,
                                                           Output2 table, const std::optional<Output1> &slopes,
                                                           const std::optional<Output3> &adjoint, int threads) {
    if (levels.empty() || (slopes && slopes->size() < theta.size())) throw nb::value_error("evaluate: levels or slopes do not fit");
    sw::Chain chain;
    std::vector<Factor> factors;
    for (const auto &level : levels) factors.emplace_back(level, theta);
    std::vector<double *> gradients;
    for (std::size_t i = 0; i < levels.size(); ++i) {
        const auto &[at, groups, packed, parent, q, rows, columns, numbers] = levels[i];
        if ((i == 0) != packed.has_value() || (i + 1 < levels.size()) != parent.has_value())
            throw nb::value_error("evaluate: products for the first level, parents for all but the last");
        if (packed) must_fit(*packed, groups);
        const std::int64_t k = static_cast<std::int64_t>(at.shape(0));
        const std::int64_t pairs = packed ? static_cast<std::int64_t>(packed->shape(1)) : sw::pair_count(k);
        chain.levels.push_back(level_of(at, groups, pairs, packed ? packed->data() : nullptr, q, factors[i].lambda.data()));
        const auto &level = chain.levels.back();
        const std::int64_t above = i + 1 < levels.size() ? std::get<1>(levels[i + 1]) : 0;
        chain.above.push_back(parents_of(parent, groups, above));
        const std::int64_t each = sw::pair_count(level.r) * (above ? (above + sw::LANES - 1) / sw::LANES * sw::LANES : 1);
        if (!i && static_cast<std::int64_t>(base.size()) != each) throw nb::value_error("evaluate: the base does not fit");
        if (i && level.q + level.r != chain.levels[i - 1].r) throw nb::value_error("evaluate: levels do not follow");
        if (slopes) gradients.push_back(factors[i].gradient.data());
    }
    const auto k = static_cast<std::size_t>(chain.levels.back().r);
    if (table.shape(0) != k || table.shape(1) != k || (directions && directions->shape(0) != k)) throw nb::value_error("evaluate: the table does not fit");
    if (adjoint && adjoint->size() != std::get<2>(levels[0])->size()) throw nb::value_error("evaluate: the adjoint does not fit");
    chain.base = base.data();
    const sw::Asked asked{reml, nu, sigma2, directions ? directions->data() : nullptr,
                          directions ? static_cast<int>(directions->shape(1)) - 1 : 0};
    double log_det = 0.0;
    sw::Finished done;
    {
        nb::gil_scoped_release free;
        done = sw::evaluate(chain, log_v, asked, threads, table.data(), &log_det, gradients, adjoint ? adjoint->data() : nullptr);
    }
    if (slopes)
        for (const auto &factor : factors) factor.add_to(slopes->data());
    return {done.criterion, log_det, done.log_s, done.rss};
}

static std::tuple<double, double, double> finish(const Table &table, double log_v, bool reml, double nu, double sigma2,
                                                 const std::optional<Table> &directions, Output2 h) {
    const auto k = static_cast<int>(table.shape(0));
    if (table.shape(1) != table.shape(0) || h.shape(0) != table.shape(0) || h.shape(1) != table.shape(0) ||
        (directions && directions->shape(0) != table.shape(0)))
        throw nb::value_error("finish: the tables do not fit");
    const sw::Asked asked{reml, nu, sigma2, directions ? directions->data() : nullptr,
                          directions ? static_cast<int>(directions->shape(1)) - 1 : 0};
    const sw::Finished done = sw::finish_asked(table.data(), k, log_v, asked, h.data());
    return {done.criterion, done.log_s, done.rss};
}

static void collect(const CodeTable &at, std::int64_t groups, const Packed &packed, const Table &lambda, const std::optional<Codes> &parent,
                    const std::optional<CodeTable> &map, std::int64_t above_count, Output1 out, int threads) {
    must_fit(packed, groups);
    const auto level = level_of(at, groups, packed, lambda);
    const auto above = map ? map_of(*map, groups, level.r, above_count) : parents_of(parent, groups, above_count);
    const std::int64_t size = map ? above_count * above_count
                                  : sw::pair_count(level.r) * (parent ? (above_count + sw::LANES - 1) / sw::LANES * sw::LANES : 1);
    if (static_cast<std::int64_t>(out.size()) != size) throw nb::value_error("collect: the output does not fit");
    nb::gil_scoped_release free;
    sw::collect(level, above, threads, out.data());
}

static double eliminate(const CodeTable &at, std::int64_t groups, const Packed &packed, const Table &lambda, const CodeTable &map, Output2 dense,
                        int threads) {
    must_fit(packed, groups);
    const auto level = level_of(at, groups, packed, lambda);
    const auto above = map_of(map, groups, level.r, static_cast<std::int64_t>(dense.shape(0)));
    if (dense.shape(0) != dense.shape(1)) throw nb::value_error("eliminate: the matrix must be square");
    nb::gil_scoped_release free;
    return sw::eliminate(level, above, threads, dense.data());
}

static void back_propagate(const CodeTable &at, std::int64_t groups, const Packed &packed, const Table &lambda, const CodeTable &map, const Table &dense,
                    Output1 gradient, const std::optional<Output3> &adjoint, int threads) {
    must_fit(packed, groups);
    const auto level = level_of(at, groups, packed, lambda);
    const auto above = map_of(map, groups, level.r, static_cast<std::int64_t>(dense.shape(0)));
    if (dense.shape(0) != dense.shape(1) || static_cast<std::int64_t>(gradient.size()) != sw::pair_count(level.q) ||
        (adjoint && adjoint->size() != packed.size()))
        throw nb::value_error("back_propagate: an output does not fit");
    nb::gil_scoped_release free;
    sw::back_propagate(level, above, threads, dense.data(), gradient.data(), adjoint ? adjoint->data() : nullptr);
}

// --- scores ---

using ScaleRow = std::tuple<std::vector<int>, int, double>; // items, most missing, factor
using Count = std::int64_t;
using Counts = std::tuple<Count, Count, Count, Count, Count>; // complete, pro-rated, items filled, too few, empty

static std::tuple<std::vector<Counts>, std::vector<Count>> score(const nb::list &streams, double low, double high,
                                                     const std::vector<bool> &reversed, const std::vector<ScaleRow> &scales,
                                                     const std::vector<Output1> &scores, int threads) {
    std::vector<sw::NumericColumn> columns;
    for (const nb::handle capsule : streams) {
        auto *stream = static_cast<ArrowArrayStream *>(PyCapsule_GetPointer(capsule.ptr(), "arrow_array_stream"));
        if (!stream) throw nb::python_error();
        columns.emplace_back(stream); // the capsule's own destructor releases the stream
        if (columns.back().rows() != columns.front().rows()) throw nb::value_error("score: columns of different lengths");
    }
    if (columns.empty() || reversed.size() != columns.size()) throw nb::value_error("score: one mark of reversal for each column");
    std::vector<double *> out;
    for (const auto &column : scores) {
        if (static_cast<std::int64_t>(column.size()) != columns.front().rows()) throw nb::value_error("score: an output of the wrong length");
        out.push_back(column.data());
    }
    if (out.size() != scales.size()) throw nb::value_error("score: one output for each scale");
    sw::AnswerKey key{low, high, reversed, {}};
    for (const auto &[items, most_missing, factor] : scales) {
        for (const int item : items)
            if (item < 0 || item >= static_cast<int>(columns.size())) throw nb::value_error("score: no such item");
        key.scales.push_back({items, most_missing, factor});
    }
    sw::Tally tally;
    {
        nb::gil_scoped_release free;
        tally = sw::score(columns, key, threads, out);
    }
    std::vector<Counts> counts;
    for (const auto &s : tally.scales) counts.emplace_back(s.complete, s.prorated, s.items_filled, s.too_few, s.empty);
    return {counts, tally.out_of_range};
}

void bind_dsem(nb::module_ &m); // dsem_bindings.cpp

NB_MODULE(_core, m) {
    bind_dsem(m);
    m.attr("LANES") = sw::LANES;
    m.def("gram", &gram, "columns"_a, "starts"_a, "ends"_a, "centre"_a, "inverse_scale"_a, "packed"_a, "threads"_a = 0,
          "Fill packed (blocks, pairs, LANES); returns the first person with products that are not finite, or -1.");
    m.def("evaluate", &evaluate, "levels"_a, "theta"_a, "base"_a, "log_v"_a, "reml"_a, "nu"_a, "sigma2"_a,
          "directions"_a.none(), "table"_a, "slopes"_a.none(), "adjoint"_a.none(), "threads"_a = 0,
          "Criterion, log det V, log det S and rss of nested levels; fills the table of [X, y] and adds to the slopes.");
    m.def("finish", &finish, "table"_a, "log_v"_a, "reml"_a, "nu"_a, "sigma2"_a, "directions"_a.none(), "h"_a,
          "Criterion, log det S and rss of a table of [X, y]; fills its adjoint h.");
    m.def("collect", &collect, "at"_a, "groups"_a, "packed"_a, "factor"_a, "parent"_a.none(), "map"_a.none(), "above"_a, "out"_a,
          "threads"_a = 0, "Add the products of the columns that remain after a level to `out`.");
    m.def("eliminate", &eliminate, "at"_a, "groups"_a, "packed"_a, "factor"_a, "map"_a, "dense"_a, "threads"_a = 0,
          "Subtract what a level's random effects explain from a dense matrix; returns the sum of log det M.");
    m.def("back_propagate", &back_propagate, "at"_a, "groups"_a, "packed"_a, "factor"_a, "map"_a, "dense"_a, "gradient"_a,
          "adjoint"_a.none(), "threads"_a = 0, "Add to the gradient of a level (and the adjoint of its products).");
    m.def("score", &score, "streams"_a, "low"_a, "high"_a, "reversed"_a, "scales"_a, "scores"_a, "threads"_a = 0,
          "Fill scores, one (rows,) a scale, from one Arrow stream for each item; returns counts for each scale "
          "(complete, pro-rated, items filled, too few, empty) and answers out of range for each item.");
}
