/* badserver PATH KIND: a server on a Unix socket that greets as it should and then answers each call with a message that is well formed and
 * that no server of ours would send. Kinds: bare (each field of a message is there twice and empty, all others are not there), wild (each
 * text holds escape sequences, half a character and 10 KB; each number is as large as it gets), cut (half an answer, then the
 * connection closes), silent (no answer), brief (as wild, but no answer about one CVE). Prints "listening". */
#include "lib/buf.h"
#include "lib/err.h"
#include "lib/frame.h"
#include "lib/rpc.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define WIRE_VARINT 0
#define WIRE_64 1
#define WIRE_BYTES 2
#define WIRE_32 5
#define DEPTH_MOST 4

static const char *kind;

static void add_varint(struct buf *out, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf_addc(out, (char)(v | 0x80));
	buf_addc(out, (char)v);
}

static void add_bytes(struct buf *out, const void *p, size_t n)
{
	add_varint(out, n);
	buf_add(out, p, n);
}

static void add_wild_text(struct buf *out, bool plain_utf8)
{
	struct buf text = { 0 };

	buf_adds(&text, "\033[31m\033]0;owned\007\r\n\t\b%s%n ");
	if (!plain_utf8)
		buf_adds(&text, "\xc3\x28\x9b"
				"31m");
	while (text.len < 10240)
		buf_adds(&text, "\xe4\xbd\xa0o\xcc\x81 ");
	add_bytes(out, text.data, text.len);
	buf_free(&text);
}

static void add_message(struct buf *out, const ProtobufCMessageDescriptor *type, unsigned depth);

static void add_value(struct buf *out, const ProtobufCFieldDescriptor *f, unsigned depth)
{
	struct buf inner = { 0 };

	if (f->type == PROTOBUF_C_TYPE_MESSAGE) {
		add_varint(out, f->id << 3 | WIRE_BYTES);
		if (depth < DEPTH_MOST && (depth == 0 || strcmp(kind, "bare") != 0))
			add_message(&inner, f->descriptor, depth + 1);
		add_bytes(out, inner.data, inner.len);
		buf_free(&inner);
	} else if (strcmp(kind, "bare") == 0) {
		return;
	} else if (f->type == PROTOBUF_C_TYPE_STRING || f->type == PROTOBUF_C_TYPE_BYTES) {
		add_varint(out, f->id << 3 | WIRE_BYTES);
		add_wild_text(out, f->type == PROTOBUF_C_TYPE_STRING);
	} else if (f->type == PROTOBUF_C_TYPE_DOUBLE || f->type == PROTOBUF_C_TYPE_FIXED64) {
		add_varint(out, f->id << 3 | WIRE_64);
		buf_add(out, "\377\377\377\377\377\377\377\177", 8);
	} else if (f->type == PROTOBUF_C_TYPE_FLOAT || f->type == PROTOBUF_C_TYPE_FIXED32) {
		add_varint(out, f->id << 3 | WIRE_32);
		buf_add(out, "\377\377\377\177", 4);
	} else {
		add_varint(out, f->id << 3 | WIRE_VARINT);
		add_varint(out, f->type == PROTOBUF_C_TYPE_BOOL   ? 1
				: f->type == PROTOBUF_C_TYPE_ENUM ? INT32_MAX
								  : UINT64_MAX);
	}
}

static void add_message(struct buf *out, const ProtobufCMessageDescriptor *type, unsigned depth)
{
	for (unsigned i = 0; i < type->n_fields; i++)
		for (int twice = type->fields[i].label == PROTOBUF_C_LABEL_REPEATED; twice >= 0; twice--)
			add_value(out, &type->fields[i], depth);
}

/* Is a call left open? */
static bool says_nothing(unsigned method)
{
	return strcmp(kind, "silent") == 0 || (strcmp(kind, "brief") == 0 && method == RPC_FETCH_CVE);
}

static void add_answer(struct buf *out, struct frame f)
{
	struct buf message = { 0 };

	for (int closing = !rpc_is_stream(f.method); closing <= 1; closing++) {
		const ProtobufCMessageDescriptor *type = rpc_answer_type(f.method, closing);

		buf_reset(&message);
		f.status = closing ? FRAME_OK : FRAME_MORE;
		if (type)
			add_message(&message, type, 0);
		frame_write(out, f, buf_str(&message), message.len);
	}
	buf_free(&message);
}

static void greet(struct buf *out, struct frame f)
{
	VersionInfo me = VERSION_INFO__INIT;
	struct buf packed = { 0 };

	me.program = "badserver";
	me.has_protocol = true;
	me.protocol = RPC_PROTOCOL;
	pb_pack(&packed, &me.base);
	f.status = FRAME_OK;
	frame_write(out, f, packed.data, packed.len);
	buf_free(&packed);
}

static void put(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t k = send(fd, p, n, MSG_NOSIGNAL);

		if (k <= 0)
			exit(0);
		p += k;
		n -= (size_t)k;
	}
}

NORETURN static void serve(int fd)
{
	struct buf in = { 0 }, out = { 0 };
	struct frame f;
	size_t size;
	int err;

	for (;;) {
		ssize_t n = recv(fd, buf_reserve(&in, 65536), 65536, 0);

		if (n <= 0)
			exit(0);
		in.len += (size_t)n;
		for (size_t at = 0; frame_next(&in, at, FRAME_MOST, &f, &size, &err); at += size) {
			buf_reset(&out);
			if (f.method == RPC_VERSION)
				greet(&out, f);
			else if (f.status == FRAME_REQUEST && !says_nothing(f.method))
				add_answer(&out, f);
			if (f.method != RPC_VERSION && strcmp(kind, "cut") == 0) {
				put(fd, out.data, out.len / 2);
				exit(0);
			}
			put(fd, buf_str(&out), out.len);
		}
		buf_reset(&in);
	}
}

static int open_socket(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(addr.sun_path) || (fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) < 0)
		return -1;
	memcpy(addr.sun_path, path, strlen(path) + 1);
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0 && listen(fd, 16) == 0)
		return fd;
	close(fd);
	return -1;
}

int main(int argc, char **argv)
{
	int fd = argc == 3 ? open_socket(argv[1]) : -1;

	if (fd < 0) {
		fprintf(stderr, "badserver: cannot listen\n");
		return 1;
	}
	kind = argv[2];
	printf("listening\n");
	fflush(stdout);
	for (;;) {
		int client = accept(fd, NULL, NULL);

		if (client < 0)
			continue;
		if (fork() == 0)
			serve(client);
		close(client);
	}
}
