// In which order the levels of crossed grouping factors are eliminated, and what each then meets.
//
// Levels are the vertices of a graph, each with a number of effects; two are joined where their effects have products
// together. Eliminating a level joins all that it was joined to. Taken is the level with the smallest (approximate)
// degree, on a quotient graph (Amestoy, Davis & Duff 1996, SIAM J Matrix Anal Appl 17(4)): an eliminated level stays as
// an element, the list of those that it met, and absorbs the elements that it was in. It ends where even the next level
// meets so many of those left that a dense factorisation of all these is faster: they are the tail, the others the head.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace sessionwise {

// Lists are looked through as often as a level has neighbours. Those of the levels that have most go to the tail at once
// until this is done at most so many times for each level and each pair of joined ones: else it would take longer than
// what the order is for. Such levels meet nearly all others by the end in any order.
constexpr std::int64_t LOOKS = 50;

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
          outside_(n_, 0), stamp_(n_, -1), next_(n_, NONE), before_(n_, NONE), mark_(n_, 0), state_(n_, FREE) {}

    // tail_part: the tail begins where the next level meets more than this part of the effects left. Stops, with what is
    // known by then, where there would be more than `most` products.
    Ordering run(double tail_part, std::int64_t most) {
        Ordering made;
        std::int64_t left = 0;
        for (std::size_t i = 0; i < n_; ++i) left += effects_[i];
        set_aside();
        for (std::size_t i = 0; i < n_; ++i) {
            if (state_[i] != FREE) continue;
            for (const auto j : near_[i]) degree_[i] += weight(j);
        }
        first_.assign(static_cast<std::size_t>(left) + 1, NONE);
        for (std::size_t i = n_; i-- > 0;)
            if (state_[i] == FREE) enter(static_cast<std::int32_t>(i));
        for (std::int32_t p = least(); p != NONE && made.products <= most; p = least()) {
            std::vector<std::int32_t> met = meets(p);
            std::int64_t all = 0;
            for (const auto j : met) all += effects_[j];
            if (static_cast<double>(all) > tail_part * static_cast<double>(left)) break;
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
    static constexpr std::int32_t NONE = -1;

    std::int64_t weight(std::int32_t i) const { return state_[index(i)] == FREE ? effects_[i] : 0; }
    static std::size_t index(std::int32_t i) { return static_cast<std::size_t>(i); }

    void set_aside() {
        std::vector<std::int32_t> by_degree(n_);
        std::int64_t looks = 0, most = 0;
        for (std::size_t i = 0; i < n_; ++i) {
            const auto degree = static_cast<std::int64_t>(near_[i].size());
            by_degree[i] = static_cast<std::int32_t>(i);
            looks += degree * degree;
            most += LOOKS * (2 + degree) / 2;
        }
        if (looks <= most) return;
        std::stable_sort(by_degree.begin(), by_degree.end(), [&](auto a, auto b) { return near_[index(a)].size() > near_[index(b)].size(); });
        for (std::size_t i = 0; i < n_ && looks > most; ++i) {
            const auto degree = static_cast<std::int64_t>(near_[index(by_degree[i])].size());
            looks -= degree * degree;
            state_[index(by_degree[i])] = LATE;
        }
    }

    // Levels by degree, in linked lists.
    void enter(std::int32_t i) {
        const std::int64_t degree = degree_[index(i)];
        auto &first = first_[static_cast<std::size_t>(degree)];
        next_[index(i)] = first, before_[index(i)] = NONE;
        if (first != NONE) before_[index(first)] = i;
        first = i;
        least_ = std::min(least_, degree);
    }
    void leave(std::int32_t i) {
        const std::int32_t next = next_[index(i)], before = before_[index(i)];
        if (next != NONE) before_[index(next)] = before;
        if (before != NONE) next_[index(before)] = next;
        else first_[static_cast<std::size_t>(degree_[index(i)])] = next;
    }
    std::int32_t least() {
        for (; least_ < static_cast<std::int64_t>(first_.size()); ++least_)
            if (first_[static_cast<std::size_t>(least_)] != NONE) return first_[static_cast<std::size_t>(least_)];
        return NONE;
    }

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
        leave(p);
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
            leave(i);
            degree_[index(i)] = degree;
            enter(i);
        }
    }

    static void release(std::vector<std::int32_t> &list) { std::vector<std::int32_t>().swap(list); }

    std::size_t n_;
    const std::int32_t *effects_;
    std::vector<std::vector<std::int32_t>> near_, elements_, members_; // neighbours not yet in a common element; elements; theirs
    std::vector<std::int64_t> size_, degree_, outside_;
    std::vector<std::int32_t> stamp_, next_, before_;
    std::vector<std::int64_t> mark_;
    std::vector<char> state_;
    std::vector<std::int32_t> first_; // of each degree
    std::int64_t least_ = 0, step_ = 0;
};

} // namespace sessionwise
