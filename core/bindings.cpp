// The only file that knows Python. Kernels see pointers; arrays are made and checked here.

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include "gram.hpp"
#include "criterion.hpp"
#include "crossed.hpp"
#include "crossed_products.hpp"
#include "ordering.hpp"
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
    return {parent->data()};
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
                    std::int64_t above_count, Output1 out, int threads) {
    must_fit(packed, groups);
    const auto level = level_of(at, groups, packed, lambda);
    const auto above = parents_of(parent, groups, above_count);
    const std::int64_t size = sw::pair_count(level.r) * (parent ? (above_count + sw::LANES - 1) / sw::LANES * sw::LANES : 1);
    if (static_cast<std::int64_t>(out.size()) != size) throw nb::value_error("collect: the output does not fit");
    nb::gil_scoped_release free;
    sw::collect(level, above, threads, out.data());
}

// --- crossed grouping factors ---

template <class T> using Made = nb::ndarray<nb::numpy, T, nb::ndim<1>>;

template <class T> static Made<T> made(std::vector<T> &&numbers) {
    auto *kept = new std::vector<T>(std::move(numbers));
    nb::capsule owner(kept, [](void *p) noexcept { delete static_cast<std::vector<T> *>(p); });
    return Made<T>(kept->data(), {kept->size()}, owner);
}

static std::tuple<Made<std::int64_t>, Made<std::int64_t>, Made<std::int32_t>, std::int64_t>
place_products(const Integers &counts, const Codes &effects, const CodeTable &at, int q, int k, const Packed &packed, const CodeTable &map, bool zeros) {
    const auto persons = static_cast<std::int64_t>(map.shape(0));
    const auto r = static_cast<int>(map.shape(1));
    must_fit(packed, persons);
    if (counts.size() != effects.size() || k < 1 || k > r || q < 0 || static_cast<int>(at.shape(0)) != q + r || at.shape(1) != at.shape(0) ||
        (q && (!counts.size() || counts.data()[0] != persons || effects.data()[0] != q)))
        throw nb::value_error("place_products: kinds, map or at do not fit");
    for (std::size_t i = 0; i < at.size(); ++i)
        if (at.data()[i] < 0 || at.data()[i] >= static_cast<std::int64_t>(packed.shape(1))) throw nb::value_error("place_products: no such product");
    const sw::Kinds kinds(counts.data(), effects.data(), counts.size());
    const std::int64_t others = kinds.effect.back() - persons * q;
    for (std::size_t i = 0; i < map.size(); ++i)
        if (static_cast<int>(i % static_cast<std::size_t>(r)) < r - k && map.data()[i] >= others) throw nb::value_error("place_products: no such effect");
    sw::Placed placed;
    {
        nb::gil_scoped_release free;
        placed = sw::place(kinds, at.data(), q, r, k, static_cast<std::int64_t>(packed.shape(1)), persons, packed.data(), map.data(), zeros);
    }
    return {made(std::move(placed.from)), made(std::move(placed.to)), made(std::move(placed.joined)), placed.size};
}

// Levels in order, how many are the head's, the effects that each of these meets (where a level's begin; numbers of
// effects in this order, ascending), and effects in the tail. Where there are more than `most` products, none are given.
static std::tuple<Made<std::int32_t>, std::int64_t, Made<std::int64_t>, Made<std::int32_t>, std::int64_t, std::int64_t>
elimination_order(const Codes &effects, const Codes &joined, double tail_part, std::int64_t most) {
    const std::size_t n = effects.size();
    std::vector<std::vector<std::int32_t>> neighbours(n);
    std::vector<std::size_t> count(n, 0);
    for (std::size_t p = 0; p < joined.size(); ++p) {
        if (joined.data()[p] < 0 || static_cast<std::size_t>(joined.data()[p]) >= n) throw nb::value_error("elimination_order: no such level");
        ++count[static_cast<std::size_t>(joined.data()[p])];
    }
    for (std::size_t i = 0; i < n; ++i) neighbours[i].reserve(count[i]);
    for (std::size_t p = 0; p + 1 < joined.size(); p += 2) {
        const std::int32_t a = joined.data()[p], b = joined.data()[p + 1];
        neighbours[static_cast<std::size_t>(a)].push_back(b);
        neighbours[static_cast<std::size_t>(b)].push_back(a);
    }
    std::vector<std::int32_t> order, columns;
    std::vector<std::int64_t> starts{0};
    std::int64_t head, tail, products;
    {
        nb::gil_scoped_release free;
        sw::Ordering found = sw::MinimumDegree(std::move(neighbours), effects.data()).run(tail_part, most);
        order = std::move(found.order), tail = found.tail, products = found.products;
        head = static_cast<std::int64_t>(found.met.size());
        std::vector<std::int32_t> place(n);
        std::vector<std::int64_t> first(n + 1, 0);
        for (std::size_t i = 0; i < n; ++i) {
            place[static_cast<std::size_t>(order[i])] = static_cast<std::int32_t>(i);
            first[i + 1] = first[i] + effects.data()[order[i]];
        }
        for (auto &met : found.met) {
            if (products > most) break;
            for (auto &level : met) level = place[static_cast<std::size_t>(level)];
            std::sort(met.begin(), met.end());
            for (const auto i : met)
                for (std::int64_t e = first[static_cast<std::size_t>(i)]; e < first[static_cast<std::size_t>(i) + 1]; ++e)
                    columns.push_back(static_cast<std::int32_t>(e));
            starts.push_back(static_cast<std::int64_t>(columns.size()));
        }
    }
    return {made(std::move(order)), head, made(std::move(starts)), made(std::move(columns)), tail, products};
}

// (k, kind, effect, block, x, starts, columns, earlier, later, pair_block, slot, turned, q, factor): see crossed.hpp.
using SystemArgs = std::tuple<int, Codes, Integers, Integers, Integers, Integers, Codes, Codes, Codes, Integers, Integers,
                              nb::ndarray<const std::int8_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>, Codes, Integers>;
// (own, c, x, dense, border, table, own_at, c_at)
using RoomArgs = std::tuple<Output1, Output1, Output1, Output2, Output2, Output2, Integers, Integers>;

static sw::System system_of(const SystemArgs &args) {
    const auto &[k, kind, effect, block, x, starts, columns, earlier, later, pair_block, slot, turned, q, factor] = args;
    const std::size_t levels = kind.size(), pairs = earlier.size();
    if (k < 1 || effect.size() != levels + 1 || block.size() != levels || x.size() != levels + 1 || starts.size() < 1 || starts.size() > levels + 1 ||
        static_cast<std::int64_t>(columns.size()) != starts.data()[starts.size() - 1] || later.size() != pairs || pair_block.size() != pairs ||
        slot.size() != pairs || turned.size() != pairs || q.size() != factor.size())
        throw nb::value_error("system: its arrays do not fit");
    const auto head = static_cast<std::int64_t>(starts.size()) - 1;
    return {static_cast<std::int64_t>(levels), head, static_cast<std::int64_t>(pairs), effect.data()[levels], effect.data()[head], k, kind.data(),
            effect.data(), block.data(), x.data(), starts.data(), columns.data(), earlier.data(), later.data(), pair_block.data(), slot.data(),
            reinterpret_cast<const char *>(turned.data()), q.data(), factor.data(), static_cast<std::int64_t>(q.size())};
}

static sw::Room room_of(const sw::System &s, const RoomArgs &args) {
    const auto &[own, c, x, dense, border, table, own_at, c_at] = args;
    const auto head = static_cast<std::size_t>(s.head), n = static_cast<std::size_t>(s.tail()), k = static_cast<std::size_t>(s.k);
    if (own_at.size() != head + 1 || c_at.size() != head + 1 || static_cast<std::int64_t>(own.size()) != own_at.data()[head] ||
        static_cast<std::int64_t>(c.size()) != c_at.data()[head] || static_cast<std::int64_t>(x.size()) != s.inner * s.k || dense.shape(0) != n ||
        dense.shape(1) != n || border.shape(0) != k || border.shape(1) != n || table.shape(0) != k || table.shape(1) != k)
        throw nb::value_error("system: the room does not fit");
    return {own.data(), c.data(), x.data(), dense.data(), border.data(), table.data(), own_at.data(), c_at.data()};
}

static double eliminate_head(const SystemArgs &args, const Vector &values, const Vector &lambda, const RoomArgs &room_args) {
    const sw::System s = system_of(args);
    const sw::Room room = room_of(s, room_args);
    nb::gil_scoped_release free;
    return sw::eliminate_head(s, values.data(), lambda.data(), room);
}

static void back_propagate_system(const SystemArgs &args, const Vector &values, const Vector &lambda, const RoomArgs &room_args, Output1 gradient,
                                  const std::optional<Output1> &adjoint) {
    const sw::System s = system_of(args);
    const sw::Room room = room_of(s, room_args);
    if (gradient.size() != lambda.size() || (adjoint && adjoint->size() != values.size())) throw nb::value_error("system: an output does not fit");
    nb::gil_scoped_release free;
    sw::back_propagate_system(s, values.data(), lambda.data(), room, gradient.data(), adjoint ? adjoint->data() : nullptr);
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
    m.def("collect", &collect, "at"_a, "groups"_a, "packed"_a, "factor"_a, "parent"_a.none(), "above"_a, "out"_a,
          "threads"_a = 0, "Add the products of the columns that remain after a level to `out`.");
    m.def("place_products", &place_products, "counts"_a, "effects"_a, "at"_a, "q"_a, "k"_a, "packed"_a, "map"_a, "zeros"_a,
          "Where persons' products stand in a system of crossed factors: from, to, joined levels, number of values.");
    m.def("elimination_order", &elimination_order, "effects"_a, "joined"_a, "tail_part"_a, "most"_a,
          "Levels in order, the head's number, the effects that each of these meets, the tail's effects, products.");
    m.def("eliminate_head", &eliminate_head, "system"_a, "values"_a, "factors"_a, "room"_a, "Eliminate the head; returns its log det M.");
    m.def("back_propagate_system", &back_propagate_system, "system"_a, "values"_a, "factors"_a, "room"_a, "gradient"_a, "adjoint"_a.none(),
          "Add to the gradient of the factors (and the adjoint of the values).");
    m.def("score", &score, "streams"_a, "low"_a, "high"_a, "reversed"_a, "scales"_a, "scores"_a, "threads"_a = 0,
          "Fill scores, one (rows,) a scale, from one Arrow stream for each item; returns counts for each scale "
          "(complete, pro-rated, items filled, too few, empty) and answers out of range for each item.");
}
