/* A terminal: a canvas goes out, events come in, and whatever dies, the terminal is as it was. One in a process. */
#ifndef TUXTAPE_TUI_H
#define TUXTAPE_TUI_H

#include "lib/base.h"
#include "lib/canvas.h"
#include "lib/event.h"
#include "lib/look.h"

struct tui;

/* Divides the program: the outermost process stays behind, does nothing but wait, and puts the terminal back however the other one ends,
 * even by SIGKILL or a crash; the other one goes on and draws. Returns in both: with *drawer true at once in the new process, and with false in
 * the outermost one after the end of that, *status then being as waitpid gives it and the terminal restored. SIGTERM and SIGHUP are passed
 * on. Call it before anything is open. ERR_USAGE where there is no terminal, or TERM names none that is known. */
int tui_guard(bool *drawer, int *status);

struct tui_options {
	const struct look *looks; /* for style 0, 1, ...; must outlive the tui */
	size_t n_looks;           /* at most 64 */
	bool no_colour;           /* NO_COLOR in the environment does the same */
	bool no_mouse;
};

/* Takes the terminal over. ERR_USAGE as for tui_guard. */
int tui_open(struct tui **out, const struct tui_options *o);

/* Gives the terminal back. NULL is fine. */
void tui_close(struct tui *t);

void tui_size(const struct tui *t, int *rows, int *cols);
bool tui_ascii(const struct tui *t); /* the locale is not UTF-8: draw on a canvas with ascii set */

/* Readable when there may be an event: for the caller's poll. */
int tui_fd(const struct tui *t);

/* The next event, false when there is none now; never waits (a lone Esc: 25 ms, to tell it from a longer key). ^Z comes as a key. */
bool tui_next_event(struct tui *t, struct event *e);

/* Shows the canvas; what did not change is not sent. */
void tui_draw(struct tui *t, const struct canvas *c);

/* Draws all of it at the next tui_draw. */
void tui_forget(struct tui *t);

/* Stops the process group as ^Z does, and takes the terminal over again when it goes on. */
void tui_suspend(struct tui *t);

/* Hands the terminal over to a program of its own foreground process group, found in PATH, and takes it back at its end; *status as
 * waitpid gives it. ^Z there stops everything, and fg goes on with the program. ERR_NOTFOUND or ERR_SYS where it cannot be run. */
int tui_run(struct tui *t, char *const argv[], int *status);

#endif
