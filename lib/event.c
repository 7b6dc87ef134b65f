/* Owns the names of keys. Refuses names that could mean two keys: one form for each, however it was written. */
#include "lib/event.h"

#include "lib/buf.h"
#include "lib/canvas.h"
#include "lib/str.h"

#include <stdio.h>
#include <strings.h>

static const struct {
	const char *name; /* the first of a key is the one to show */
	uint32_t key;
} names[] = {
	{ "Enter", TKEY_ENTER },
	{ "Return", TKEY_ENTER },
	{ "CR", TKEY_ENTER },
	{ "Esc", TKEY_ESC },
	{ "Escape", TKEY_ESC },
	{ "Tab", TKEY_TAB },
	{ "Backspace", TKEY_BACKSPACE },
	{ "BS", TKEY_BACKSPACE },
	{ "Up", TKEY_UP },
	{ "Down", TKEY_DOWN },
	{ "Left", TKEY_LEFT },
	{ "Right", TKEY_RIGHT },
	{ "PgUp", TKEY_PAGE_UP },
	{ "PageUp", TKEY_PAGE_UP },
	{ "PgDn", TKEY_PAGE_DOWN },
	{ "PageDown", TKEY_PAGE_DOWN },
	{ "Home", TKEY_HOME },
	{ "End", TKEY_END },
	{ "Ins", TKEY_INSERT },
	{ "Insert", TKEY_INSERT },
	{ "Del", TKEY_DELETE },
	{ "Delete", TKEY_DELETE },
	{ "Space", TKEY_SPACE },
	{ "BackTab", TKEY_TAB | TKEY_SHIFT },
};

static const struct {
	const char *name;
	uint32_t flag;
} modifiers[] = {
	{ "ctrl", TKEY_CTRL },
	{ "shift", TKEY_SHIFT },
	{ "c", TKEY_CTRL },
	{ "s", TKEY_SHIFT },
};

static bool is_letter(uint32_t c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z' && c < 0x80;
}

uint32_t key_normal(uint32_t key)
{
	uint32_t code = key & TKEY_CODE, flags = key & ~(uint32_t)TKEY_CODE;

	if (code == ' ')
		code = TKEY_SPACE;
	if (is_letter(code) && flags & TKEY_CTRL)
		code |= 0x20;
	else if (is_letter(code) && flags & TKEY_SHIFT)
		code &= ~(uint32_t)0x20;
	/* A character says by itself whether shift was held. */
	if (code < TKEY_ENTER)
		flags &= ~(uint32_t)TKEY_SHIFT;
	return code | flags;
}

uint32_t key_types(uint32_t key)
{
	if (key == TKEY_SPACE)
		return ' ';
	return key >= 0x20 && key < TKEY_ENTER ? key : 0;
}

/* Takes "ctrl-" off the front; 0 where there is no modifier, or nothing behind it. */
static uint32_t take_modifier(const char **name, size_t *n)
{
	for (size_t i = 0; i < ARRAY_LEN(modifiers); i++) {
		size_t k = strlen(modifiers[i].name);

		if (*n > k + 1 && strncasecmp(*name, modifiers[i].name, k) == 0 && strchr("-+", (*name)[k])) {
			*name += k + 1;
			*n -= k + 1;
			return modifiers[i].flag;
		}
	}
	return 0;
}

static void take_brackets(const char **name, size_t *n)
{
	if (*n > 2 && **name == '<' && (*name)[*n - 1] == '>') {
		*name += 1;
		*n -= 2;
	}
}

static bool code_of(const char *s, size_t n, uint32_t *code)
{
	char text[KEY_NAME_MAX];
	uint32_t number;

	if (n > 0 && str_utf8_next(s, n, code) == n)
		return *code >= 0x20 && *code != 0x7f;
	if (n == 0 || n >= sizeof(text))
		return false;
	memcpy(text, s, n);
	text[n] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcasecmp(names[i].name, text) == 0) {
			*code = names[i].key;
			return true;
		}
	if ((text[0] | 0x20) == 'f' && str_to_u32(text + 1, &number) && number >= 1 && number <= 12) {
		*code = TKEY_F1 + number - 1;
		return true;
	}
	return false;
}

bool key_parse(const char *name, uint32_t *key)
{
	size_t n = strlen(name);
	uint32_t flags = 0, flag, code = 0;

	take_brackets(&name, &n);
	while ((flag = take_modifier(&name, &n)))
		flags |= flag;
	take_brackets(&name, &n);
	if (!code_of(name, n, &code))
		return false;
	*key = key_normal(code | flags);
	return true;
}

static const char *code_name(char text[8], uint32_t code)
{
	struct buf out = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (names[i].key == code)
			return names[i].name;
	if (code >= TKEY_F1 && code <= TKEY_F12) {
		snprintf(text, 8, "F%u", code - TKEY_F1 + 1);
		return text;
	}
	buf_add_rune(&out, code);
	snprintf(text, 8, "%s", buf_str(&out));
	buf_free(&out);
	return text;
}

char *key_print(char text[KEY_NAME_MAX], uint32_t key)
{
	uint32_t code = key & TKEY_CODE;
	char small[8];

	snprintf(text, KEY_NAME_MAX, "%s%s%s%s%s", key & TKEY_CTRL ? "ctrl-" : "", key & TKEY_SHIFT ? "shift-" : "",
		 code >= TKEY_ENTER ? "<" : "", code_name(small, code), code >= TKEY_ENTER ? ">" : "");
	return text;
}
