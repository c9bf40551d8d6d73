// The only file that knows Python. Kernels see pointers; arrays are made and checked here.

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include "gram.hpp"
#include "score.hpp"

namespace nb = nanobind;
using namespace nb::literals;
namespace sw = sessionwise;

using Vector = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Integers = nb::ndarray<const std::int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Output1 = nb::ndarray<double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Output3 = nb::ndarray<double, nb::ndim<3>, nb::c_contig, nb::device::cpu>;

// Arrays to fill are made by NumPy: its allocator asks for huge pages where the system has them.
static std::int64_t gram(const std::vector<Vector> &columns, const Integers &starts, const Vector &centre,
                         const Vector &inverse_scale, Output3 packed, int threads) {
    const auto k = static_cast<std::int64_t>(columns.size());
    const auto persons = static_cast<std::int64_t>(starts.size()) - 1;
    if (persons < 0 || static_cast<std::int64_t>(centre.size()) != k || static_cast<std::int64_t>(inverse_scale.size()) != k)
        throw nb::value_error("gram: starts, centre or scale do not fit the columns");
    if (static_cast<std::int64_t>(packed.shape(0)) != (persons + sw::LANES - 1) / sw::LANES ||
        static_cast<std::int64_t>(packed.shape(1)) != sw::pair_count(k) || packed.shape(2) != sw::LANES)
        throw nb::value_error("gram: the output does not fit the columns and persons");
    std::vector<const double *> data;
    for (const auto &column : columns) {
        if (static_cast<std::int64_t>(column.size()) < starts.data()[persons]) throw nb::value_error("gram: a column is too short");
        data.push_back(column.data());
    }
    for (std::int64_t p = 0; p < persons; ++p)
        if (starts.data()[p] > starts.data()[p + 1] || starts.data()[0] < 0) throw nb::value_error("gram: starts must ascend");
    const sw::Columns view{data.data(), centre.data(), inverse_scale.data(), static_cast<int>(k)};
    nb::gil_scoped_release free;
    return sw::gram(view, starts.data(), persons, threads, packed.data());
}

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

NB_MODULE(_core, m) {
    m.attr("LANES") = sw::LANES;
    m.def("gram", &gram, "columns"_a, "starts"_a, "centre"_a, "inverse_scale"_a, "packed"_a, "threads"_a = 0,
          "Fill packed (blocks, pairs, LANES); returns the first person with products that are not finite, or -1.");
    m.def("score", &score, "streams"_a, "low"_a, "high"_a, "reversed"_a, "scales"_a, "scores"_a, "threads"_a = 0,
          "Fill scores, one (rows,) a scale, from one Arrow stream for each item; returns counts for each scale "
          "(complete, pro-rated, items filled, too few, empty) and answers out of range for each item.");
}
