/* What a style looks like: colours and attributes, and their names in a config file. Pure. */
#ifndef TUXTAPE_LOOK_H
#define TUXTAPE_LOOK_H

#include "lib/base.h"

#define COLOUR_DEFAULT (-1)

struct look {
	int16_t fg, bg; /* of the 256 of xterm's palette, or COLOUR_DEFAULT: the terminal's own */
	uint16_t flags; /* STYLE_BOLD, STYLE_REVERSE, STYLE_UNDERLINE of lib/canvas.h */
};

/* Reads "red", "bold bright-red on blue", "#ff8800 underline", "208", "reverse", "default". False where a word is none of these; *wrong
 * then points at it (inside text). */
bool look_parse(const char *text, struct look *look, const char **wrong);

/* The nearest colour where a terminal has fewer (8, 16; 0 gives COLOUR_DEFAULT). */
int colour_reduce(int colour, int colours);

#endif
