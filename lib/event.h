/* What a person does at a terminal, and the names of keys. Pure; lib/tui.c makes events, so do scripts. */
#ifndef TUXTAPE_EVENT_H
#define TUXTAPE_EVENT_H

#include "lib/base.h"

enum event_kind {
	EVENT_NONE,
	EVENT_KEY,    /* key */
	EVENT_CLICK,  /* row, col: the left button */
	EVENT_WHEEL,  /* row, col, and delta: -1 up, 1 down */
	EVENT_RESIZE, /* row, col: the new numbers of rows and columns */
	EVENT_TICK,   /* time has passed: now_ms alone */
	EVENT_REDRAW, /* what is on the terminal is not known any more */
	EVENT_END,    /* the terminal is gone, or the program is asked to end */
};

struct event {
	enum event_kind kind;
	uint32_t key; /* EVENT_KEY: a character or one of KEY_*, with modifiers */
	int row, col; /* from 0 */
	int delta;
	uint64_t now_ms; /* a clock that only goes forward; every event carries it */
};

/* Keys that are no characters lie behind Unicode. */
enum {
	TKEY_ENTER = 0x110000,
	TKEY_ESC,
	TKEY_TAB,
	TKEY_BACKSPACE,
	TKEY_UP,
	TKEY_DOWN,
	TKEY_LEFT,
	TKEY_RIGHT,
	TKEY_PAGE_UP,
	TKEY_PAGE_DOWN,
	TKEY_HOME,
	TKEY_END,
	TKEY_INSERT,
	TKEY_DELETE,
	TKEY_SPACE,
	TKEY_F1, /* to F12, in order */
	TKEY_F12 = TKEY_F1 + 11,

	TKEY_CTRL = 0x1000000,
	TKEY_SHIFT = 0x4000000,
	TKEY_CODE = 0xffffff, /* the part without modifiers */
};

#define KEY_NAME_MAX 32

/* The key that a name means: "q", "H" or "shift-h", "ctrl-c", "<Enter>", "<ctrl-d>", "<F1>", "shift-<Tab>", "space". Names and modifiers
 * in any case, angle brackets as one likes, '+' like '-' behind a modifier. False where it names none: a terminal cannot tell alt-x from
 * Esc and x, so there is no "alt". */
bool key_parse(const char *name, uint32_t *key);

/* The name to show: "q", "H", "ctrl-c", "<Enter>". Returns text. key_parse reads it back. */
char *key_print(char text[KEY_NAME_MAX], uint32_t key);

/* One form for each key: shift with a letter is the capital, ctrl with a letter is lower case, ' ' is TKEY_SPACE. */
uint32_t key_normal(uint32_t key);

/* The character that a key types, 0 where it types none. */
uint32_t key_types(uint32_t key);

#endif
