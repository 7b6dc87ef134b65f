/* Owns the dashboard's loop in a terminal. Refuses to wait for anything but events: answers come through a descriptor. */
#include "applets/dash_term.h"

#include "lib/err.h"
#include "lib/log.h"
#include "lib/tui.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

int dash_divide(bool *drawer, int *code)
{
	int status = 0, err = tui_guard(drawer, &status);

	*code = EXIT_FAILED;
	if (err || *drawer)
		return err;
	if (WIFEXITED(status))
		*code = WEXITSTATUS(status);
	else
		log_error("the dashboard was ended by signal %d (%s); the terminal is restored", WTERMSIG(status),
			  strsignal(WTERMSIG(status)));
	return 0;
}

static void run_program(struct dash *d, struct tui *t, const struct dash_request *r)
{
	struct dash_answer answer = { .state = DASH_DONE };

	if (tui_run(t, r->argv, &answer.status)) {
		answer.state = DASH_FAILED;
		answer.text = err_text();
	}
	dash_answer(d, r->id, &answer);
}

static void serve(struct dash *d, struct tui *t, const struct dash_server *server)
{
	const struct dash_request *r;

	while ((r = dash_next_request(d))) {
		if (r->kind == DASH_RUN)
			run_program(d, t, r);
		else if (r->kind == DASH_SUSPEND)
			tui_suspend(t);
		else if (r->kind == DASH_REDRAW)
			tui_forget(t);
		else
			server->take(server->self, d, r);
	}
}

static void take_events(struct dash *d, struct tui *t, const struct dash_server *server)
{
	struct event e;

	/* All that has come is taken before anything is drawn: a held key never lags behind. */
	while (!dash_ended(d) && tui_next_event(t, &e)) {
		dash_event(d, &e);
		serve(d, t, server);
	}
}

static void draw(struct dash *d, struct tui *t, struct canvas *c)
{
	int rows, cols;

	tui_size(t, &rows, &cols);
	if (rows != c->rows || cols != c->cols) {
		struct event resize = { .kind = EVENT_RESIZE, .row = rows, .col = cols, .now_ms = now_ms() };

		canvas_resize(c, rows, cols);
		dash_event(d, &resize);
	}
	dash_settle(d);
	dash_draw(d, c);
	tui_draw(t, c);
}

static int loop(struct dash *d, struct tui *t, const struct dash_server *server)
{
	struct canvas c = { .ascii = tui_ascii(t) };
	struct event tick = { .kind = EVENT_TICK };
	int err = 0;

	while (!dash_ended(d)) {
		struct pollfd fds[2] = { { .fd = tui_fd(t), .events = POLLIN },
					 { .fd = server->fd(server->self), .events = POLLIN } };

		draw(d, t, &c);
		serve(d, t, server);
		if (poll(fds, 2, dash_timeout(d)) < 0 && errno != EINTR) {
			err = fail(ERR_SYS, "poll: %s", strerror(errno));
			break;
		}
		tick.now_ms = now_ms();
		dash_event(d, &tick);
		take_events(d, t, server);
		if (fds[1].revents)
			server->ready(server->self, d);
	}
	canvas_free(&c);
	return err;
}

int dash_term(struct dash *d, const struct look looks[ST_COUNT], const struct dash_server *server)
{
	struct tui_options o = { .looks = looks, .n_looks = ST_COUNT };
	struct tui *t;
	int err = tui_open(&t, &o);

	if (err)
		return err;
	err = loop(d, t, server);
	tui_close(t);
	return err;
}
