/* Owns the processes around a terminal: the outermost one that restores it, and programs that it is handed over to. Refuses to trust the
 * process that draws: what it needs for the restoration it has before that one exists. */
#include "lib/tui_guard.h"

#include "lib/err.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static struct tui_state own_state;
struct tui_state *tui_state = &own_state;

static volatile pid_t drawer_pid;

static void pass_on(int number)
{
	int saved = errno;

	if (drawer_pid > 0)
		kill(drawer_pid, number);
	errno = saved;
}

static void handle(int number, void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler };

	sigemptyset(&action.sa_mask);
	sigaction(number, &action, NULL);
}

static void put(const char *s, size_t n)
{
	while (n > 0) {
		ssize_t k = write(STDOUT_FILENO, s, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return;
		s += k;
		n -= (size_t)k;
	}
}

/* Waits for the drawer's end. Its stops are no concern of ours: they come to the whole group. */
static int wait_for(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

static void restore(const struct termios *saved, const char *text, size_t n)
{
	/* Whoever had the terminal is gone or in the background; without this, we would be stopped for writing to it. */
	handle(SIGTTOU, SIG_IGN);
	if (tui_state->handed_to > 0) {
		/* Were it left alive, it would take what is typed into the shell. Editors save on SIGHUP. */
		kill(-tui_state->handed_to, SIGHUP);
		kill(-tui_state->handed_to, SIGCONT);
		tcsetpgrp(STDIN_FILENO, getpgrp());
	}
	if (!tui_state->screen_up && tui_state->handed_to == 0)
		return;
	if (tui_state->screen_up)
		put(text, n);
	tcsetattr(STDIN_FILENO, TCSADRAIN, saved);
}

/* The new process: it must not outlive the one that restores the terminal. */
static int become_drawer(pid_t outermost)
{
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != outermost)
		return fail(ERR_SYS, "the process that started this one is gone");
	return 0;
}

int guard_fork(const char *text, size_t n, bool *drawer, int *status)
{
	struct termios saved;
	pid_t outermost = getpid(), pid;
	void *shared;

	if (tcgetattr(STDIN_FILENO, &saved) < 0)
		return fail(ERR_SYS, "terminal: %s", strerror(errno));
	shared = mmap(NULL, sizeof(*tui_state), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return fail(ERR_SYS, "mmap: %s", strerror(errno));
	tui_state = shared;
	pid = fork();
	if (pid < 0)
		return fail(ERR_SYS, "fork: %s", strerror(errno));
	*drawer = pid == 0;
	if (pid == 0)
		return become_drawer(outermost);
	drawer_pid = pid;
	handle(SIGINT, SIG_IGN);
	handle(SIGQUIT, SIG_IGN);
	handle(SIGTERM, pass_on);
	handle(SIGHUP, pass_on);
	*status = wait_for(pid);
	restore(&saved, text, n);
	return 0;
}

void guard_stop(void)
{
	struct sigaction before, usual = { .sa_handler = SIG_DFL };

	sigemptyset(&usual.sa_mask);
	sigaction(SIGTSTP, &usual, &before);
	kill(0, SIGTSTP);
	sigaction(SIGTSTP, &before, NULL);
}

/* In the child: signals as a program expects them, then the program. Only async-signal-safe calls. */
static void exec_program(char *const argv[], int report)
{
	static const int usual[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGTSTP, SIGCONT, SIGWINCH, SIGPIPE, SIGXFSZ };
	int code;

	prctl(PR_SET_PDEATHSIG, SIGHUP);
	setpgid(0, 0);
	tcsetpgrp(STDIN_FILENO, getpid());
	handle(SIGTTOU, SIG_DFL);
	for (size_t i = 0; i < ARRAY_LEN(usual); i++)
		handle(usual[i], SIG_DFL);
	execvp(argv[0], argv);
	code = errno;
	if (write(report, &code, sizeof(code)) < 0)
		_exit(126);
	_exit(127);
}

/* The program was stopped: so stop all that belongs to us, and give the terminal back to it when we go on. */
static void stop_together(pid_t pid)
{
	struct termios its;

	tcgetattr(STDIN_FILENO, &its);
	tcsetpgrp(STDIN_FILENO, getpgrp());
	guard_stop();
	tcsetpgrp(STDIN_FILENO, pid);
	tcsetattr(STDIN_FILENO, TCSADRAIN, &its);
	kill(-pid, SIGCONT);
}

static int run_foreground(char *const argv[], int report[2], int *status)
{
	pid_t pid = fork();
	int code = 0;

	if (pid < 0)
		return fail(ERR_SYS, "fork: %s", strerror(errno));
	if (pid == 0)
		exec_program(argv, report[1]);
	setpgid(pid, pid);
	tui_state->handed_to = pid;
	tcsetpgrp(STDIN_FILENO, pid);
	for (;;) {
		pid_t got = waitpid(pid, status, WUNTRACED);

		if (got < 0 && errno != EINTR)
			break;
		if (got == pid && !WIFSTOPPED(*status))
			break;
		if (got == pid)
			stop_together(pid);
	}
	tcsetpgrp(STDIN_FILENO, getpgrp());
	close(report[1]);
	report[1] = -1;
	if (read(report[0], &code, sizeof(code)) == (ssize_t)sizeof(code))
		return fail(code == ENOENT ? ERR_NOTFOUND : ERR_SYS, "%s: %s", argv[0], strerror(code));
	return 0;
}

int guard_run(char *const argv[], int *status)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, before;
	int report[2], err;

	if (pipe2(report, O_CLOEXEC) < 0)
		return fail(ERR_SYS, "pipe: %s", strerror(errno));
	sigemptyset(&ignore.sa_mask);
	sigaction(SIGTTOU, &ignore, &before);
	err = run_foreground(argv, report, status);
	tui_state->handed_to = 0;
	sigaction(SIGTTOU, &before, NULL);
	close(report[0]);
	if (report[1] >= 0)
		close(report[1]);
	return err;
}
