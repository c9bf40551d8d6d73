// Where persons' products stand in a system of crossed grouping factors (crossed.hpp).
#pragma once

#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "gram.hpp"

namespace sessionwise {

// Kinds of levels, numbered through: the persons if they have effects of their own, then each factor. Values of the
// system: the levels' own blocks (q x q each), X (effects x k), the table of X (k x k), then blocks of joined levels.
struct Kinds {
    std::vector<std::int64_t> level, effect, block; // first of each kind, and one past the last
    std::vector<int> q;
    Kinds(const std::int64_t *counts, const std::int32_t *effects, std::size_t kinds)
        : level(kinds + 1, 0), effect(kinds + 1, 0), block(kinds + 1, 0), q(effects, effects + kinds) {
        for (std::size_t t = 0; t < kinds; ++t) {
            level[t + 1] = level[t] + counts[t];
            effect[t + 1] = effect[t] + counts[t] * q[t];
            block[t + 1] = block[t] + counts[t] * q[t] * q[t];
        }
    }
};

struct Placed {
    std::vector<std::int64_t> from, to; // numbers of the packed products, and of the values that they are added to
    std::vector<std::int32_t> joined; // pairs of levels, the lower first
    std::int64_t size = 0; // values
};

// Persons' products as gram.hpp packs them: of each person q columns of its own, then those of `map` (r - k), numbers of
// effects of the other kinds from 0 on, -1 for none, then k of X. zeros: also products that are 0 here.
inline Placed place(const Kinds &kinds, const std::int32_t *at, int q, int r, int k, std::int64_t pairs, std::int64_t persons,
                    const double *packed, const std::int32_t *map, bool zeros) {
    struct Column {
        int at, kind, inner; // inner: which effect of its level
        std::int64_t level, effect;
    };
    const int columns = q + r, other = q ? 1 : 0;
    const std::int64_t x = kinds.block.back(), table = x + kinds.effect.back() * k, first_own = q ? persons * q : 0;
    Placed made;
    made.size = table + static_cast<std::int64_t>(k) * k;
    std::vector<std::int64_t> start; // of each pair of levels
    std::unordered_map<std::int64_t, std::int64_t> known;
    std::vector<std::int64_t> of_person(static_cast<std::size_t>(kinds.level.back()), -1), whose(of_person.size(), -1);
    std::vector<int> kind_of(static_cast<std::size_t>(kinds.effect.back() - first_own));
    for (std::size_t t = static_cast<std::size_t>(other); t < kinds.q.size(); ++t)
        std::fill(kind_of.begin() + (kinds.effect[t] - first_own), kind_of.begin() + (kinds.effect[t + 1] - first_own), static_cast<int>(t));
    std::vector<Column> there;
    for (std::int64_t g = 0; g < persons; ++g) {
        there.clear();
        for (int a = 0; a < q; ++a) there.push_back({a, 0, a, g, g * q + a});
        for (int a = 0; a < r - k; ++a) {
            const std::int64_t v = map[g * r + a];
            if (v < 0) continue;
            const int kind = kind_of[static_cast<std::size_t>(v)], width = kinds.q[static_cast<std::size_t>(kind)];
            const std::int64_t own = first_own + v - kinds.effect[static_cast<std::size_t>(kind)];
            there.push_back({q + a, kind, static_cast<int>(own % width), kinds.level[static_cast<std::size_t>(kind)] + own / width, first_own + v});
        }
        const std::int64_t base = g / LANES * pairs * LANES + g % LANES;
        const auto product = [&](int a, int b) { return base + static_cast<std::int64_t>(at[a * columns + b]) * LANES; };
        const auto add = [&](std::int64_t from, std::int64_t to) { made.from.push_back(from), made.to.push_back(to); };
        for (std::size_t one = 0; one < there.size(); ++one) {
            const Column &a = there[one];
            const auto width = static_cast<std::int64_t>(kinds.q[static_cast<std::size_t>(a.kind)]);
            for (std::size_t two = one; two < there.size(); ++two) {
                const Column &b = there[two];
                const std::int64_t from = product(a.at, b.at);
                if (!zeros && packed[from] == 0.0) continue;
                if (a.level == b.level) {
                    const std::int64_t own = kinds.block[static_cast<std::size_t>(a.kind)] + (a.level - kinds.level[static_cast<std::size_t>(a.kind)]) * width * width;
                    add(from, own + a.inner * width + b.inner);
                    if (one != two) add(from, own + b.inner * width + a.inner);
                    continue;
                }
                const Column &low = a.level < b.level ? a : b, &high = a.level < b.level ? b : a;
                std::int64_t pair;
                const auto next = static_cast<std::int64_t>(start.size());
                if (q && low.kind == 0) { // nobody else's
                    const auto h = static_cast<std::size_t>(high.level);
                    if (whose[h] != g) whose[h] = g, of_person[h] = next;
                    pair = of_person[h];
                } else {
                    pair = known.emplace(low.level * kinds.level.back() + high.level, next).first->second;
                }
                const auto high_width = kinds.q[static_cast<std::size_t>(high.kind)];
                if (pair == next) {
                    start.push_back(made.size);
                    made.size += static_cast<std::int64_t>(kinds.q[static_cast<std::size_t>(low.kind)]) * high_width;
                    made.joined.push_back(static_cast<std::int32_t>(low.level));
                    made.joined.push_back(static_cast<std::int32_t>(high.level));
                }
                add(from, start[static_cast<std::size_t>(pair)] + low.inner * high_width + high.inner);
            }
            for (int c = 0; c < k; ++c) add(product(a.at, columns - k + c), x + a.effect * k + c);
        }
        for (int c = 0; c < k; ++c)
            for (int d = c; d < k; ++d) {
                add(product(columns - k + c, columns - k + d), table + c * k + d);
                if (c != d) add(product(columns - k + c, columns - k + d), table + d * k + c);
            }
    }
    return made;
}

} // namespace sessionwise
