// The common course, given true scores and each person's own: a chain of session numbers, joined by the lags.
#pragma once

#include "dynamics.hpp"

#include <map>
#include <utility>

namespace sessionwise::dsem {

class Course {
  public:
    explicit Course(const Spec &m) : m_(m), width_(2 * m.P + 1), group_(static_cast<std::size_t>(m.N)), band_(static_cast<std::size_t>(m.S * width_ * m.K * m.K)), g_(static_cast<std::size_t>(m.S * m.K)) {
        std::map<std::pair<int, int>, int> seen;
        int longest = 0;
        for (int i = 0; i < m.N; ++i) {
            const auto r0 = static_cast<std::size_t>(m.start[static_cast<std::size_t>(i)]);
            const int rows = static_cast<int>(m.start[static_cast<std::size_t>(i) + 1]) - static_cast<int>(r0);
            const auto [place, fresh] = seen.insert({{m.session[r0], rows}, static_cast<int>(groups_.size())});
            if (fresh) groups_.push_back({m.session[r0], rows, 0.0});
            group_[static_cast<std::size_t>(i)] = place->second;
            groups_[static_cast<std::size_t>(place->second)].persons += 1.0;
            longest = std::max(longest, rows);
        }
        own_.resize(static_cast<std::size_t>(longest * m.K));
        pairs_.resize(groups_.size() * static_cast<std::size_t>(m.K * (m.P + 1) * m.K * (m.P + 1)));
        aim();
    }

    template <class Shape> void draw(const Shape &n, State &s, const Dynamics &dynamics, const Vec &first_inverse, Random &random) {
        std::fill(band_.begin(), band_.end(), 0.0);
        std::fill(g_.begin(), g_.end(), 0.0);
        std::fill(pairs_.begin(), pairs_.end(), 0.0);
        add_persons(n, s, dynamics, first_inverse);
        spread(n, first_inverse);
        draw_columns(s, random);
        exchange(s, random);
    }

  private:
    struct Group { // of persons with the same session numbers
        int first, rows;
        double persons;
    };

    // The precision of the sessions joined by one innovation is the same at each of a person's sessions: it is added up over
    // persons of a group, and put where it belongs once for them all.
    template <class Shape> void add_persons(const Shape &n, const State &s, const Dynamics &dynamics, const Vec &first_inverse) {
        const auto K = n.K, E = n.E, lags = n.lags(), H = n.sources(), M = n.states();
        const int q = m_.effects();
        Work weighted(lags * K), pairs(lags * lags), a(K);
        double *v = own_.data(); // true score - own course
        for (int i = 0; i < m_.N; ++i) {
            const double *rows = dynamics.rows(i), *precision = dynamics.precision(i), *b = row(s.b, i, q);
            if (i == 0 || dynamics.vary()) { // T' Sigma^-1, and T' Sigma^-1 T
                for (int j = 0; j < lags; ++j)
                    for (int c = 0; c < K; ++c) {
                        double x = 0.0;
                        for (int e = 0; e < K; ++e) x += rows[e * H + j] * precision[e * K + c];
                        weighted[j * K + c] = x;
                    }
                for (int j = 0; j < lags; ++j)
                    for (int j2 = 0; j2 < lags; ++j2) {
                        double x = 0.0;
                        for (int e = 0; e < K; ++e) x += weighted[j * K + e] * rows[e * H + j2];
                        pairs[j * lags + j2] = x;
                    }
            }
            const int place = group_[static_cast<std::size_t>(i)], T = groups_[static_cast<std::size_t>(place)].rows;
            double *total = row(pairs_, place, lags * lags);
            for (int j = 0; j < lags * lags; ++j) total[j] += pairs[j];
            const auto r0 = static_cast<std::size_t>(m_.start[static_cast<std::size_t>(i)]);
            const double *z = s.z.data() + r0 * static_cast<std::size_t>(K), *x = m_.x.data() + r0 * static_cast<std::size_t>(n.X);
            const double *course = row(m_.course_rows, groups_[static_cast<std::size_t>(place)].first, E);
            double *g = row(g_, groups_[static_cast<std::size_t>(place)].first, K);
            for (int t = 0; t < T; ++t)
                for (int k = 0; k < K; ++k) {
                    double y = z[t * K + k];
                    for (int e = 0; e < E; ++e) y -= course[t * E + e] * b[k * E + e];
                    v[t * K + k] = y;
                }
            for (int j = 0; j < M; ++j) { // the first sessions
                double y = 0.0;
                for (int c = 0; c < M; ++c) y += first_inverse[static_cast<std::size_t>(j * M + c)] * v[(n.P - 1 - c / K) * K + c % K];
                g[(n.P - 1 - j / K) * K + j % K] += y;
            }
            for (int t = n.P; t < T; ++t) {
                for (int k = 0; k < K; ++k) {
                    double y = 0.0;
                    for (int l = 0; l <= n.P; ++l)
                        for (int c = 0; c < K; ++c) y += rows[k * H + l * K + c] * v[(t - l) * K + c];
                    for (int c = 0; c < n.X; ++c) y += rows[k * H + lags + c] * x[t * n.X + c];
                    a[k] = y;
                }
                for (int l = 0; l <= n.P; ++l)
                    for (int k = 0; k < K; ++k) {
                        double y = 0.0;
                        for (int c = 0; c < K; ++c) y += weighted[(l * K + k) * K + c] * a[c];
                        g[(t - l) * K + k] += y;
                    }
            }
        }
    }

    // From groups to a band of (K x K) blocks: a session with those up to P before and after it.
    template <class Shape> void spread(const Shape &n, const Vec &first_inverse) {
        const auto K = n.K, lags = n.lags(), M = n.states();
        const auto block = [&](int session, int other) { return row(band_, session * width_ + other - session + m_.P, K * K); };
        for (std::size_t j = 0; j < groups_.size(); ++j) {
            const Group &group = groups_[j];
            const double *pairs = row(pairs_, static_cast<int>(j), lags * lags);
            for (int a = 0; a < M; ++a)
                for (int c = 0; c < M; ++c)
                    block(group.first + n.P - 1 - a / K, group.first + n.P - 1 - c / K)[a % K * K + c % K] += group.persons * first_inverse[static_cast<std::size_t>(a * M + c)];
            for (int t = group.first + n.P; t < group.first + group.rows; ++t)
                for (int a = 0; a < lags; ++a)
                    for (int c = 0; c < lags; ++c) block(t - a / K, t - c / K)[a % K * K + c % K] += pairs[a * lags + c];
        }
    }

    // From session numbers to the columns of the course.
    void draw_columns(State &s, Random &random) {
        const int K = m_.K, B = m_.B, nb = B * K;
        Vec half(static_cast<std::size_t>(K * nb)), Q(static_cast<std::size_t>(nb * nb), 0.0), h(static_cast<std::size_t>(nb), 0.0);
        for (int t = 0; t < m_.S; ++t) {
            std::fill(half.begin(), half.end(), 0.0); // (K x nb): this session's rows of the band, times the basis
            for (int u = std::max(0, t - m_.P); u <= std::min(m_.S - 1, t + m_.P); ++u) {
                const double *band = row(band_, t * width_ + u - t + m_.P, K * K);
                for (int b = 0; b < B; ++b) {
                    const double x = at(m_.basis, u, b, B);
                    if (x == 0.0) continue;
                    for (int k = 0; k < K; ++k)
                        for (int c = 0; c < K; ++c) half[static_cast<std::size_t>(k * nb + b * K + c)] += x * band[k * K + c];
                }
            }
            for (int b = 0; b < B; ++b) {
                const double x = at(m_.basis, t, b, B);
                if (x == 0.0) continue;
                for (int k = 0; k < K; ++k) {
                    h[static_cast<std::size_t>(b * K + k)] += x * at(g_, t, k, K);
                    double *to = row(Q, b * K + k, nb);
                    const double *from = row(half, k, nb);
                    for (int c = 0; c <= b * K + k; ++c) to[c] += x * from[c];
                }
            }
        }
        for (int b = 0; b < nb; ++b) at(Q, b, b, nb) += 1e-8; // sessions that nobody reached
        draw_gaussian(Q.data(), h.data(), nb, random);
        s.delta = h;
    }

    // The course that is most like each column of a person's own, over the sessions that persons have, and how far it is
    // from that column at each session.
    void aim() {
        const int B = m_.B, E = m_.E;
        Vec persons(static_cast<std::size_t>(m_.S), 0.0), P(static_cast<std::size_t>(B * B), 0.0);
        for (const Group &group : groups_)
            for (int t = group.first; t < group.first + group.rows; ++t) persons[static_cast<std::size_t>(t)] += group.persons;
        like_.assign(static_cast<std::size_t>(E * B), 0.0);
        apart_.assign(static_cast<std::size_t>(m_.S * E), 0.0);
        for (int t = 0; t < m_.S; ++t)
            for (int b = 0; b < B; ++b) {
                const double x = persons[static_cast<std::size_t>(t)] * at(m_.basis, t, b, B);
                for (int c = 0; c < B; ++c) at(P, b, c, B) += x * at(m_.basis, t, c, B);
                for (int e = 0; e < E; ++e) at(like_, e, b, B) += x * at(m_.course_rows, t, e, E);
            }
        for (int b = 0; b < B; ++b) at(P, b, b, B) += 1e-8;
        if (!factor(P.data(), B)) throw Failure("the common course has columns that are one");
        for (int e = 0; e < E; ++e) {
            forward(P.data(), row(like_, e, B), B);
            backward(P.data(), row(like_, e, B), B);
            for (int t = 0; t < m_.S; ++t) {
                double x = -at(m_.course_rows, t, e, E);
                for (int b = 0; b < B; ++b) x += at(m_.basis, t, b, B) * at(like_, e, b, B);
                at(apart_, t, e, E) = x;
            }
        }
    }

    // What all persons' courses have in common can be in them or in the common one; drawn given each other, the two would
    // exchange it in small steps. Here they do at once: c of it from every person's effect to the common course.
    void exchange(State &s, Random &random) {
        const int K = m_.K, E = m_.E, B = m_.B, q = m_.effects(), nl = m_.levels();
        Vec P(static_cast<std::size_t>(nl * nl), 0.0), c(static_cast<std::size_t>(nl), 0.0), course(static_cast<std::size_t>(m_.S * K), 0.0);
        for (int t = 0; t < m_.S; ++t)
            for (int b = 0; b < B; ++b)
                for (int k = 0; k < K; ++k) at(course, t, k, K) += at(m_.basis, t, b, B) * at(s.delta, b, k, K);
        for (int t = 0; t < m_.S; ++t)
            for (int k = 0; k < K; ++k) {
                double rest = at(g_, t, k, K); // the gradient by a course at this session
                for (int u = std::max(0, t - m_.P); u <= std::min(m_.S - 1, t + m_.P); ++u) {
                    const double *band = row(band_, t * width_ + u - t + m_.P, K * K) + k * K;
                    for (int l = 0; l < K; ++l) {
                        rest -= band[l] * at(course, u, l, K);
                        for (int e = 0; e < E; ++e)
                            for (int f = 0; f < E; ++f) at(P, k * E + e, l * E + f, nl) += at(apart_, t, e, E) * band[l] * at(apart_, u, f, E);
                    }
                }
                for (int e = 0; e < E; ++e) c[static_cast<std::size_t>(k * E + e)] += at(apart_, t, e, E) * rest;
            }
        const auto regressed = [&](int j) { return m_.gamma_free[static_cast<std::size_t>(j * m_.W)]; };
        Vec beyond(static_cast<std::size_t>(q), 0.0), mean(static_cast<std::size_t>(q)); // effects less what is expected of them
        for (int i = 0; i < m_.N; ++i) {
            expect(m_, s, i, q, mean.data());
            for (int j = 0; j < q; ++j) beyond[static_cast<std::size_t>(j)] += at(s.b, i, j, q) - mean[static_cast<std::size_t>(j)];
        }
        for (int j = 0; j < nl; ++j) {
            if (regressed(j)) { // the regression's constant goes along
                const double prior = at(m_.gamma_precision, j, 0, m_.W);
                at(P, j, j, nl) += prior;
                c[static_cast<std::size_t>(j)] += prior * (at(s.gamma, j, 0, m_.W) - at(m_.gamma_mean, j, 0, m_.W));
                continue;
            }
            for (int l = 0; l < q; ++l) {
                const double precision = at(s.precision, j, l, q);
                c[static_cast<std::size_t>(j)] += precision * beyond[static_cast<std::size_t>(l)];
                if (l < nl && !regressed(l)) at(P, j, l, nl) += m_.N * precision;
            }
        }
        // outcomes of persons stay as likely: what their slopes lose goes to their constants, whose prior sees it
        const auto outcome = [&](int o, int place) -> double & { return at(s.outcome, o, place, m_.W + q); };
        for (int o = 0; o < m_.O; ++o)
            for (int j = 0; j < nl; ++j) {
                const double slope = m_.outcome_precision * outcome(o, m_.W + j);
                c[static_cast<std::size_t>(j)] -= slope * outcome(o, 0);
                for (int l = 0; l < nl; ++l) at(P, j, l, nl) += slope * outcome(o, m_.W + l);
            }
        draw_gaussian(P.data(), c.data(), nl, random);
        for (int o = 0; o < m_.O; ++o)
            for (int j = 0; j < nl; ++j) outcome(o, 0) += outcome(o, m_.W + j) * c[static_cast<std::size_t>(j)];
        for (int j = 0; j < nl; ++j) {
            const double x = c[static_cast<std::size_t>(j)];
            for (int b = 0; b < B; ++b) at(s.delta, b, j / E, K) += x * at(like_, j % E, b, B);
            for (int i = 0; i < m_.N; ++i) at(s.b, i, j, q) -= x;
            if (regressed(j)) at(s.gamma, j, 0, m_.W) -= x;
        }
    }

    const Spec &m_;
    int width_;
    Vec like_, apart_; // (E x B), (S x E)
    std::vector<Group> groups_;
    std::vector<int> group_; // of a person
    Vec own_, pairs_, band_, g_;
};

} // namespace sessionwise::dsem
