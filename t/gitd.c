/* The tests' git server on loopback: HTTP or HTTPS in front of `git http-backend`, which misbehaves on the requests that it is told. It
 * keeps each answer in memory, serves fetches alone, and ends with the test that started it.
 *
 * gitd --root DIR [--port-file FILE] [--log FILE] [--fault FROM:KIND[:BYTES]] [--user NAME:PASSWORD] [--cert FILE --key FILE]
 *
 * --log appends a line a request: method, target, wants, haves, bytes of the answer, the fault. Questions for packs (POST) count from
 * 1; from the one named in --fault on, KIND is what becomes of them: close (no answer), cut (the connection ends after BYTES of the
 * answer's body), hang (it falls silent after so many), or a status (503). --user asks for that name and password. */
#include "lib/buf.h"
#include "lib/err.h"
#include "lib/str.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <mbedtls/version.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define HEAD_MOST 65536

static struct {
	const char *root, *port_file, *log, *fault, *user, *cert, *key;
	unsigned long fault_from;
	size_t fault_bytes;
	unsigned long *posts; /* shared by the processes, one a connection */
	int log_fd;
	mbedtls_ssl_config tls;
	mbedtls_x509_crt chain;
	mbedtls_pk_context private;
	mbedtls_entropy_context entropy;
	mbedtls_ctr_drbg_context random;
} server = { .log_fd = -1 };

struct conn {
	int fd;
	mbedtls_ssl_context *tls; /* NULL: none */
	struct buf in;
};

struct request {
	char method[8], target[1024];
	size_t head, length; /* bytes of the head, and of the body behind it */
	const char *fault;   /* NULL: none */
};

NORETURN static void quit(const char *what, const char *why)
{
	fprintf(stderr, "gitd: %s: %s\n", what, why);
	exit(1);
}

/* ---- Bytes */

static ssize_t get(struct conn *c)
{
	char *to = buf_reserve(&c->in, 65536);
	ssize_t n = c->tls ? mbedtls_ssl_read(c->tls, (unsigned char *)to, 65536) : read(c->fd, to, 65536);

	if (n > 0)
		c->in.len += (size_t)n;
	return n;
}

static bool put(struct conn *c, const char *p, size_t n)
{
	while (n) {
		ssize_t k = c->tls ? mbedtls_ssl_write(c->tls, (const unsigned char *)p, n) : write(c->fd, p, n);

		if (k <= 0)
			return false;
		p += k;
		n -= (size_t)k;
	}
	return true;
}

/* ---- Requests */

/* The value of a header line, "" where there is none. */
static char *header(const char *head, const char *name)
{
	const char *at = strcasestr(head, name);

	return at ? xasprintf("%.*s", (int)strcspn(at + strlen(name), "\r\n"), at + strlen(name)) : xstrdup("");
}

/* False where the connection has ended. The head stays in front of the body, NUL-terminated. */
static bool read_request(struct conn *c, struct request *r)
{
	char *end, *length;

	while (!(end = c->in.len ? strstr(c->in.data, "\r\n\r\n") : NULL))
		if (c->in.len > HEAD_MOST || get(c) <= 0)
			return false;
	*r = (struct request){ .head = (size_t)(end - c->in.data) + 4 };
	c->in.data[r->head - 1] = '\0';
	if (sscanf(c->in.data, "%7s %1023s", r->method, r->target) != 2)
		return false;
	length = header(c->in.data, "\r\nContent-Length: ");
	r->length = strtoul(length, NULL, 10);
	free(length);
	while (c->in.len < r->head + r->length)
		if (get(c) <= 0)
			return false;
	return true;
}

static void forget_request(struct conn *c, const struct request *r)
{
	size_t used = r->head + r->length;

	memmove(c->in.data, c->in.data + used, c->in.len - used + 1);
	c->in.len -= used;
}

/* How many lines of the protocol begin with that word. */
static unsigned count(const char *body, size_t n, const char *word)
{
	unsigned lines = 0;

	for (const char *at = body; (at = memmem(at, n - (size_t)(at - body), word, strlen(word))); at++)
		lines++;
	return lines;
}

static void log_request(const struct conn *c, const struct request *r, size_t sent)
{
	const char *body = c->in.data + r->head;

	if (server.log_fd >= 0)
		dprintf(server.log_fd, "%s %s wants=%u haves=%u bytes=%zu fault=%s\n", r->method, r->target,
			count(body, r->length, "want "), count(body, r->length, "have "), sent,
			r->fault ? r->fault : "none");
}

/* ---- Answers */

static void be_backend(const struct conn *c, const struct request *r, int in, int out)
{
	char *query = strchrnul(r->target, '?'), *type = header(c->in.data, "\r\nContent-Type: ");
	char *coding = header(c->in.data, "\r\nContent-Encoding: "), length[32];

	snprintf(length, sizeof(length), "%zu", r->length);
	setenv("QUERY_STRING", *query ? query + 1 : "", 1);
	*query = '\0';
	setenv("PATH_INFO", r->target, 1);
	setenv("GIT_PROJECT_ROOT", server.root, 1);
	setenv("GIT_HTTP_EXPORT_ALL", "1", 1);
	setenv("REQUEST_METHOD", r->method, 1);
	setenv("CONTENT_TYPE", type, 1);
	setenv("CONTENT_LENGTH", length, 1);
	setenv("HTTP_CONTENT_ENCODING", coding, 1);
	setenv("REMOTE_ADDR", "127.0.0.1", 1);
	dup2(in, 0);
	dup2(out, 1);
	execlp("git", "git", "http-backend", (char *)NULL);
	_exit(127);
}

/* Runs the backend; what it prints goes to out. */
static bool ask_backend(const struct conn *c, const struct request *r, struct buf *out)
{
	const char *body = c->in.data + r->head;
	int to[2], from[2], code, err;
	size_t left = r->length;
	pid_t pid;

	if (pipe2(to, O_CLOEXEC) < 0 || pipe2(from, O_CLOEXEC) < 0 || (pid = fork()) < 0)
		return false;
	if (pid == 0)
		be_backend(c, r, to[0], from[1]);
	close(to[0]);
	close(from[1]);
	while (left) {
		ssize_t n = write(to[1], body + (r->length - left), left);

		if (n <= 0)
			break;
		left -= (size_t)n;
	}
	close(to[1]);
	err = buf_read_fd(out, from[0], 0);
	close(from[0]);
	return waitpid(pid, &code, 0) == pid && !err;
}

static bool answer_status(struct conn *c, const char *status, const char *more)
{
	char *text = xasprintf("HTTP/1.1 %s\r\n%sContent-Length: 0\r\n\r\n", status, more);
	bool sent = put(c, text, strlen(text));

	free(text);
	return sent;
}

static bool is_welcome(const struct conn *c)
{
	char *said = header(c->in.data, "\r\nAuthorization: Basic ");
	struct buf want = { 0 };
	bool good;

	if (server.user)
		str_base64(&want, server.user, strlen(server.user));
	good = !server.user || strcmp(buf_str(&want), said) == 0;
	buf_free(&want);
	free(said);
	return good;
}

/* A body that ends early, or after which nothing comes. */
static bool answer_part(struct conn *c, const struct request *r, const char *body, size_t n)
{
	n = MIN_OF(n, server.fault_bytes);
	put(c, body, n);
	log_request(c, r, n);
	while (strcmp(r->fault, "hang") == 0)
		pause();
	return false;
}

/* The headers of the backend become ours. False ends the connection. */
static bool answer_backend(struct conn *c, const struct request *r)
{
	struct buf out = { 0 }, head = { 0 };
	char *body, *status;
	bool more;
	size_t n;

	if (!ask_backend(c, r, &out) || !(body = strstr(buf_str(&out), "\r\n\r\n")))
		return answer_status(c, "500 Backend", "");
	*body = '\0';
	body += 4;
	n = out.len - (size_t)(body - out.data);
	status = header(out.data, "Status: ");
	buf_printf(&head, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n%s\r\n\r\n", *status ? status : "200 OK", n, out.data);
	more = put(c, head.data, head.len);
	if (r->fault) {
		more = answer_part(c, r, body, n);
	} else if (more) {
		/* The log comes first: who has the answer may look at it. */
		log_request(c, r, n);
		more = put(c, body, n);
	}
	free(status);
	buf_free(&head);
	buf_free(&out);
	return more;
}

static bool answer(struct conn *c, struct request *r)
{
	if (strcmp(r->method, "POST") == 0 && __atomic_add_fetch(server.posts, 1, __ATOMIC_SEQ_CST) >= server.fault_from)
		r->fault = server.fault;
	if (!is_welcome(c)) {
		log_request(c, r, 0);
		return answer_status(c, "401 Who", "WWW-Authenticate: Basic realm=\"git\"\r\n");
	}
	if (r->fault && strcmp(r->fault, "cut") != 0 && strcmp(r->fault, "hang") != 0) {
		log_request(c, r, 0);
		return strcmp(r->fault, "close") != 0 && answer_status(c, r->fault, "");
	}
	return answer_backend(c, r);
}

/* ---- Connections */

static bool shake_hands(struct conn *c, mbedtls_net_context *net, mbedtls_ssl_context *tls)
{
	mbedtls_ssl_init(tls);
	net->fd = c->fd;
	if (mbedtls_ssl_setup(tls, &server.tls))
		return false;
	mbedtls_ssl_set_bio(tls, net, mbedtls_net_send, mbedtls_net_recv, NULL);
	c->tls = tls;
	return mbedtls_ssl_handshake(tls) == 0;
}

NORETURN static void serve(int fd)
{
	struct conn c = { .fd = fd };
	mbedtls_net_context net;
	mbedtls_ssl_context tls;
	struct request r;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (server.cert && !shake_hands(&c, &net, &tls))
		_exit(0);
	while (read_request(&c, &r) && answer(&c, &r))
		forget_request(&c, &r);
	_exit(0);
}

static void load_tls(void)
{
	mbedtls_ssl_config_init(&server.tls);
	mbedtls_x509_crt_init(&server.chain);
	mbedtls_pk_init(&server.private);
	mbedtls_entropy_init(&server.entropy);
	mbedtls_ctr_drbg_init(&server.random);
	if (mbedtls_ctr_drbg_seed(&server.random, mbedtls_entropy_func, &server.entropy, NULL, 0) ||
	    mbedtls_x509_crt_parse_file(&server.chain, server.cert) ||
#if MBEDTLS_VERSION_MAJOR >= 3
	    mbedtls_pk_parse_keyfile(&server.private, server.key, NULL, mbedtls_ctr_drbg_random, &server.random) ||
#else
	    mbedtls_pk_parse_keyfile(&server.private, server.key, NULL) ||
#endif
	    mbedtls_ssl_config_defaults(&server.tls, MBEDTLS_SSL_IS_SERVER, MBEDTLS_SSL_TRANSPORT_STREAM,
					MBEDTLS_SSL_PRESET_DEFAULT) ||
	    mbedtls_ssl_conf_own_cert(&server.tls, &server.chain, &server.private))
		quit(server.cert, "cannot be used with its key");
	mbedtls_ssl_conf_rng(&server.tls, mbedtls_ctr_drbg_random, &server.random);
}

static int start_listening(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	FILE *f;

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, len) < 0 || listen(fd, 16) < 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &len) < 0)
		quit("listen", strerror(errno));
	if (server.port_file) {
		char *temporary = xasprintf("%s.new", server.port_file);

		if (!(f = fopen(temporary, "w")) || fprintf(f, "%u\n", ntohs(at.sin_port)) < 0 || fclose(f) != 0 ||
		    rename(temporary, server.port_file) < 0)
			quit(server.port_file, strerror(errno));
		free(temporary);
	}
	return fd;
}

static void read_fault(char *text)
{
	char *kind = strchr(text, ':'), *bytes = kind ? strchr(kind + 1, ':') : NULL;

	if (!kind)
		quit("--fault", "not FROM:KIND[:BYTES]");
	if (bytes)
		*bytes++ = '\0';
	server.fault_from = strtoul(text, NULL, 10);
	server.fault = kind + 1;
	server.fault_bytes = bytes ? strtoul(bytes, NULL, 10) : 0;
}

static void read_options(int argc, char **argv)
{
	static const struct option options[] = {
		{ "root", 1, NULL, 'r' }, { "port-file", 1, NULL, 'p' }, { "log", 1, NULL, 'l' }, { "fault", 1, NULL, 'f' },
		{ "user", 1, NULL, 'u' }, { "cert", 1, NULL, 'c' },      { "key", 1, NULL, 'k' }, { 0 },
	};
	const char **values[128] = {
		['r'] = &server.root, ['p'] = &server.port_file, ['l'] = &server.log,
		['u'] = &server.user, ['c'] = &server.cert,      ['k'] = &server.key,
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == '?')
			exit(2);
		if (c == 'f')
			read_fault(optarg);
		else
			*values[c] = optarg;
	}
	if (!server.root || !server.cert != !server.key || optind < argc)
		quit("usage",
		     "gitd --root DIR [--port-file FILE] [--log FILE] [--fault F] [--user U] [--cert FILE --key FILE]");
}

int main(int argc, char **argv)
{
	int fd;

	read_options(argc, argv);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	signal(SIGPIPE, SIG_IGN);
	if (server.log && (server.log_fd = open(server.log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) < 0)
		quit(server.log, strerror(errno));
	if (server.cert)
		load_tls();
	server.posts = mmap(NULL, sizeof(*server.posts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (server.posts == MAP_FAILED)
		quit("mmap", strerror(errno));
	fd = start_listening();
	for (;;) {
		int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
		pid_t pid = peer < 0 ? -1 : fork();

		if (pid == 0)
			serve(peer);
		if (peer >= 0)
			close(peer);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
}
