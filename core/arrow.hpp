// Arrow's C data interface (https://arrow.apache.org/docs/format/CDataInterface.html): how dataframe
// libraries hand over their columns without copying. Names and layout are fixed by that standard.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

extern "C" {
struct ArrowSchema {
    const char *format, *name, *metadata;
    std::int64_t flags, n_children;
    ArrowSchema **children;
    ArrowSchema *dictionary;
    void (*release)(ArrowSchema *);
    void *private_data;
};
struct ArrowArray {
    std::int64_t length, null_count, offset, n_buffers, n_children;
    const void **buffers;
    ArrowArray **children;
    ArrowArray *dictionary;
    void (*release)(ArrowArray *);
    void *private_data;
};
struct ArrowArrayStream {
    int (*get_schema)(ArrowArrayStream *, ArrowSchema *);
    int (*get_next)(ArrowArrayStream *, ArrowArray *);
    const char *(*get_last_error)(ArrowArrayStream *);
    void (*release)(ArrowArrayStream *);
    void *private_data;
};
}

namespace sessionwise {

// One numeric column, in the chunks its library keeps it in; releases them when it goes.
class NumericColumn {
  public:
    explicit NumericColumn(ArrowArrayStream *stream) {
        try {
            take(stream);
        } catch (...) {
            release();
            throw;
        }
    }
    NumericColumn(NumericColumn &&other) noexcept
        : format(other.format), chunks(std::move(other.chunks)), ends(std::move(other.ends)) {
        other.chunks.clear();
    }
    NumericColumn(const NumericColumn &) = delete;
    NumericColumn &operator=(const NumericColumn &) = delete;
    ~NumericColumn() { release(); }

    std::int64_t rows() const { return ends.empty() ? 0 : ends.back(); }

    char format = 0; // 'l' is int64, 'g' float64, ...
    std::vector<ArrowArray> chunks;
    std::vector<std::int64_t> ends; // rows up to and with each chunk

  private:
    void take(ArrowArrayStream *stream) {
        ArrowSchema schema{};
        check(stream, stream->get_schema(stream, &schema));
        const std::string name = schema.format;
        schema.release(&schema);
        if (name.size() != 1 || std::string("cCsSiIlLfg").find(name) == std::string::npos)
            throw std::invalid_argument("not a numeric column, Arrow format " + name);
        format = name[0];
        while (true) {
            ArrowArray chunk{};
            check(stream, stream->get_next(stream, &chunk));
            if (!chunk.release) break;
            chunks.push_back(chunk);
            ends.push_back(rows() + chunk.length);
        }
    }
    void release() {
        for (auto &chunk : chunks) chunk.release(&chunk);
        chunks.clear();
    }
    static void check(ArrowArrayStream *stream, int code) {
        if (code == 0) return;
        const char *text = stream->get_last_error(stream);
        throw std::runtime_error(text ? text : "the Arrow stream failed");
    }
};

} // namespace sessionwise
