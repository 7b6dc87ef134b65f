/* What http.h promises, against a server that says what each test scripts and notes what it was asked. */
#include "tap.h"

#include "lib/arena.h"
#include "lib/err.h"
#include "lib/http.h"
#include "lib/log.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#define MIB ((size_t)1 << 20)
#define SECRET "s3cret-value"

#define OK_X "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"
#define STATUS(s) "HTTP/1.1 " s " Word\r\nContent-Length: 0\r\n\r\n"

/* None, and one after which the connection stays. */
static const char hang[] = "hang", keep[] = OK_X;

/* Shared with the server's process. */
static struct seen {
	unsigned n;
	bool reused; /* a second request came over a connection */
	char last[2048];
} * seen;

static struct arena *arena;
static pid_t server;
static int listener = -1, port;

static void say(int fd, const char *text, size_t n)
{
	while (n > 0) {
		ssize_t done = send(fd, text, n, MSG_NOSIGNAL);

		if (done <= 0)
			return;
		text += done;
		n -= (size_t)done;
	}
}

/* n zeros, compressed. */
static void say_packed(int fd, const char *zeros, size_t n)
{
	z_stream z = { 0 };
	static char packed[1 << 20];
	const char *head;

	deflateInit2(&z, 1, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY);
	z.next_out = (Bytef *)packed;
	z.avail_out = sizeof(packed);
	for (; n > 0; n -= MIN_OF(n, MIB)) {
		z.next_in = (Bytef *)(uintptr_t)zeros;
		z.avail_in = (uInt)MIN_OF(n, MIB);
		deflate(&z, n <= MIB ? Z_FINISH : Z_NO_FLUSH);
	}
	head = arena_printf(arena, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %lu\r\n\r\n", z.total_out);
	say(fd, head, strlen(head));
	say(fd, packed, z.total_out);
	deflateEnd(&z);
}

/* "plain N", "sized N", "packed N": N bytes, their number told only by the second; the third is compressed. Else the text itself. */
static void say_answer(int fd, const char *answer)
{
	static char zeros[1 << 20];
	size_t n = strtoul(answer + strcspn(answer, "0123456789"), NULL, 10);
	const char *head = "HTTP/1.1 200 OK\r\n\r\n";

	if (strncmp(answer, "packed ", 7) == 0) {
		say_packed(fd, zeros, n);
		return;
	}
	if (strncmp(answer, "plain ", 6) != 0 && strncmp(answer, "sized ", 6) != 0) {
		say(fd, answer, strlen(answer));
		return;
	}
	if (answer[0] == 's')
		head = arena_printf(arena, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", n);
	say(fd, head, strlen(head));
	for (; n > 0; n -= MIN_OF(n, MIB))
		say(fd, zeros, MIN_OF(n, MIB));
}

/* One connection after the other; the last answer is given for ever. */
NORETURN static void serve(const char *const *answers)
{
	char head[sizeof(seen->last)];

	for (;;) {
		int fd = accept(listener, NULL, NULL);
		size_t n = 0;
		ssize_t got;

		while (n < sizeof(head) - 1 && (got = recv(fd, head + n, sizeof(head) - 1 - n, 0)) > 0) {
			n += (size_t)got;
			head[n] = '\0';
			if (strstr(head, "\r\n\r\n"))
				break;
		}
		memcpy(seen->last, head, n + 1);
		seen->n++;
		if (*answers == hang)
			while (recv(fd, head, sizeof(head), 0) > 0)
				;
		else
			say_answer(fd, *answers);
		if (*answers == keep && recv(fd, head, sizeof(head), 0) > 0)
			seen->reused = true;
		close(fd);
		if (answers[1])
			answers++;
	}
}

/* Sets port, where the next server will be. */
static void open_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);

	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&at, len) || listen(listener, 16) ||
	    getsockname(listener, (struct sockaddr *)&at, &len)) {
		printf("Bail out! no socket on loopback\n");
		exit(1);
	}
	port = ntohs(at.sin_port);
}

/* answers ends with NULL. */
static void start(const char *const *answers)
{
	if (listener < 0)
		open_port();
	*seen = (struct seen){ 0 };
	fflush(stdout);
	server = fork();
	if (server == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(answers);
	}
	close(listener);
	listener = -1;
}

static void stop(void)
{
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
}

/* Patient enough for a slow machine, and quick. */
static struct http_how usual(void)
{
	return (struct http_how){ .timeout_ms = 20000, .tries = 3, .backoff_ms = 1, .user_agent = "test (agent)" };
}

static int fetch(const struct http_how *how, const char *url, struct http_answer *answer)
{
	struct http *h;
	int err = http_new(&h, how);

	*answer = (struct http_answer){ 0 };
	if (!err)
		err = http_get(h, url, answer);
	http_free(h);
	return err;
}

/* One http_get of a server with these answers. */
static int fetch_of(const struct http_how *how, struct http_answer *answer, const char *const *answers)
{
	int err;

	start(answers);
	err = fetch(how, arena_printf(arena, "http://127.0.0.1:%d/path?a=b", port), answer);
	stop();
	return err;
}
#define ANSWERS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void check_plain(void)
{
	struct http_how how = usual();
	struct http_answer a;

	how.header = "apiKey: " SECRET;
	is_int(fetch_of(&how, &a, ANSWERS(OK_X)), 0, "a plain answer");
	is_int(a.status, 200, "has its status");
	is_str(buf_str(&a.body), "x", "and its body");
	is_int(seen->n, 1, "after one request");
	ok(strstr(seen->last, "GET /path?a=b HTTP/1.1\r\n") == seen->last, "a GET of path and query");
	ok(strstr(seen->last, "\r\nUser-Agent: test (agent)\r\n") != NULL, "with the user agent");
	ok(strstr(seen->last, "\r\napiKey: " SECRET "\r\n") != NULL, "and the header");
	http_answer_free(&a);
	ok(!a.body.data && a.status == 0, "an answer is freed");
}

static void check_again(void)
{
	static const struct {
		const char *what, *answer;
	} passing[] = {
		{ "403", STATUS("403") },
		{ "429", STATUS("429") },
		{ "500", STATUS("500") },
		{ "503", STATUS("503") },
		{ "520", STATUS("520") },
		{ "a closed connection", "" },
		{ "half a body", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf" },
		{ "half a body in chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf" },
	};
	struct http_how how = usual();
	struct http_answer a;

	for (size_t i = 0; i < ARRAY_LEN(passing); i++) {
		is_int(fetch_of(&how, &a, ANSWERS(passing[i].answer, passing[i].answer, OK_X)), 0, passing[i].what);
		is_int(seen->n, 3, "  is tried again");
		is_str(buf_str(&a.body), "x", "  and nothing of it stays in the body");
		http_answer_free(&a);
		is_int(fetch_of(&how, &a, ANSWERS(passing[i].answer)), ERR_NET, "  but not for ever");
		is_int(seen->n, 3, "  only as often as was said");
		ok(strstr(err_text(), "127.0.0.1") && strstr(err_text(), "3 tries"), "  and the text says so");
		ok(a.status == 0 || strstr(err_text(), arena_printf(arena, "answers %d", a.status)),
		   "  with the status, if any");
		http_answer_free(&a);
	}
}

static void check_at_once(void)
{
	static const char *const final[] = { STATUS("400"), STATUS("401"), STATUS("204"), STATUS("410") };
	struct http_how how = usual();
	struct http_answer a;

	is_int(fetch_of(&how, &a, ANSWERS("HTTP/1.1 404 No\r\nMessage: Invalid apiKey.\r\nContent-Length: 0\r\n\r\n")), 0,
	       "404 is an answer");
	is_int(a.status, 404, "with its status");
	is_str(a.message, "Invalid apiKey.", "and NVD's message");
	is_int(seen->n, 1, "at once");
	http_answer_free(&a);
	is_int(fetch_of(&how, &a, ANSWERS("SSH-2.0-server\r\n")), ERR_NET, "what is no HTTP is an error");
	is_int(seen->n, 1, "at once");
	http_answer_free(&a);
	for (size_t i = 0; i < ARRAY_LEN(final); i++) {
		is_int(fetch_of(&how, &a, ANSWERS(final[i])), ERR_NET, "other statuses are errors");
		is_int(seen->n, 1, "at once");
		ok(strstr(err_text(), arena_printf(arena, "127.0.0.1 answers %d", a.status)) != NULL,
		   "with host and status");
		http_answer_free(&a);
	}
}

static void check_message(void)
{
	struct http_how how = usual();
	struct http_answer a;
	char *answer, many[400];

	is_int(fetch_of(&how, &a, ANSWERS("HTTP/1.1 503 No\r\nmessage: red\x1b[31m \xff\r\nContent-Length: 0\r\n\r\n")),
	       ERR_NET, "a message of a refusal");
	is_str(a.message, "red\\x1b[31m \\xff", "is made printable");
	ok(strstr(err_text(), "503: red\\x1b[31m") != NULL, "and is in the text");
	http_answer_free(&a);
	is_int(fetch_of(&how, &a, ANSWERS("HTTP/1.1 503 No\r\nmessage: old\r\nContent-Length: 0\r\n\r\n", OK_X)), 0,
	       "an answer without");
	is_str(a.message, "", "does not keep that of an earlier try");
	http_answer_free(&a);

	/* The first of the two characters ends at 255 bytes; with one more byte before it, it would be cut. */
	memset(many, 'x', 252);
	memcpy(many + 252, "\xe2\x82\xac\xe2\x82\xac", 7);
	answer = arena_printf(arena, "HTTP/1.1 404 No\r\nmessage: %s\r\nContent-Length: 0\r\n\r\n", many);
	fetch_of(&how, &a, ANSWERS(answer));
	is_int((long long)strlen(a.message), 255, "a long message is cut");
	http_answer_free(&a);
	answer = arena_printf(arena, "HTTP/1.1 404 No\r\nmessage: x%s\r\nContent-Length: 0\r\n\r\n", many);
	fetch_of(&how, &a, ANSWERS(answer));
	is_int((long long)strlen(a.message), 253, "between two characters");
	http_answer_free(&a);
}

static void check_secret(void)
{
	struct http_how how = usual();
	struct http_answer a;
	struct http *h;

	how.tries = 1;
	how.header = "apiKey: " SECRET;
	is_int(fetch_of(&how, &a, ANSWERS("HTTP/1.1 403 No\r\nmessage: bad " SECRET ".\r\nContent-Length: 0\r\n\r\n")),
	       ERR_NET, "a server that echoes the key");
	is_str(a.message, "bad ************.", "does not get it into the message");
	ok(!strstr(err_text(), SECRET), "nor into the text");
	http_answer_free(&a);
	how.header = "apiKey: " SECRET "\r\nHost: elsewhere";
	is_int(http_new(&h, &how), ERR_INPUT, "a header of two lines is refused");
	ok(!h && !strstr(err_text(), SECRET), "without showing it");
	how.header = SECRET;
	is_int(http_new(&h, &how), ERR_INPUT, "and one without a name");
	ok(!strstr(err_text(), SECRET), "without showing it");
}

/* Lower bounds are exact but for a millisecond of rounding a wait; upper ones leave a slow machine much room. */
static void check_times(void)
{
	struct http_how how = usual();
	struct http_answer a = { 0 };
	uint64_t began;
	struct http *h;
	const char *url;

	how.pause_ms = 100;
	start(ANSWERS(keep));
	url = arena_printf(arena, "http://127.0.0.1:%d/", port);
	http_new(&h, &how);
	began = now_ms();
	for (int i = 0; i < 3; i++)
		http_get(h, url, &a);
	ok(now_ms() - began >= 198, "there is a pause between requests");
	http_free(h);
	http_answer_free(&a);
	stop();
	is_int(seen->n, 3, "of which there were three");
	ok(!seen->reused, "each over a connection of its own");

	began = now_ms();
	fetch_of(&how, &a, ANSWERS(STATUS("503")));
	ok(now_ms() - began >= 198, "and between tries");

	how = usual();
	how.backoff_ms = 40;
	how.tries = 4;
	began = now_ms();
	fetch_of(&how, &a, ANSWERS(STATUS("503")));
	ok(now_ms() - began >= 207, "the wait between tries doubles");

	how.tries = 13;
	how.backoff_ms = 2;
	began = now_ms();
	fetch_of(&how, &a, ANSWERS(STATUS("503")));
	ok(now_ms() - began < 4000, "up to 32 times the first");
	is_int(seen->n, 13, "with as many tries as were said");
	how.tries = 100;
	how.backoff_ms = 0;
	fetch_of(&how, &a, ANSWERS(STATUS("503")));
	is_int(seen->n, 100, "which may be many");

	how.tries = 2;
	how.backoff_ms = 100;
	began = now_ms();
	fetch_of(&how, &a, ANSWERS("HTTP/1.1 429 No\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"));
	ok(now_ms() - began >= 999, "Retry-After is honoured");
	how.backoff_ms = 5;
	began = now_ms();
	fetch_of(&how, &a, ANSWERS("HTTP/1.1 429 No\r\nRetry-After: 86400\r\nContent-Length: 0\r\n\r\n"));
	ok(now_ms() - began >= 159 && now_ms() - began < 20000, "but not beyond 32 times the first wait");

	how = usual();
	how.timeout_ms = 300;
	start(ANSWERS(hang));
	began = now_ms();
	is_int(fetch(&how, arena_printf(arena, "http://127.0.0.1:%d/path?a=b", port), &a), ERR_NET,
	       "a server that does not answer");
	ok(now_ms() - began >= 899 && now_ms() - began < 60000, "has its time");
	/* It may see what came only after the client has given up. */
	for (unsigned i = 0; i < 2000 && __atomic_load_n(&seen->n, __ATOMIC_ACQUIRE) < 3; i++)
		usleep(10000);
	stop();
	is_int(seen->n, 3, "at each try");
	is_int(a.status, 0, "and there is no status");
}

static void check_limit(void)
{
	static const char *const kinds[] = { "plain", "sized", "packed" };
	struct http_how how = usual();
	struct http_answer a;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		is_int(fetch_of(&how, &a, ANSWERS(arena_printf(arena, "%s 67108864", kinds[i]))), 0, kinds[i]);
		is_int((long long)a.body.len, 64 * (long long)MIB, "  a body of 64 MiB is read");
		http_answer_free(&a);
		is_int(fetch_of(&how, &a, ANSWERS(arena_printf(arena, "%s 67108865", kinds[i]))), ERR_NET,
		       "  a byte more is refused");
		ok(a.body.len <= 64 * MIB, "  and not kept");
		ok(strstr(err_text(), "64 MiB") != NULL, "  the text says why");
		is_int(seen->n, 1, "  and it is not tried again");
		http_answer_free(&a);
	}
	is_int(fetch_of(&how, &a, ANSWERS("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nx")), ERR_NET,
	       "a length that is too large");
	ok(strstr(err_text(), "64 MiB") != NULL, "is refused for the same reason");
	is_int(seen->n, 1, "at once");
	http_answer_free(&a);
}

static int redirected(struct http_answer *a, const char *to, bool with_port, uint64_t timeout_ms)
{
	struct http_how how = usual();
	const char *answer;

	open_port();
	if (with_port)
		to = arena_printf(arena, "%s:%d/", to, port);
	answer = arena_printf(arena, "HTTP/1.1 302 There\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", to);
	how.header = "apiKey: " SECRET;
	how.timeout_ms = timeout_ms;
	how.tries = 1;
	return fetch_of(&how, a, ANSWERS(answer, OK_X));
}

static void check_redirects(void)
{
	static const char *const elsewhere[] = { "http://localhost:1/", "http://127.0.0.1:1/", "//127.0.0.2/",
						 "https://localhost/",  "file:///etc/passwd",  "ftp://127.0.0.1/" };
	struct http_how how = usual();
	struct http_answer a;

	is_int(redirected(&a, "/other?c=d", false, 20000), 0, "a redirect within the host");
	is_str(buf_str(&a.body), "x", "leads to the answer");
	ok(strstr(seen->last, "GET /other?c=d ") == seen->last, "at the other path");
	ok(strstr(seen->last, SECRET) != NULL, "with the header");
	http_answer_free(&a);
	is_int(redirected(&a, "http://localhost", true, 20000), ERR_NET, "one to another name of the host");
	is_int(seen->n, 1, "is not followed");
	http_answer_free(&a);
	is_int(redirected(&a, "https://127.0.0.1", true, 200), ERR_NET, "one to https, which nobody speaks there,");
	ok(!strstr(err_text(), "redirect"), "is followed");
	http_answer_free(&a);
	for (size_t i = 0; i < ARRAY_LEN(elsewhere); i++) {
		is_int(redirected(&a, elsewhere[i], false, 20000), ERR_NET, elsewhere[i]);
		is_int(seen->n, 1, "  is not followed");
		ok(strstr(err_text(), "answers 302: a redirect") != NULL, "  as the text says");
		http_answer_free(&a);
	}
	is_int(fetch_of(&how, &a, ANSWERS("HTTP/1.1 301 There\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n")), ERR_NET,
	       "redirects in a circle");
	is_int(seen->n, 6, "end after five");
	http_answer_free(&a);
}

static void check_places(void)
{
	static const char *const no[] = { "file:///etc/passwd", "ftp://127.0.0.1/x", "127.0.0.1/x", "", "http://",
					  "http://a b/" };
	struct http_how how = usual();
	struct http_answer a;
	const char *url;

	for (size_t i = 0; i < ARRAY_LEN(no); i++) {
		is_int(fetch(&how, no[i], &a), ERR_INPUT, arena_printf(arena, "'%s' is refused", no[i]));
		ok(a.status == 0 && !a.body.len, "and not read");
	}
	start(ANSWERS(OK_X));
	stop();
	url = arena_printf(arena, "http://127.0.0.1:%d/", port);
	is_int(fetch(&how, url, &a), ERR_NET, "nobody listens");
	is_int(a.status, 0, "there is no status");
	ok(strstr(err_text(), "127.0.0.1") && strstr(err_text(), "3 tries"), "the text names the host");
}

static void check_ca_file(void)
{
	char path[] = "/tmp/tuxtape-http-XXXXXX";
	struct http_how how = usual();
	struct http_answer a;
	struct http *h;
	int fd = mkstemp(path);

	how.ca_file = "/nonexistent/ca.pem";
	is_int(http_new(&h, &how), ERR_NOTFOUND, "a ca_file that is not there");
	ok(!h && strstr(err_text(), how.ca_file) != NULL, "is named");
	how.ca_file = "/tmp";
	is_int(http_new(&h, &how), ERR_INPUT, "a directory is none");
	how.ca_file = path;
	is_int(http_new(&h, &how), ERR_INPUT, "nor is an empty file");
	ok(strstr(err_text(), "PEM") != NULL, "as the text says");
	ok(write(fd, "-----BEGIN CERTIFICATE-----\n", 28) == 28, "a file that only looks like one");
	start(ANSWERS(OK_X));
	is_int(fetch(&how, arena_printf(arena, "https://127.0.0.1:%d/", port), &a), ERR_NET, "is found out by https");
	stop();
	ok(strstr(err_text(), path) && !strstr(err_text(), "tries"), "is named, and not tried again");
	unlink(path);
	close(fd);
}

int main(void)
{
	arena = arena_new(0);
	seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	setenv("no_proxy", "*", 1);
	check_plain();
	check_again();
	check_at_once();
	check_message();
	check_secret();
	check_times();
	check_limit();
	check_redirects();
	check_places();
	check_ca_file();
	http_free(NULL);
	arena_free(arena);
	return done();
}
