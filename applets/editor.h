/* The user's editor. */
#ifndef TUXTAPE_EDITOR_H
#define TUXTAPE_EDITOR_H

#include "lib/arena.h"

/* The argv that opens a file in it: $VISUAL, $EDITOR, else vi, which may hold arguments apart by blanks; no shell. In the arena. */
const char **editor_argv(struct arena *a, const char *path);

#endif
