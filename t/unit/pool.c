/* The pool of workers: results in order, errors with their text, workers that die, and that must not outlive their owner. */
#include "lib/pool.h"
#include "lib/err.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* A task lists words, what came of it lists words, too. */
enum method { ECHO, FAIL, DIE, LEAVE, PID, BIG, WAIT, USED, OPEN, METHODS };

#define BIG_RESULT (3u << 20)

static int send_word(struct pool_out *out, const char *word)
{
	CommitList result = COMMIT_LIST__INIT;
	const char *words[] = { word };

	result.n_commits = 1;
	result.commits = words;
	return pool_result(out, &result.base);
}

static int echo(void *ctx, struct arena *a UNUSED, const ProtobufCMessage *m, struct pool_out *out)
{
	const CommitList *task = (const CommitList *)m;
	int err = 0;

	for (size_t i = 0; i < task->n_commits && !err; i++)
		err = send_word(out, task->commits[i]);
	*(unsigned *)ctx += 1;
	return err;
}

static int fail_with_text(void *ctx UNUSED, struct arena *a UNUSED, const ProtobufCMessage *m, struct pool_out *out)
{
	const CommitList *task = (const CommitList *)m;
	int err = send_word(out, "before");

	return err ? err : fail(ERR_GIT, "commit %s: no such thing", task->commits[0]);
}

/* What a dying worker waits for, so that another task can queue behind: memory that it shares with its owner. */
static volatile int *gate;

static int die(void *ctx UNUSED, struct arena *a UNUSED, const ProtobufCMessage *m UNUSED, struct pool_out *out)
{
	int err = send_word(out, "last word");

	while (!err && !*gate)
		usleep(1000);
	raise(SIGUSR1);
	return err;
}

static int leave(void *ctx UNUSED, struct arena *a UNUSED, const ProtobufCMessage *m UNUSED, struct pool_out *out UNUSED)
{
	_exit(0);
}

static int tell_pid(void *ctx, struct arena *a, const ProtobufCMessage *m UNUSED, struct pool_out *out)
{
	return send_word(out, arena_printf(a, "%d %u", (int)getpid(), *(unsigned *)ctx));
}

static int big(void *ctx UNUSED, struct arena *a, const ProtobufCMessage *m UNUSED, struct pool_out *out)
{
	char *word = arena_alloc(a, BIG_RESULT + 1);
	int err = 0;

	memset(word, 'b', BIG_RESULT);
	for (int i = 0; i < 3 && !err; i++)
		err = send_word(out, word);
	return err;
}

static int tell_used(void *ctx UNUSED, struct arena *a, const ProtobufCMessage *m UNUSED, struct pool_out *out)
{
	return send_word(out, arena_printf(a, "%zu", arena_used(a)));
}

static int wait_for_ever(void *ctx UNUSED, struct arena *a UNUSED, const ProtobufCMessage *m UNUSED, struct pool_out *out)
{
	int err = send_word(out, "waiting");

	while (!err)
		pause();
	return err;
}

/* Says how many descriptors beyond the standard three are open. */
static int tell_open(void *ctx UNUSED, struct arena *a, const ProtobufCMessage *m UNUSED, struct pool_out *out)
{
	int n = 0;

	for (int fd = 3; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return send_word(out, arena_printf(a, "%d open", n));
}

static const struct pool_method methods[METHODS] = {
	[ECHO] = { &commit_list__descriptor, &commit_list__descriptor, echo },
	[FAIL] = { &commit_list__descriptor, &commit_list__descriptor, fail_with_text },
	[DIE] = { &commit_list__descriptor, &commit_list__descriptor, die },
	[LEAVE] = { &commit_list__descriptor, &commit_list__descriptor, leave },
	[PID] = { &commit_list__descriptor, &commit_list__descriptor, tell_pid },
	[BIG] = { &commit_list__descriptor, &commit_list__descriptor, big },
	[WAIT] = { &commit_list__descriptor, &commit_list__descriptor, wait_for_ever },
	[USED] = { &commit_list__descriptor, &commit_list__descriptor, tell_used },
	[OPEN] = { &commit_list__descriptor, &commit_list__descriptor, tell_open },
};

static struct arena *arena;
static unsigned count_in_worker;

static struct pool *start(unsigned workers)
{
	struct pool_how how = { .workers = workers, .methods = methods, .n_methods = METHODS, .ctx = &count_in_worker };
	struct pool *p = NULL;

	is_int(pool_new(&p, &how), 0, "a pool");
	return p;
}

static int submit(struct pool *p, unsigned worker, enum method method, const char *word, const char *next)
{
	CommitList task = COMMIT_LIST__INIT;
	const char *words[] = { word, next };

	task.n_commits = next ? 2 : 1;
	task.commits = words;
	return pool_submit(p, worker, method, &task.base);
}

/* The next event as text: "WORKER METHOD word" of a result, "WORKER METHOD ended ERROR" of an end, "none". */
static const char *next_event(struct pool *p, int timeout_ms)
{
	struct pool_event ev;

	if (!pool_wait(p, timeout_ms, arena, &ev))
		return "none";
	if (!ev.ended)
		return arena_printf(arena, "%u %u %.40s", ev.worker, ev.method, ((const CommitList *)ev.result)->commits[0]);
	return arena_printf(arena, "%u %u ended %s%s%s", ev.worker, ev.method, err_kind_name(ev.err), ev.err ? ": " : "",
			    ev.err ? err_text() : "");
}

static void test_order(void)
{
	struct pool *p = start(1);
	const char *first;

	is_str(next_event(p, -1), "none", "nothing is under way");
	is_int(submit(p, 0, ECHO, "a", "b"), 0, "a task");
	is_int(submit(p, 0, ECHO, "c", NULL), 0, "one behind it");
	is_int(pool_busy(p, 0), 2, "two are under way");
	is_str(next_event(p, -1), "0 0 a", "the first result");
	is_str(next_event(p, -1), "0 0 b", "the second");
	is_str(next_event(p, -1), "0 0 ended ok", "the end of the task");
	is_int(pool_busy(p, 0), 1, "one is left");
	is_str(next_event(p, -1), "0 0 c", "the next task's result");
	is_str(next_event(p, -1), "0 0 ended ok", "and its end");
	is_int(pool_busy(p, 0), 0, "none is left");
	is_str(next_event(p, -1), "none", "and no event");
	is_int(submit(p, 0, FAIL, "abc", NULL), 0, "a task that fails");
	is_str(next_event(p, -1), "0 1 before", "what it gave before");
	is_str(next_event(p, -1), "0 1 ended git: commit abc: no such thing", "its kind of error and text");
	is_int(submit(p, 0, ECHO, "d", NULL), 0, "the worker goes on");
	is_str(next_event(p, -1), "0 0 d", "with the next");
	is_str(next_event(p, -1), "0 0 ended ok", "task");
	submit(p, 0, USED, "", NULL);
	submit(p, 0, USED, "", NULL);
	first = next_event(p, -1);
	next_event(p, -1);
	is_str(next_event(p, -1), first, "a task's memory is gone when the next begins");
	next_event(p, -1);
	pool_free(p);
	pool_free(NULL);
	is_int(waitpid(-1, NULL, WNOHANG), -1, "no process is left behind");
}

static void test_workers(void)
{
	struct pool *p = start(3);
	int pids[3] = { 0 };
	unsigned counts[3] = { 9, 9, 9 }, ended = 0;
	struct pool_event ev;

	submit(p, 1, ECHO, "x", NULL);
	next_event(p, -1);
	next_event(p, -1);
	for (unsigned i = 0; i < 3; i++)
		submit(p, i, PID, "", NULL);
	while (pool_wait(p, -1, arena, &ev))
		if (ev.ended)
			ended++;
		else
			sscanf(((CommitList *)ev.result)->commits[0], "%d %u", &pids[ev.worker], &counts[ev.worker]);
	is_int(ended, 3, "each ends its task");
	ok(pids[0] != pids[1] && pids[1] != pids[2] && pids[0] != pids[2] && pids[0] != getpid(),
	   "each is a process of its own");
	ok(counts[0] == 0 && counts[1] == 1 && counts[2] == 0 && count_in_worker == 0, "with its own copy of memory");
	pool_free(p);
}

static void test_big(void)
{
	struct pool *p = start(2);
	unsigned results[2] = { 0 };
	bool whole = true;
	struct pool_event ev;

	submit(p, 0, BIG, "", NULL);
	submit(p, 1, BIG, "", NULL);
	for (; pool_wait(p, -1, arena, &ev); arena_reset(arena))
		if (ev.result) {
			const CommitList *list = (const CommitList *)ev.result;

			results[ev.worker]++;
			whole &= strspn(list->commits[0], "b") == BIG_RESULT && !list->commits[0][BIG_RESULT];
		}
	ok(results[0] == 3 && results[1] == 3, "results larger than any socket's buffer come");
	ok(whole, "whole");
	submit(p, 0, BIG, "", NULL);
	pool_free(p);
	ok(true, "a pool can be dropped while a worker hands over");
}

/* A worker that hands over more than the socket holds reads nothing: an owner that insisted on writing would wait for ever. */
static void test_big_tasks(void)
{
	struct pool *p = start(1);
	char *word = arena_alloc(arena, BIG_RESULT + 1);
	struct pool_event ev;
	unsigned ended = 0, results = 0;

	memset(word, 't', BIG_RESULT);
	alarm(60);
	submit(p, 0, BIG, "", NULL);
	is_int(submit(p, 0, ECHO, word, NULL), 0, "a large task behind one with large results");
	is_int(submit(p, 0, ECHO, word, NULL), 0, "and another");
	while (pool_wait(p, -1, arena, &ev)) {
		ended += ev.ended && !ev.err;
		if (ev.result && ev.method == ECHO)
			results += strspn(((const CommitList *)ev.result)->commits[0], "t") == BIG_RESULT;
		else if (ev.result)
			results += 10;
	}
	alarm(0);
	is_int(ended, 3, "all end");
	is_int(results, 32, "with all their results");
	arena_reset(arena);
	pool_free(p);
}

static void test_descriptors(void)
{
	int fds[2];
	struct pool *p;

	is_int(pipe(fds), 0, "an owner with descriptors open");
	p = start(3);
	submit(p, 0, OPEN, "", NULL);
	is_str(next_event(p, -1), "0 8 1 open", "the first worker has its own socket alone");
	next_event(p, -1);
	submit(p, 2, OPEN, "", NULL);
	is_str(next_event(p, -1), "2 8 1 open", "and so has the last");
	pool_free(p);
	close(fds[0]);
	close(fds[1]);
}

static void test_timeout(void)
{
	struct pool *p = start(2);

	submit(p, 0, WAIT, "", NULL);
	is_str(next_event(p, -1), "0 6 waiting", "a worker that takes its time");
	is_str(next_event(p, 0), "none", "is not waited for");
	is_str(next_event(p, 20), "none", "longer than was said");
	is_int(pool_busy(p, 0), 1, "its task stays under way");
	submit(p, 1, ECHO, "y", NULL);
	is_str(next_event(p, -1), "1 0 y", "others are heard meanwhile");
	pool_free(p);
	is_int(waitpid(-1, NULL, WNOHANG), -1, "and a busy worker ends with the pool");
}

static void test_death(void)
{
	struct pool *p;
	char want[80];

	gate = mmap(NULL, sizeof(*gate), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ok(gate != MAP_FAILED, "a gate");
	p = start(2);
	snprintf(want, sizeof(want), "0 0 ended system: a worker process was killed by signal %d", SIGUSR1);
	submit(p, 0, DIE, "", NULL);
	submit(p, 0, ECHO, "never", NULL);
	*gate = 1; /* both tasks are given before it opens */
	is_str(next_event(p, -1), "0 2 last word", "what a worker said before it died");
	is_str(next_event(p, -1), want, "its task ends with the signal");
	is_int(pool_busy(p, 0), 1, "the one behind it is next");
	is_str(next_event(p, -1), want, "and ends, too");
	is_str(next_event(p, -1), "none", "then nothing is under way");
	is_int(submit(p, 0, ECHO, "z", NULL), ERR_SYS, "a dead worker takes no task");
	ok(strstr(want, err_text()) != NULL, "for the same reason: %s", err_text());
	is_int(pool_busy(p, 0), 0, "and not counted");
	submit(p, 1, LEAVE, "", NULL);
	is_str(next_event(p, -1), "1 0 ended system: a worker process ended too early", "one that leaves without a word");
	pool_free(p);
	is_int(waitpid(-1, NULL, WNOHANG), -1, "the dead are buried");
	munmap((void *)gate, sizeof(*gate));
}

/* Runs as a process of its own: starts two workers, keeps one at work, tells their ids, and waits to be killed. */
static void own_a_pool(int tell)
{
	struct pool_how how = { .workers = 2, .methods = methods, .n_methods = METHODS, .ctx = &count_in_worker };
	struct pool_event ev;
	struct pool *p;
	int pids[2];

	if (pool_new(&p, &how))
		_exit(1);
	for (unsigned i = 0; i < 2; i++) {
		submit(p, i, PID, "", NULL);
		if (!pool_wait(p, -1, arena, &ev) || !ev.result)
			_exit(1);
		pids[i] = atoi(((CommitList *)ev.result)->commits[0]);
		pool_wait(p, -1, arena, &ev);
	}
	submit(p, 0, WAIT, "", NULL);
	pool_wait(p, -1, arena, &ev);
	if (write(tell, pids, sizeof(pids)) != sizeof(pids))
		_exit(1);
	for (;;)
		pause();
}

static void test_owner_dies(void)
{
	int fds[2], pids[2] = { 0 }, status = 0;
	pid_t owner;

	/* Orphans become children of this process, so that it can see them end. */
	ok(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0 && pipe(fds) == 0, "a process that reaps orphans");
	fflush(stdout);
	owner = fork();
	if (owner == 0)
		own_a_pool(fds[1]);
	close(fds[1]);
	ok(read(fds[0], pids, sizeof(pids)) == sizeof(pids), "an owner with a busy worker and an idle one");
	kill(owner, SIGKILL);
	is_int(waitpid(owner, &status, 0), owner, "is killed");
	alarm(20); /* a worker that stays would hang the test */
	is_int(waitpid(pids[0], &status, 0), pids[0], "the busy worker ends");
	is_int(waitpid(pids[1], &status, 0), pids[1], "the idle one, too");
	alarm(0);
	close(fds[0]);
}

int main(void)
{
	arena = arena_new(0);
	test_order();
	test_workers();
	test_big();
	test_big_tasks();
	test_descriptors();
	test_timeout();
	test_death();
	test_owner_dies();
	arena_free(arena);
	return done();
}
