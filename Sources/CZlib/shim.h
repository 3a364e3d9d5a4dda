#pragma once
#include <zlib.h>

// Windows of 32 KB with gzip's header and trailer around them; both are macros in zlib.h.
static inline int czlib_inflate_init(z_stream *stream) { return inflateInit2(stream, 15 + 16); }
static inline int czlib_deflate_init(z_stream *stream, int level) {
    return deflateInit2(stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
}
// For streams that are many and long: 32 KB of memory instead of 256.
static inline int czlib_deflate_init_small(z_stream *stream, int level) {
    return deflateInit2(stream, level, Z_DEFLATED, 12 + 16, 5, Z_DEFAULT_STRATEGY);
}
