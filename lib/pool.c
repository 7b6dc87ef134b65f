/* Owns worker processes and the frames between them and their owner. Refuses to outlive the owner: workers die with it; and to hold
 * what is the owner's: a worker has no descriptor of the owner's open, so that a lock ends with the one who took it. */
#include "lib/pool.h"

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/frame.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define RESULT_MOST (512u << 20) /* a chunk of patches may be far larger than a frame of the wire */

struct worker {
	pid_t pid;
	int fd;
	unsigned busy;
	struct buf in;
	size_t taken; /* bytes of `in` that are read already */
	bool dead;    /* its end of the socket pair is closed */
	int status;   /* of waitpid, once pid is 0 */
};

struct pool {
	struct pool_how how;
	struct worker *workers;
	unsigned next; /* where pool_wait looks first, so that no worker starves */
};

struct pool_out {
	int fd;
	uint16_t method;
};

static int write_all(int fd, const char *data, size_t n)
{
	while (n) {
		ssize_t k = send(fd, data, n, MSG_NOSIGNAL);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return fail(ERR_SYS, "write to a process of the pool: %s", strerror(errno));
		data += k;
		n -= (size_t)k;
	}
	return 0;
}

static int send_frame(int fd, unsigned method, unsigned status, const void *message, size_t n)
{
	struct buf out = { 0 };
	int err;

	frame_write(&out, (struct frame){ .method = (uint16_t)method, .status = (uint16_t)status }, message, n);
	err = write_all(fd, out.data, out.len);
	buf_free(&out);
	return err;
}

int pool_result(struct pool_out *out, const ProtobufCMessage *result)
{
	struct buf packed = { 0 };
	int err;

	pb_pack(&packed, result);
	err = send_frame(out->fd, out->method, FRAME_MORE, packed.data, packed.len);
	buf_free(&packed);
	return err;
}

static bool read_all(int fd, char *to, size_t n)
{
	while (n) {
		ssize_t k = read(fd, to, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return false;
		to += k;
		n -= (size_t)k;
	}
	return true;
}

static void work_once(const struct pool_how *how, int fd, const struct frame *f, struct arena *a, const struct buf *message)
{
	const struct pool_method *m = &how->methods[f->method];
	ProtobufCMessage *task = pb_unpack(a, m->task, message->data, message->len);
	struct pool_out out = { .fd = fd, .method = f->method };
	int err = task ? m->work(how->ctx, a, task, &out) : fail(ERR_PEER, "a task that cannot be read");

	if (err)
		send_frame(fd, f->method, FRAME_ERROR + (unsigned)err, err_text(), strlen(err_text()));
	else
		send_frame(fd, f->method, FRAME_OK, NULL, 0);
}

NORETURN static void worker_main(const struct pool_how *how, int fd)
{
	struct arena *a = arena_new(0);
	struct buf message = { 0 };
	char header[FRAME_HEADER];
	struct frame f;

	while (read_all(fd, header, sizeof(header)) && frame_read_header(&f, header, RESULT_MOST) == 0) {
		buf_reset(&message);
		if (!read_all(fd, buf_reserve(&message, f.length), f.length))
			break;
		message.len = f.length;
		arena_reset(a);
		work_once(how, fd, &f, a, &message);
	}
	/* No exit handlers: what they would flush belongs to the parent. */
	_exit(0);
}

/* Leaves the standard three and fd. What the owner has open, the other workers' sockets among it, is not a worker's to hold. */
static void close_others(int fd)
{
	if (fd > 3)
		close_range(3, (unsigned)fd - 1, 0);
	close_range((unsigned)fd + 1, ~0u, 0);
}

static int worker_start(struct pool *p, unsigned i)
{
	pid_t parent = getpid();
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return fail(ERR_SYS, "socketpair: %s", strerror(errno));
	p->workers[i].pid = fork();
	if (p->workers[i].pid < 0) {
		close(fds[0]);
		close(fds[1]);
		return fail(ERR_SYS, "fork: %s", strerror(errno));
	}
	if (p->workers[i].pid == 0) {
		close_others(fds[1]);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* ^C reaches the whole process group; the owner decides what becomes of the work. */
		signal(SIGINT, SIG_IGN);
		if (getppid() != parent)
			_exit(0);
		worker_main(&p->how, fds[1]);
	}
	close(fds[1]);
	p->workers[i].fd = fds[0];
	return 0;
}

int pool_new(struct pool **out, const struct pool_how *how)
{
	struct pool *p = xcalloc(1, sizeof(*p));

	p->how = *how;
	p->workers = xcalloc(how->workers, sizeof(*p->workers));
	p->how.workers = 0;
	for (unsigned i = 0; i < how->workers; i++) {
		int err = worker_start(p, i);

		if (err) {
			pool_free(p);
			return err;
		}
		p->how.workers++;
	}
	*out = p;
	return 0;
}

/* A process id is forgotten as soon as it is reaped: it may be another's by then. */
static void reap(struct worker *w)
{
	if (!w->pid)
		return;
	while (waitpid(w->pid, &w->status, 0) < 0 && errno == EINTR)
		;
	w->pid = 0;
}

/* The socket closes a moment before the process can be waited for; how it died is worth that moment. */
static int tell_death(struct worker *w)
{
	reap(w);
	if (WIFSIGNALED(w->status))
		return fail(ERR_SYS, "a worker process was killed by signal %d", WTERMSIG(w->status));
	return fail(ERR_SYS, "a worker process ended too early");
}

void pool_free(struct pool *p)
{
	if (!p)
		return;
	for (unsigned i = 0; i < p->how.workers; i++) {
		close(p->workers[i].fd);
		if (p->workers[i].pid)
			kill(p->workers[i].pid, SIGKILL);
	}
	for (unsigned i = 0; i < p->how.workers; i++) {
		reap(&p->workers[i]);
		buf_free(&p->workers[i].in);
	}
	free(p->workers);
	free(p);
}

unsigned pool_busy(const struct pool *p, unsigned worker)
{
	return p->workers[worker].busy;
}

/* Bytes already read are dropped only when at least half the buffer is such: each is moved once. */
static void forget_taken(struct worker *w)
{
	if (w->taken < w->in.len / 2)
		return;
	memmove(w->in.data, w->in.data + w->taken, w->in.len - w->taken);
	w->in.len -= w->taken;
	w->taken = 0;
}

static bool event_from_frame(struct pool *p, unsigned i, struct arena *a, struct pool_event *ev)
{
	struct worker *w = &p->workers[i];
	const char *message;
	struct frame f;
	size_t size;
	int err;

	if (!frame_next(&w->in, w->taken, RESULT_MOST, &f, &size, &err))
		return false;
	message = w->in.data + w->taken + FRAME_HEADER;
	*ev = (struct pool_event){ .worker = i, .method = f.method, .ended = f.status != FRAME_MORE };
	if (f.status == FRAME_MORE) {
		ev->result = pb_unpack(a, p->how.methods[f.method].result, message, f.length);
	} else {
		w->busy--;
		if (f.status >= FRAME_ERROR)
			ev->err = fail(f.status - FRAME_ERROR, "%.*s", (int)f.length, message);
	}
	w->taken += size;
	forget_taken(w);
	return true;
}

static bool event_from_death(struct pool *p, unsigned i, struct pool_event *ev)
{
	struct worker *w = &p->workers[i];

	if (!w->dead || w->busy == 0)
		return false;
	w->busy--;
	*ev = (struct pool_event){ .worker = i, .ended = true, .err = tell_death(w) };
	return true;
}

static void receive(struct worker *w)
{
	ssize_t n = read(w->fd, buf_reserve(&w->in, 256 * 1024), 256 * 1024);

	if (n > 0)
		w->in.len += (size_t)n;
	else if (n == 0 || (errno != EINTR && errno != EAGAIN))
		w->dead = true;
}

/* Waits until the worker takes bytes, and meanwhile takes what it sends: a worker that hands over a result reads no task before the
 * owner has read that. */
static void wait_for_room(struct worker *w)
{
	struct pollfd fd = { .fd = w->fd, .events = POLLIN | POLLOUT };

	if (poll(&fd, 1, -1) > 0 && (fd.revents & ~POLLOUT))
		receive(w);
}

static int give(struct worker *w, const char *data, size_t n)
{
	while (n) {
		ssize_t k = send(w->fd, data, n, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (k < 0 && errno == EAGAIN) {
			wait_for_room(w);
			continue;
		}
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return errno == EPIPE || errno == ECONNRESET
				       ? tell_death(w)
				       : fail(ERR_SYS, "write to a process of the pool: %s", strerror(errno));
		data += k;
		n -= (size_t)k;
	}
	return 0;
}

int pool_submit(struct pool *p, unsigned worker, unsigned method, const ProtobufCMessage *task)
{
	struct buf packed = { 0 }, out = { 0 };
	int err;

	pb_pack(&packed, task);
	frame_write(&out, (struct frame){ .method = (uint16_t)method, .status = FRAME_REQUEST }, packed.data, packed.len);
	err = give(&p->workers[worker], out.data, out.len);
	if (!err)
		p->workers[worker].busy++;
	buf_free(&packed);
	buf_free(&out);
	return err;
}

static bool wait_for_bytes(struct pool *p, int timeout_ms)
{
	struct pollfd *fds = xcalloc(p->how.workers, sizeof(*fds));
	bool under_way = false, got = false;

	for (unsigned i = 0; i < p->how.workers; i++) {
		bool asked = p->workers[i].busy && !p->workers[i].dead;

		fds[i] = (struct pollfd){ .fd = asked ? p->workers[i].fd : -1, .events = POLLIN };
		under_way |= asked;
	}
	if (under_way && poll(fds, p->how.workers, timeout_ms) > 0) {
		for (unsigned i = 0; i < p->how.workers; i++)
			if (fds[i].revents)
				receive(&p->workers[i]);
		got = true;
	} else if (under_way && timeout_ms < 0) {
		got = true; /* a signal came: look again */
	}
	free(fds);
	return got;
}

bool pool_wait(struct pool *p, int timeout_ms, struct arena *a, struct pool_event *ev)
{
	do {
		for (unsigned k = 0; k < p->how.workers; k++) {
			unsigned i = (p->next + k) % p->how.workers;

			if (event_from_frame(p, i, a, ev) || event_from_death(p, i, ev)) {
				p->next = i + 1;
				return true;
			}
		}
	} while (wait_for_bytes(p, timeout_ms));
	return false;
}
