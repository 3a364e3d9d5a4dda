#pragma once
#include <json-c/json.h>

// The flags are macros.
static inline int cjsonc_strict_flags(void) { return JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8; }
