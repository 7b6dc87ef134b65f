/* Owns growing byte buffers and the reading of whole files into them. */
#include "lib/buf.h"

#include "lib/err.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

char *buf_reserve(struct buf *b, size_t n)
{
	if (n > SIZE_MAX / 4 - b->len)
		die_oom();
	if (b->cap - b->len < n + 1) {
		b->cap = MAX_OF(b->len + n + 1, b->cap + b->cap / 2);
		b->cap = MAX_OF(b->cap, (size_t)64);
		b->data = xrealloc(b->data, b->cap);
	}
	return b->data + b->len;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
	char *to = buf_reserve(b, n);

	if (n)
		memcpy(to, p, n);
	b->len += n;
	b->data[b->len] = '\0';
}

void buf_addc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_adds(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	if (n > 0) {
		vsnprintf(buf_reserve(b, (size_t)n), (size_t)n + 1, fmt, again);
		b->len += (size_t)n;
	}
	va_end(again);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(b, fmt, ap);
	va_end(ap);
}

int buf_read_fd(struct buf *b, int fd, size_t most)
{
	size_t start = b->len;

	for (;;) {
		char *to = buf_reserve(b, 64 * 1024);
		ssize_t n = read(fd, to, 64 * 1024);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(ERR_SYS, "read: %s", strerror(errno));
		b->len += (size_t)n;
		b->data[b->len] = '\0';
		if (n == 0)
			return 0;
		if (most && b->len - start > most)
			return fail(ERR_INPUT, "larger than %zu bytes", most);
	}
}

int buf_read_file(struct buf *b, const char *path, size_t most)
{
	struct stat st;
	int fd, err;

	/* O_NONBLOCK: a named pipe put in place of a file must not hang the caller. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return fail(errno == ENOENT || errno == ENOTDIR ? ERR_NOTFOUND : ERR_SYS, "%s: %s", path, strerror(errno));
	if (fstat(fd, &st) < 0)
		err = fail(ERR_SYS, "%s: %s", path, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		err = fail(ERR_INPUT, "%s: not a regular file", path);
	else if ((err = buf_read_fd(b, fd, most)))
		fail_in(err, "%s", path);
	close(fd);
	return err;
}

const char *buf_str(const struct buf *b)
{
	return b->data ? b->data : "";
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	if (b->data)
		b->data[0] = '\0';
}

void buf_free(struct buf *b)
{
	free(b->data);
	*b = (struct buf){ 0 };
}
