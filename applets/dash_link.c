/* Owns the processes beside the one that draws, and the connection to the server: connecting, pauses between attempts, one call after
 * another. Refuses to let a slow server, disk or clone hold up the drawing. */
#include "applets/dash_link.h"

#include "applets/dash_end.h"
#include "lib/err.h"
#include "lib/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIRST_PAUSE_MS 200
#define SEND_AT_ONCE 32768
#define READ_AT_ONCE 65536
#define READS_MOST 64 /* in one turn, so that keys are looked at between */

/* ---- The far end: bytes */

void end_read(struct dash_end *e)
{
	size_t at = 0, size;
	struct frame f;
	int err = 0;
	ssize_t n = recv(e->fd, buf_reserve(&e->in, READ_AT_ONCE), READ_AT_ONCE, MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		_exit(0);
	e->in.len += (size_t)MAX_OF(n, (ssize_t)0);
	for (; frame_next(&e->in, at, FRAME_MOST, &f, &size, &err); at += size) {
		const char *message = e->in.data + at + FRAME_HEADER;

		if (f.status != FRAME_CANCEL) {
			e->queue = xrealloc(e->queue, (e->n + 1) * sizeof(*e->queue));
			e->queue[e->n].f = f;
			e->queue[e->n].message = xmalloc(f.length + 1u);
			memcpy(e->queue[e->n].message, message, f.length);
			e->queue[e->n++].message[f.length] = '\0';
			continue;
		}
		e->cancelled |= f.id == e->open;
		for (size_t i = 0; i < e->n; i++)
			if (e->queue[i].f.id == f.id)
				e->queue[i].f.status = FRAME_CANCEL;
	}
	if (err)
		_exit(1);
	memmove(e->in.data, e->in.data + at, e->in.len - at);
	e->in.len -= at;
}

bool end_wait(struct dash_end *e, int other_fd, int timeout_ms)
{
	struct pollfd p[2] = { { .fd = e->fd, .events = POLLIN }, { .fd = other_fd, .events = POLLIN } };

	if (poll(p, 2, timeout_ms) <= 0)
		return false;
	if (p[0].revents)
		end_read(e);
	return p[1].revents != 0;
}

bool end_take(struct dash_end *e, struct end_request *r)
{
	while (e->n) {
		*r = e->queue[0];
		memmove(e->queue, e->queue + 1, --e->n * sizeof(*e->queue));
		e->open = r->f.id;
		e->cancelled = false;
		if (r->f.status != FRAME_CANCEL)
			return true;
		end_close(e, &r->f, fail(ERR_NOTFOUND, "cancelled"), NULL, 0);
		free(r->message);
	}
	return false;
}

void end_flush(struct dash_end *e)
{
	size_t at = 0;

	while (at < e->out.len) {
		ssize_t n = send(e->fd, e->out.data + at, e->out.len - at, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			_exit(0);
		at += (size_t)MAX_OF(n, (ssize_t)0);
	}
	buf_reset(&e->out);
}

void end_tell(struct dash_end *e, struct frame f, const void *message, size_t n)
{
	frame_write(&e->out, f, message, n);
	if (e->out.len >= SEND_AT_ONCE)
		end_flush(e);
}

void end_close(struct dash_end *e, const struct frame *request, int err, const void *message, size_t n)
{
	struct frame f = { .id = request->id, .method = request->method, .status = FRAME_OK };

	if (err) {
		f.status = (uint16_t)(FRAME_ERROR + err);
		message = err_text();
		n = strlen(message);
	}
	end_tell(e, f, message, n);
	end_flush(e);
	e->open = 0;
}

/* ---- The far end: the server */

struct line {
	struct dash_end end;
	bool watch; /* connects when it is asked for something; the other one always */
	struct rpc *rpc;
	struct arena *arena;
	struct buf packed;
	char *why;           /* there is no connection */
	uint64_t dial_after; /* ms of now_ms */
	uint64_t pause;
	uint64_t asked; /* when the server was asked how it is */
};

static void tell_message(struct line *l, uint32_t id, unsigned method, unsigned status, const ProtobufCMessage *m)
{
	struct frame f = { .id = id, .method = (uint16_t)method, .status = (uint16_t)status };

	buf_reset(&l->packed);
	pb_pack(&l->packed, m);
	end_tell(&l->end, f, buf_str(&l->packed), l->packed.len);
}

static void lost(struct line *l, int err)
{
	struct frame f = { .status = (uint16_t)(FRAME_ERROR + err) };

	rpc_free(l->rpc);
	l->rpc = NULL;
	free(l->why);
	l->why = xstrdup(err_text());
	l->dial_after = now_ms() + l->pause;
	l->pause = MIN_OF(l->pause * 2, l->end.how->retry_ms);
	log_note("%s", l->why);
	if (!l->watch) {
		end_tell(&l->end, f, l->why, strlen(l->why));
		end_flush(&l->end);
	}
}

/* Forwards the answer to the call that was started, up to its end. An error that leaves the call open has ended the connection. */
static int forward(struct line *l, uint32_t id, unsigned method)
{
	const struct client_options *o = l->end.how->client;
	uint64_t heard = now_ms();
	bool asked_to_stop = false;
	enum rpc_news news;
	void *message;
	int err;

	for (;;) {
		arena_reset(l->arena);
		if ((err = rpc_next(l->rpc, l->arena, 0, &news, &message)))
			return err;
		if (news == RPC_END) {
			tell_message(l, id, method, FRAME_OK, message);
			return 0;
		}
		if (news == RPC_RECORD) {
			tell_message(l, id, method, FRAME_MORE, message);
			heard = now_ms();
			continue;
		}
		end_flush(&l->end);
		if (!l->watch && now_ms() - heard > o->timeout)
			return fail(ERR_NET, "%s: no answer within %d s", rpc_method_name(method), (int)(o->timeout / 1000));
		end_wait(&l->end, tls_fd(rpc_tls(l->rpc)), l->watch ? -1 : 1000);
		if (l->end.cancelled && !asked_to_stop && (err = rpc_cancel(l->rpc)))
			return err;
		asked_to_stop |= l->end.cancelled;
	}
}

static void serve(struct line *l, const struct frame *f, const char *bytes)
{
	const ProtobufCMessage *request;
	int err = 0;

	if (!l->rpc) {
		err = fail(ERR_NET, "%s", l->why ? l->why : "not connected yet");
		end_close(&l->end, f, err, NULL, 0);
		return;
	}
	arena_reset(l->arena);
	request = pb_unpack(l->arena, tuxtape__descriptor.methods[f->method].input, bytes, f->length);
	if ((err = rpc_start(l->rpc, f->method, request)) || (err = forward(l, f->id, f->method))) {
		/* What the server refused is one request's affair. */
		bool over = rpc_calling(l->rpc);

		if (over)
			err = fail_in(err, "%s", l->end.how->client->server);
		log_note("%s: %s", rpc_method_name(f->method), err_text());
		if (f->id)
			end_close(&l->end, f, err, NULL, 0);
		if (over)
			lost(l, err);
	}
	l->end.open = 0;
	end_flush(&l->end);
}

static void ask_health(struct line *l)
{
	static const struct frame f = { .method = RPC_HEALTH };

	l->asked = now_ms();
	l->end.open = 0;
	l->end.cancelled = false;
	serve(l, &f, "");
}

static void dial(struct line *l)
{
	VersionInfo *you;
	int err;

	arena_reset(l->arena);
	if ((err = client_dial(l->end.how->client, l->arena, NULL, &l->rpc, &you))) {
		lost(l, err);
		return;
	}
	l->pause = FIRST_PAUSE_MS;
	log_note("%s: connected", l->end.how->client->server);
	if (l->watch)
		return;
	tell_message(l, 0, RPC_VERSION, FRAME_OK, &you->base);
	ask_health(l);
}

/* Until something is to be done. */
static void wait_for_work(struct line *l)
{
	uint64_t now = now_ms(), due = l->rpc ? l->asked + l->end.how->refresh_ms : l->dial_after;
	int timeout = l->watch ? -1 : (int)(due > now ? MIN_OF(due - now, 60000u) : 0);
	bool served;
	int err;

	if (!end_wait(&l->end, l->rpc ? tls_fd(rpc_tls(l->rpc)) : -1, timeout) || !l->rpc)
		return;
	/* The server has nothing to say of itself: it has closed the connection, or that is what it is closed for. */
	if ((err = rpc_serve(l->rpc, 0, &served)))
		lost(l, fail_in(err, "%s", l->end.how->client->server));
}

NORETURN static void line_main(struct line *l)
{
	struct end_request r;

	l->arena = arena_new(0);
	l->pause = FIRST_PAUSE_MS;
	for (;;) {
		if (!l->rpc && now_ms() >= l->dial_after && (!l->watch || l->end.n))
			dial(l);
		if (end_take(&l->end, &r)) {
			serve(l, &r.f, r.message);
			free(r.message);
		} else if (l->rpc && !l->watch && now_ms() - l->asked >= l->end.how->refresh_ms) {
			ask_health(l);
		} else {
			wait_for_work(l);
		}
	}
}

/* ---- The near end */

struct channel {
	int fd;
	pid_t pid;
	struct buf in, out;
	size_t taken; /* bytes of `in` that are done with */
	bool over;
};

struct dash_link {
	struct channel channels[LINK_CHANNELS];
	int epoll;
};

/* Nothing of what the processes say may reach the screen. */
static void take_descriptors(int log_fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(log_fd >= 0 ? log_fd : null, STDERR_FILENO);
}

NORETURN static void child_main(struct dash_link *link, const struct link_how *how, enum link_channel channel, int fd,
				pid_t drawer)
{
	struct line line = { .end = { .how = how, .fd = fd }, .watch = channel >= LINK_WATCH };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != drawer)
		_exit(0);
	for (size_t i = 0; i < LINK_CHANNELS; i++)
		if (link->channels[i].fd >= 0)
			close(link->channels[i].fd);
	close(link->epoll);
	take_descriptors(how->log_fd);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	if (channel == LINK_LOCAL)
		dash_local_main(&line.end);
	line_main(&line);
}

static int start_channel(struct dash_link *link, const struct link_how *how, enum link_channel channel)
{
	struct channel *c = &link->channels[channel];
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = channel };
	pid_t drawer = getpid();
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return fail(ERR_SYS, "socketpair: %s", strerror(errno));
	c->fd = pair[0];
	c->pid = fork();
	if (c->pid == 0)
		child_main(link, how, channel, pair[1], drawer);
	close(pair[1]);
	if (c->pid < 0) {
		c->pid = 0;
		return fail(ERR_SYS, "fork: %s", strerror(errno));
	}
	if (epoll_ctl(link->epoll, EPOLL_CTL_ADD, c->fd, &event) < 0)
		return fail(ERR_SYS, "epoll_ctl: %s", strerror(errno));
	return 0;
}

int dash_link_start(struct dash_link **out, const struct link_how *how)
{
	struct dash_link *link = xcalloc(1, sizeof(*link));
	int err = 0;

	for (size_t i = 0; i < LINK_CHANNELS; i++)
		link->channels[i].fd = -1;
	link->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (link->epoll < 0)
		err = fail(ERR_SYS, "epoll_create1: %s", strerror(errno));
	for (unsigned i = 0; i < LINK_CHANNELS && !err; i++)
		err = start_channel(link, how, i);
	if (err) {
		dash_link_stop(link);
		return err;
	}
	*out = link;
	return 0;
}

void dash_link_stop(struct dash_link *link)
{
	if (!link)
		return;
	for (size_t i = 0; i < LINK_CHANNELS; i++) {
		struct channel *c = &link->channels[i];

		if (c->fd >= 0)
			close(c->fd);
		if (c->pid > 0) {
			kill(c->pid, SIGKILL);
			waitpid(c->pid, NULL, 0);
		}
		buf_free(&c->in);
		buf_free(&c->out);
	}
	if (link->epoll >= 0)
		close(link->epoll);
	free(link);
}

int dash_link_fd(const struct dash_link *link)
{
	return link->epoll;
}

/* Sends what goes; the rest waits until the socket takes more. */
static void push(struct dash_link *link, enum link_channel channel)
{
	struct channel *c = &link->channels[channel];
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = channel };
	size_t at = 0;

	while (at < c->out.len && !c->over) {
		ssize_t n = send(c->fd, c->out.data + at, c->out.len - at, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		at += (size_t)n;
	}
	if (at) {
		memmove(c->out.data, c->out.data + at, c->out.len - at);
		c->out.len -= at;
	}
	if (c->out.len)
		event.events |= EPOLLOUT;
	if (!c->over)
		epoll_ctl(link->epoll, EPOLL_CTL_MOD, c->fd, &event);
}

void dash_link_send(struct dash_link *link, enum link_channel channel, struct frame f, const void *message, size_t n)
{
	frame_write(&link->channels[channel].out, f, message, n);
	push(link, channel);
}

static void drop_taken(struct channel *c)
{
	if (c->taken == 0)
		return;
	memmove(c->in.data, c->in.data + c->taken, c->in.len - c->taken);
	c->in.len -= c->taken;
	c->taken = 0;
}

/* False when the process is gone. */
static bool pull(struct channel *c)
{
	drop_taken(c);
	for (int i = 0; i < READS_MOST; i++) {
		ssize_t n = recv(c->fd, buf_reserve(&c->in, READ_AT_ONCE), READ_AT_ONCE, MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0)
			return false;
		c->in.len += (size_t)n;
	}
	return true;
}

int dash_link_move(struct dash_link *link, enum link_channel *channel)
{
	static const char *const names[] = { "speaks to the server", "works on this machine", "watches builds" };
	struct epoll_event events[LINK_CHANNELS];
	int n = epoll_wait(link->epoll, events, LINK_CHANNELS, 0);

	for (int i = 0; i < n; i++) {
		struct channel *c = &link->channels[events[i].data.u32];

		*channel = events[i].data.u32;
		if (!pull(c)) {
			epoll_ctl(link->epoll, EPOLL_CTL_DEL, c->fd, NULL);
			c->over = true;
			return fail(ERR_SYS, "the process that %s has ended: leave the dashboard and start it again",
				    names[MIN_OF(*channel, LINK_WATCH)]);
		}
		if (events[i].events & EPOLLOUT)
			push(link, *channel);
	}
	return 0;
}

bool dash_link_next(struct dash_link *link, struct frame *f, const char **message)
{
	for (size_t i = 0; i < LINK_CHANNELS; i++) {
		struct channel *c = &link->channels[i];
		size_t size;
		int err;

		if (!frame_next(&c->in, c->taken, FRAME_MOST, f, &size, &err))
			continue;
		*message = c->in.data + c->taken + FRAME_HEADER;
		c->taken += size;
		return true;
	}
	return false;
}
