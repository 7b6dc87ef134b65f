/* Addresses as people write them, and the sockets behind them: TCP and Unix, dialling and listening, systemd's two protocols. */
#ifndef TUXTAPE_SOCK_H
#define TUXTAPE_SOCK_H

#include "lib/base.h"

#include <sys/types.h>

/* What an address says about TLS: "https://" demands it, "http://" denies it, anything else leaves it open. */
enum sock_tls { SOCK_TLS_UNSAID, SOCK_TLS_NO, SOCK_TLS_YES };

struct sock_addr {
	bool local;     /* a Unix socket: path alone is set */
	char path[108]; /* what sun_path holds, with its NUL */
	char host[254]; /* a name or a number, without brackets */
	uint16_t port;  /* 0: any free one (for listening) */
	enum sock_tls tls;
};

#define SOCK_TEXT 288

/* Reads "HOST:PORT", "[IPV6]:PORT", "unix:PATH", and the first two behind "http://", "https://" or "tuxtape://" (one slash may
 * end such a URL). ERR_USAGE with what to write instead. Pure. */
int sock_parse(struct sock_addr *addr, const char *text);

/* The address as sock_parse reads it, without what it says about TLS. Returns text. */
const char *sock_text(char text[SOCK_TEXT], const struct sock_addr *addr);

/* True for a Unix socket, and for a name or number that leads to this machine's loopback alone. May ask the resolver. */
bool sock_is_loopback(const struct sock_addr *addr);

/* The same of a bound socket. */
bool sock_fd_is_loopback(int fd);

/* Listens on each address that the name has (at most `most`; fds[0..*n] are the caller's to close): non-blocking, closed on exec.
 * A Unix socket has mode 0660; a stale one is removed only where nobody answers on it. ERR_SYS; ERR_NET where the name leads
 * nowhere; ERR_DENIED where the port or the path is not to be had. */
int sock_listen(const struct sock_addr *addr, int *fds, size_t most, size_t *n);

/* The port that a bound socket has; 0 for a Unix socket. */
uint16_t sock_port(int fd);

/* Has the kernel ask now and then whether the other machine is still there, so that a wait for it ends some minutes after it died
 * without a word. For other than TCP sockets it does nothing. */
void sock_keep_alive(int fd);

/* Connects within timeout_ms, which all addresses of the name share (the resolver's own time comes on top). *fd is non-blocking
 * and closed on exec. ERR_NET with address and reason. */
int sock_dial(int *fd, const struct sock_addr *addr, int timeout_ms);

/* The other end of a connection, for limits and logs. */
struct sock_peer {
	bool local; /* over a Unix socket: uid is what the kernel says of the process that connected */
	uid_t uid;
	char text[128]; /* local: the login name, or "uid N" where it has none; else the address without its port */
};

/* ERR_SYS. */
int sock_peer(struct sock_peer *peer, int fd);

/* The listening sockets that systemd has passed (sd_listen_fds(3): LISTEN_PID, LISTEN_FDS), made non-blocking and closed on exec;
 * *n is 0 where there are none. The variables are removed, so that children do not take them for theirs. ERR_INPUT where one of
 * them is no listening stream socket, or there are more than most. */
int sock_activated(int *fds, size_t most, size_t *n);

/* Tells the service manager (sd_notify(3)) "READY=1" and the like, where one listens ($NOTIFY_SOCKET); else does nothing. ERR_SYS. */
int sock_notify(const char *text);

#endif
