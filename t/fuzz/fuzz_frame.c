/* The reader of a connection: whatever a peer sends, greeted or not, to either end, it is answered or refused, and a call of this end's
 * that is under way gets no more than the service allows. The first byte says which end this is. */
#include "fuzz.h"
#include "lib/err.h"
#include "lib/rpc.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define INPUT_MOST 65536 /* fits in the socket's room, so that nobody waits */

static int one_answer(void *ctx UNUSED, struct rpc_call *call, const ProtobufCMessage *request)
{
	VersionInfo me = VERSION_INFO__INIT;

	if (!request)
		abort();
	me.program = "fuzz";
	return rpc_reply(call, &me.base);
}

static int stream(void *ctx UNUSED, struct rpc_call *call, const ProtobufCMessage *request UNUSED)
{
	Cve cve = CVE__INIT;
	int err;

	for (int i = 0; i < 3; i++)
		if ((err = rpc_record(call, &cve.base)))
			return err;
	return rpc_pause(call, 0);
}

static const struct rpc_service service = {
	.handlers = {
		[RPC_VERSION] = one_answer,
		[RPC_FETCH_CVES] = stream,
		[RPC_FETCH_PATCH] = stream,
		[RPC_PUT_KERNEL_CONFIG] = one_answer,
		[RPC_BUILD_KERNEL] = stream,
	},
};

static void drain(int fd)
{
	char waste[65536];

	while (recv(fd, waste, sizeof(waste), MSG_DONTWAIT) > 0)
		;
}

static void call(struct rpc *r, int peer)
{
	FetchCvesRequest q = FETCH_CVES_REQUEST__INIT;
	enum rpc_news news = RPC_NOTHING;
	struct arena *a = arena_new(0);
	void *message;

	if (rpc_start(r, RPC_FETCH_CVES, &q.base) == 0)
		while (news != RPC_END && rpc_next(r, a, 0, &news, &message) == 0) {
			if (news == RPC_RECORD && ((ProtobufCMessage *)message)->descriptor != &cve__descriptor)
				abort();
			arena_reset(a);
			drain(peer);
		}
	arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct tls *t;
	struct rpc *r;
	bool served;
	int fds[2];

	if (n == 0 || n > INPUT_MOST || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) ||
	    tls_open(&t, fds[0], NULL, NULL))
		return 0;
	r = rpc_new(t, data[0] & 1, &service);
	rpc_set_stall(r, 0);
	if (send(fds[1], data + 1, n - 1, MSG_NOSIGNAL) != (ssize_t)n - 1)
		abort();
	shutdown(fds[1], SHUT_WR);
	if (data[0] & 2)
		call(r, fds[1]);
	/* The end of the bytes is an error, too, so this comes to an end. */
	while (rpc_serve(r, 0, &served) == 0)
		drain(fds[1]);
	rpc_free(r);
	close(fds[1]);
	return 0;
}
