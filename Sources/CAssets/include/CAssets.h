// Files that the program carries inside itself: the built-in catalogue and lists, the quiz and the web page.
#pragma once
#include <stddef.h>

// One file: its path below this target's folder, and its bytes.
typedef struct {
    const char *path;
    const unsigned char *bytes;
    size_t count;
} pl_asset;

// How many files there are.
size_t pl_asset_count(void);

// The file at `index`, below pl_asset_count().
pl_asset pl_asset_at(size_t index);
