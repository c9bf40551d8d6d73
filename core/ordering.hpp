// In which order the levels of crossed grouping factors are eliminated, and what each then meets.
//
// Levels are the vertices of a graph, each with a number of effects; two are joined where their effects have products
// together. Eliminating a level joins all that it was joined to. Taken is the level with the smallest (approximate)
// degree, on a quotient graph (Amestoy, Davis & Duff 1996, SIAM J Matrix Anal Appl 17(4)): an eliminated level stays as
// an element, the list of those that it met, and absorbs the elements that it was in. It ends where even the next level
// meets so many of those left that a dense factorisation of all these is faster: they are the tail, the others the head.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

namespace sessionwise {

// A level that meets more than this part of the effects left begins the tail: per pair of effects the sparse way takes
// some 6 ns there and back, the dense one (a third of n^3 products for the factor, two for the inverse) 0.05 ns.
constexpr double TAIL_PART = 0.2;
// Levels joined to more others than this, times the root of the number of levels, go to the tail at once: to look
// through their lists at every step would take longer than all else.
constexpr double MANY_NEIGHBOURS = 10.0;

struct Ordering {
    std::vector<std::int32_t> order; // levels, the head's as they are eliminated, then the tail's
    std::vector<std::vector<std::int32_t>> met; // of each level of the head, the later ones that it meets, unsorted
    std::int64_t products = 0; // of effects of the head with later ones: numbers to be kept
    std::int64_t tail = 0; // effects in the tail
};

class MinimumDegree {
  public:
    // neighbours: of each level those that it is joined to, each once. effects: of each level.
    MinimumDegree(std::vector<std::vector<std::int32_t>> neighbours, const std::int32_t *effects)
        : n_(neighbours.size()), effects_(effects), near_(std::move(neighbours)), elements_(n_), members_(n_), size_(n_, 0), degree_(n_, 0),
          outside_(n_, 0), stamp_(n_, -1), mark_(n_, 0), state_(n_, FREE) {}

    // Stops, with what is known by then, where there would be more than `most` products.
    Ordering run(std::int64_t most) {
        Ordering made;
        const double many = MANY_NEIGHBOURS * std::sqrt(static_cast<double>(n_));
        std::int64_t left = 0;
        for (std::size_t i = 0; i < n_; ++i) {
            left += effects_[i];
            if (static_cast<double>(near_[i].size()) > many) state_[i] = LATE;
        }
        for (std::size_t i = 0; i < n_; ++i) {
            if (state_[i] != FREE) continue;
            for (const auto j : near_[i]) degree_[i] += weight(j);
            queue_.emplace(degree_[i], static_cast<std::int32_t>(i));
        }
        while (!queue_.empty() && made.products <= most) {
            const std::int32_t p = queue_.begin()->second;
            std::vector<std::int32_t> met = meets(p);
            std::int64_t all = 0;
            for (const auto j : met) all += effects_[j];
            if (static_cast<double>(all) > TAIL_PART * static_cast<double>(left)) break;
            left -= effects_[p];
            made.products += effects_[p] * all;
            made.order.push_back(p);
            eliminate(p, met, left);
            made.met.push_back(std::move(met));
        }
        made.tail = left;
        for (std::size_t i = 0; i < n_; ++i)
            if (state_[i] != GONE) made.order.push_back(static_cast<std::int32_t>(i));
        return made;
    }

  private:
    enum : char { FREE, LATE, GONE };

    std::int64_t weight(std::int32_t i) const { return state_[index(i)] == FREE ? effects_[i] : 0; }
    static std::size_t index(std::int32_t i) { return static_cast<std::size_t>(i); }

    // Those that p is joined to, directly or through an element, each once; they keep the mark of this step.
    std::vector<std::int32_t> meets(std::int32_t p) {
        std::vector<std::int32_t> met;
        ++step_;
        mark_[index(p)] = step_;
        const auto take = [&](const std::vector<std::int32_t> &from) {
            for (const auto j : from)
                if (mark_[index(j)] != step_) mark_[index(j)] = step_, met.push_back(j);
        };
        take(near_[index(p)]);
        for (const auto e : elements_[index(p)]) take(members_[index(e)]);
        return met;
    }

    void eliminate(std::int32_t p, const std::vector<std::int32_t> &met, std::int64_t left) {
        queue_.erase({degree_[index(p)], p});
        state_[index(p)] = GONE;
        for (const auto e : elements_[index(p)]) members_[index(e)].clear(), size_[index(e)] = -1; // absorbed
        release(elements_[index(p)]);
        release(near_[index(p)]);
        members_[index(p)] = met;
        for (const auto j : met) size_[index(p)] += weight(j);
        // What other elements have besides those of p.
        for (const auto i : met)
            for (const auto e : elements_[index(i)]) {
                if (size_[index(e)] < 0) continue;
                if (stamp_[index(e)] != p) stamp_[index(e)] = p, outside_[index(e)] = size_[index(e)];
                outside_[index(e)] -= weight(i);
            }
        for (const auto i : met) {
            if (state_[index(i)] != FREE) continue;
            auto &elements = elements_[index(i)];
            auto &near = near_[index(i)];
            std::int64_t degree = size_[index(p)] - effects_[i];
            std::size_t kept = 0;
            for (const auto e : elements)
                if (size_[index(e)] >= 0) elements[kept++] = e, degree += outside_[index(e)];
            elements.resize(kept);
            elements.push_back(p);
            kept = 0;
            for (const auto j : near)
                if (mark_[index(j)] != step_) near[kept++] = j, degree += weight(j);
            near.resize(kept);
            degree = std::min({degree, left - effects_[i], degree_[index(i)] + size_[index(p)]});
            queue_.erase({degree_[index(i)], i});
            degree_[index(i)] = degree;
            queue_.emplace(degree, i);
        }
    }

    static void release(std::vector<std::int32_t> &list) { std::vector<std::int32_t>().swap(list); }

    std::size_t n_;
    const std::int32_t *effects_;
    std::vector<std::vector<std::int32_t>> near_, elements_, members_; // neighbours not yet in a common element; elements; theirs
    std::vector<std::int64_t> size_, degree_, outside_;
    std::vector<std::int32_t> stamp_;
    std::vector<std::int64_t> mark_;
    std::vector<char> state_;
    std::set<std::pair<std::int64_t, std::int32_t>> queue_;
    std::int64_t step_ = 0;
};

} // namespace sessionwise
