// Work shared between threads. No pool: threads are started only for work that takes far longer than starting them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <exception>
#include <system_error>
#include <thread>
#include <vector>

namespace sessionwise {

// How many threads for `units` units of work when at least `grain` units should go to each.
// `asked` = 0 means as many as the machine has.
inline int thread_count(std::int64_t units, std::int64_t grain, int asked) {
    static const int there = static_cast<int>(std::max(1u, std::thread::hardware_concurrency())); // to ask takes long
    const int most = asked > 0 ? asked : there;
    return static_cast<int>(std::clamp<std::int64_t>(units / std::max<std::int64_t>(grain, 1), 1, most));
}

// Calls work(thread, begin, end) on contiguous parts of [0, units), one part a thread, and waits.
// The first exception thrown by a part is thrown again here.
template <class Work> void parallel(std::int64_t units, int threads, Work work) {
    std::vector<std::exception_ptr> errors(static_cast<std::size_t>(threads));
    const auto part = [&](int t) {
        try {
            work(t, units * t / threads, units * (t + 1) / threads);
        } catch (...) {
            errors[static_cast<std::size_t>(t)] = std::current_exception();
        }
    };
    std::vector<std::thread> pool;
    pool.reserve(static_cast<std::size_t>(threads));
    int started = 1;
    try {
        for (; started < threads; ++started) pool.emplace_back(part, started);
    } catch (const std::system_error &) {
        for (int t = started; t < threads; ++t) part(t); // no more threads to be had: do it here
    }
    part(0);
    for (auto &thread : pool) thread.join();
    for (auto &error : errors)
        if (error) std::rethrow_exception(error);
}

} // namespace sessionwise
