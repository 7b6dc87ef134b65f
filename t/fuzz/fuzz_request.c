/* Requests to the server's own handlers, over a small database, by an admin: whatever is asked, there is an answer or an error, and the
 * connection stays as it was. The first byte is the method, the rest its request. */
#include "applets/server.h"
#include "fuzz.h"

#include "lib/db.h"
#include "lib/db_cve.h"
#include "lib/err.h"
#include "lib/frame.h"
#include "lib/log.h"

#include <ftw.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define INPUT_MOST 65536 /* fits in the socket's room, so that nobody waits */
#define JOBS_MOST 200    /* and patches: then the database is made anew */

static char top[] = "/tmp/tuxtape-fuzz.XXXXXX";
static struct server_options options = {
	.max_clients = 4, .lease = 60000, .approvals = 1, .allow_self_review = true, .linux_repo = "/nonexistent"
};
static struct server server = { .opts = &options };

static int remove_one(const char *path, const struct stat *st UNUSED, int kind UNUSED, struct FTW *at UNUSED)
{
	return remove(path);
}

static void clean_up(void)
{
	nftw(top, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void must(int err)
{
	if (err) {
		fprintf(stderr, "fuzz_request: %s\n", err_text());
		abort();
	}
}

static const char *const names[] = { "/db", "/db-wal", "/db-shm", "/db.lock" };

/* One CVE with one pair and its fix, one config: enough for every handler to find something. */
static void make_database(struct arena *a)
{
	static const char rows[] = "INSERT INTO cve (cve, id, title, severity, origin) VALUES (20240010001, "
				   "'CVE-2024-10001', 'one', 7.8, 'vulns')";
	static const char pair[] =
		"INSERT INTO cve_instance (cve, line, title, introduced__major, introduced__minor, introduced_commit,"
		" fixed__major, fixed__minor, fixed__stable, fix_commit) VALUES (20240010001, 1,"
		" 'CVE-2024-10001-6.1-1111111111111111', 6, 1, '2222222222222222222222222222222222222222', 6, 1, 9,"
		" '1111111111111111111111111111111111111111')";
	static const char fix[] = "INSERT INTO fix (fix_commit, state, subject, patch) VALUES"
				  " ('1111111111111111111111111111111111111111', 1, 'one', zeroblob(100000))";
	static const char config[] =
		"INSERT INTO kernel_config (name, version__major, version__minor, version__stable, revision, body)"
		" VALUES ('web', 6, 1, 3, 1, x'434f4e4649475f534d503d790a')";
	struct db *db;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		unlink(arena_printf(a, "%s%s", top, names[i]));
	must(db_open(&db, options.db, DB_CREATE, a, NULL));
	must(db_run(db, rows, ""));
	must(db_run(db, pair, ""));
	must(db_run(db, fix, ""));
	must(db_run(db, config, ""));
	db_close(db);
}

static void set_up(struct arena *a)
{
	static char path[sizeof(top) + 8];

	if (server.board)
		return;
	if (!mkdtemp(top))
		abort();
	atexit(clean_up);
	snprintf(path, sizeof(path), "%s/db", top);
	options.db = path;
	log_setup("fuzz", LOG_QUIET);
	must(board_new(&server.board, 4));
	server.started = server_clock(&server).now;
	make_database(a);
}

static void renew_when_full(struct client *c, struct arena *a)
{
	int64_t jobs;

	must(db_number(c->db, &jobs, "SELECT (SELECT count(*) FROM job) + (SELECT count(*) FROM patch_revision)", ""));
	db_close(c->db);
	c->db = NULL;
	if (jobs > JOBS_MOST)
		make_database(a);
}

static void ask(int fd, unsigned method, const void *request, size_t n)
{
	static const char hello[] = { 0x0a, 4, 'f', 'u', 'z', 'z', 0x10, RPC_PROTOCOL };
	struct buf out = { 0 };

	frame_write(&out, (struct frame){ .id = 1, .method = RPC_VERSION }, hello, sizeof(hello));
	frame_write(&out, (struct frame){ .id = 3, .method = (uint16_t)method }, request, n);
	if (send(fd, out.data, out.len, MSG_NOSIGNAL) != (ssize_t)out.len)
		abort();
	/* A job is watched until it is over, or until the watcher leaves. */
	if (method == RPC_WATCH_JOB)
		shutdown(fd, SHUT_WR);
	buf_free(&out);
}

/* The answers are whole frames, and the call has exactly one that closes it, unless the end of the bytes was noticed first. */
static void check_answers(int fd, int err)
{
	struct buf in = { 0 };
	unsigned closed = 0;
	struct frame f;
	size_t at = 0, size = 0;
	ssize_t got;
	int bad = 0;

	while ((got = recv(fd, buf_reserve(&in, 65536), 65536, MSG_DONTWAIT)) > 0)
		in.len += (size_t)got;
	for (; frame_next(&in, at, FRAME_MOST, &f, &size, &bad); at += size)
		closed += f.id == 3 && f.status != FRAME_MORE && f.status != FRAME_REQUEST;
	if (bad || closed > 1 || (!err && (at != in.len || !closed)))
		abort();
	buf_free(&in);
}

static void serve(struct client *c, int peer)
{
	bool served;
	int err;

	must(rpc_serve(c->rpc, 0, &served));
	err = rpc_serve(c->rpc, 0, &served);
	shutdown(peer, SHUT_WR);
	if (!err && c->builder)
		err = server_builder_turn(c);
	check_answers(peer, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct rpc_service service = { .allow = server_allow };
	struct client c = { .server = &server, .name = "fuzz", .address = "127.0.0.1", .role = ROLE_ADMIN, .local = true };
	struct tls *t;
	int fds[2];

	if (n == 0 || n > INPUT_MOST || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
		return 0;
	c.arena = arena_new(0);
	c.who = arena_new(0);
	set_up(c.who);
	memcpy(service.handlers, server_handlers, sizeof(service.handlers));
	service.ctx = &c;
	must(tls_open(&t, fds[0], NULL, NULL));
	c.rpc = rpc_new(t, false, &service);
	rpc_set_stall(c.rpc, 0);
	ask(fds[1], data[0] % (RPC_METHODS + 1), data + 1, n - 1);
	serve(&c, fds[1]);
	server_builder_free(&c);
	rpc_free(c.rpc);
	close(fds[1]);
	if (c.db)
		renew_when_full(&c, c.who);
	arena_free(c.arena);
	arena_free(c.who);
	arena_free(c.health_arena);
	return 0;
}
