/* Between lib/tui.c and lib/tui_guard.c: processes around a terminal. */
#ifndef TUXTAPE_TUI_GUARD_H
#define TUXTAPE_TUI_GUARD_H

#include "lib/base.h"

#include <sys/types.h>

/* What the outermost process must know of the one that draws; shared memory when there is such a process. */
struct tui_state {
	volatile int screen_up;   /* the terminal is taken over */
	volatile pid_t handed_to; /* the process group of the program that has it, 0: none */
};

extern struct tui_state *tui_state; /* never NULL */

/* Forks; the outermost process waits and writes `restore` (n bytes) to the terminal when the other left it taken over. As tui_guard. */
int guard_fork(const char *restore, size_t n, bool *drawer, int *status);

/* Runs argv in the foreground; the terminal must be in its usual state. As tui_run. */
int guard_run(char *const argv[], int *status);

/* Stops the process group, this process included; returns when it goes on. */
void guard_stop(void);

#endif
