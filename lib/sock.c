/* Owns how addresses are written, and the making of sockets. Refuses an address without host or port: which machines may connect is
 * said, never guessed. */
#include "lib/sock.h"

#include "lib/err.h"
#include "lib/log.h"
#include "lib/str.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 1024
#define FIRST_PASSED 3 /* sd_listen_fds(3): the first descriptor that systemd passes */

union any_addr {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
	struct sockaddr_storage storage;
};

/* ---- Addresses as text */

static const struct {
	const char *prefix;
	enum sock_tls tls;
} schemes[] = {
	{ "http://", SOCK_TLS_NO },
	{ "https://", SOCK_TLS_YES },
	{ "tuxtape://", SOCK_TLS_UNSAID },
};

static int parse_path(struct sock_addr *addr, const char *path)
{
	size_t n = strlen(path);

	if (n == 0)
		return fail(ERR_USAGE, "unix: names no path; write unix:/run/tuxtape/server.sock");
	if (n >= sizeof(addr->path))
		return fail(ERR_USAGE, "unix:%s: the path is longer than the %zu bytes a socket's may have", path,
			    sizeof(addr->path) - 1);
	addr->local = true;
	memcpy(addr->path, path, n + 1);
	return 0;
}

static bool host_is_sane(const char *host, size_t n, bool bracketed)
{
	static const char name[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
	unsigned char raw[16];
	char number[64];
	size_t digits;

	if (!bracketed)
		return strspn(host, name) >= n;
	/* A zone ("%eth0") may follow the number. */
	digits = strcspn(host, "%]");
	if (digits >= sizeof(number) ||
	    (host[digits] == '%' && (n == digits + 1 || strspn(host + digits + 1, name) < n - digits - 1)))
		return false;
	memcpy(number, host, digits);
	number[digits] = '\0';
	return inet_pton(AF_INET6, number, raw) == 1;
}

static int parse_host(struct sock_addr *addr, const char *text, const char *host, size_t n, bool bracketed)
{
	if (n == 0)
		return fail(ERR_USAGE,
			    "%s: no host; write 127.0.0.1:PORT for this machine alone, 0.0.0.0:PORT or [::]:PORT for every "
			    "machine",
			    text);
	if (n >= sizeof(addr->host))
		return fail(ERR_USAGE, "%.40s...: the host is longer than %zu bytes", text, sizeof(addr->host) - 1);
	/* "unix" would print as a path. */
	if (!host_is_sane(host, n, bracketed) || (n == 4 && memcmp(host, "unix", 4) == 0))
		return fail(ERR_USAGE, "%s: '%.*s' is no host", text, (int)n, host);
	memcpy(addr->host, host, n);
	addr->host[n] = '\0';
	return 0;
}

static int parse_port(struct sock_addr *addr, const char *text, const char *port, bool url)
{
	size_t n = strlen(port) - (url && str_ends(port, "/"));
	char digits[8];
	uint64_t value;

	snprintf(digits, sizeof(digits), "%.*s", (int)MIN_OF(n, sizeof(digits) - 1), port);
	if (n >= sizeof(digits) || !str_to_u64(digits, UINT16_MAX, &value))
		return fail(ERR_USAGE, "%s: '%.*s' is no port (0 to 65535)", text, (int)n, port);
	addr->port = (uint16_t)value;
	return 0;
}

int sock_parse(struct sock_addr *addr, const char *text)
{
	const char *host = text, *port;
	bool url = false, bracketed;
	int err;

	*addr = (struct sock_addr){ 0 };
	if (str_starts(text, "unix:"))
		return parse_path(addr, text + strlen("unix:"));
	for (size_t i = 0; i < ARRAY_LEN(schemes) && !url; i++)
		if (str_starts(text, schemes[i].prefix)) {
			host = text + strlen(schemes[i].prefix);
			addr->tls = schemes[i].tls;
			url = true;
		}
	bracketed = *host == '[';
	host += bracketed;
	port = bracketed ? strstr(host, "]:") : strrchr(host, ':');
	if (!port)
		return fail(ERR_USAGE, "%s: no port; write HOST:PORT such as 127.0.0.1:50051, [::1]:50051 or unix:PATH",
			    text);
	if (!bracketed && memchr(host, ':', (size_t)(port - host)))
		return fail(ERR_USAGE, "%s: an IPv6 address stands in brackets: [::1]:50051", text);
	if ((err = parse_host(addr, text, host, (size_t)(port - host), bracketed)))
		return err;
	return parse_port(addr, text, port + 1 + bracketed, url);
}

const char *sock_text(char text[SOCK_TEXT], const struct sock_addr *addr)
{
	bool number6 = strchr(addr->host, ':') != NULL;

	if (addr->local)
		snprintf(text, SOCK_TEXT, "unix:%s", addr->path);
	else
		snprintf(text, SOCK_TEXT, "%s%s%s:%u", number6 ? "[" : "", addr->host, number6 ? "]" : "", addr->port);
	return text;
}

/* ---- What is loopback */

static bool is_loopback(const struct sockaddr *sa)
{
	const struct sockaddr_in *in = (const void *)sa;
	const struct sockaddr_in6 *in6 = (const void *)sa;

	if (sa->sa_family == AF_UNIX)
		return true;
	if (sa->sa_family == AF_INET)
		return ntohl(in->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	if (sa->sa_family != AF_INET6)
		return false;
	if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
		return in6->sin6_addr.s6_addr[12] == IN_LOOPBACKNET;
	return IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
}

static int resolve(const struct sock_addr *addr, int flags, struct addrinfo **found)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV };
	char port[8], text[SOCK_TEXT];
	int said;

	snprintf(port, sizeof(port), "%u", addr->port);
	*found = NULL;
	said = getaddrinfo(addr->host, port, &hints, found);
	if (said)
		return fail(ERR_NET, "%s: %s", sock_text(text, addr),
			    said == EAI_SYSTEM ? strerror(errno) : gai_strerror(said));
	return 0;
}

bool sock_is_loopback(const struct sock_addr *addr)
{
	struct addrinfo *found;
	bool all = true;

	if (addr->local)
		return true;
	if (resolve(addr, 0, &found))
		return false;
	for (const struct addrinfo *one = found; one; one = one->ai_next)
		all = all && is_loopback(one->ai_addr);
	freeaddrinfo(found);
	return all;
}

bool sock_fd_is_loopback(int fd)
{
	union any_addr any = { 0 };
	socklen_t len = sizeof(any);

	return getsockname(fd, &any.sa, &len) == 0 && is_loopback(&any.sa);
}

uint16_t sock_port(int fd)
{
	union any_addr any = { 0 };
	socklen_t len = sizeof(any);

	if (getsockname(fd, &any.sa, &len) < 0)
		return 0;
	return any.sa.sa_family == AF_INET    ? ntohs(any.in.sin_port)
	       : any.sa.sa_family == AF_INET6 ? ntohs(any.in6.sin6_port)
					      : 0;
}

/* ---- Listening */

static int cannot_listen(int number, const struct sock_addr *addr)
{
	bool denied = number == EACCES || number == EPERM || number == EADDRINUSE;
	char text[SOCK_TEXT];

	return fail(denied ? ERR_DENIED : ERR_SYS, "listen on %s: %s", sock_text(text, addr), strerror(number));
}

/* 0, or the error's number. */
static int listen_at(int *fd, const struct sockaddr *sa, socklen_t len)
{
	int yes = 1;
	int number;

	*fd = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*fd < 0)
		return errno;
	if (sa->sa_family != AF_UNIX)
		setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	/* Else [::] would take 0.0.0.0, too, and hide that both were asked for. */
	if (sa->sa_family == AF_INET6)
		setsockopt(*fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes));
	if (bind(*fd, sa, len) == 0 && listen(*fd, BACKLOG) == 0)
		return 0;
	number = errno;
	close(*fd);
	*fd = -1;
	return number;
}

static void unix_address(struct sockaddr_un *un, const struct sock_addr *addr)
{
	*un = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(un->sun_path, addr->path, sizeof(un->sun_path));
}

/* A server that was killed leaves its socket behind. It is stale when nobody listens on it: then the kernel refuses at once. */
static int remove_stale(const struct sock_addr *addr)
{
	struct sockaddr_un un;
	struct stat st;
	int fd, number;

	if (lstat(addr->path, &st) < 0)
		return errno == ENOENT ? 0 : fail(ERR_SYS, "unix:%s: %s", addr->path, strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return fail(ERR_DENIED, "unix:%s: a file that is no socket is in the way", addr->path);
	unix_address(&un, addr);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail(ERR_SYS, "socket: %s", strerror(errno));
	number = connect(fd, (const struct sockaddr *)&un, sizeof(un)) == 0 ? 0 : errno;
	close(fd);
	if (number != ECONNREFUSED)
		return fail(ERR_DENIED, "unix:%s: another server listens there already", addr->path);
	if (unlink(addr->path) < 0)
		return fail(ERR_SYS, "unix:%s: remove what a dead server left: %s", addr->path, strerror(errno));
	return 0;
}

static int listen_unix(int *fd, const struct sock_addr *addr)
{
	struct sockaddr_un un;
	mode_t old;
	int number, err = remove_stale(addr);

	if (err)
		return err;
	unix_address(&un, addr);
	/* The mode must be right from the first moment, so it is not set afterwards. */
	old = umask(0117);
	number = listen_at(fd, (const struct sockaddr *)&un, sizeof(un));
	umask(old);
	return number ? cannot_listen(number, addr) : 0;
}

static void set_port(struct sockaddr *sa, uint16_t port)
{
	struct sockaddr_in *in = (void *)sa;
	struct sockaddr_in6 *in6 = (void *)sa;

	if (sa->sa_family == AF_INET)
		in->sin_port = htons(port);
	else if (sa->sa_family == AF_INET6)
		in6->sin6_port = htons(port);
}

int sock_listen(const struct sock_addr *addr, int *fds, size_t most, size_t *n)
{
	struct addrinfo *found = NULL;
	int err, number = 0;

	*n = 0;
	if (addr->local) {
		err = listen_unix(&fds[0], addr);
		*n = !err;
		return err;
	}
	if ((err = resolve(addr, AI_PASSIVE, &found)))
		return err;
	for (const struct addrinfo *one = found; one && !number && *n < most; one = one->ai_next) {
		/* Where any port will do, all addresses of the name get the same one. */
		if (*n)
			set_port(one->ai_addr, sock_port(fds[0]));
		number = listen_at(&fds[*n], one->ai_addr, one->ai_addrlen);
		*n += !number;
		/* A machine without IPv6 may still have ::1 in its hosts file. */
		if ((number == EADDRNOTAVAIL || number == EAFNOSUPPORT) && (one->ai_next || *n))
			number = 0;
	}
	freeaddrinfo(found);
	while (number && *n)
		close(fds[--*n]);
	return number ? cannot_listen(number, addr) : 0;
}

/* ---- Dialling */

/* 0, or the error's number. */
static int wait_connected(int fd, int timeout_ms)
{
	uint64_t until = now_ms() + (uint64_t)MAX_OF(timeout_ms, 0);
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	socklen_t len = sizeof(int);
	int got, number = 0;

	do {
		uint64_t now = now_ms();

		got = poll(&p, 1, now < until ? (int)(until - now) : 0);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno;
	if (got == 0)
		return ETIMEDOUT;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &len) < 0 ? errno : number;
}

static int dial_one(int *fd, const struct sockaddr *sa, socklen_t len, int timeout_ms)
{
	int number = 0;

	*fd = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*fd < 0)
		return errno;
	if (connect(*fd, sa, len) < 0)
		number = errno == EINPROGRESS || errno == EINTR ? wait_connected(*fd, timeout_ms) : errno;
	if (number) {
		close(*fd);
		*fd = -1;
	}
	return number;
}

static int count_addresses(const struct addrinfo *one)
{
	int n = 0;

	for (; one; one = one->ai_next)
		n++;
	return n;
}

int sock_dial(int *fd, const struct sock_addr *addr, int timeout_ms)
{
	uint64_t until = now_ms() + (uint64_t)MAX_OF(timeout_ms, 0);
	struct addrinfo *found = NULL;
	char where[SOCK_TEXT];
	struct sockaddr_un un;
	int number = 0, err, left;

	*fd = -1;
	if (addr->local) {
		unix_address(&un, addr);
		number = dial_one(fd, (const struct sockaddr *)&un, sizeof(un), timeout_ms);
	} else if (resolve(addr, AI_ADDRCONFIG, &found) && (err = resolve(addr, 0, &found))) {
		/* The second look is for machines that have no address but loopback's. */
		return err;
	}
	left = count_addresses(found);
	/* One address that swallows everything must not eat the others' time. */
	for (const struct addrinfo *one = found; one && *fd < 0; one = one->ai_next, left--) {
		uint64_t now = now_ms();

		number = dial_one(fd, one->ai_addr, one->ai_addrlen, now < until ? (int)(until - now) / left : 0);
	}
	if (found)
		freeaddrinfo(found);
	return *fd < 0 ? fail(ERR_NET, "%s: %s", sock_text(where, addr), strerror(number)) : 0;
}

/* ---- The other end */

static int peer_of_unix(struct sock_peer *peer, int fd)
{
	struct passwd pw, *found = NULL;
	struct ucred who = { 0 };
	socklen_t len = sizeof(who);
	char room[4096];

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0)
		return fail(ERR_SYS, "who connected: %s", strerror(errno));
	peer->local = true;
	peer->uid = who.uid;
	if (getpwuid_r(who.uid, &pw, room, sizeof(room), &found) == 0 && found && *pw.pw_name &&
	    strlen(pw.pw_name) < sizeof(peer->text))
		snprintf(peer->text, sizeof(peer->text), "%s", pw.pw_name);
	else
		snprintf(peer->text, sizeof(peer->text), "uid %u", (unsigned)who.uid);
	return 0;
}

int sock_peer(struct sock_peer *peer, int fd)
{
	union any_addr any = { 0 };
	socklen_t len = sizeof(any);
	const void *raw = &any.in.sin_addr;
	int family;

	*peer = (struct sock_peer){ .uid = (uid_t)-1 };
	if (getpeername(fd, &any.sa, &len) < 0)
		return fail(ERR_SYS, "who connected: %s", strerror(errno));
	family = any.sa.sa_family;
	if (family == AF_UNIX)
		return peer_of_unix(peer, fd);
	if (family == AF_INET6)
		raw = &any.in6.sin6_addr;
	/* One machine has one name, whichever socket it came through. */
	if (family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&any.in6.sin6_addr)) {
		raw = &any.in6.sin6_addr.s6_addr[12];
		family = AF_INET;
	}
	if (!inet_ntop(family, raw, peer->text, sizeof(peer->text)))
		return fail(ERR_SYS, "who connected: %s", strerror(errno));
	return 0;
}

/* ---- systemd */

static int adopt(int fd)
{
	int listening = 0, type = 0;
	socklen_t len = sizeof(int);

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0 || !listening || type != SOCK_STREAM)
		return fail(ERR_INPUT,
			    "descriptor %d from systemd is no listening stream socket; the .socket unit needs ListenStream= "
			    "and Accept=no",
			    fd);
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0)
		return fail(ERR_SYS, "descriptor %d: %s", fd, strerror(errno));
	return 0;
}

int sock_activated(int *fds, size_t most, size_t *n)
{
	const char *pid_text = getenv("LISTEN_PID"), *count_text = getenv("LISTEN_FDS");
	uint64_t pid, count = 0;
	int err = 0;

	*n = 0;
	if (!pid_text || !count_text || !str_to_u64(pid_text, INT32_MAX, &pid) || pid != (uint64_t)getpid())
		return 0;
	if (!str_to_u64(count_text, INT32_MAX, &count) || count > most)
		err = fail(ERR_INPUT, "LISTEN_FDS=%s: more sockets than the %zu that can be served", count_text, most);
	for (; !err && *n < count; ++*n) {
		fds[*n] = FIRST_PASSED + (int)*n;
		if ((err = adopt(fds[*n])))
			break;
	}
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return err;
}

int sock_notify(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	size_t n = path ? strlen(path) : 0;
	ssize_t sent;
	int fd;

	if (n == 0)
		return 0;
	if ((*path != '/' && *path != '@') || n >= sizeof(un.sun_path))
		return fail(ERR_SYS, "NOTIFY_SOCKET=%s: not an address", path);
	memcpy(un.sun_path, path, n);
	/* '@' stands for the NUL byte with which an abstract address begins. */
	if (*path == '@')
		un.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail(ERR_SYS, "socket: %s", strerror(errno));
	sent = sendto(fd, text, strlen(text), MSG_NOSIGNAL, (const struct sockaddr *)&un,
		      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
	if (sent < 0) {
		int number = errno;

		close(fd);
		return fail(ERR_SYS, "NOTIFY_SOCKET=%s: %s", path, strerror(number));
	}
	close(fd);
	return 0;
}

void sock_keep_alive(int fd)
{
	static const struct {
		int level, name, value;
	} options[] = {
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, 60 },
		{ IPPROTO_TCP, TCP_KEEPINTVL, 15 },
		{ IPPROTO_TCP, TCP_KEEPCNT, 6 },
	};

	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof(options[i].value));
}
