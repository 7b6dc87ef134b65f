/* Owns the driving of the dashboard by a file. Refuses commands that it does not know; its clock is the script's alone, so that screens
 * come out the same every time. */
#include "applets/dash_script.h"

#include "lib/clock.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/str.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define SCRIPT_MOST (1u << 20)
#define WAIT_MS 30000

struct script {
	struct dash *dash;
	const struct dash_server *server;
	struct canvas canvas;
	struct buf screen; /* the canvas as text */
	const char *path;
	unsigned line;
	uint64_t now_ms;
	bool styles;
};

static int wrong(const struct script *s, const char *what)
{
	return fail(ERR_INPUT, "%s:%u: %s", s->path, s->line, what);
}

static void run_program(struct script *s, const struct dash_request *r)
{
	struct dash_answer answer = { .state = DASH_DONE };
	posix_spawn_file_actions_t actions;
	char *said = NULL;
	pid_t pid;
	int code;

	fflush(stdout);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	code = posix_spawnp(&pid, r->argv[0], &actions, NULL, r->argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (code == 0) {
		while (waitpid(pid, &answer.status, 0) < 0 && errno == EINTR)
			;
	} else {
		answer.state = DASH_FAILED;
		answer.text = said = xasprintf("%s: %s", r->argv[0], strerror(code));
	}
	dash_answer(s->dash, r->id, &answer);
	free(said);
}

static void serve(struct script *s)
{
	const struct dash_request *r;

	while ((r = dash_next_request(s->dash))) {
		if (r->kind == DASH_RUN)
			run_program(s, r);
		else if (r->kind != DASH_SUSPEND && r->kind != DASH_REDRAW)
			s->server->take(s->server->self, s->dash, r);
	}
}

static void send(struct script *s, struct event e)
{
	e.now_ms = s->now_ms;
	dash_event(s->dash, &e);
	serve(s);
}

static void draw(struct script *s)
{
	dash_settle(s->dash);
	serve(s);
	dash_settle(s->dash);
	dash_draw(s->dash, &s->canvas);
	buf_reset(&s->screen);
	canvas_dump(&s->canvas, &s->screen, false);
}

/* ---- Commands: each gets the rest of its line */

static int do_size(struct script *s, char *arg)
{
	char *x = strchr(arg, 'x');
	uint32_t rows, cols;

	if (x)
		*x = '\0';
	if (!x || !str_to_u32(arg, &cols) || !str_to_u32(x + 1, &rows) || !rows || !cols || rows > CANVAS_SIDE_MOST ||
	    cols > CANVAS_SIDE_MOST)
		return wrong(s, "size wants COLUMNSxROWS, such as 80x24");
	canvas_resize(&s->canvas, (int)rows, (int)cols);
	send(s, (struct event){ .kind = EVENT_RESIZE, .row = (int)rows, .col = (int)cols });
	return 0;
}

static int do_key(struct script *s, char *arg)
{
	char *rest = NULL;

	if (!*arg)
		return wrong(s, "key wants the names of keys");
	for (char *name = strtok_r(arg, " ", &rest); name; name = strtok_r(NULL, " ", &rest)) {
		struct event e = { .kind = EVENT_KEY };

		if (!key_parse(name, &e.key))
			return fail(ERR_INPUT, "%s:%u: '%s' names no key", s->path, s->line, name);
		send(s, e);
	}
	return 0;
}

static int do_type(struct script *s, char *arg)
{
	size_t n = strlen(arg), at = 0;

	while (at < n) {
		struct event e = { .kind = EVENT_KEY };
		size_t k = str_utf8_next(arg + at, n - at, &e.key);

		if (k == 0)
			return wrong(s, "the text is not UTF-8");
		e.key = key_normal(e.key);
		send(s, e);
		at += k;
	}
	return 0;
}

/* Two numbers, and what stands behind them. */
static int read_place(const struct script *s, char *arg, struct event *e, const char **rest)
{
	int used = 0;

	if (sscanf(arg, "%d %d%n", &e->row, &e->col, &used) != 2)
		return wrong(s, "a row and a column were expected");
	*rest = arg + used + strspn(arg + used, " ");
	return 0;
}

static int do_click(struct script *s, char *arg)
{
	struct event e = { .kind = EVENT_CLICK };
	const char *rest;
	int err = read_place(s, arg, &e, &rest);

	if (!err)
		send(s, e);
	return err;
}

static int do_wheel(struct script *s, char *arg)
{
	struct event e = { .kind = EVENT_WHEEL };
	const char *rest;
	int err = read_place(s, arg, &e, &rest);

	if (err)
		return err;
	e.delta = strcmp(rest, "up") == 0 ? -1 : strcmp(rest, "down") == 0 ? 1 : 0;
	if (e.delta == 0)
		return wrong(s, "wheel wants up or down");
	send(s, e);
	return 0;
}

static int do_tick(struct script *s, char *arg)
{
	uint32_t ms;

	if (!str_to_u32(arg, &ms))
		return wrong(s, "tick wants milliseconds");
	s->now_ms += ms;
	send(s, (struct event){ .kind = EVENT_TICK });
	return 0;
}

static int do_date(struct script *s, char *arg)
{
	int64_t when;

	if (!clock_parse(arg, &when))
		return wrong(s, "date wants a point in time such as 2026-08-14T16:45:24Z");
	if (s->server->date)
		s->server->date(s->server->self, when);
	return 0;
}

static int do_env(struct script *s, char *arg)
{
	size_t n = strcspn(arg, " ");

	if (n == 0 || !arg[n])
		return wrong(s, "env wants a name and a value");
	arg[n] = '\0';
	return setenv(arg, arg + n + 1, 1) == 0 ? 0 : wrong(s, "env wants a name and a value");
}

static int do_wait(struct script *s, char *arg UNUSED)
{
	uint64_t end = now_ms() + WAIT_MS;

	for (draw(s); dash_waiting(s->dash); draw(s)) {
		struct pollfd p = { .fd = s->server->fd(s->server->self), .events = POLLIN };
		uint64_t now = now_ms();

		if (now >= end || p.fd < 0)
			return wrong(s, "what was asked for is not answered");
		if (poll(&p, 1, (int)(end - now)) > 0)
			s->server->ready(s->server->self, s->dash);
	}
	return 0;
}

static int do_dump(struct script *s, char *arg)
{
	FILE *out = *arg ? fopen(arg, "we") : stdout;
	int err = 0;

	if (!out)
		return fail(ERR_SYS, "%s:%u: %s: %s", s->path, s->line, arg, strerror(errno));
	draw(s);
	buf_reset(&s->screen);
	canvas_dump(&s->canvas, &s->screen, s->styles);
	if (fwrite(s->screen.data, 1, s->screen.len, out) != s->screen.len)
		err = ERR_SYS;
	if (out == stdout ? fflush(out) != 0 : fclose(out) != 0)
		err = ERR_SYS;
	return err ? fail(err, "%s:%u: dump: %s", s->path, s->line, strerror(errno)) : 0;
}

static int look_for(struct script *s, const char *text, bool wanted)
{
	draw(s);
	if ((strstr(buf_str(&s->screen), text) != NULL) == wanted)
		return 0;
	fwrite(s->screen.data, 1, s->screen.len, stdout);
	return fail(ERR_INPUT, "%s:%u: the screen %s '%s'", s->path, s->line, wanted ? "does not show" : "shows", text);
}

static int do_expect(struct script *s, char *arg)
{
	return look_for(s, arg, true);
}

static int do_absent(struct script *s, char *arg)
{
	return look_for(s, arg, false);
}

static int read_switch(const struct script *s, const char *arg, bool *value)
{
	*value = strcmp(arg, "on") == 0;
	return *value || strcmp(arg, "off") == 0 ? 0 : wrong(s, "on or off was expected");
}

static int do_styles(struct script *s, char *arg)
{
	return read_switch(s, arg, &s->styles);
}

static int do_ascii(struct script *s, char *arg)
{
	return read_switch(s, arg, &s->canvas.ascii);
}

static const struct {
	const char *name;
	int (*run)(struct script *, char *);
} commands[] = {
	{ "size", do_size },     { "key", do_key },       { "type", do_type },     { "click", do_click },
	{ "wheel", do_wheel },   { "tick", do_tick },     { "wait", do_wait },     { "dump", do_dump },
	{ "expect", do_expect }, { "absent", do_absent }, { "styles", do_styles }, { "ascii", do_ascii },
	{ "date", do_date },     { "env", do_env },
};

static int run_line(struct script *s, char *line)
{
	size_t n;

	line += strspn(line, " \t");
	n = strcspn(line, " \t");
	if (n == 0 || *line == '#')
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (strlen(commands[i].name) == n && memcmp(line, commands[i].name, n) == 0)
			return commands[i].run(s, line + n + (line[n] != '\0'));
	return fail(ERR_INPUT, "%s:%u: no command '%.*s'", s->path, s->line, (int)n, line);
}

static int run_lines(struct script *s, char *text)
{
	int err = 0;

	while (text && *text && !err && !dash_ended(s->dash)) {
		char *end = strchr(text, '\n');

		if (end)
			*end++ = '\0';
		s->line++;
		err = run_line(s, text);
		text = end;
	}
	return err;
}

int dash_script(struct dash *d, const char *path, const struct dash_server *server)
{
	struct script s = { .dash = d, .server = server, .path = path };
	struct buf text = { 0 };
	char size[] = "80x24";
	int err;

	if (strcmp(path, "-") == 0)
		err = buf_read_fd(&text, STDIN_FILENO, SCRIPT_MOST);
	else
		err = buf_read_file(&text, path, SCRIPT_MOST);
	if (!err)
		err = do_size(&s, size);
	if (!err)
		err = run_lines(&s, text.data);
	canvas_free(&s.canvas);
	buf_free(&s.screen);
	buf_free(&text);
	return err;
}
