/* Owns child programs: their descriptors, environment, process group, and the watcher that ends what they leave behind or what
 * has had its time.
 * Refuses shells: a program is an argv. */
#include "lib/proc.h"

#include "lib/clock.h"
#include "lib/err.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EXEC_FD 3           /* where the watcher and the program find the pipe that tells of a failed exec */
#define KILL_PATIENCE 10000 /* ms that the watcher goes on killing before it gives up on what cannot be killed */
#define KILL_PAUSE 5        /* ms between two rounds of it */
#define LOOK_PAUSE \
	500 /* ms between two looks at a deadline, which may have moved; timers stand still in a suspended machine */

/* What a child says of itself when the program could not be run. */
struct exec_failure {
	enum exec_step { STEP_FORK, STEP_CHDIR, STEP_EXEC } step;
	int error;
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- The deadline */

#define CAME (-1)

struct proc_deadline {
	int64_t at; /* __atomic: 0: never; CAME for good */
};

struct proc_deadline *proc_deadline_new(void)
{
	void *d = mmap(NULL, sizeof(struct proc_deadline), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (d == MAP_FAILED)
		die_oom();
	return d;
}

void proc_deadline_free(struct proc_deadline *d)
{
	if (d)
		munmap(d, sizeof(*d));
}

/* Either the caller moves it or the watcher says that it came, never both. */
static bool move_deadline(struct proc_deadline *d, int64_t from, int64_t to)
{
	return __atomic_compare_exchange_n(&d->at, &from, to, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

bool proc_deadline_set(struct proc_deadline *d, int64_t at)
{
	int64_t was = __atomic_load_n(&d->at, __ATOMIC_ACQUIRE);

	return was != CAME && move_deadline(d, was, at);
}

bool proc_deadline_came(struct proc_deadline *d)
{
	int64_t at = __atomic_load_n(&d->at, __ATOMIC_ACQUIRE);

	return at == CAME || (at != 0 && clock_boot_ms() > at && move_deadline(d, at, CAME));
}

/* ---- The environment */

static size_t name_length(const char *entry)
{
	return strcspn(entry, "=");
}

static bool is_changed(const char *entry, const char *const *changes)
{
	for (; changes && *changes; changes++)
		if (name_length(*changes) == name_length(entry) && memcmp(*changes, entry, name_length(entry)) == 0)
			return true;
	return false;
}

/* The array is the caller's to free, its strings are not. */
static char **make_env(const struct proc_how *how)
{
	size_t n = 0, k = 0;
	char **env;

	for (char **e = how->clean_env ? NULL : environ; e && *e; e++)
		n++;
	for (const char *const *c = how->env; c && *c; c++)
		n++;
	env = xcalloc(n + 1, sizeof(*env));
	for (char **e = how->clean_env ? NULL : environ; e && *e; e++)
		if (!is_changed(*e, how->env))
			env[k++] = *e;
	for (const char *const *c = how->env; c && *c; c++)
		if (strchr(*c, '='))
			env[k++] = (char *)*c;
	return env;
}

/* ---- The program's side of the fork */

NORETURN static void give_up(enum exec_step step)
{
	struct exec_failure f = { step, errno };

	if (write(EXEC_FD, &f, sizeof(f)) < 0)
		_exit(126);
	_exit(127);
}

static void reset_signals(void)
{
	sigset_t none;

	for (int s = 1; s < NSIG; s++)
		signal(s, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

NORETURN static void become_program(const struct proc_how *how, char **env, pid_t watcher)
{
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != watcher)
		_exit(127);
	reset_signals();
	if (how->cwd && chdir(how->cwd) < 0)
		give_up(STEP_CHDIR);
	environ = env; /* execvp looks the name up in this PATH */
	if (how->run) {
		close(EXEC_FD);
		_exit(how->run(how->ctx));
	}
	execvp(how->argv[0], (char *const *)how->argv);
	give_up(STEP_EXEC);
}

/* ---- The watcher */

struct watch {
	pid_t program;
	bool ended;
	int status;
	enum watch_state { RUNNING, ASKED, KILLING } state;
	int64_t until; /* the end of the state's patience */
	int grace_ms;
	struct proc_deadline *deadline;
};

/* Parent of the process whose /proc/PID is named; 0 where it is none. The name in brackets may hold anything, so what follows
 * is counted from its last bracket. */
static pid_t parent_of(const char *pid)
{
	char path[64], stat[1024];
	const char *bracket;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, stat, sizeof(stat) - 1);
	close(fd);
	stat[MAX_OF(n, (ssize_t)0)] = '\0';
	bracket = strrchr(stat, ')');
	return bracket && strlen(bracket) > 4 ? (pid_t)strtol(bracket + 4, NULL, 10) : 0;
}

/* Signals the program's group and the watcher's own children, orphans that came to it included. Only children are signalled by
 * number: until they are waited for nobody else can get theirs. Deeper descendants become children as their parents die. */
static void signal_children(const struct watch *w, int sig)
{
	DIR *proc = opendir("/proc");
	struct dirent *d;

	if (!w->ended)
		kill(-w->program, sig);
	while (proc && (d = readdir(proc)))
		if (*d->d_name >= '0' && *d->d_name <= '9' && parent_of(d->d_name) == getpid())
			kill((pid_t)strtol(d->d_name, NULL, 10), sig);
	if (proc)
		closedir(proc);
}

/* False when there are no children left. */
static bool collect_children(struct watch *w)
{
	for (;;) {
		int status;
		pid_t pid = waitpid(-1, &status, WNOHANG);

		if (pid == 0)
			return true;
		if (pid < 0)
			return false;
		if (pid != w->program)
			continue;
		w->ended = true;
		w->status = status;
	}
}

static void enter(struct watch *w, enum watch_state state, int64_t patience)
{
	w->state = state;
	w->until = now_ms() + patience;
}

/* How long nothing but a signal can change anything; -1: for ever. */
static int64_t patience(const struct watch *w)
{
	int64_t ms = w->state == RUNNING ? INT64_MAX : MAX_OF(w->until - now_ms(), (int64_t)0), at;

	if (w->state == KILLING)
		return KILL_PAUSE;
	if (!w->deadline)
		return w->state == RUNNING ? -1 : ms;
	at = __atomic_load_n(&w->deadline->at, __ATOMIC_ACQUIRE);
	if (at > 0)
		ms = MIN_OF(ms, MAX_OF(at + 1 - clock_boot_ms(), (int64_t)0));
	return MIN_OF(ms, (int64_t)LOOK_PAUSE);
}

/* Waits for a signal, at most as long as the state allows. */
static void wait_for_signal(struct watch *w, const sigset_t *watched)
{
	int64_t ms = patience(w);
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };
	int sig = ms < 0 ? sigwaitinfo(watched, NULL) : sigtimedwait(watched, NULL, &t);

	if (sig <= 0 || sig == SIGCHLD || w->state != RUNNING)
		return;
	signal_children(w, SIGTERM);
	/* A program that has stopped itself would never see the TERM. */
	signal_children(w, SIGCONT);
	enter(w, ASKED, w->grace_ms);
}

static void watch_program(struct watch *w, const sigset_t *watched)
{
	while (collect_children(w)) {
		if (w->state != KILLING && (w->ended || (w->state == ASKED && now_ms() >= w->until) ||
					    (w->deadline && proc_deadline_came(w->deadline))))
			enter(w, KILLING, KILL_PATIENCE);
		if (w->state == KILLING && now_ms() >= w->until)
			return;
		if (w->state == KILLING)
			signal_children(w, SIGKILL);
		wait_for_signal(w, watched);
	}
}

/* The watcher ends the way the program ended, so that its own status says it. */
NORETURN static void end_like(int status)
{
	if (WIFSIGNALED(status)) {
		struct rlimit none = { 0, 0 };

		setrlimit(RLIMIT_CORE, &none);
		reset_signals();
		raise(WTERMSIG(status));
	}
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 126);
}

static void take_descriptors(int out, int exec_fd)
{
	int null = open("/dev/null", O_RDWR);

	/* Where the caller runs with descriptors closed, the pipes themselves may be 0 to 3: they are moved out of the way. */
	out = fcntl(out, F_DUPFD, 10);
	exec_fd = fcntl(exec_fd, F_DUPFD, 10);
	null = fcntl(null, F_DUPFD, 10);
	dup2(null, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	dup3(exec_fd, EXEC_FD, O_CLOEXEC);
	close_range(EXEC_FD + 1, ~0U, 0);
}

NORETURN static void watcher_main(const struct proc_how *how, char **env, const int out[2], const int failed[2],
				  pid_t caller)
{
	struct watch w = { .grace_ms = how->grace_ms, .deadline = how->deadline };
	pid_t self = getpid();
	sigset_t watched;

	sigemptyset(&watched);
	sigaddset(&watched, SIGCHLD);
	sigaddset(&watched, SIGTERM);
	sigaddset(&watched, SIGINT);
	sigaddset(&watched, SIGHUP);
	signal(SIGCHLD, SIG_DFL); /* ignored, it would make the kernel throw the statuses away */
	sigprocmask(SIG_BLOCK, &watched, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != caller)
		_exit(126);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	setsid();
	take_descriptors(out[1], failed[1]);
	/* A refusal leaves the program less polite than asked for, which is no reason to fail. */
	setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + how->nice);
	w.program = fork();
	if (w.program < 0)
		give_up(STEP_FORK);
	if (w.program == 0)
		become_program(how, env, self);
	setpgid(w.program, w.program);
	close(EXEC_FD);
	watch_program(&w, &watched);
	end_like(w.ended ? w.status : SIGKILL);
}

/* ---- The caller's side */

/* Waits until the program runs or could not be run. */
static int learn_of_exec(const struct proc_how *how, int fd)
{
	struct exec_failure f;
	ssize_t n;

	do {
		n = read(fd, &f, sizeof(f));
	} while (n < 0 && errno == EINTR);
	if (n == 0)
		return 0;
	if (n != sizeof(f))
		return fail(ERR_SYS, "%s: it cannot be learned whether it runs", how->argv[0]);
	if (f.step == STEP_FORK)
		return fail(ERR_SYS, "%s: fork: %s", how->argv[0], strerror(f.error));
	return fail(f.error == ENOENT ? ERR_NOTFOUND : ERR_SYS, "%s: %s", f.step == STEP_CHDIR ? how->cwd : how->argv[0],
		    strerror(f.error));
}

static int make_pipes(int out[2], int failed[2])
{
	if (pipe2(out, O_CLOEXEC) < 0)
		return fail(ERR_SYS, "pipe: %s", strerror(errno));
	if (pipe2(failed, O_CLOEXEC) < 0) {
		close(out[0]);
		close(out[1]);
		return fail(ERR_SYS, "pipe: %s", strerror(errno));
	}
	return 0;
}

int proc_start(struct proc *p, const struct proc_how *how)
{
	pid_t caller = getpid();
	int out[2], failed[2], err;
	char **env;

	*p = (struct proc){ .fd = -1 };
	if ((err = make_pipes(out, failed)))
		return err;
	env = make_env(how);
	p->pid = fork();
	if (p->pid == 0)
		watcher_main(how, env, out, failed, caller);
	if (p->pid < 0) {
		err = fail(ERR_SYS, "fork: %s", strerror(errno));
		p->pid = 0;
	}
	free(env);
	close(out[1]);
	close(failed[1]);
	p->fd = out[0];
	if (!err)
		err = learn_of_exec(how, failed[0]);
	close(failed[0]);
	if (err)
		proc_stop(p);
	return err;
}

void proc_cancel(struct proc *p)
{
	if (p->pid)
		kill(p->pid, SIGTERM);
}

static bool take_status(struct proc *p, int flags)
{
	pid_t pid;

	if (!p->pid)
		return true;
	do {
		pid = waitpid(p->pid, &p->status, flags);
	} while (pid < 0 && errno == EINTR);
	if (pid == 0)
		return false;
	if (pid < 0)
		p->status = W_EXITCODE(126, 0); /* the caller ignores SIGCHLD: what came of it is not known, so it failed */
	p->pid = 0;
	return true;
}

bool proc_ended(struct proc *p)
{
	return take_status(p, WNOHANG);
}

void proc_stop(struct proc *p)
{
	if (!proc_ended(p)) {
		proc_cancel(p);
		take_status(p, 0);
	}
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}

const char *proc_status_text(char text[PROC_TEXT], int status)
{
	if (WIFSIGNALED(status))
		snprintf(text, PROC_TEXT, "killed by signal %d", WTERMSIG(status));
	else
		snprintf(text, PROC_TEXT, "exit %d", WEXITSTATUS(status));
	return text;
}

/* Reads on until the end of file; out is NULL where nobody wants it. */
static int collect_output(struct proc *p, const char *name, struct buf *out, size_t most, int timeout_ms)
{
	int64_t until = now_ms() + timeout_ms;
	size_t seen = 0;
	char piece[16384];

	for (;;) {
		struct pollfd poll_fd = { .fd = p->fd, .events = POLLIN };
		int left = timeout_ms < 0 ? -1 : (int)MAX_OF(until - now_ms(), (int64_t)0);
		int ready = poll(&poll_fd, 1, left);
		ssize_t n;

		if (ready == 0)
			return fail(ERR_SYS, "%s: not done after %d ms", name, timeout_ms);
		n = ready < 0 ? -1 : read(p->fd, piece, sizeof(piece));
		if (n < 0 && errno != EINTR)
			return fail(ERR_SYS, "%s: read what it prints: %s", name, strerror(errno));
		if (n == 0)
			return 0;
		seen += (size_t)MAX_OF(n, (ssize_t)0);
		if (most && seen > most)
			return fail(ERR_INPUT, "%s: prints more than %zu bytes", name, most);
		if (out && n > 0)
			buf_add(out, piece, (size_t)n);
	}
}

int proc_run(const struct proc_how *how, struct buf *out, size_t most, int timeout_ms, int *status)
{
	struct proc p;
	int err = proc_start(&p, how);

	if (err)
		return err;
	err = collect_output(&p, how->argv[0], out, most, timeout_ms);
	/* The end of file may be seen before the watcher is quite gone: that is no reason to cancel it. */
	if (!err)
		take_status(&p, 0);
	proc_stop(&p);
	*status = p.status;
	return err;
}

bool proc_in_path(const char *name)
{
	const char *path = getenv("PATH");
	char file[PATH_MAX];
	struct stat st;

	if (!path)
		return false;
	for (;;) {
		size_t n = strcspn(path, ":");

		if (snprintf(file, sizeof(file), "%.*s/%s", (int)MIN_OF(n, (size_t)PATH_MAX), n ? path : ".", name) <
			    (int)sizeof(file) &&
		    stat(file, &st) == 0 && S_ISREG(st.st_mode) && access(file, X_OK) == 0)
			return true;
		if (!path[n])
			return false;
		path += n + 1;
	}
}
