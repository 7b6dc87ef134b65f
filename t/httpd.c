/* The tests' HTTP server on loopback. It plays NVD's API 2.0 from a file with a record a line, and misbehaves on the requests that it
 * is told. It refuses any method but GET, and ends with the test that started it.
 *
 * httpd --nvd FILE [--port N] [--port-file FILE] [--log FILE] [--fault FROM[-TO]:KIND] [--page-max N] [--key KEY]
 *
 * Requests count from 1. --log appends a line a request: number, target, key=yes or key=no, the fault. --page-max answers 404 to
 * larger pages. --key refuses other keys as NVD does, none is fine. Kinds: a status (503), 429now (429 with Retry-After 0), 429
 * (Retry-After 1), half (a body cut off), halfjson (a complete answer with half a document), junk (a page that is no JSON), close
 * (no answer), hang (none, and the connection stays). */
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/err.h"
#include "lib/str.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PATH "/rest/json/cves/2.0"
#define HEAD_MOST 65536
#define CONNS_MOST 64
#define PAGE_MOST 2000
#define WINDOW_MOST ((int64_t)120 * 86400)

struct span {
	const char *at;
	size_t len;
};

struct record {
	struct span text, source;
	int64_t modified;
};

struct conn {
	int fd;
	struct buf in, out;
	size_t sent;
	bool ends, hangs; /* after what is to be sent; without an answer */
};

static struct {
	struct record *records;
	size_t n_records;
	struct conn conns[CONNS_MOST];
	size_t n_conns;
	unsigned long requests, page_max, fault_from, fault_to;
	const char *nvd, *port, *port_file, *log, *key, *fault;
	int log_fd;
} server = { .page_max = PAGE_MOST, .port = "0", .log_fd = -1 };

NORETURN static void quit(const char *what, const char *why)
{
	fprintf(stderr, "httpd: %s: %s\n", what, why);
	exit(1);
}

/* ---- Records */

/* The string value of the first member of that name: in NVD's records those of the CVE stand before all that hold free text. */
static struct span member(const char *line, const char *name)
{
	const char *at = strstr(line, name);

	if (!at)
		return (struct span){ "", 0 };
	at += strlen(name);
	at += strspn(at, ": \"");
	return (struct span){ at, strcspn(at, "\"") };
}

static bool span_is(struct span s, const char *text)
{
	return strlen(text) == s.len && memcmp(s.at, text, s.len) == 0;
}

static void add_record(const char *line, size_t len)
{
	struct span modified = member(line, "\"lastModified\"");
	struct record *r;
	char when[64];

	server.records = xrealloc(server.records, (server.n_records + 1) * sizeof(*r));
	r = &server.records[server.n_records++];
	*r = (struct record){ { line, len }, member(line, "\"sourceIdentifier\"") };
	snprintf(when, sizeof(when), "%.*s", (int)modified.len, modified.at);
	if (!clock_parse(when, &r->modified))
		quit(server.nvd, "a record without lastModified");
}

static void load_records(void)
{
	static struct buf text;
	char *line, *end;

	if (buf_read_file(&text, server.nvd, 0))
		quit("--nvd", err_text());
	for (line = text.data; line && *line; line = end + 1) {
		end = strchrnul(line, '\n');
		if (!*end)
			break;
		*end = '\0';
		add_record(line, (size_t)(end - line));
	}
	if (line && *line)
		quit(server.nvd, "the last line has no end");
}

/* ---- The API */

enum { SOURCE, START, PER_PAGE, FROM, TO, PARAMETERS };
static const char *const names[PARAMETERS] = {
	[SOURCE] = "sourceIdentifier", [START] = "startIndex",  [PER_PAGE] = "resultsPerPage",
	[FROM] = "lastModStartDate",   [TO] = "lastModEndDate",
};

struct query {
	char *value[PARAMETERS];
	uint64_t start, per_page;
	int64_t from, to;
};

/* In place: %XX and '+'. */
static void decode(char *text)
{
	char *to = text, hex[3] = "";

	for (; *text; text++) {
		if (*text == '%' && text[1] && text[2]) {
			memcpy(hex, text + 1, 2);
			*to++ = (char)strtoul(hex, NULL, 16);
			text += 2;
		} else {
			*to++ = *text == '+' ? ' ' : *text;
		}
	}
	*to = '\0';
}

/* Returns what is wrong with the query, or NULL. */
static const char *read_query(char *text, struct query *q)
{
	char *pair, *value;
	int i;

	*q = (struct query){ .per_page = PAGE_MOST, .to = INT64_MAX, .from = INT64_MIN };
	while ((pair = strsep(&text, "&"))) {
		value = strchrnul(pair, '=');
		if (*value)
			*value++ = '\0';
		for (i = 0; i < PARAMETERS && strcmp(pair, names[i]) != 0; i++)
			;
		if (i == PARAMETERS)
			return "unknown parameter";
		decode(value);
		q->value[i] = value;
	}
	if (q->value[START] && !str_to_u64(q->value[START], UINT32_MAX, &q->start))
		return names[START];
	if (q->value[PER_PAGE] && (!str_to_u64(q->value[PER_PAGE], PAGE_MOST, &q->per_page) || q->per_page == 0))
		return names[PER_PAGE];
	if (!q->value[FROM] != !q->value[TO])
		return "lastModStartDate and lastModEndDate go together";
	if (q->value[FROM] && (!clock_parse(q->value[FROM], &q->from) || !clock_parse(q->value[TO], &q->to) ||
			       q->to < q->from || q->to - q->from > WINDOW_MOST))
		return "lastModStartDate and lastModEndDate span 120 days at most";
	return NULL;
}

static bool is_wanted(const struct record *r, const struct query *q)
{
	return (!q->value[SOURCE] || span_is(r->source, q->value[SOURCE])) && r->modified >= q->from && r->modified <= q->to;
}

static void print_page(struct buf *out, const struct query *q)
{
	struct buf list = { 0 };
	size_t total = 0, shown = 0;
	struct timespec now;
	char when[CLOCK_TEXT];

	for (size_t i = 0; i < server.n_records; i++) {
		const struct record *r = &server.records[i];

		if (!is_wanted(r, q))
			continue;
		if (total >= q->start && shown < q->per_page) {
			if (shown++)
				buf_addc(&list, ',');
			buf_add(&list, r->text.at, r->text.len);
		}
		total++;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	when[strcspn(clock_print(when, now.tv_sec), "Z")] = '\0';
	buf_printf(out, "{\"resultsPerPage\":%zu,\"startIndex\":%llu,\"totalResults\":%zu,", shown,
		   (unsigned long long)q->start, total);
	buf_printf(out, "\"format\":\"NVD_CVE\",\"version\":\"2.0\",\"timestamp\":\"%s.%03ld\",\"vulnerabilities\":[", when,
		   now.tv_nsec / 1000000);
	buf_add(out, buf_str(&list), list.len);
	buf_adds(out, "]}");
	buf_free(&list);
}

/* ---- Answers */

/* NVD's errors have an empty body; the text, if any, is in a header. */
static void refuse(struct conn *c, unsigned status, const char *header)
{
	buf_printf(&c->out, "HTTP/1.1 %u Refused\r\n%sContent-Length: 0\r\n\r\n", status, header);
}

static void answer_query(struct conn *c, char *text, const char *key, const char *fault)
{
	struct buf body = { 0 }, header = { 0 };
	const char *wrong;
	struct query q;

	if (server.key && key && strcmp(key, server.key) != 0) {
		refuse(c, 404, "message: Invalid apiKey.\r\n");
		return;
	}
	wrong = read_query(text, &q);
	if (wrong || q.per_page > server.page_max) {
		if (wrong)
			buf_printf(&header, "message: Invalid parameter: %s\r\n", wrong);
		refuse(c, 404, buf_str(&header));
		buf_free(&header);
		return;
	}
	if (strcmp(fault, "junk") == 0)
		buf_adds(&body, "<html>Sign in to this network</html>");
	else
		print_page(&body, &q);
	if (strcmp(fault, "halfjson") == 0)
		body.len /= 2;
	buf_printf(&c->out, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n", body.len);
	c->ends = strcmp(fault, "half") == 0;
	buf_add(&c->out, body.data, c->ends ? body.len / 2 : body.len);
	buf_free(&body);
}

static void note_request(const char *target, const char *key, const char *fault)
{
	struct buf line = { 0 };

	buf_printf(&line, "%lu %s key=%s%s%s\n", server.requests, target, key ? "yes" : "no", *fault ? " " : "", fault);
	if (server.log_fd >= 0 && write(server.log_fd, line.data, line.len) < 0)
		quit(server.log, strerror(errno));
	buf_free(&line);
}

/* Turns a request's head, a string, into an answer in c->out. */
static void answer(struct conn *c, char *head)
{
	char *line = strsep(&head, "\n"), *method = strsep(&line, " "), *target = strsep(&line, " "), *key = NULL;
	const char *fault = ++server.requests >= server.fault_from && server.requests <= server.fault_to ? server.fault : "";
	unsigned status = (unsigned)strtoul(fault, NULL, 10);

	while ((line = strsep(&head, "\n")))
		if (strncasecmp(line, "apiKey:", 7) == 0) {
			key = line + 7 + strspn(line + 7, " ");
			key[strcspn(key, "\r")] = '\0';
		}
	note_request(target ? target : "?", key, fault);
	c->hangs = strcmp(fault, "hang") == 0;
	c->ends = strcmp(fault, "close") == 0;
	if (c->hangs || c->ends)
		return;
	if (status) {
		refuse(c, status, status != 429 ? "" : fault[3] ? "Retry-After: 0\r\n" : "Retry-After: 1\r\n");
	} else if (!target || strcmp(method, "GET") != 0) {
		refuse(c, 405, "");
	} else {
		char *path = strsep(&target, "?");

		if (strcmp(path, PATH) == 0)
			answer_query(c, target, key, fault);
		else
			refuse(c, 404, "");
	}
}

/* ---- Connections */

/* Sends what the socket takes. False when the connection is over. */
static bool flush(struct conn *c)
{
	while (c->sent < c->out.len) {
		ssize_t n = send(c->fd, c->out.data + c->sent, c->out.len - c->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		c->sent += (size_t)n;
	}
	buf_reset(&c->out);
	c->sent = 0;
	return !c->ends;
}

/* Reads, and answers the requests that are complete. False when the connection is over. */
static bool serve(struct conn *c)
{
	ssize_t n = recv(c->fd, buf_reserve(&c->in, 4096), 4096, MSG_DONTWAIT);
	char *end;

	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR);
	c->in.len += (size_t)n;
	c->in.data[c->in.len] = '\0';
	while (!c->hangs && !c->ends && (end = strstr(c->in.data, "\r\n\r\n"))) {
		size_t used = (size_t)(end + 4 - c->in.data);

		*end = '\0';
		answer(c, c->in.data);
		c->in.len -= used;
		memmove(c->in.data, c->in.data + used, c->in.len + 1);
	}
	return c->in.len < HEAD_MOST && flush(c);
}

static void take_conn(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0)
		server.conns[server.n_conns++] = (struct conn){ .fd = fd };
}

static void drop_conn(struct conn *c)
{
	close(c->fd);
	buf_free(&c->in);
	buf_free(&c->out);
	*c = server.conns[--server.n_conns];
}

static void loop(int listener)
{
	struct pollfd fds[CONNS_MOST + 1];

	for (;;) {
		for (size_t i = 0; i < server.n_conns; i++)
			fds[i] = (struct pollfd){ server.conns[i].fd, server.conns[i].out.len ? POLLOUT : POLLIN };
		fds[server.n_conns] = (struct pollfd){ listener, server.n_conns < CONNS_MOST ? POLLIN : 0 };
		if (poll(fds, server.n_conns + 1, -1) < 0)
			continue;
		/* Backwards: a connection that is dropped is replaced by one that was seen already. */
		if (fds[server.n_conns].revents)
			take_conn(listener);
		for (size_t i = server.n_conns; i-- > 0;) {
			struct conn *c = &server.conns[i];

			if (fds[i].fd == c->fd && fds[i].revents && !(fds[i].revents & POLLOUT ? flush(c) : serve(c)))
				drop_conn(c);
		}
	}
}

/* ---- Start */

static int listen_on(const char *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	struct buf path = { 0 };
	uint64_t number;
	FILE *f;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (!str_to_u64(port, 65535, &number))
		quit("--port", "not a number up to 65535");
	at.sin_port = htons((uint16_t)number);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, len) || listen(fd, CONNS_MOST) ||
	    getsockname(fd, (struct sockaddr *)&at, &len))
		quit("--port", strerror(errno));
	if (server.port_file) {
		/* Who waits for the file finds a whole one. */
		buf_printf(&path, "%s.new", server.port_file);
		f = fopen(path.data, "w");
		if (!f || fprintf(f, "%u\n", ntohs(at.sin_port)) < 0 || fclose(f) || rename(path.data, server.port_file))
			quit(server.port_file, strerror(errno));
		buf_free(&path);
	}
	return fd;
}

static void set_fault(const char *text)
{
	static const char *const kinds[] = { "half", "halfjson", "junk", "close", "hang" };
	char *end;

	server.fault_from = server.fault_to = strtoul(text, &end, 10);
	if (*end == '-')
		server.fault_to = strtoul(end + 1, &end, 10);
	if (*end != ':' || server.fault_from == 0)
		quit("--fault", "not FROM[-TO]:KIND");
	server.fault = end + 1;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(kinds[i], server.fault) == 0)
			return;
	if (strtoul(server.fault, NULL, 10) < 400)
		quit(server.fault, "no kind of --fault");
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "nvd", 1, NULL, 'n' },       { "port", 1, NULL, 'p' },
		{ "port-file", 1, NULL, 'f' }, { "log", 1, NULL, 'l' },
		{ "key", 1, NULL, 'k' },       { "page-max", 1, NULL, 'm' },
		{ "fault", 1, NULL, 'x' },     { 0 },
	};
	const char **const texts[] = {
		['n'] = &server.nvd, ['p'] = &server.port, ['f'] = &server.port_file,
		['l'] = &server.log, ['k'] = &server.key,
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (option == 'x')
			set_fault(optarg);
		else if (option == 'm')
			server.page_max = strtoul(optarg, NULL, 10);
		else if (option == '?')
			return 2;
		else
			*texts[option] = optarg;
	if (!server.nvd || optind != argc)
		quit("usage", "httpd --nvd FILE [OPTIONS]");
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	load_records();
	if (server.log && (server.log_fd = open(server.log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) < 0)
		quit(server.log, strerror(errno));
	loop(listen_on(server.port));
}
