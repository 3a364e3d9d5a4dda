#pragma once
#include <brotli/decode.h>
#include <brotli/encode.h>

// A macro in encode.h.
static inline int cbrotli_default_window(void) { return BROTLI_DEFAULT_WINDOW; }
