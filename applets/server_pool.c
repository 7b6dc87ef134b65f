/* Owns the pool: spare workers ready, the dead replaced, the hung ended, all told of signals. The parent has no database open and
 * serves nobody. */
#include "applets/server.h"

#include "lib/err.h"
#include "lib/log.h"
#include "lib/sock.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define TICK_MS 20        /* while something is awaited */
#define REST_MS 1000      /* when all is calm */
#define FORK_PAUSE_MS 500 /* after a fork failed, or workers die at once */

struct parent {
	struct server *s;
	int signals;
	bool stopping;
	uint64_t stop_at;    /* when the rest is killed */
	uint64_t fork_after; /* not before */
	uint64_t expire_at;  /* when leases are looked at next */
	bool full;           /* was said already */
};

static int take_signals(void)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGUSR1 };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		sigaddset(&set, signals[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void start_worker(struct parent *p, unsigned slot)
{
	struct slot *line = &p->s->board->slots[slot];
	pid_t me = getpid(), pid;

	line->address[0] = '\0';
	board_set(p->s->board, slot, SLOT_IDLE);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(p->signals);
		if (getppid() != me)
			_exit(0);
		server_work(p->s, slot);
	}
	line->pid = pid;
	if (pid < 0) {
		log_error("fork a worker: %s", strerror(errno));
		board_set(p->s->board, slot, SLOT_FREE);
		p->fork_after = now_ms() + FORK_PAUSE_MS;
	}
}

/* As many spare workers as are wanted, up to the limit of clients. */
static void fill(struct parent *p)
{
	const struct server_options *o = p->s->opts;
	struct board *b = p->s->board;
	unsigned idle = board_count(b, SLOT_IDLE), clients = board_clients(b);

	if (clients >= o->max_clients && !p->full)
		log_note("%u clients, as many as --max-clients allows: others wait", clients);
	p->full = clients >= o->max_clients;
	for (unsigned i = 0; i < b->n && idle < o->spare && idle + clients < o->max_clients && now_ms() >= p->fork_after;
	     i++)
		if (board_get(b, i) == SLOT_FREE) {
			start_worker(p, i);
			idle++;
		}
}

static void tell_workers(const struct parent *p, int sig)
{
	for (unsigned i = 0; i < p->s->board->n; i++)
		if (board_get(p->s->board, i) != SLOT_FREE)
			kill(p->s->board->slots[i].pid, sig);
}

static void bury(struct parent *p, pid_t pid, int status)
{
	struct board *b = p->s->board;

	for (unsigned i = 0; i < b->n; i++) {
		struct slot *line = &b->slots[i];

		if (line->pid != pid || board_get(b, i) == SLOT_FREE)
			continue;
		if (WIFSIGNALED(status) && !p->stopping)
			log_error("the worker of %s was killed by signal %d", *line->address ? line->address : "nobody",
				  WTERMSIG(status));
		/* Workers that die before they serve anybody must not be forked in a circle. */
		if (board_get(b, i) == SLOT_IDLE && WIFSIGNALED(status))
			p->fork_after = now_ms() + FORK_PAUSE_MS;
		board_set(b, i, SLOT_FREE);
	}
}

static void reap(struct parent *p)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		bury(p, pid, status);
}

/* A worker keeps its own time limits; this is for one that cannot. */
static void end_hung(struct parent *p)
{
	struct board *b = p->s->board;
	int64_t limit = 2 * (int64_t)p->s->opts->handshake_timeout + 5000;

	for (unsigned i = 0; i < b->n; i++)
		if (board_get(b, i) == SLOT_HANDSHAKE && (int64_t)now_ms() - b->slots[i].since > limit)
			kill(b->slots[i].pid, SIGKILL);
}

static void reread(struct parent *p)
{
	const struct server_options *o = p->s->opts;
	struct tls_how how = { .server = true,
			       .cert_path = o->cert_path,
			       .key_path = o->key_path,
			       .ca_path = o->ca_path,
			       .crl_path = o->crl_path };
	const char *warning = NULL;
	struct tls_conf *conf;

	if (!o->tls)
		return;
	sock_notify("RELOADING=1");
	if (tls_conf_new(&conf, &how, p->s->arena, &warning)) {
		log_error("certificates are kept as they were: %s", err_text());
	} else {
		tls_conf_free(p->s->tls);
		p->s->tls = conf;
		log_note("certificates and revocations were read again");
		if (warning)
			log_note("%s", warning);
		tell_workers(p, SIGHUP);
	}
	sock_notify("READY=1");
}

static void begin_stop(struct parent *p)
{
	if (p->stopping)
		return;
	p->stopping = true;
	p->stop_at = now_ms() + p->s->opts->drain_timeout;
	sock_notify("STOPPING=1");
	log_note("going down: %u clients have %llu s to end their calls", board_clients(p->s->board),
		 (unsigned long long)p->s->opts->drain_timeout / 1000);
	for (size_t i = 0; i < p->s->n_listeners; i++)
		close(p->s->listeners[i]);
	tell_workers(p, SIGTERM);
}

static void handle_signals(struct parent *p)
{
	struct signalfd_siginfo info;

	while (read(p->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP)
			reread(p);
		else if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
			begin_stop(p);
	}
	reap(p);
}

/* Leases are looked at by a child, since the parent must not have a database open when it forks. */
static void expire_leases(struct parent *p)
{
	pid_t pid;

	if (now_ms() < p->expire_at)
		return;
	p->expire_at = now_ms() + MAX_OF(p->s->opts->lease / 8, 50u);
	pid = fork();
	if (pid == 0) {
		struct db_lease_clock clock = server_clock(p->s);
		struct arena *a = arena_new(0);
		struct db *db;
		unsigned n = 0;

		if (db_open(&db, p->s->opts->db, DB_WRITE, a, NULL) || db_job_expire(db, &clock, &n))
			log_error("leases: %s", err_text());
		else if (n)
			log_note("%u jobs were taken back from builders that are lost", n);
		_exit(0);
	}
}

/* How long nothing needs to be looked at. A worker that takes a client wakes the parent when spares run short. */
static int wait_time(const struct parent *p)
{
	if (p->stopping || now_ms() < p->fork_after)
		return TICK_MS;
	return (int)MIN_OF((uint64_t)REST_MS, MAX_OF(p->s->opts->lease / 8, 50u));
}

static bool all_gone(const struct board *b)
{
	return board_count(b, SLOT_FREE) == b->n;
}

int server_run(struct server *s)
{
	struct parent p = { .s = s, .signals = take_signals() };

	if (p.signals < 0)
		return fail(ERR_SYS, "signalfd: %s", strerror(errno));
	sock_notify("READY=1");
	while (!p.stopping || !all_gone(s->board)) {
		struct pollfd fds = { .fd = p.signals, .events = POLLIN };

		if (!p.stopping) {
			fill(&p);
			expire_leases(&p);
		} else if (now_ms() >= p.stop_at) {
			tell_workers(&p, SIGKILL);
		}
		poll(&fds, 1, wait_time(&p));
		handle_signals(&p);
		end_hung(&p);
	}
	log_note("down");
	close(p.signals);
	return 0;
}
