// Item answers to scale scores, one pass over the items, whatever their integer or float type.
//
// A row's score on a scale of n items with c answered ones: sum * factor / c, where reversed answers
// count as low + high - x and factor is n (sum), 1 (mean) or 10 (mean x 10); NaN where more items
// are missing than the scale allows. The product comes before the division, so whole answers give
// the correctly rounded quotient. An answer outside [low, high] is counted and taken as missing;
// the caller decides whether that is an error.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "arrow.hpp"
#include "parallel.hpp"
#include "simd.hpp"

namespace sessionwise {

struct ScaleKey {
    std::vector<int> items; // positions among the columns
    int most_missing;       // more missing than this: no score
    double factor;
};

struct AnswerKey {
    double low, high;
    std::vector<bool> reversed; // one a column
    std::vector<ScaleKey> scales;
};

struct ScaleCount {
    std::int64_t complete = 0, prorated = 0, items_filled = 0, too_few = 0, empty = 0;
    void add(const ScaleCount &other) {
        complete += other.complete;
        prorated += other.prorated;
        items_filled += other.items_filled;
        too_few += other.too_few;
        empty += other.empty;
    }
};

struct Tally {
    std::vector<ScaleCount> scales;
    std::vector<std::int64_t> out_of_range; // one a column
};

constexpr int SCORE_ROWS = 512; // rows at a time: an item's values and all sums stay in the first-level cache

// Rows [at, at + count) of one chunk as doubles, NaN for missing.
template <class T> SW_INLINE void decode(const ArrowArray &chunk, std::int64_t at, int count, double *value) {
    at += chunk.offset;
    const T *x = static_cast<const T *>(chunk.buffers[1]) + at;
    for (int r = 0; r < count; ++r) value[r] = static_cast<double>(x[r]);
    const auto *bits = static_cast<const std::uint8_t *>(chunk.buffers[0]);
    if (!bits || chunk.null_count == 0) return;
    for (int r = 0; r < count;) {
        const std::int64_t bit = at + r;
        if (bit % 8 == 0 && r + 8 <= count && bits[bit / 8] == 0xff) {
            r += 8; // most eights have nothing missing
            continue;
        }
        if (!(bits[bit / 8] >> (bit % 8) & 1)) value[r] = std::numeric_limits<double>::quiet_NaN();
        ++r;
    }
}

SW_CLONES inline void decode(char format, const ArrowArray &chunk, std::int64_t at, int count, double *value) {
    switch (format) {
    case 'c': return decode<std::int8_t>(chunk, at, count, value);
    case 'C': return decode<std::uint8_t>(chunk, at, count, value);
    case 's': return decode<std::int16_t>(chunk, at, count, value);
    case 'S': return decode<std::uint16_t>(chunk, at, count, value);
    case 'i': return decode<std::int32_t>(chunk, at, count, value);
    case 'I': return decode<std::uint32_t>(chunk, at, count, value);
    case 'l': return decode<std::int64_t>(chunk, at, count, value);
    case 'L': return decode<std::uint64_t>(chunk, at, count, value);
    case 'f': return decode<float>(chunk, at, count, value);
    default: return decode<double>(chunk, at, count, value);
    }
}

// Rows [first, first + count) of a column, across its chunks.
inline void decode(const NumericColumn &column, std::int64_t first, int count, double *value) {
    auto c = static_cast<std::size_t>(std::upper_bound(column.ends.begin(), column.ends.end(), first) - column.ends.begin());
    for (int done = 0; done < count; ++c) {
        const ArrowArray &chunk = column.chunks[c];
        const std::int64_t at = first + done - (column.ends[c] - chunk.length);
        const auto here = static_cast<int>(std::min<std::int64_t>(count - done, chunk.length - at));
        decode(column.format, chunk, at, here, value + done);
        done += here;
    }
}

// Marks answers (1, or 0 for missing); missing and out-of-range ones become 0, reversed ones are
// turned. Returns how many were out of range.
SW_CLONES inline std::int64_t settle(double *value, double *mark, int count, double low, double high, bool reversed) {
    const double turn = reversed ? low + high : 0.0, sign = reversed ? -1.0 : 1.0;
    std::int64_t outside = 0; // a sum of doubles would have to be taken in order, one at a time
    for (int r = 0; r < count; ++r) {
        const double x = value[r];
        const double ok = (x >= low) & (x <= high) ? 1.0 : 0.0;
        outside += (x < low) | (x > high);
        value[r] = ok != 0.0 ? turn + sign * x : 0.0;
        mark[r] = ok;
    }
    return outside;
}

SW_CLONES inline void add_into(const double *value, const double *mark, int count, double *sum, double *answered) {
    for (int r = 0; r < count; ++r) {
        sum[r] += value[r];
        answered[r] += mark[r];
    }
}

SW_CLONES inline void finish(const ScaleKey &scale, const double *sum, const double *answered, int count, double *score,
                             ScaleCount &counts) {
    const double items = static_cast<double>(scale.items.size()), factor = scale.factor;
    const double fewest = std::max(items - scale.most_missing, 1.0);
    for (int r = 0; r < count; ++r) {
        const double c = answered[r];
        const double made = c == factor ? sum[r] : sum[r] * factor / c;
        score[r] = c >= fewest ? made : std::numeric_limits<double>::quiet_NaN();
    }
    for (int r = 0; r < count; ++r) {
        const double c = answered[r];
        counts.complete += c == items;
        counts.prorated += c >= fewest && c < items;
        counts.items_filled += c >= fewest ? static_cast<std::int64_t>(items - c) : 0;
        counts.too_few += c < fewest && c > 0;
        counts.empty += c == 0;
    }
}

// Scores of all rows into scores[scale][row].
inline Tally score(const std::vector<NumericColumn> &columns, const AnswerKey &key, int asked_threads, double *scores) {
    const std::int64_t rows = columns.empty() ? 0 : columns[0].rows();
    const std::size_t scales = key.scales.size();
    std::vector<std::vector<std::size_t>> member(columns.size()); // column -> scales it belongs to
    for (std::size_t s = 0; s < scales; ++s)
        for (const int item : key.scales[s].items) member[static_cast<std::size_t>(item)].push_back(s);

    const std::int64_t units = (rows + SCORE_ROWS - 1) / SCORE_ROWS;
    const int threads = thread_count(units, 16, asked_threads);
    const Tally none{std::vector<ScaleCount>(scales), std::vector<std::int64_t>(columns.size(), 0)};
    std::vector<Tally> tallies(static_cast<std::size_t>(threads), none);
    parallel(units, threads, [&](int thread, std::int64_t from, std::int64_t to) {
        Tally tally = none; // a local one: threads must not share cache lines
        std::vector<double> value(SCORE_ROWS), mark(SCORE_ROWS), sum(scales * SCORE_ROWS), answered(scales * SCORE_ROWS);
        for (std::int64_t unit = from; unit < to; ++unit) {
            const std::int64_t first = unit * SCORE_ROWS;
            const auto count = static_cast<int>(std::min<std::int64_t>(SCORE_ROWS, rows - first));
            std::fill(sum.begin(), sum.end(), 0.0);
            std::fill(answered.begin(), answered.end(), 0.0);
            for (std::size_t c = 0; c < columns.size(); ++c) {
                decode(columns[c], first, count, value.data());
                tally.out_of_range[c] +=
                    settle(value.data(), mark.data(), count, key.low, key.high, key.reversed[c]);
                for (const std::size_t s : member[c])
                    add_into(value.data(), mark.data(), count, &sum[s * SCORE_ROWS], &answered[s * SCORE_ROWS]);
            }
            for (std::size_t s = 0; s < scales; ++s)
                finish(key.scales[s], &sum[s * SCORE_ROWS], &answered[s * SCORE_ROWS], count,
                       scores + static_cast<std::int64_t>(s) * rows + first, tally.scales[s]);
        }
        tallies[static_cast<std::size_t>(thread)] = std::move(tally);
    });
    Tally total = none;
    for (const auto &tally : tallies) {
        for (std::size_t s = 0; s < scales; ++s) total.scales[s].add(tally.scales[s]);
        for (std::size_t c = 0; c < columns.size(); ++c) total.out_of_range[c] += tally.out_of_range[c];
    }
    return total;
}

} // namespace sessionwise
