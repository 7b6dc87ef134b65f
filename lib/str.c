/* Owns the making-printable of foreign text and small checks of strings. */
#include "lib/str.h"

#include "lib/err.h"

#include <stdio.h>

static const struct utf8_shape {
	unsigned char mask, lead;
	uint32_t least;
} utf8_shapes[] = {
	{ 0xe0, 0xc0, 0x80 },
	{ 0xf0, 0xe0, 0x800 },
	{ 0xf8, 0xf0, 0x10000 },
};

size_t str_utf8_next(const char *s, size_t n, uint32_t *rune)
{
	const unsigned char *u = (const unsigned char *)s;

	if (n == 0)
		return 0;
	if (u[0] < 0x80) {
		*rune = u[0];
		return 1;
	}
	for (size_t k = 0; k < ARRAY_LEN(utf8_shapes); k++) {
		size_t len = k + 2;
		uint32_t r;

		if ((u[0] & utf8_shapes[k].mask) != utf8_shapes[k].lead)
			continue;
		if (n < len)
			return 0;
		r = u[0] & (unsigned char)~utf8_shapes[k].mask;
		for (size_t i = 1; i < len; i++) {
			if ((u[i] & 0xc0) != 0x80)
				return 0;
			r = r << 6 | (u[i] & 0x3f);
		}
		if (r < utf8_shapes[k].least || r > 0x10ffff || (r >= 0xd800 && r <= 0xdfff))
			return 0;
		*rune = r;
		return len;
	}
	return 0;
}

/* Characters that move the cursor, reorder text or show as nothing: C1 controls, bidirectional marks, line and paragraph
 * separators, zero-width joins, tags. */
bool str_rune_is_hostile(uint32_t r)
{
	return r < 0x20 || (r >= 0x7f && r < 0xa0) || r == 0xad || r == 0x61c || r == 0x180e ||
	       (r >= 0x200b && r <= 0x200f) || (r >= 0x2028 && r <= 0x202e) || (r >= 0x2060 && r <= 0x206f) || r == 0xfeff ||
	       (r >= 0xfff9 && r <= 0xfffb) || (r >= 0xe0000 && r <= 0xe007f);
}

static void add_printable(struct buf *out, const char *s, size_t n, bool lines)
{
	size_t i = 0;

	while (i < n) {
		uint32_t r = 0;
		size_t len = str_utf8_next(s + i, n - i, &r);

		if (len == 0) {
			buf_printf(out, "\\x%02x", (unsigned char)s[i]);
			len = 1;
		} else if (lines && (r == '\n' || r == '\t')) {
			buf_addc(out, (char)r);
		} else if (str_rune_is_hostile(r)) {
			buf_printf(out, r < 0x80 ? "\\x%02x" : "\\u{%x}", r);
		} else {
			buf_add(out, s + i, len);
		}
		i += len;
	}
}

void str_printable(struct buf *out, const char *s, size_t n)
{
	add_printable(out, s, n, false);
}

void str_printable_lines(struct buf *out, const char *s, size_t n)
{
	add_printable(out, s, n, true);
}

void str_utf8_replace(struct buf *out, const char *s, size_t n)
{
	size_t i = 0;

	while (i < n) {
		uint32_t r = 0;
		size_t len = str_utf8_next(s + i, n - i, &r);

		if (len == 0 || r == 0) {
			buf_adds(out, "\xef\xbf\xbd");
			i++;
		} else {
			buf_add(out, s + i, len);
			i += len;
		}
	}
}

bool str_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), k = strlen(suffix);

	return n >= k && strcmp(s + n - k, suffix) == 0;
}

bool str_to_u64(const char *s, uint64_t most, uint64_t *out)
{
	uint64_t v = 0;

	if (!*s)
		return false;
	for (; *s; s++) {
		uint64_t digit = (uint64_t)(*s - '0');

		if (*s < '0' || *s > '9' || digit > most || v > (most - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*out = v;
	return true;
}

bool str_to_u32(const char *s, uint32_t *out)
{
	uint64_t v;

	if (!str_to_u64(s, UINT32_MAX, &v))
		return false;
	*out = (uint32_t)v;
	return true;
}

bool str_is_hex(const char *s, size_t n)
{
	return strlen(s) == n && strspn(s, "0123456789abcdef") == n;
}

char *str_hex(char *text, const void *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *bytes = p;

	for (size_t i = 0; i < n; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	text[2 * n] = '\0';
	return text;
}

void str_base64(struct buf *out, const void *p, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *u = p;

	for (size_t i = 0; i < n; i += 3) {
		size_t left = MIN_OF(n - i, (size_t)3);
		uint32_t v = (uint32_t)u[i] << 16 | (left > 1 ? (uint32_t)u[i + 1] << 8 : 0) | (left > 2 ? u[i + 2] : 0);

		buf_addc(out, digits[v >> 18]);
		buf_addc(out, digits[v >> 12 & 63]);
		buf_addc(out, left > 1 ? digits[v >> 6 & 63] : '=');
		buf_addc(out, left > 2 ? digits[v & 63] : '=');
	}
}

unsigned str_distance(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);
	unsigned row[64];

	if (n >= ARRAY_LEN(row) || m >= ARRAY_LEN(row))
		return 1000;
	for (size_t j = 0; j <= m; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			unsigned above = row[j];
			unsigned best = MIN_OF(row[j], row[j - 1]) + 1;

			row[j] = MIN_OF(best, diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[m];
}
