/* Errors: a kind that someone acts on, and one line of text. */
#ifndef TUXTAPE_ERR_H
#define TUXTAPE_ERR_H

#include "lib/base.h"

/* Functions that can fail return int: 0, or one of these. */
enum err {
	ERR_OK = 0,
	ERR_USAGE,    /* the caller of the program asked for something that makes no sense */
	ERR_SYS,      /* a system call failed; the text ends with strerror */
	ERR_INPUT,    /* data from outside is malformed; the text says what and where */
	ERR_NOTFOUND, /* what was named does not exist */
	ERR_NET,      /* the network or the far end is out of reach */
	ERR_PEER,     /* the far end broke the protocol */
	ERR_DB,       /* SQLite refused */
	ERR_GIT,      /* libgit2 refused */
	ERR_DENIED,   /* not allowed */
	ERR_STATE,    /* what was asked for makes sense, but not as things stand: a job that is over cannot be cancelled */
	ERR_KINDS
};

/* Exit codes of the program, the same for every applet. */
enum {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_MISUSE = 2,
	EXIT_DEGRADED = 3,
	EXIT_NOTFOUND = 4,
	EXIT_DENIED = 5,
	EXIT_NOAPPLET = 127,
};

/* Sets the text of the last error and returns kind. Arguments may include err_text() itself. */
int fail(int kind, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* The macro lets compilers and checkers see which kind comes back: never 0. */
#define fail(kind, ...) (fail((kind), __VA_ARGS__), (kind))

/* Puts "what: " before the text of the last error and returns kind unchanged; for callers that know the place. */
int fail_in(int kind, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The text of the last error: one line, valid until the next fail(). Never NULL. Text from outside in it may hold any
 * byte: make it printable before it reaches a terminal (log_error does). */
const char *err_text(void);

/* The word for a kind, for logs: "usage", "system", ... */
const char *err_kind_name(int kind);

/* The exit code that a kind becomes when it ends the program. */
int err_exit_code(int kind);

/* Called once before the program dies of want of memory, to put the terminal back; NULL for none. */
extern void (*err_last_hook)(void);

/* Ends the program with "out of memory". */
void die_oom(void) NORETURN;

/* malloc, realloc and strdup that never return NULL: die_oom() instead. Release with free(). */
void *xmalloc(size_t n);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n);
char *xstrdup(const char *s);
char *xasprintf(const char *fmt, ...) PRINTF_LIKE(1, 2);

#endif
