/* The two ends of a connection, for tests: one under test, and a raw one that is written and read byte for byte. */
#ifndef TUXTAPE_RPCPAIR_H
#define TUXTAPE_RPCPAIR_H

#include "lib/err.h"
#include "lib/frame.h"
#include "lib/rpc.h"
#include "tap.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE 20000 /* ms; for what is there, or comes from a child */

/* Of the whole test. */
static struct arena *arena;

#define HANDLER(name) static int name(void *ctx UNUSED, struct rpc_call *call UNUSED, const ProtobufCMessage *request UNUSED)

__attribute__((unused)) static struct rpc *end_on(int fd, bool dialled, const struct rpc_service *service)
{
	struct tls *t;

	if (tls_open(&t, fd, NULL, NULL))
		abort();
	return rpc_new(t, dialled, service);
}

/* The end under test; *peer is the raw one. */
__attribute__((unused)) static struct rpc *pair(int *peer, bool dialled, const struct rpc_service *service)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
		abort();
	*peer = fds[1];
	return end_on(fds[0], dialled, service);
}

__attribute__((unused)) static void send_bytes(int peer, const void *p, size_t n)
{
	if (send(peer, p, n, MSG_NOSIGNAL) != (ssize_t)n)
		abort();
}

__attribute__((unused)) static void send_frame(int peer, unsigned id, unsigned method, unsigned status, const void *message,
					       size_t n)
{
	struct frame f = { .id = id, .method = (uint16_t)method, .status = (uint16_t)status };
	struct buf b = { 0 };

	frame_write(&b, f, message, n);
	send_bytes(peer, b.data, b.len);
	buf_free(&b);
}

__attribute__((unused)) static void send_message(int peer, unsigned id, unsigned method, unsigned status,
						 const ProtobufCMessage *m)
{
	struct buf b = { 0 };

	pb_pack(&b, m);
	send_frame(peer, id, method, status, buf_str(&b), b.len);
	buf_free(&b);
}

/* A header that announces n bytes, none of which follow. */
__attribute__((unused)) static void send_header(int peer, unsigned id, unsigned method, unsigned status, uint32_t n)
{
	struct frame f = { .id = id, .method = (uint16_t)method, .status = (uint16_t)status };
	struct buf b = { 0 };

	frame_write(&b, f, NULL, 0);
	for (int i = 0; i < 4; i++)
		b.data[i] = (char)(n >> (24 - 8 * i));
	send_bytes(peer, b.data, b.len);
	buf_free(&b);
}

__attribute__((unused)) static bool recv_all(int peer, void *to, size_t n)
{
	char *at = to;

	while (n) {
		struct pollfd p = { .fd = peer, .events = POLLIN };
		ssize_t got = poll(&p, 1, PATIENCE) > 0 ? recv(peer, at, n, 0) : -1;

		if (got <= 0)
			return false;
		at += got;
		n -= (size_t)got;
	}
	return true;
}

/* The next frame at the raw end; false at its end. *message is NUL-terminated, in the arena. */
__attribute__((unused)) static bool recv_frame(int peer, struct frame *f, char **message)
{
	char header[FRAME_HEADER];

	if (!recv_all(peer, header, sizeof(header)) || frame_read_header(f, header, FRAME_MOST))
		return false;
	*message = arena_alloc(arena, f->length + 1u);
	return recv_all(peer, *message, f->length);
}

__attribute__((unused)) static int waiting(int peer)
{
	int n = 0;

	ioctl(peer, FIONREAD, &n);
	return n;
}

/* The next frame has this id and status, and, where it is an error, this text. */
__attribute__((unused)) static void expect(int peer, unsigned id, unsigned status, const char *text, const char *what)
{
	struct frame f = { 0 };
	char *message = NULL;
	bool there = recv_frame(peer, &f, &message);

	ok(there && f.id == id && f.status == status, "%s", what);
	if (!there || f.id != id || f.status != status)
		printf("# there %d, id %u, status %u: %s\n", there, f.id, f.status, message ? message : "");
	if (text)
		ok(message && strstr(message, text), "  which says '%s', not '%s'", text, message ? message : "");
}

__attribute__((unused)) static void drop(struct rpc *r, int peer)
{
	rpc_free(r);
	if (peer >= 0)
		close(peer);
}

/* One call, asked by raw bytes, is served with err. */
__attribute__((unused)) static void serve(struct rpc *r, int want, const char *what)
{
	bool served;
	int err = rpc_serve(r, PATIENCE, &served);

	ok(err == want && served, "%s", what);
	if (err != want || !served)
		printf("# %d, served %d: %s\n", err, served, err ? err_text() : "");
}

/* The connection ends with the error and its text. */
__attribute__((unused)) static void refuse(struct rpc *r, int want, const char *text, const char *what)
{
	bool served;
	int err = rpc_serve(r, PATIENCE, &served);

	ok(err == want && strstr(err_text(), text), "%s: %s", what, err ? err_text() : "no error");
}

#endif
