/* Lines for people: errors, notes, and a progress line that knows whether a terminal is there. All go to stderr. */
#ifndef TUXTAPE_LOG_H
#define TUXTAPE_LOG_H

#include "lib/base.h"

enum log_level { LOG_QUIET = -1, LOG_NORMAL = 0, LOG_VERBOSE = 1, LOG_DEBUG = 2 };

/* Who speaks ("tuxtape parse") and how much. `who` must outlive the program. */
void log_setup(const char *who, enum log_level level);
enum log_level log_level(void);

/* One line to stderr, "who: text", made printable, in one write(2). Errors are always shown, notes unless quiet, verbose lines
 * from LOG_VERBOSE on. A progress line on the terminal is wiped first and drawn again by the next log_progress. */
void log_error(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_note(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_verbose(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* A phase with a progress line. On a terminal (stderr) the line is redrawn at most ten times a second with rate and time left;
 * elsewhere log_phase_end alone prints one line. With -v and no terminal every call prints a line
 * "mark PHASE DONE/TOTAL", which is what scripts and tests follow. total 0: not known. */
struct log_phase {
	const char *name;    /* "read", "patches" */
	const char *unit;    /* "CVEs", "commits" */
	uint64_t started_ms; /* CLOCK_MONOTONIC */
	uint64_t drawn_ms;   /* when the line was last drawn */
	uint64_t first;      /* done when the phase began, so that the rate is this run's */
};
void log_phase_begin(struct log_phase *p, const char *name, const char *unit, uint64_t first);
void log_phase_step(struct log_phase *p, uint64_t done, uint64_t total, const char *detail); /* detail may be NULL */
void log_phase_end(struct log_phase *p, uint64_t done, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Milliseconds of CLOCK_MONOTONIC. */
uint64_t now_ms(void);

/* True when colour is wanted on fd: a terminal, no NO_COLOR, TERM not "dumb". */
bool log_colour(int fd);

#endif
