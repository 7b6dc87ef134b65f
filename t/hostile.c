/* hostile ADDRESS KIND N: N connections that behave badly until standard input ends. Kinds: slow (a byte every 50 ms), half (half a frame),
 * huge (a length of 4 GB), unknown (a method that there is not), garbage, http, unread (asks for much and reads nothing), dies (asks for
 * much, reads a little, leaves), second (a second call while one is open), early (a call before the greeting), bomb (a request that
 * unpacks to many times its size), hello (the first half of a TLS handshake). The others are plain bytes: garbage to TLS. Prints "ready" when all are at it. */
#include "lib/buf.h"
#include "lib/err.h"
#include "lib/frame.h"
#include "lib/rpc.h"
#include "lib/sock.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sock_addr addr;

static void add_call(struct buf *out, unsigned id, unsigned method, const void *message, size_t n)
{
	frame_write(out, (struct frame){ .id = id, .method = (uint16_t)method, .status = FRAME_REQUEST }, message, n);
}

static void greet(struct buf *out)
{
	VersionInfo me = VERSION_INFO__INIT;
	struct buf packed = { 0 };

	me.program = "hostile";
	me.has_protocol = true;
	me.protocol = RPC_PROTOCOL;
	pb_pack(&packed, &me.base);
	add_call(out, 1, RPC_VERSION, packed.data, packed.len);
	buf_free(&packed);
}

/* FetchCves of everything that 5.10 has open, with descriptions. */
static void ask_much(struct buf *out, unsigned id)
{
	static const unsigned char request[] = { 0x12, 0x04, 0x08, 0x05, 0x10, 0x0a };

	add_call(out, id, RPC_FETCH_CVES, request, sizeof(request));
}

static void bomb(struct buf *out)
{
	struct buf many = { 0 };

	/* Empty strings in field 1; no more of them than the socket takes at once. */
	for (unsigned i = 0; i < 30000; i++)
		buf_add(&many, "\x0a\x00", 2);
	add_call(out, 3, RPC_FETCH_CVES, many.data, many.len);
	buf_free(&many);
}

static void speak(const char *kind, struct buf *out)
{
	if (strcmp(kind, "slow") == 0) {
		/* The header of a long greeting, of which more bytes follow. */
		buf_add(out, "\0\1\0\0\0\0\0\1\0\0\0\0", 12);
	} else if (strcmp(kind, "half") == 0) {
		greet(out);
		out->len -= 3;
	} else if (strcmp(kind, "huge") == 0) {
		greet(out);
		buf_add(out, "\xff\xff\xff\xff\0\0\0\x03\0\x01\0\0", 12);
	} else if (strcmp(kind, "unknown") == 0) {
		greet(out);
		add_call(out, 3, 4711, NULL, 0);
	} else if (strcmp(kind, "garbage") == 0) {
		buf_add(out, "\x7f\x45\x4c\x46 what is this\xff\xfe\x00\x01\x02\x03\x04\x05", 26);
	} else if (strcmp(kind, "http") == 0) {
		buf_adds(out, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	} else if (strcmp(kind, "hello") == 0) {
		buf_add(out, "\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03", 11);
	} else if (strcmp(kind, "early") == 0) {
		ask_much(out, 1);
	} else if (strcmp(kind, "bomb") == 0) {
		greet(out);
		bomb(out);
	} else {
		greet(out);
		ask_much(out, 3);
		if (strcmp(kind, "second") == 0)
			ask_much(out, 5);
	}
}

static void start(int fd, const char *kind)
{
	struct buf out = { 0 };
	int little = 4096;

	/* What is not read waits in the server, not here. */
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &little, sizeof(little));
	speak(kind, &out);
	if (send(fd, out.data, out.len, MSG_NOSIGNAL) < 0)
		perror("send");
	buf_free(&out);
}

/* Reads a little of what has come within some seconds, and leaves. */
static void die(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char some[512];

	if (poll(&p, 1, 5000) <= 0 || recv(fd, some, sizeof(some), 0) < 0)
		perror("recv");
	close(fd);
}

int main(int argc, char **argv)
{
	bool slow;
	int n = argc > 3 ? atoi(argv[3]) : 0;
	int *fds;

	if (argc < 4 || sock_parse(&addr, argv[1]))
		return 2;
	fds = xcalloc((size_t)n, sizeof(*fds));
	slow = strcmp(argv[2], "slow") == 0;
	for (int i = 0; i < n; i++) {
		if (sock_dial(&fds[i], &addr, 20000)) {
			fprintf(stderr, "hostile: %s\n", err_text());
			return 1;
		}
		start(fds[i], argv[2]);
	}
	for (int i = 0; i < n && strcmp(argv[2], "dies") == 0; i++)
		die(fds[i]);
	printf("ready\n");
	fflush(stdout);
	for (;;) {
		struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };

		if (poll(&p, 1, 50) > 0)
			return 0;
		for (int i = 0; slow && i < n; i++)
			if (fds[i] >= 0 && send(fds[i], "\0", 1, MSG_NOSIGNAL) < 0)
				fds[i] = -1;
	}
}
