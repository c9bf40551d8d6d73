// Cross-products of a person's rows, for every person.
//
// In:  k columns of doubles (each contiguous), the first row of each person and the row after the
//      last, and for each column a centre and an inverse scale, applied as z = (x - centre) * inverse_scale.
// Out: packed[block][pair][lane], persons in blocks of 8 lanes: a later kernel loads the same pair
//      of 8 persons as one vector. Pairs (i, j), i <= j, stand row by row: (0, 0), (0, 1), ...,
//      (1, 1), ... Lanes beyond the last person are zero.
//
// Within a person a sum runs over the rows in their order, whatever the instruction set or the
// number of threads, so the result does not depend on the machine.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "parallel.hpp"
#include "simd.hpp"

namespace sessionwise {

constexpr int LANES = 8; // persons in a block
constexpr int TILE = 16; // rows of a person transposed at a time; TILE x LANES x 10 columns are 10 KiB
constexpr int AHEAD = 128; // how far ahead of its row a column is called from memory; measured

inline std::int64_t pair_count(std::int64_t k) { return k * (k + 1) / 2; }

struct Columns {
    const double *const *data;
    const double *centre;
    const double *inverse_scale;
    int count;
};

// Rows of up to LANES persons side by side: z[column][row][lane], zero where a person has no such
// row. first[lane] and left[lane] say where each person's rows of this tile start and how many
// there are (left may be negative); `rows` is how many the longest has, at most TILE.
SW_CLONES inline void transpose(const Columns &columns, const std::int64_t *first, const std::int64_t *left, int rows,
                                double *z) {
    for (int c = 0; c < columns.count; ++c, z += TILE * LANES) {
        const double m = columns.centre[c], s = columns.inverse_scale[c];
        for (int lane = 0; lane < LANES; ++lane) {
            const int count = static_cast<int>(left[lane] < 0 ? 0 : left[lane] < rows ? left[lane] : rows);
            const double *x = columns.data[c] + first[lane];
            SW_PREFETCH(x + AHEAD);
            for (int r = 0; r < count; ++r) z[r * LANES + lane] = (x[r] - m) * s;
            for (int r = count; r < rows; ++r) z[r * LANES + lane] = 0.0;
        }
    }
}

// Adds products of column a with COUNT columns from b on to sum[COUNT][lane]. Several at a time, so
// that additions of different pairs overlap: one alone would wait for the one before it.
template <int COUNT> SW_INLINE void pairs(const double *a, const double *b, int rows, double *out) {
    double sum[COUNT][LANES];
    for (int c = 0; c < COUNT; ++c)
        for (int l = 0; l < LANES; ++l) sum[c][l] = out[c * LANES + l];
    for (int r = 0; r < rows; ++r)
        for (int c = 0; c < COUNT; ++c)
            for (int l = 0; l < LANES; ++l) sum[c][l] += a[r * LANES + l] * b[(c * TILE + r) * LANES + l];
    for (int c = 0; c < COUNT; ++c)
        for (int l = 0; l < LANES; ++l) out[c * LANES + l] = sum[c][l];
}

// Adds the products of `rows` rows to out[pair][lane].
SW_CLONES inline void add_products(const double *z, int columns, int rows, double *out) {
    for (int i = 0; i < columns; ++i) {
        const double *a = z + i * TILE * LANES, *b = a;
        int left = columns - i;
        for (; left >= 4; left -= 4, b += 4 * TILE * LANES, out += 4 * LANES) pairs<4>(a, b, rows, out);
        for (; left > 0; --left, b += TILE * LANES, out += LANES) pairs<1>(a, b, rows, out);
    }
}

// Fills `packed` (blocks x pairs x LANES). Returns the first person whose products are not finite
// (a NaN or infinite cell, or overflow), or -1.
inline std::int64_t gram(const Columns &columns, const std::int64_t *starts, const std::int64_t *ends, std::int64_t persons,
                         int asked_threads, double *packed) {
    const std::int64_t k = columns.count, pairs = pair_count(k), blocks = (persons + LANES - 1) / LANES;
    std::int64_t rows_in_all = 0;
    for (std::int64_t p = 0; p < persons; ++p) rows_in_all += ends[p] - starts[p];
    const int threads = thread_count(rows_in_all, 20000, asked_threads);
    std::vector<std::int64_t> bad(static_cast<std::size_t>(threads), -1);
    parallel(blocks, threads, [&](int thread, std::int64_t from, std::int64_t to) {
        std::vector<double> z(static_cast<std::size_t>(k * TILE * LANES));
        for (std::int64_t block = from; block < to; ++block) {
            double *out = packed + block * pairs * LANES;
            std::fill(out, out + pairs * LANES, 0.0);
            std::int64_t first[LANES], left[LANES], most = 0;
            for (int lane = 0; lane < LANES; ++lane) {
                const std::int64_t person = block * LANES + lane; // beyond the last: no rows
                first[lane] = person < persons ? starts[person] : 0;
                left[lane] = person < persons ? ends[person] - starts[person] : 0;
                most = std::max(most, left[lane]);
            }
            for (; most > 0; most -= TILE) {
                const int rows = static_cast<int>(std::min<std::int64_t>(most, TILE));
                transpose(columns, first, left, rows, z.data());
                add_products(z.data(), columns.count, rows, out);
                for (int lane = 0; lane < LANES; ++lane) {
                    first[lane] += TILE;
                    left[lane] -= TILE;
                }
            }
            auto &first_bad = bad[static_cast<std::size_t>(thread)];
            for (std::int64_t lane = 0; lane < LANES && first_bad < 0; ++lane) {
                double squares = 0.0; // a NaN or infinite cell makes its square, and this sum, not finite
                for (std::int64_t i = 0, diagonal = 0; i < k; diagonal += k - i++) squares += out[diagonal * LANES + lane];
                if (!std::isfinite(squares)) first_bad = block * LANES + lane;
            }
        }
    });
    for (const auto person : bad)
        if (person >= 0) return person;
    return -1;
}

} // namespace sessionwise
