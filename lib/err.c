/* Owns the text of the last error and the way the program dies of want of memory. Refuses to print: applets do. */
#include "lib/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char last_text[2048] = "no error";

void (*err_last_hook)(void);

int(fail)(int kind, const char *fmt, ...)
{
	/* The arguments may point into last_text, so the new text is made beside it. */
	char text[sizeof(last_text)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	memcpy(last_text, text, sizeof(last_text));
	return kind;
}

int fail_in(int kind, const char *fmt, ...)
{
	char place[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(place, sizeof(place), fmt, ap);
	va_end(ap);
	return fail(kind, "%s: %s", place, last_text);
}

const char *err_text(void)
{
	return last_text;
}

static const struct {
	const char *name;
	int exit_code;
} kinds[ERR_KINDS] = {
	[ERR_OK] = { "ok", EXIT_DONE },
	[ERR_USAGE] = { "usage", EXIT_MISUSE },
	[ERR_SYS] = { "system", EXIT_FAILED },
	[ERR_INPUT] = { "input", EXIT_FAILED },
	[ERR_NOTFOUND] = { "not found", EXIT_NOTFOUND },
	[ERR_NET] = { "network", EXIT_FAILED },
	[ERR_PEER] = { "protocol", EXIT_FAILED },
	[ERR_DB] = { "database", EXIT_FAILED },
	[ERR_GIT] = { "git", EXIT_FAILED },
	[ERR_DENIED] = { "denied", EXIT_DENIED },
	[ERR_STATE] = { "state", EXIT_FAILED },
};

const char *err_kind_name(int kind)
{
	return kind >= 0 && kind < ERR_KINDS ? kinds[kind].name : "unknown";
}

int err_exit_code(int kind)
{
	return kind >= 0 && kind < ERR_KINDS ? kinds[kind].exit_code : EXIT_FAILED;
}

void die_oom(void)
{
	static const char text[] = "tuxtape: out of memory\n";

	if (err_last_hook)
		err_last_hook();
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(EXIT_FAILED);
	_exit(EXIT_FAILED);
}

void *xmalloc(size_t n)
{
	void *p = malloc(n ? n : 1);

	if (!p)
		die_oom();
	return p;
}

void *xcalloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (!p)
		die_oom();
	return p;
}

void *xrealloc(void *p, size_t n)
{
	p = realloc(p, n ? n : 1);
	if (!p)
		die_oom();
	return p;
}

char *xstrdup(const char *s)
{
	size_t n = strlen(s) + 1;

	return memcpy(xmalloc(n), s, n);
}

char *xasprintf(const char *fmt, ...)
{
	char *s;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		die_oom();
	va_end(ap);
	return s;
}
