#pragma once
// How often the process has called malloc, calloc, realloc or an aligned variant.
unsigned long malloc_count(void);
