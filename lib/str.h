/* Small verbs on text. Text from outside is bytes until proved otherwise. */
#ifndef TUXTAPE_STR_H
#define TUXTAPE_STR_H

#include "lib/base.h"
#include "lib/buf.h"

/* Appends s (n bytes) made printable: valid UTF-8 stays, control characters, escape bytes, bidirectional overrides and
 * invalid bytes become \xNN or \u{N}. The one place through which foreign text reaches a terminal or a log. */
void str_printable(struct buf *out, const char *s, size_t n);

/* Like str_printable, but newline and tab stay as they are: for patches and descriptions shown on a terminal. */
void str_printable_lines(struct buf *out, const char *s, size_t n);

/* Appends s with every invalid UTF-8 byte replaced by U+FFFD; NUL bytes become U+FFFD, too. */
void str_utf8_replace(struct buf *out, const char *s, size_t n);

/* True for characters that move the cursor, reorder text or show as nothing. */
bool str_rune_is_hostile(uint32_t rune);

/* Length in bytes of the valid UTF-8 sequence at s (at most n bytes), 0 where there is none; *rune gets the character. */
size_t str_utf8_next(const char *s, size_t n, uint32_t *rune);

bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);

/* Whole-string decimal number, digits only, no sign or blank. False where it is not one or exceeds most. */
bool str_to_u64(const char *s, uint64_t most, uint64_t *out);
bool str_to_u32(const char *s, uint32_t *out);

/* True when s is exactly n lower-case hexadecimal digits. */
bool str_is_hex(const char *s, size_t n);

/* The lower-case hexadecimal form of n bytes, NUL-terminated: text has room for 2 n + 1. Returns text. */
char *str_hex(char *text, const void *p, size_t n);

/* The base64 form (RFC 4648, padded) of n bytes, appended. */
void str_base64(struct buf *out, const void *p, size_t n);

/* How far a word is from another (Levenshtein), for "did you mean"; large when either is longer than 63 bytes. */
unsigned str_distance(const char *a, const char *b);

#endif
