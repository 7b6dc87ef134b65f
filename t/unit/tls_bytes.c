/* The bytes of a connection, plain and TLS: in all sizes, to the end, from those who speak something else, and later doubts. */
#include "tls_world.h"

#include <sys/ioctl.h>

/* ---- Ends that do not speak the same */

static int read_one(struct tls *t)
{
	char byte;
	size_t got = 0;
	int err = 0;

	while (!err && !got) {
		usleep(1000);
		err = tls_read(t, &byte, 1, &got);
	}
	return err;
}

/* Stays until the peer has spoken, too: who leaves at once may be gone before the peer has read. */
static int say_hello(struct tls *t)
{
	int err = tls_write(t, "\0\0\0\4\0\0\0\1\0\0\0\0", 12, PATIENCE);

	return err ? err : read_one(t);
}

/* A TLS server that is sent these bytes by something else. */
static void feed(const char *bytes, size_t n, bool close_it, struct outcome *o)
{
	struct tls_conf *conf = conf_of(true, "server", "ca", NULL);
	int ends[2];
	struct other other = start(ends, conf, NULL);

	if (send(ends[0], bytes, n, MSG_NOSIGNAL) != (ssize_t)n)
		ok(false, "send");
	if (close_it)
		close(ends[0]);
	finish(other, o);
	if (!close_it)
		close(ends[0]);
	tls_conf_free(conf);
}

static void test_mismatch(void)
{
	static const char hello[] = "\x16\x03\x01\x00\xf0\x01\x00\x00\xec\x03\x03";
	struct tls_conf *conf = conf_of(false, "alice", "ca", NULL);
	struct outcome o;
	struct tls *t;
	struct other other;
	int ends[2];

	feed("GET / HTTP/1.1\r\n\r\n", 18, false, &o);
	has(&o, ERR_PEER, "plain text where TLS was expected", "a browser at a TLS server");
	feed("\0\0\0\4\0\0\0\1\0\0\0\0abcd", 16, false, &o);
	has(&o, ERR_PEER, "plain text where TLS was expected", "our own plain client at a TLS server");
	feed("\xff\xfe\xfd\xfc\xfb\xfa\xf9", 7, false, &o);
	has(&o, ERR_PEER, "neither TLS nor text: the first byte is 0xff", "garbage at a TLS server");
	feed("\x16\x03\x01\x00\x05"
	     "abcde",
	     10, false, &o);
	has(&o, ERR_PEER, "TLS handshake", "a record that holds garbage");
	feed("\x16\x03\x01\xff\xff\x01", 6, false, &o);
	has(&o, ERR_PEER, "TLS handshake", "a record that is too long");
	feed(hello, sizeof(hello) - 1, true, &o);
	has(&o, ERR_NET, "closed during the TLS handshake", "half a hello and an end");
	feed("", 0, true, &o);
	has(&o, ERR_NET, "closed during the TLS handshake", "an end at once");

	other = start(ends, NULL, read_one);
	if (!tls_open(&t, ends[0], conf, "localhost"))
		note(&o, tls_handshake(t, PATIENCE), t);
	has(&o, ERR_NET, "is TLS spoken there?", "TLS at a plain server: the client");
	tls_close(t);
	finish(other, &o);
	has(&o, ERR_PEER, "TLS where plain text was expected", "TLS at a plain server: the server");

	other = start(ends, NULL, say_hello);
	if (!tls_open(&t, ends[0], conf, "localhost"))
		note(&o, tls_handshake(t, PATIENCE), t);
	has(&o, ERR_PEER, "plain text where TLS was expected", "a server that greets in plain text");
	tls_close(t);
	finish(other, &o);
	tls_conf_free(conf);
}

static void test_silence(void)
{
	static const char hello[] = "\x16\x03\x01\x00\xf0\x01\x00\x00\xec\x03\x03";
	struct tls_conf *conf = conf_of(true, "server", "ca", NULL);
	uint64_t before = now_ms();
	struct outcome o;
	struct tls *t;
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0 || tls_open(&t, ends[0], conf, NULL))
		return;
	if (write(ends[1], hello, sizeof(hello) - 1) < 0)
		ok(false, "write");
	note(&o, tls_handshake(t, 50), t);
	has(&o, ERR_NET, "no TLS handshake within 50 ms", "half a hello and silence");
	ok(now_ms() - before >= 50, "  is waited for");
	tls_close(t);
	close(ends[1]);
	tls_conf_free(conf);
}

/* What a client says first: the name that it dialled, where it is one. */
static bool hello_names(const char *host)
{
	struct tls_conf *conf = conf_of(false, NULL, "ca", NULL);
	char hello[4096];
	ssize_t n = 0;
	struct tls *t;
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0 && !tls_open(&t, ends[0], conf, host)) {
		tls_handshake(t, 1);
		n = recv(ends[1], hello, sizeof(hello), MSG_DONTWAIT);
		tls_close(t);
		close(ends[1]);
	}
	tls_conf_free(conf);
	return n > 0 && memmem(hello, (size_t)n, host, strlen(host));
}

static void test_hello(void)
{
	ok(hello_names("localhost"), "a name is said to the server");
	ok(!hello_names("127.0.0.1") && !hello_names("::1"), "a number is not");
}

/* ---- Bytes */

#define LARGE (3u << 20)
static unsigned char large[LARGE], back[LARGE];

static bool read_all(struct tls *t, unsigned char *to, size_t n)
{
	while (n) {
		size_t got;

		if (tls_read(t, to, MIN_OF(n, (size_t)100000), &got))
			return false;
		to += got;
		n -= got;
		if (!got)
			usleep(200);
	}
	return true;
}

/* Reads all of it, then sends it back in pieces of many sizes, and parts. */
static int echo(struct tls *t)
{
	if (!read_all(t, back, LARGE))
		return ERR_NET;
	for (size_t at = 0, n = 1; at < LARGE; at += n, n = n * 5 % 70001 + 1)
		if (tls_write(t, back + at, MIN_OF(n, LARGE - at), PATIENCE))
			return ERR_NET;
	return 0;
}

static void test_bytes(bool plain)
{
	struct tls_conf *server = plain ? NULL : conf_of(true, "server", "ca", NULL);
	struct tls_conf *client = plain ? NULL : conf_of(false, "alice", "ca", NULL);
	struct outcome o;
	struct tls *t;
	int ends[2];
	struct other other = start(ends, server, echo);
	size_t got;
	char byte;

	for (size_t i = 0; i < LARGE; i++)
		large[i] = (unsigned char)(i * 2654435761u >> 13);
	memset(back, 0, LARGE);
	ok(!tls_open(&t, ends[0], client, "localhost") && !tls_handshake(t, PATIENCE), "%s: open", plain ? "plain" : "TLS");
	ok(!tls_write(t, large, LARGE, PATIENCE), "  a large write");
	ok(read_all(t, back, LARGE), "  comes back");
	ok(memcmp(large, back, LARGE) == 0, "  unchanged");
	finish(other, &o);
	has(&o, 0, "", "  the other end is content");
	while (!tls_read(t, &byte, 1, &got) && !got)
		usleep(200);
	is_int(tls_read(t, &byte, 1, &got), ERR_NET, "  then it is closed");
	is_str(err_text(), "closed", "  that is said");
	ok(tls_write(t, large, LARGE, PATIENCE) == ERR_NET, "  and nothing can be written any more");
	tls_close(t);
	tls_conf_free(server);
	tls_conf_free(client);
}

static int write_three(struct tls *t)
{
	char byte;
	size_t got = 0;

	if (read_one(t) || tls_write(t, "0123456789", 10, PATIENCE) || tls_write(t, "abc", 3, PATIENCE) ||
	    tls_write(t, "xyz", 3, PATIENCE))
		return ERR_NET;
	/* Until the first end has looked at it all. */
	while (!tls_read(t, &byte, 1, &got) && !got)
		usleep(200);
	return 0;
}

static void test_pending(void)
{
	struct tls_conf *server = conf_of(true, "server", NULL, NULL), *client = conf_of(false, NULL, "ca", NULL);
	struct outcome o;
	struct tls *t;
	int ends[2];
	struct other other = start(ends, server, write_three);
	char text[32] = "";
	size_t got = 0, all;

	ok(!tls_open(&t, ends[0], client, "localhost") && !tls_handshake(t, PATIENCE), "pending: open");
	ok(!tls_write(t, "?", 1, PATIENCE), "ask");
	/* The three records are there before the first is read. */
	for (int received = 0; received < 16 + 3 * 21;) {
		usleep(200);
		ioctl(ends[0], FIONREAD, &received);
	}
	ok(!tls_read(t, text, 4, &got) && got == 4 && tls_pending(t), "half a record is read: the rest is pending");
	ok(!tls_read(t, text + 4, 6, &got) && got == 6 && tls_pending(t), "a whole record is read: the next one is pending");
	ok(!tls_read(t, text + 10, 5, &got) && got == 5 && tls_pending(t), "all but a byte is read: that is pending");
	for (all = 15; all < 16; all += got)
		if (tls_read(t, text + all, sizeof(text) - 1 - all, &got))
			break;
	is_str(text, "0123456789abcxyz", "several records in one read");
	ok(!tls_pending(t), "nothing is pending then");
	ok(!tls_read(t, text, 1, &got) && got == 0, "and nothing is there");
	ok(!tls_write(t, "!", 1, PATIENCE), "go");
	finish(other, &o);
	tls_close(t);
	tls_conf_free(server);
	tls_conf_free(client);
}

/* It is killed in the end. */
static int never_read(struct tls *t UNUSED)
{
	for (int slept = 0; slept < 60; slept++)
		sleep(1);
	return 0;
}

static void test_stall(bool plain)
{
	struct tls_conf *server = plain ? NULL : conf_of(true, "server", NULL, NULL);
	struct tls_conf *client = plain ? NULL : conf_of(false, NULL, "ca", NULL);
	struct outcome o;
	struct tls *t;
	int ends[2];
	struct other other = start(ends, server, never_read);
	uint64_t before;

	ok(!tls_open(&t, ends[0], client, "localhost") && !tls_handshake(t, PATIENCE), "stall: open");
	before = now_ms();
	note(&o, tls_write(t, large, LARGE, 100), t);
	has(&o, ERR_NET, "takes nothing for 100 ms", "a peer that does not read");
	ok(now_ms() - before >= 100 && now_ms() - before < 5000, "  is waited for no longer");
	tls_close(t);
	kill(other.pid, SIGKILL);
	finish(other, &o);
	tls_conf_free(server);
	tls_conf_free(client);
}

static int garble(struct tls *t)
{
	return send(tls_fd(t), "\x17\x03\x03\x00\x20 no one has ever encrypted this", 37, MSG_NOSIGNAL) == 37 ? 0 : ERR_SYS;
}

static int cut(struct tls *t)
{
	int err = tls_write(t, "last words", 10, PATIENCE);

	shutdown(tls_fd(t), SHUT_RDWR);
	return err;
}

static void test_ends(void)
{
	struct tls_conf *server = conf_of(true, "server", NULL, NULL), *client = conf_of(false, NULL, "ca", NULL);
	struct outcome o;
	struct tls *t;
	int ends[2];
	struct other other = start(ends, server, garble);
	char text[32] = "";
	size_t got;

	ok(!tls_open(&t, ends[0], client, "localhost") && !tls_handshake(t, PATIENCE), "garbage: open");
	is_int(read_one(t), ERR_PEER, "garbage in the middle");
	is_int(tls_read(t, text, 1, &got), ERR_PEER, "  is not forgotten");
	finish(other, &o);
	tls_close(t);
	other = start(ends, server, cut);
	ok(!tls_open(&t, ends[0], client, "localhost") && !tls_handshake(t, PATIENCE), "cut: open");
	finish(other, &o);
	ok(!tls_read(t, text, sizeof(text) - 1, &got) && got == 10, "what came before the cut is read");
	is_int(tls_read(t, text, 1, &got), ERR_NET, "then it is closed");
	tls_close(t);
	tls_close(NULL);
	tls_conf_free(server);
	tls_conf_free(client);
	tls_conf_free(NULL);
}

/* ---- Later doubts. Here the first end is the server's, so that it can look again at its client. */

static void test_recheck(void)
{
	struct tls_conf *server = conf_of(true, "server", "ca", NULL), *client = conf_of(false, "bob", "ca", NULL), *newer;
	struct outcome o;
	struct tls *t, *c;
	int ends[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
		return;
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		alarm(60);
		close(ends[0]);
		_exit(tls_open(&c, ends[1], client, "localhost") || tls_handshake(c, PATIENCE) || read_one(c));
	}
	close(ends[1]);
	ok(!tls_open(&t, ends[0], server, NULL) && !tls_handshake(t, PATIENCE), "recheck: open");
	is_int(tls_recheck(t, server), 0, "by the same conf bob holds");
	newer = conf_of(true, "server", "ca", "empty.crl");
	is_int(tls_recheck(t, newer), 0, "by a list without him, too");
	tls_conf_free(newer);
	newer = conf_of(true, "server", "ca", "bob.crl");
	note(&o, tls_recheck(t, newer), t);
	has(&o, ERR_DENIED, "CN=bob, OU=author has been revoked", "by a list with him no longer");
	tls_conf_free(newer);
	newer = conf_of(true, "server", "other", NULL);
	note(&o, tls_recheck(t, newer), t);
	has(&o, ERR_DENIED, "signed by somebody else", "by another CA no longer");
	tls_conf_free(newer);
	ok(!tls_write(t, "!", 1, PATIENCE), "the connection still works");
	tls_close(t);
	waitpid(pid, NULL, 0);
	tls_conf_free(server);
	tls_conf_free(client);
}

int main(void)
{
	begin();
	test_mismatch();
	test_silence();
	test_hello();
	test_bytes(false);
	test_bytes(true);
	test_pending();
	test_stall(false);
	test_stall(true);
	test_ends();
	test_recheck();
	return end();
}
