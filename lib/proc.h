/* Programs run from an argv, watched so that none of what they start outlives them. */
#ifndef TUXTAPE_PROC_H
#define TUXTAPE_PROC_H

#include "lib/base.h"
#include "lib/buf.h"

#include <sys/types.h>

/* What is run, and how. */
struct proc_how {
	const char *const *argv; /* ends with NULL; argv[0] is looked up in the PATH that the program gets */
	const char *cwd;         /* NULL: the caller's */
	const char *const *env;  /* "NAME=value" sets, "NAME" removes; ends with NULL; NULL changes nothing */
	bool clean_env;          /* begin with an empty environment, not with the caller's */
	int nice;                /* added to the caller's niceness */
	int grace_ms;            /* from TERM to KILL when the program is cancelled */
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
