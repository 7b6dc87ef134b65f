/* A growing run of bytes, always NUL-terminated behind its end. */
#ifndef TUXTAPE_BUF_H
#define TUXTAPE_BUF_H

#include "lib/base.h"

#include <stdarg.h>

/* Start from { 0 }; data is NULL until something was added. Release with buf_free. */
struct buf {
	char *data;
	size_t len, cap;
};

void buf_add(struct buf *b, const void *p, size_t n);
void buf_addc(struct buf *b, char c);
void buf_adds(struct buf *b, const char *s);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_vprintf(struct buf *b, const char *fmt, va_list ap);

/* Makes room for n more bytes and returns where they go; the caller then adds to len what it wrote. */
char *buf_reserve(struct buf *b, size_t n);

/* Appends all that fd gives until its end. ERR_SYS; ERR_INPUT when more than most bytes come (most 0: no limit). */
int buf_read_fd(struct buf *b, int fd, size_t most);

/* Appends the contents of a regular file, at most `most` bytes (0: no limit). ERR_NOTFOUND, ERR_SYS, ERR_INPUT, with the
 * path in the text. */
int buf_read_file(struct buf *b, const char *path, size_t most);

/* The bytes as a C string: "" when nothing was added. */
const char *buf_str(const struct buf *b);

void buf_reset(struct buf *b); /* empty, memory kept */
void buf_free(struct buf *b);  /* empty, memory released */

#endif
