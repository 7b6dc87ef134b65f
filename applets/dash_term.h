/* The dashboard in a terminal: the loop that joins engine, terminal and whoever serves the requests. */
#ifndef TUXTAPE_DASH_TERM_H
#define TUXTAPE_DASH_TERM_H

#include "applets/dash_engine.h"

/* Who serves the requests of the pages; DASH_RUN and what needs no answer do not reach it. */
struct dash_server {
	void *self;
	void (*take)(void *self, struct dash *d, const struct dash_request *r); /* begins; may answer at once */
	int (*fd)(void *self);                     /* readable when `ready` has work; -1 for none */
	void (*ready)(void *self, struct dash *d); /* hands on what has come, without waiting */
	void (*date)(void *self, int64_t seconds); /* a script says what time it is; NULL: it does not matter */
};

/* Leaves an outermost process behind that restores the terminal whatever happens to the one that draws. Returns in both: *drawer tells which;
 * in the outermost, *code is the exit code, and a death has been said. Errors as tui_guard. */
int dash_divide(bool *drawer, int *code);

/* Draws until the person leaves, or the terminal does. ERR_USAGE where there is no terminal that can be used. */
int dash_term(struct dash *d, const struct look looks[ST_COUNT], const struct dash_server *server);

#endif
