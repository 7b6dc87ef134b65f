/* Programs run from an argv, watched so that none of what they start outlives them, nor a time that was set. */
#ifndef TUXTAPE_PROC_H
#define TUXTAPE_PROC_H

#include "lib/base.h"
#include "lib/buf.h"

#include <sys/types.h>

/* When a program is killed whatever its caller does meanwhile: the caller may hang in a look-up of a name, be stopped or swapped out.
 * It lies in memory that the watcher shares, and may be moved while programs run. */
struct proc_deadline;

/* One that never comes until it is set. Dies when there is no memory. */
struct proc_deadline *proc_deadline_new(void);

/* NULL is fine. No program may run that has it. */
void proc_deadline_free(struct proc_deadline *d);

/* Moves it to `at`, ms of CLOCK_BOOTTIME; 0: never. False when it has come already, which nothing undoes. */
bool proc_deadline_set(struct proc_deadline *d, int64_t at);

/* Whether it has come. A program with it was killed then, or is in a moment. */
bool proc_deadline_came(struct proc_deadline *d);

/* What is run, and how. */
struct proc_how {
	const char *const *argv; /* ends with NULL; argv[0] is looked up in the PATH that the program gets */
	int (*run)(
		void *ctx); /* runs in place of a program, whose exit code it returns; argv[0] is its name then. NULL: none */
	void *ctx;
	const char *cwd;                /* NULL: the caller's */
	const char *const *env;         /* "NAME=value" sets, "NAME" removes; ends with NULL; NULL changes nothing */
	bool clean_env;                 /* begin with an empty environment, not with the caller's */
	int nice;                       /* added to the caller's niceness */
	int grace_ms;                   /* from TERM to KILL when the program is cancelled */
	struct proc_deadline *deadline; /* when all is killed, without a grace. NULL: never */
};

/* A running program. fd is the read end of a pipe with all that it prints (standard output and error; standard input is
 * /dev/null). Its end of file comes when the program and all that it started are gone. */
struct proc {
	pid_t pid; /* the watcher, not the program; 0 once its status is known */
	int fd;
	int status; /* as waitpid gives it */
};

/* Starts a program in a session and a process group of its own. Between caller and program stands a watcher process, which
 * becomes the parent of every orphan among the program's descendants (PR_SET_CHILD_SUBREAPER): what is left when the program
 * ends is killed, daemons that called setsid(2) included; when the caller dies, all die. The caller closes *p with proc_stop.
 * ERR_NOTFOUND (no such program or directory), ERR_SYS. */
int proc_start(struct proc *p, const struct proc_how *how);

/* Asks all to end: TERM now, KILL after the grace. Returns at once; the end shows on fd and in proc_ended. */
void proc_cancel(struct proc *p);

/* True when the program and its descendants are gone; p->status is set. Never waits. */
bool proc_ended(struct proc *p);

/* Cancels what still runs, waits for its end and closes fd. Takes at most the grace and ten seconds. Fine after proc_ended,
 * after a failed proc_start and twice. */
void proc_stop(struct proc *p);

#define PROC_TEXT 48
/* A status in words: "exit 2", "killed by signal 9". Returns text. */
const char *proc_status_text(char text[PROC_TEXT], int status);

/* Runs to completion. The output is appended to out (NULL: thrown away). *status is as waitpid gives it; a program that fails
 * is no error here. ERR_INPUT when more than `most` bytes are printed (0: no limit), ERR_SYS also after timeout_ms (-1: none);
 * all is killed then. */
int proc_run(const struct proc_how *how, struct buf *out, size_t most, int timeout_ms, int *status);

/* True when a program of that name can be run from PATH. */
bool proc_in_path(const char *name);

#endif
