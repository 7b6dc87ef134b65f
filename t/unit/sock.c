/* Addresses as text; listening, dialling and who is at the other end, over loopback and Unix sockets; systemd's two protocols. */
#include "lib/err.h"
#include "lib/log.h"
#include "lib/sock.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char top[] = "/tmp/tuxtape-sock.XXXXXX";

/* ---- Text */

static const struct {
	const char *text, *printed;
	enum sock_tls tls;
} good[] = {
	{ "127.0.0.1:50051", "127.0.0.1:50051", SOCK_TLS_UNSAID },
	{ "[::1]:50051", "[::1]:50051", SOCK_TLS_UNSAID },
	{ "[fe80::1%eth0]:1", "[fe80::1%eth0]:1", SOCK_TLS_UNSAID },
	{ "[::]:0", "[::]:0", SOCK_TLS_UNSAID },
	{ "patches.example.org:65535", "patches.example.org:65535", SOCK_TLS_UNSAID },
	{ "localhost:007", "localhost:7", SOCK_TLS_UNSAID },
	{ "http://127.0.0.1:50051", "127.0.0.1:50051", SOCK_TLS_NO },
	{ "http://127.0.0.1:50051/", "127.0.0.1:50051", SOCK_TLS_NO },
	{ "https://[2001:db8::1]:443", "[2001:db8::1]:443", SOCK_TLS_YES },
	{ "tuxtape://host:1", "host:1", SOCK_TLS_UNSAID },
	{ "unix:/run/tuxtape/server.sock", "unix:/run/tuxtape/server.sock", SOCK_TLS_UNSAID },
	{ "unix:a:b", "unix:a:b", SOCK_TLS_UNSAID },
};

static const struct {
	const char *text, *said;
} bad[] = {
	{ "", "no port" },
	{ "localhost", "no port; write HOST:PORT" },
	{ "http://localhost", "no port" },
	{ ":50051", "127.0.0.1:PORT for this machine alone" },
	{ "[]:50051", "no host" },
	{ "::1:50051", "in brackets" },
	{ "2001:db8::1", "in brackets" },
	{ "[::1]", "no port" },
	{ "[::1]50051", "no port" },
	{ "[::g]:1", "'::g' is no host" },
	{ "[::1%]:1", "is no host" },
	{ "[localhost]:1", "is no host" },
	{ "a b:1", "is no host" },
	{ "*:1", "'*' is no host" },
	{ "host/:1", "is no host" },
	{ "user@host:1", "is no host" },
	{ "host:", "'' is no port" },
	{ "host:65536", "'65536' is no port" },
	{ "host:+1", "is no port" },
	{ "host:1x", "is no port" },
	{ "host:1/", "is no port" },
	{ "http://host:1//", "is no port" },
	{ "http://host:1/path", "is no port" },
	{ "host:00000000000001", "is no port" },
	{ "ftp://host:1", "in brackets" },
	{ "unix:", "names no path" },
	{ "http://unix:1", "'unix' is no host" },
};

static void test_text(void)
{
	char text[SOCK_TEXT], name[400];
	struct sock_addr addr;

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		ok(!sock_parse(&addr, good[i].text) && addr.tls == good[i].tls, "%s", good[i].text);
		is_str(sock_text(text, &addr), good[i].printed, "  prints");
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		is_int(sock_parse(&addr, bad[i].text), ERR_USAGE, bad[i].text);
		ok(strstr(err_text(), bad[i].said), "  %s", err_text());
	}
	memset(name, 'a', sizeof(name));
	memcpy(name + 253, ":1", 3);
	ok(!sock_parse(&addr, name) && strlen(addr.host) == 253 && addr.port == 1, "the longest host");
	memcpy(name + 253, "a:1", 4);
	is_int(sock_parse(&addr, name), ERR_USAGE, "a longer host");
	memcpy(name + 253, "aaa", 3);
	memcpy(name, "unix:", 5);
	name[5 + 107] = '\0';
	ok(!sock_parse(&addr, name) && strlen(addr.path) == 107, "the longest path");
	memcpy(name + 5 + 107, "a", 2);
	is_int(sock_parse(&addr, name), ERR_USAGE, "a longer path");
	ok(strstr(err_text(), "107 bytes"), "  %s", err_text());
}

static bool loopback(const char *text)
{
	struct sock_addr addr;

	return sock_parse(&addr, text) == 0 && sock_is_loopback(&addr);
}

static void test_loopback(void)
{
	ok(loopback("127.0.0.1:1") && loopback("127.9.9.9:1") && loopback("[::1]:1") && loopback("[::ffff:127.0.0.1]:1"),
	   "loopback by number");
	ok(loopback("localhost:1"), "by name");
	ok(loopback("unix:/x"), "a Unix socket");
	ok(!loopback("0.0.0.0:1") && !loopback("[::]:1") && !loopback("128.0.0.1:1") && !loopback("[::2]:1") &&
		   !loopback("[::ffff:192.0.2.1]:1"),
	   "not loopback");
}

/* ---- TCP */

static int listen_on(const char *text, int *fds, size_t most, size_t *n)
{
	struct sock_addr addr;
	int err = sock_parse(&addr, text);

	return err ? err : sock_listen(&addr, fds, most, n);
}

static int dial(const char *text, int *fd)
{
	struct sock_addr addr;
	int err = sock_parse(&addr, text);

	return err ? err : sock_dial(fd, &addr, 5000);
}

static int accept_soon(int listener)
{
	struct pollfd p = { .fd = listener, .events = POLLIN };

	return poll(&p, 1, 5000) == 1 ? accept(listener, NULL, NULL) : -1;
}

static bool is_quiet(int fd)
{
	return (fcntl(fd, F_GETFD) & FD_CLOEXEC) && (fcntl(fd, F_GETFL) & O_NONBLOCK);
}

static void test_tcp(void)
{
	int fds[4], more[4], fd, other;
	struct sock_peer peer;
	char text[64];
	size_t n, m;

	is_int(listen_on("127.0.0.1:0", fds, ARRAY_LEN(fds), &n), 0, "listen on any port");
	is_int((long long)n, 1, "  one socket");
	ok(sock_port(fds[0]) > 0 && is_quiet(fds[0]) && sock_fd_is_loopback(fds[0]),
	   "  with a port, non-blocking, close-on-exec, loopback");
	snprintf(text, sizeof(text), "127.0.0.1:%u", sock_port(fds[0]));
	is_int(listen_on(text, more, ARRAY_LEN(more), &m), ERR_DENIED, "a port that is taken");
	ok(strstr(err_text(), text) && m == 0, "  %s", err_text());
	is_int(dial(text, &fd), 0, "dial");
	ok(is_quiet(fd), "  non-blocking, close-on-exec");
	other = accept_soon(fds[0]);
	is_int(sock_peer(&peer, other), 0, "who dialled");
	ok(!peer.local && strcmp(peer.text, "127.0.0.1") == 0, "  %s", peer.text);
	close(fds[0]);
	close(other);
	close(fd);
	is_int(dial(text, &fd), ERR_NET, "dial where nobody listens");
	ok(strstr(err_text(), text) && strstr(err_text(), strerror(ECONNREFUSED)) && fd == -1, "  %s", err_text());
	is_int(dial("host.invalid:1", &fd), ERR_NET, "dial a host that is none");
	ok(strstr(err_text(), "host.invalid:1: "), "  %s", err_text());
	is_int(listen_on("192.0.2.1:0", fds, ARRAY_LEN(fds), &n), ERR_SYS, "listen on another machine's address");
	is_int(listen_on("0.0.0.0:0", fds, ARRAY_LEN(fds), &n), 0, "listen on all addresses");
	ok(n == 1 && !sock_fd_is_loopback(fds[0]), "  is not loopback");
	close(fds[0]);
	ok(sock_peer(&peer, fds[0]) == ERR_SYS, "a closed descriptor has no peer");
}

static void test_names(void)
{
	int fds[4], fd, other;
	char text[64];
	size_t n;
	uint16_t port;

	is_int(listen_on("localhost:0", fds, ARRAY_LEN(fds), &n), 0, "listen on localhost");
	ok(n >= 1, "  has addresses");
	port = sock_port(fds[0]);
	for (size_t i = 0; i < n; i++)
		ok(sock_port(fds[i]) == port && sock_fd_is_loopback(fds[i]), "  each on the same port");
	snprintf(text, sizeof(text), "localhost:%u", port);
	is_int(dial(text, &fd), 0, "dial localhost");
	close(fd);
	while (n)
		close(fds[--n]);
	/* The name has ::1 first on many machines; what listens on 127.0.0.1 alone must be found all the same. */
	is_int(listen_on("127.0.0.1:0", fds, ARRAY_LEN(fds), &n), 0, "listen on its number");
	snprintf(text, sizeof(text), "localhost:%u", sock_port(fds[0]));
	is_int(dial(text, &fd), 0, "dial its name");
	other = accept_soon(fds[0]);
	ok(other >= 0, "  arrives");
	close(other);
	close(fd);
	close(fds[0]);
}

static void test_ipv6(void)
{
	int fds[4], both[4], fd, other, left = 1;
	struct sock_peer peer;
	char text[64];
	size_t n, m;

	if (listen_on("[::1]:0", fds, ARRAY_LEN(fds), &n)) {
		ok(true, "no IPv6 here # SKIP");
		return;
	}
	snprintf(text, sizeof(text), "[::1]:%u", sock_port(fds[0]));
	is_int(dial(text, &fd), 0, "dial IPv6");
	other = accept_soon(fds[0]);
	ok(!sock_peer(&peer, other) && strcmp(peer.text, "::1") == 0, "  %s", peer.text);
	close(fd);
	close(other);
	close(fds[0]);
	/* A port that is free there may be taken here, by whoever else runs on this machine: one of many is free in both. */
	for (int i = 0; i < 50 && left; i++) {
		is_int(listen_on("[::]:0", fds, ARRAY_LEN(fds), &n), 0, "listen on [::]");
		snprintf(text, sizeof(text), "0.0.0.0:%u", sock_port(fds[0]));
		if (!(left = listen_on(text, both, ARRAY_LEN(both), &m)))
			close(both[0]);
		close(fds[0]);
	}
	is_int(left, 0, "  leaves 0.0.0.0 to others");
}

/* Nobody accepts, and the queue is full: a connection that never comes about. */
static void test_timeout(void)
{
	struct sock_addr addr;
	uint64_t before;
	int fds[8], fd = -1, n = 0, err = 0;
	size_t m;
	char text[64];

	if (listen_on("127.0.0.1:0", fds, 1, &m) || listen(fds[0], 0) < 0)
		return;
	snprintf(text, sizeof(text), "127.0.0.1:%u", sock_port(fds[0]));
	sock_parse(&addr, text);
	before = now_ms();
	while (n < 7 && !(err = sock_dial(&fd, &addr, 100)))
		fds[++n] = fd;
	is_int(err, ERR_NET, "a connection that does not come about");
	ok(strstr(err_text(), strerror(ETIMEDOUT)), "  %s", err_text());
	ok(now_ms() - before >= 100 && now_ms() - before < 3000, "  is waited for as long as was said");
	for (int i = 0; i <= n; i++)
		close(fds[i]);
}

/* ---- Unix sockets */

static void test_unix(void)
{
	struct passwd *pw = getpwuid(getuid());
	char text[128], path[100], want[64];
	struct sock_peer peer;
	int fds[2], more[2], fd, other;
	struct stat st;
	size_t n;

	snprintf(path, sizeof(path), "%s/socket", top);
	snprintf(text, sizeof(text), "unix:%s", path);
	is_int(dial(text, &fd), ERR_NET, "dial a path that is not there");
	is_int(listen_on(text, fds, ARRAY_LEN(fds), &n), 0, "listen on a path");
	ok(n == 1 && is_quiet(fds[0]) && sock_fd_is_loopback(fds[0]) && sock_port(fds[0]) == 0, "  one quiet socket");
	ok(stat(path, &st) == 0 && (st.st_mode & 0777) == 0660, "  of mode 0660");
	is_int(dial(text, &fd), 0, "dial it");
	other = accept_soon(fds[0]);
	is_int(sock_peer(&peer, other), 0, "who dialled");
	if (pw)
		snprintf(want, sizeof(want), "%s", pw->pw_name);
	else
		snprintf(want, sizeof(want), "uid %u", (unsigned)getuid());
	ok(peer.local && peer.uid == getuid(), "  uid %u", (unsigned)peer.uid);
	is_str(peer.text, want, "  by name");
	close(other);
	close(fd);
	is_int(listen_on(text, more, ARRAY_LEN(more), &n), ERR_DENIED, "listen where another listens");
	ok(strstr(err_text(), "another server listens there"), "  %s", err_text());
	ok(stat(path, &st) == 0, "  whose socket is left alone");
	close(fds[0]);
	ok(stat(path, &st) == 0, "a dead server leaves its socket");
	is_int(listen_on(text, fds, ARRAY_LEN(fds), &n), 0, "  that is removed");
	is_int(dial(text, &fd), 0, "  and the new one answers");
	close(fd);
	close(fds[0]);
	unlink(path);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	is_int(listen_on(text, fds, ARRAY_LEN(fds), &n), ERR_DENIED, "a file in the way");
	ok(stat(path, &st) == 0 && S_ISREG(st.st_mode), "  is left alone");
	unlink(path);
	snprintf(text, sizeof(text), "unix:%s/absent/socket", top);
	is_int(listen_on(text, fds, ARRAY_LEN(fds), &n), ERR_SYS, "a directory that is not there");
}

/* A caller whose uid has no name: only root can play that. */
static void test_unnamed(void)
{
	char text[128];
	struct sock_peer peer;
	int fds[2], fd, other;
	size_t n;
	pid_t pid;

	if (getuid() != 0) {
		ok(true, "an unnamed uid # SKIP not root");
		return;
	}
	snprintf(text, sizeof(text), "unix:%s/open", top);
	if (listen_on(text, fds, ARRAY_LEN(fds), &n))
		return;
	if (chmod(top, 0755) < 0 || chmod(text + 5, 0666) < 0)
		return;
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(setuid(3999999) < 0 || dial(text, &fd));
	other = accept_soon(fds[0]);
	waitpid(pid, NULL, 0);
	ok(!sock_peer(&peer, other) && peer.uid == 3999999, "a uid without a name");
	is_str(peer.text, "uid 3999999", "  is its number");
	close(other);
	close(fds[0]);
	unlink(text + 5);
}

/* ---- systemd. A child plays the service, since descriptors begin at 3. */

/* Its exit code: 0 when sock_activated did as wanted. */
static int be_activated(const char *count, int passed, int want_err, size_t want_n, bool right_pid)
{
	char pid[16];
	int fds[2], status;
	size_t n;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		if (dup2(passed, 3) < 0 || fcntl(3, F_SETFD, 0) < 0 || fcntl(3, F_SETFL, 0) < 0)
			_exit(9);
		snprintf(pid, sizeof(pid), "%d", (int)getpid() + !right_pid);
		setenv("LISTEN_PID", pid, 1);
		setenv("LISTEN_FDS", count, 1);
		if (sock_activated(fds, ARRAY_LEN(fds), &n) != want_err)
			_exit(1);
		if (n != want_n || (n && (fds[0] != 3 || !is_quiet(3))))
			_exit(2);
		_exit(right_pid && (getenv("LISTEN_PID") || getenv("LISTEN_FDS")) ? 3 : 0);
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

static void test_activated(void)
{
	int fds[2], pair[2];
	size_t n;

	if (listen_on("127.0.0.1:0", fds, 1, &n) || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		return;
	is_int(be_activated("1", fds[0], 0, 1, true), 0, "a socket from systemd");
	is_int(be_activated("0", fds[0], 0, 0, true), 0, "none");
	is_int(be_activated("1", fds[0], 0, 0, false), 0, "one for another process");
	is_int(be_activated("3", fds[0], ERR_INPUT, 0, true), 0, "more than can be served");
	is_int(be_activated("x", fds[0], ERR_INPUT, 0, true), 0, "a number that is none");
	is_int(be_activated("1", pair[0], ERR_INPUT, 0, true), 0, "a socket that does not listen");
	close(pair[0]);
	close(pair[1]);
	close(fds[0]);
}

static void test_notify(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	char text[64] = "";
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t n;

	unsetenv("NOTIFY_SOCKET");
	is_int(sock_notify("READY=1"), 0, "nobody to notify");
	setenv("NOTIFY_SOCKET", "relative", 1);
	is_int(sock_notify("READY=1"), ERR_SYS, "an address that is none");
	snprintf(un.sun_path, sizeof(un.sun_path), "%s/notify", top);
	setenv("NOTIFY_SOCKET", un.sun_path, 1);
	is_int(sock_notify("READY=1"), ERR_SYS, "nobody listens there");
	if (bind(fd, (const struct sockaddr *)&un, sizeof(un)) < 0)
		return;
	is_int(sock_notify("READY=1\nSTATUS=well"), 0, "a path");
	ok(recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT) == 19 && strcmp(text, "READY=1\nSTATUS=well") == 0, "  arrives");
	unlink(un.sun_path);
	close(fd);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
			(size_t)snprintf(text, sizeof(text), "@tuxtape-test-%d", (int)getpid()));
	memcpy(un.sun_path, text, sizeof(text));
	un.sun_path[0] = '\0';
	if (bind(fd, (const struct sockaddr *)&un, n) < 0)
		return;
	setenv("NOTIFY_SOCKET", text, 1);
	is_int(sock_notify("STOPPING=1"), 0, "an abstract address");
	memset(text, 0, sizeof(text));
	ok(recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT) == 10 && strcmp(text, "STOPPING=1") == 0, "  arrives");
	close(fd);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	alarm(120);
	if (!mkdtemp(top))
		return 1;
	test_text();
	test_loopback();
	test_tcp();
	test_names();
	test_ipv6();
	test_timeout();
	test_unix();
	test_unnamed();
	test_activated();
	test_notify();
	rmdir(top);
	return done();
}
