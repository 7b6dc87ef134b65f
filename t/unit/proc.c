/* Programs run from an argv: what they print, how they end, and that nothing of them is left. */
#include "lib/err.h"
#include "lib/proc.h"
#include "tap.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 20000

static struct buf out;

/* Runs a script to its end; out holds what it printed. */
static int run_how(struct proc_how how, const char *script, int *status)
{
	const char *const argv[] = { "sh", "-c", script, NULL };

	how.argv = argv;
	buf_reset(&out);
	return proc_run(&how, &out, 0, PATIENCE_MS, status);
}

static int run(const char *script, int *status)
{
	return run_how((struct proc_how){ 0 }, script, status);
}

/* A zombie is dead: who should have waited for it is no concern here. */
static bool alive(long pid)
{
	char path[64], state = 'Z';
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	f = fopen(path, "r");
	if (!f)
		return false;
	if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		state = 'Z';
	fclose(f);
	return state != 'Z' && state != 'X';
}

static void test_output_and_status(void)
{
	char text[PROC_TEXT];
	int status;

	is_int(run("echo one; echo two >&2; read x || echo no input", &status), 0, "a script runs");
	is_str(buf_str(&out), "one\ntwo\nno input\n", "both outputs come in order, the input is empty");
	is_str(proc_status_text(text, status), "exit 0", "  and it ends well");
	run("exit 2", &status);
	is_str(proc_status_text(text, status), "exit 2", "an exit code");
	run("exec 2>/dev/null; kill -KILL $$", &status);
	is_str(proc_status_text(text, status), "killed by signal 9", "a signal");
	run("kill -SEGV $$", &status);
	is_str(proc_status_text(text, status), "killed by signal 11", "one that would write a core");
	is_int(run("head -c 300000 /dev/zero", &status), 0, "more than a pipe holds");
	is_int((long long)out.len, 300000, "  comes whole");
}

static void test_surroundings(void)
{
	static const char *const changes[] = { "ADDED=a b", "CHANGED=new", "REMOVED", NULL };
	static const char *const alone[] = { "PATH=/usr/bin:/bin", "ONLY=1", NULL };
	struct proc_how how = { .cwd = "/proc", .env = changes };
	int status, fd = open("/dev/null", O_RDONLY);
	char text[64];

	setenv("CHANGED", "old", 1);
	setenv("REMOVED", "x", 1);
	setenv("KEPT", "k", 1);
	run_how(how, "pwd; echo $ADDED,$CHANGED,${REMOVED-gone},$KEPT", &status);
	is_str(buf_str(&out), "/proc\na b,new,gone,k\n", "directory and changed environment");
	how = (struct proc_how){ .env = alone, .clean_env = true };
	run_how(how, "env | grep -v -e ^PWD= -e ^SHLVL= -e ^_= | sort", &status);
	is_str(buf_str(&out), "ONLY=1\nPATH=/usr/bin:/bin\n", "a clean environment");
	dup2(fd, 77);
	run("ls /proc/self/fd | tr '\\n' ' '", &status);
	is_str(buf_str(&out), "0 1 2 3 ", "no descriptor but the first three (and the listing's own)");
	close(77);
	close(fd);
	run("read -r pid name state parent group session rest </proc/$$/stat; [ $group = $$ ] && [ $session != $group ] && "
	    "echo own",
	    &status);
	is_str(buf_str(&out), "own\n", "a process group of its own");
	run_how((struct proc_how){ .nice = 3 }, "nice", &status);
	snprintf(text, sizeof(text), "%d\n", MIN_OF(getpriority(PRIO_PROCESS, 0) + 3, 19));
	is_str(buf_str(&out), text, "niceness is added");
}

static void test_signals_of_the_caller(void)
{
	sigset_t blocked, before;
	int status;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigprocmask(SIG_BLOCK, &blocked, &before);
	signal(SIGPIPE, SIG_IGN);
	run("kill -PIPE $$", &status);
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE, "what the caller ignores is not ignored");
	run("kill -TERM $$", &status);
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM, "what the caller blocks is not blocked");
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &before, NULL);
	signal(SIGCHLD, SIG_IGN);
	run("exit 0", &status);
	ok(!WIFEXITED(status) || WEXITSTATUS(status) != 0, "a status that was lost is no success");
	signal(SIGCHLD, SIG_DFL);
}

static void test_refusals(void)
{
	static const char *const none[] = { "no-such-program", NULL };
	static const char *const no_right[] = { "/etc/passwd", NULL };
	static const char *const path[] = { "PATH=/nowhere", NULL };
	int status;

	is_int(proc_run(&(struct proc_how){ .argv = none }, &out, 0, PATIENCE_MS, &status), ERR_NOTFOUND, "no such program");
	is_str(err_text(), "no-such-program: No such file or directory", "  is named");
	is_int(proc_run(&(struct proc_how){ .argv = no_right }, &out, 0, PATIENCE_MS, &status), ERR_SYS, "one that is none");
	is_str(err_text(), "/etc/passwd: Permission denied", "  is named");
	is_int(run_how((struct proc_how){ .cwd = "/no/where" }, "echo x", &status), ERR_NOTFOUND, "no such directory");
	is_str(err_text(), "/no/where: No such file or directory", "  is named");
	is_int(run_how((struct proc_how){ .env = path }, "echo x", &status), ERR_NOTFOUND, "the PATH that it gets counts");
	ok(proc_in_path("sh") && !proc_in_path("no-such-program") && !proc_in_path("."), "programs in PATH");
}

static void test_limits(void)
{
	const char *const flood[] = { "sh", "-c", "while :; do echo 0123456789; done", NULL };
	int status, err;

	buf_reset(&out);
	err = proc_run(&(struct proc_how){ .argv = flood }, &out, 100000, PATIENCE_MS, &status);
	is_int(err, ERR_INPUT, "a flood is cut");
	is_str(err_text(), "sh: prints more than 100000 bytes", "  and said");
	ok(out.len <= 100000, "  and not kept");
	is_int(proc_run(&(struct proc_how){ .argv = (const char *const[]){ "sleep", "600", NULL } }, NULL, 0, 50, &status),
	       ERR_SYS, "time runs out");
	is_str(err_text(), "sleep: not done after 50 ms", "  and is named");
	ok(WIFSIGNALED(status), "  and the program is ended");
}

/* ---- What is left behind */

#define LEAVE "setsid sleep 600 & echo $!; (sleep 600 & echo $!); (trap '' TERM HUP; sh -c 'sleep 600 & echo $!; wait') & "

static void none_left(const char *what)
{
	char *at = out.data;
	unsigned pids = 0, left = 0;

	for (long pid; at && (pid = strtol(at, &at, 10)) > 0; pids++)
		left += alive(pid);
	ok(pids == 3 && left == 0, "%s (%u processes, %u left)", what, pids, left);
}

/* Reads until the scripts have printed their three numbers. */
static void read_pids(struct proc *p)
{
	buf_reset(&out);
	for (unsigned lines = 0; lines < 3;) {
		char *to = buf_reserve(&out, 4096);
		ssize_t n = read(p->fd, to, 4096);

		if (n <= 0)
			return;
		out.len += (size_t)n;
		out.data[out.len] = '\0';
		lines = 0;
		for (const char *c = out.data; *c; c++)
			lines += *c == '\n';
	}
}

static void start(struct proc *p, const char *script, int grace_ms)
{
	const char *const argv[] = { "sh", "-c", script, NULL };

	ok(proc_start(p, &(struct proc_how){ .argv = argv, .grace_ms = grace_ms }) == 0, "started");
}

static void test_leftovers(void)
{
	struct proc p;
	int status;

	/* The last of the three prints when it likes: the script waits for it. */
	run("{ " LEAVE "} | { read a; read b; read c; echo $a $b $c; }", &status);
	none_left("a program that ends well leaves nothing");
	is_int(status, 0, "  and its status is its own");
	start(&p, LEAVE "wait", 0);
	read_pids(&p);
	ok(!proc_ended(&p), "it runs");
	proc_stop(&p);
	none_left("one that is stopped leaves nothing");
	ok(p.fd == -1 && proc_ended(&p), "  and is closed");
	proc_stop(&p);
	start(&p, "trap '' TERM; " LEAVE "while :; do wait; done", 100);
	read_pids(&p);
	proc_cancel(&p);
	ok(read(p.fd, &(char){ 0 }, 1) == 0, "the end of a cancelled program shows");
	none_left("one that is deaf to TERM leaves nothing");
	proc_stop(&p);
	ok(WIFSIGNALED(p.status) && WTERMSIG(p.status) == SIGKILL, "  and was killed");
}

static void test_grace(void)
{
	struct proc p;
	char c[4] = "";

	start(&p, "trap 'echo bye; exit 5' TERM; echo; sleep 600 & wait", PATIENCE_MS);
	ok(read(p.fd, c, 1) == 1, "it is ready");
	proc_cancel(&p);
	ok(read(p.fd, c, 3) == 3 && memcmp(c, "bye", 3) == 0, "a program may say good-bye");
	proc_stop(&p);
	ok(WIFEXITED(p.status) && WEXITSTATUS(p.status) == 5, "  and ends its own way");
	start(&p, "echo; kill -STOP $$", PATIENCE_MS);
	ok(read(p.fd, c, 1) == 1, "it is ready");
	proc_stop(&p);
	ok(WIFSIGNALED(p.status) && WTERMSIG(p.status) == SIGTERM, "a stopped program hears TERM");
}

/* ---- Deadlines */

static int64_t boot_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The caller waits for nothing but the end of the output: it does not look at the clock. */
static void test_deadline(void)
{
	const char *const deaf[] = { "sh", "-c", "trap '' TERM; " LEAVE "while :; do wait; done", NULL };
	const char *const quick[] = { "sh", "-c", "exit 3", NULL };
	struct proc_deadline *d = proc_deadline_new();
	int64_t at = boot_ms() + 700;
	struct proc p;
	int status;

	ok(!proc_deadline_came(d), "a deadline that is not set never comes");
	ok(proc_deadline_set(d, boot_ms() + 3600000), "  one far away");
	ok(proc_start(&p, &(struct proc_how){ .argv = deaf, .grace_ms = PATIENCE_MS, .deadline = d }) == 0,
	   "a deaf program");
	read_pids(&p);
	ok(proc_deadline_set(d, at), "  whose deadline moves while it runs");
	ok(read(p.fd, &(char){ 0 }, 1) == 0 && boot_ms() >= at, "  ends then");
	none_left("  and leaves nothing");
	ok(proc_deadline_came(d) && !proc_deadline_set(d, boot_ms() + 3600000) && proc_deadline_came(d), "  for good");
	proc_stop(&p);
	ok(WIFSIGNALED(p.status) && WTERMSIG(p.status) == SIGKILL, "  without a grace");
	proc_deadline_free(d);
	d = proc_deadline_new();
	ok(proc_deadline_set(d, boot_ms() + 3600000) &&
		   proc_run(&(struct proc_how){ .argv = quick, .deadline = d }, NULL, 0, PATIENCE_MS, &status) == 0 &&
		   WIFEXITED(status) && WEXITSTATUS(status) == 3 && !proc_deadline_came(d),
	   "a program that ends before its deadline");
	ok(proc_deadline_set(d, 0) && !proc_deadline_came(d), "  which may be lifted");
	ok(proc_deadline_set(d, 1) && proc_deadline_came(d) && !proc_deadline_set(d, 0), "one in the past has come");
	proc_deadline_free(d);
}

static int say_and_leave(void *ctx)
{
	dprintf(STDOUT_FILENO, "%s in %s\n", (const char *)ctx, getenv("WHERE"));
	return 7;
}

static void test_function(void)
{
	static const char *const name[] = { "say", NULL };
	static const char *const where[] = { "WHERE=the child", NULL };
	static char word[] = "here";
	struct proc_how how = { .argv = name, .run = say_and_leave, .ctx = word, .env = where };
	int status;

	buf_reset(&out);
	is_int(proc_run(&how, &out, 0, PATIENCE_MS, &status), 0, "a function in place of a program");
	is_str(buf_str(&out), "here in the child\n", "  what it prints");
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 7, "  and returns");
	how.cwd = "/no/where";
	is_int(proc_run(&how, &out, 0, PATIENCE_MS, &status), ERR_NOTFOUND, "  not where there is no such directory");
}

static bool wait_until_dead(long pid)
{
	for (int i = 0; i < PATIENCE_MS / 5 && alive(pid); i++)
		usleep(5000);
	return !alive(pid);
}

/* Starts a program and tells of both processes, then waits to be killed. */
NORETURN static void be_caller(int tell)
{
	const char *const argv[] = { "sh", "-c", "trap '' HUP TERM; echo $$; exec sleep 600", NULL };
	char text[32] = "";
	long pids[2];
	struct proc p;

	if (proc_start(&p, &(struct proc_how){ .argv = argv }) || read(p.fd, text, sizeof(text) - 1) <= 0)
		_exit(1);
	pids[0] = p.pid;
	pids[1] = strtol(text, NULL, 10);
	if (write(tell, pids, sizeof(pids)) < 0)
		_exit(1);
	for (;;)
		pause();
}

static void test_death(bool of_caller)
{
	long pids[2] = { 0 };
	int fds[2];
	pid_t caller;

	ok(pipe(fds) == 0, "a pipe");
	caller = fork();
	if (caller == 0)
		be_caller(fds[1]);
	ok(read(fds[0], pids, sizeof(pids)) == sizeof(pids) && alive(pids[0]) && alive(pids[1]), "watcher and program run");
	kill(of_caller ? caller : (pid_t)pids[0], SIGKILL);
	ok(wait_until_dead(pids[0]) && wait_until_dead(pids[1]), "both die with %s",
	   of_caller ? "the caller" : "the watcher");
	kill(caller, SIGKILL);
	waitpid(caller, NULL, 0);
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	/* Where a process is left it may hold a pipe open: better dead than waiting for it. */
	alarm(120);
	test_output_and_status();
	test_surroundings();
	test_signals_of_the_caller();
	test_refusals();
	test_limits();
	test_leftovers();
	test_grace();
	test_deadline();
	test_function();
	test_death(true);
	test_death(false);
	buf_free(&out);
	return done();
}
