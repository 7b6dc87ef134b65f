/* Owns the names of colours and their reduction to what a terminal has. Refuses words that it does not know. */
#include "lib/look.h"

#include "lib/canvas.h"
#include "lib/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define WORD_MAX 32

static const char *const colours16[] = { "black", "red", "green", "yellow", "blue", "magenta", "cyan", "white" };

static const struct {
	const char *name;
	uint16_t flag;
} flags[] = {
	{ "bold", STYLE_BOLD },
	{ "reverse", STYLE_REVERSE },
	{ "underline", STYLE_UNDERLINE },
};

/* The usual values of the first 16, which people change; near enough to find a neighbour. */
static const unsigned char usual[16][3] = {
	{ 0, 0, 0 },     { 205, 0, 0 },     { 0, 205, 0 },     { 205, 205, 0 },   { 0, 0, 238 }, { 205, 0, 205 },
	{ 0, 205, 205 }, { 229, 229, 229 }, { 127, 127, 127 }, { 255, 0, 0 },     { 0, 255, 0 }, { 255, 255, 0 },
	{ 92, 92, 255 }, { 255, 0, 255 },   { 0, 255, 255 },   { 255, 255, 255 },
};

/* xterm's cube of 6x6x6 from 16 on, and 24 greys from 232 on. */
static void rgb_of(int colour, int rgb[3])
{
	static const int steps[] = { 0, 95, 135, 175, 215, 255 };

	for (int i = 0; i < 3; i++)
		rgb[i] = colour < 16 ? usual[colour][i] : 8 + (colour - 232) * 10;
	if (colour < 16 || colour >= 232)
		return;
	rgb[0] = steps[(colour - 16) / 36];
	rgb[1] = steps[(colour - 16) / 6 % 6];
	rgb[2] = steps[(colour - 16) % 6];
}

static int nearest(const int rgb[3], int from, int to)
{
	long best = -1;
	int found = from;

	for (int c = from; c < to; c++) {
		int other[3];
		long far = 0;

		rgb_of(c, other);
		for (int i = 0; i < 3; i++)
			far += (long)(rgb[i] - other[i]) * (rgb[i] - other[i]);
		if (best < 0 || far < best) {
			best = far;
			found = c;
		}
	}
	return found;
}

int colour_reduce(int colour, int colours)
{
	int rgb[3];

	if (colour < 0 || colours < 8)
		return COLOUR_DEFAULT;
	if (colour < MIN_OF(colours, 256))
		return colour;
	if (colour >= 16) {
		rgb_of(colour, rgb);
		colour = nearest(rgb, 0, 16);
	}
	return colours >= 16 ? colour : colour & 7;
}

static bool colour_parse(const char *word, int16_t *colour)
{
	int bright = strncasecmp(word, "bright-", 7) == 0 ? 8 : 0;
	uint32_t number;

	if (strcasecmp(word, "default") == 0) {
		*colour = COLOUR_DEFAULT;
		return true;
	}
	if (*word == '#' && strlen(word) == 7 && strspn(word + 1, "0123456789abcdefABCDEF") == 6) {
		unsigned long v = strtoul(word + 1, NULL, 16);
		int rgb[3] = { (int)(v >> 16), (int)(v >> 8 & 255), (int)(v & 255) };

		*colour = (int16_t)nearest(rgb, 16, 256);
		return true;
	}
	if (str_to_u32(word, &number) && number < 256) {
		*colour = (int16_t)number;
		return true;
	}
	for (int i = 0; i < 8; i++)
		if (strcasecmp(colours16[i], word + (bright ? 7 : 0)) == 0) {
			*colour = (int16_t)(i + bright);
			return true;
		}
	return false;
}

static uint16_t flag_parse(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		if (strcasecmp(flags[i].name, word) == 0)
			return flags[i].flag;
	return 0;
}

bool look_parse(const char *text, struct look *look, const char **wrong)
{
	bool behind_on = false;

	*look = (struct look){ .fg = COLOUR_DEFAULT, .bg = COLOUR_DEFAULT };
	for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
		size_t n = strcspn(text, " ");
		char word[WORD_MAX];
		uint16_t flag;

		*wrong = text;
		if (n >= sizeof(word))
			return false;
		memcpy(word, text, n);
		word[n] = '\0';
		text += n;
		flag = flag_parse(word);
		look->flags |= flag;
		if (strcasecmp(word, "on") == 0 && !behind_on)
			behind_on = true;
		else if (!flag && !colour_parse(word, behind_on ? &look->bg : &look->fg))
			return false;
	}
	return true;
}
