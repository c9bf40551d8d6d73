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

constexpr int SCORE_ROWS = 256; // rows at a time: an item's values and all sums stay in the first-level cache

// Rows [at, at + count) of one chunk as doubles, NaN for missing.
template <class T> SW_INLINE void decode(const ArrowArray &chunk, std::int64_t at, int count, double *value) {
    at += chunk.offset;
    const T *x = static_cast<const T *>(chunk.buffers[1]) + at;
    constexpr int LINE = 64 / sizeof(T);
    int c = 0;
    for (; c + LINE <= count; c += LINE) {
        SW_PREFETCH(x + c + SCORE_ROWS); // for this column's next turn
        for (int r = c; r < c + LINE; ++r) value[r] = static_cast<double>(x[r]);
    }
    for (; c < count; ++c) value[c] = static_cast<double>(x[c]);
    const auto *bits = static_cast<const std::uint8_t *>(chunk.buffers[0]);
    if (!bits || chunk.null_count == 0) return;
    const double missing = std::numeric_limits<double>::quiet_NaN();
    const auto answered = [&](int r) { return bits[(at + r) / 8] >> ((at + r) % 8) & 1; };
    int r = 0;
    for (; r < count && (at + r) % 8; ++r) value[r] = answered(r) ? value[r] : missing;
    for (; r + 8 <= count; r += 8) { // a byte at a time, without branches inside: where answers are missing is not predictable
        const std::uint64_t byte = bits[(at + r) / 8];
        if (byte == 0xff) continue;
        for (int b = 0; b < 8; ++b) value[r + b] = byte >> b & 1 ? value[r + b] : missing;
    }
    for (; r < count; ++r) value[r] = answered(r) ? value[r] : missing;
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

using Tick = std::uint16_t; // 1 answered, 0 missing, and sums of these: narrow, so that adding them is cheap

// Marks answers (1, or 0 for missing); missing and out-of-range ones become 0, reversed ones are
// turned. Returns how many were out of range.
SW_CLONES inline std::int64_t settle(double *value, Tick *mark, int count, double low, double high, bool reversed) {
    const double turn = reversed ? low + high : 0.0, sign = reversed ? -1.0 : 1.0;
    std::int64_t outside = 0; // a sum of doubles would have to be taken in order, one at a time
    for (int r = 0; r < count; ++r) {
        const double x = value[r];
        const bool ok = (x >= low) & (x <= high);
        outside += (x < low) | (x > high);
        value[r] = ok ? turn + sign * x : 0.0;
        mark[r] = ok;
    }
    return outside;
}

SW_CLONES inline void add_into(const double *value, const Tick *mark, int count, double *sum, Tick *answered) {
    for (int r = 0; r < count; ++r) sum[r] += value[r];
    for (int r = 0; r < count; ++r) answered[r] = static_cast<Tick>(answered[r] + mark[r]);
}

SW_CLONES inline void finish(const ScaleKey &scale, const double *sum, const Tick *answered, int count, double *score,
                             ScaleCount &counts) {
    const int items = static_cast<int>(scale.items.size()), fewest = std::max(items - scale.most_missing, 1);
    const double factor = scale.factor;
    for (int r = 0; r < count; ++r) {
        const double c = answered[r];
        const double made = c == factor ? sum[r] : sum[r] * factor / c;
        score[r] = answered[r] >= fewest ? made : std::numeric_limits<double>::quiet_NaN();
    }
    int complete = 0, prorated = 0, filled = 0, empty = 0;
    for (int r = 0; r < count; ++r) {
        const int c = answered[r];
        complete += c == items;
        prorated += (c >= fewest) & (c < items);
        filled += c >= fewest ? items - c : 0;
        empty += c == 0;
    }
    counts.add({complete, prorated, filled, count - complete - prorated - empty, empty});
}

// Items that belong to the same scales are summed once, as an atom; a scale is the sum of its atoms.
struct Atoms {
    std::vector<std::size_t> of_column;              // column -> atom
    std::vector<std::vector<std::size_t>> of_scale; // scale -> atoms
    std::size_t count = 0;

    Atoms(std::size_t columns, const std::vector<ScaleKey> &scales) : of_column(columns), of_scale(scales.size()) {
        std::vector<std::vector<bool>> member(columns, std::vector<bool>(scales.size(), false)), known;
        for (std::size_t s = 0; s < scales.size(); ++s)
            for (const int item : scales[s].items) member[static_cast<std::size_t>(item)][s] = true;
        for (std::size_t c = 0; c < columns; ++c) {
            const auto at = std::find(known.begin(), known.end(), member[c]);
            of_column[c] = static_cast<std::size_t>(at - known.begin());
            if (at != known.end()) continue;
            known.push_back(member[c]);
            for (std::size_t s = 0; s < scales.size(); ++s)
                if (member[c][s]) of_scale[s].push_back(of_column[c]);
        }
        count = known.size();
    }
};

// Scores of all rows into scores[scale][row].
inline Tally score(const std::vector<NumericColumn> &columns, const AnswerKey &key, int asked_threads,
                   const std::vector<double *> &scores) {
    const std::int64_t rows = columns.empty() ? 0 : columns[0].rows();
    const std::size_t scales = key.scales.size();
    const Atoms atoms(columns.size(), key.scales);
    const std::int64_t units = (rows + SCORE_ROWS - 1) / SCORE_ROWS;
    const int threads = thread_count(units, 16, asked_threads);
    const Tally none{std::vector<ScaleCount>(scales), std::vector<std::int64_t>(columns.size(), 0)};
    std::vector<Tally> tallies(static_cast<std::size_t>(threads), none);
    parallel(units, threads, [&](int thread, std::int64_t from, std::int64_t to) {
        Tally tally = none; // a local one: threads must not share cache lines
        std::vector<double> value(SCORE_ROWS), sum(SCORE_ROWS), atom_sum(atoms.count * SCORE_ROWS);
        std::vector<Tick> mark(SCORE_ROWS), answered(SCORE_ROWS), atom_answered(atoms.count * SCORE_ROWS);
        for (std::int64_t unit = from; unit < to; ++unit) {
            const std::int64_t first = unit * SCORE_ROWS;
            const auto count = static_cast<int>(std::min<std::int64_t>(SCORE_ROWS, rows - first));
            std::fill(atom_sum.begin(), atom_sum.end(), 0.0);
            std::fill(atom_answered.begin(), atom_answered.end(), Tick{0});
            for (std::size_t c = 0; c < columns.size(); ++c) {
                decode(columns[c], first, count, value.data());
                tally.out_of_range[c] +=
                    settle(value.data(), mark.data(), count, key.low, key.high, key.reversed[c]);
                const std::size_t at = atoms.of_column[c] * SCORE_ROWS;
                add_into(value.data(), mark.data(), count, &atom_sum[at], &atom_answered[at]);
            }
            for (std::size_t s = 0; s < scales; ++s) {
                std::fill(sum.begin(), sum.end(), 0.0);
                std::fill(answered.begin(), answered.end(), Tick{0});
                for (const std::size_t atom : atoms.of_scale[s])
                    add_into(&atom_sum[atom * SCORE_ROWS], &atom_answered[atom * SCORE_ROWS], count, sum.data(), answered.data());
                finish(key.scales[s], sum.data(), answered.data(), count, scores[s] + first, tally.scales[s]);
            }
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
