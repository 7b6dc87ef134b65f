/* What lib/ctok.c and lib/ctok_outline.c share. */
#ifndef TUXTAPE_CTOK_OUTLINE_H
#define TUXTAPE_CTOK_OUTLINE_H

#include "lib/ctok.h"

/* Adds the tokens of a text whose first line has that number. */
void ctok_read(struct arena *a, const char *text, size_t n, uint32_t first_line, struct cfile *out);

#endif
