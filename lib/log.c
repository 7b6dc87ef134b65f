/* Owns what goes to stderr. Refuses to let text from outside act on a terminal, or a line to be torn by another process's. */
#include "lib/log.h"

#include "lib/buf.h"
#include "lib/str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define REDRAW_MS 100

static struct {
	const char *who;
	enum log_level level;
	bool line_drawn; /* a progress line stands on the terminal */
} state = { .who = "tuxtape" };

void log_setup(const char *who, enum log_level level)
{
	state.who = who;
	state.level = level;
}

enum log_level log_level(void)
{
	return state.level;
}

uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static bool on_terminal(void)
{
	static int known = -1;

	if (known < 0)
		known = isatty(STDERR_FILENO);
	return known;
}

bool log_colour(int fd)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(fd) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

static void write_once(const char *data, size_t n)
{
	while (n && write(STDERR_FILENO, data, n) < 0 && errno == EINTR)
		;
}

static void say(const char *fmt, va_list ap)
{
	struct buf text = { 0 }, line = { 0 };

	buf_vprintf(&text, fmt, ap);
	if (state.line_drawn)
		buf_adds(&line, "\r\033[K");
	state.line_drawn = false;
	buf_printf(&line, "%s: ", state.who);
	str_printable(&line, buf_str(&text), text.len);
	buf_addc(&line, '\n');
	write_once(line.data, line.len);
	buf_free(&text);
	buf_free(&line);
}

void log_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

void log_note(const char *fmt, ...)
{
	va_list ap;

	if (state.level < LOG_NORMAL)
		return;
	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

void log_verbose(const char *fmt, ...)
{
	va_list ap;

	if (state.level < LOG_VERBOSE)
		return;
	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

void log_phase_begin(struct log_phase *p, const char *name, const char *unit, uint64_t first)
{
	*p = (struct log_phase){ .name = name, .unit = unit, .started_ms = now_ms(), .first = first };
}

static void add_time(struct buf *out, uint64_t seconds)
{
	if (seconds >= 3600)
		buf_printf(out, "%llu:%02llu:%02llu", (unsigned long long)(seconds / 3600),
			   (unsigned long long)(seconds / 60 % 60), (unsigned long long)(seconds % 60));
	else
		buf_printf(out, "%llu:%02llu", (unsigned long long)(seconds / 60), (unsigned long long)(seconds % 60));
}

static void draw(const struct log_phase *p, uint64_t done, uint64_t total, const char *detail, uint64_t elapsed)
{
	uint64_t gained = done - MIN_OF(p->first, done);
	struct buf line = { 0 };

	buf_printf(&line, "\r%s: %llu", p->name, (unsigned long long)done);
	if (total)
		buf_printf(&line, "/%llu", (unsigned long long)total);
	buf_printf(&line, " %s", p->unit);
	if (elapsed && gained)
		buf_printf(&line, ", %llu/s", (unsigned long long)(gained * 1000 / elapsed));
	if (total > done && gained && elapsed) {
		buf_adds(&line, ", ");
		add_time(&line, (total - done) * elapsed / gained / 1000);
		buf_adds(&line, " left");
	}
	if (detail) {
		buf_adds(&line, ", ");
		str_printable(&line, detail, strlen(detail));
	}
	buf_adds(&line, "\033[K");
	write_once(line.data, line.len);
	buf_free(&line);
	state.line_drawn = true;
}

void log_phase_step(struct log_phase *p, uint64_t done, uint64_t total, const char *detail)
{
	uint64_t now = now_ms();

	if (!on_terminal()) {
		log_verbose("mark %s %llu/%llu", p->name, (unsigned long long)done, (unsigned long long)total);
		return;
	}
	if (state.level < LOG_NORMAL || now - p->drawn_ms < REDRAW_MS)
		return;
	p->drawn_ms = now;
	draw(p, done, total, detail, now - p->started_ms);
}

void log_phase_end(struct log_phase *p, uint64_t done, const char *fmt, ...)
{
	uint64_t elapsed = now_ms() - p->started_ms;
	struct buf text = { 0 };
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	if (done)
		log_note("%s: %llu %s in %.1f s: %s", p->name, (unsigned long long)done, p->unit, (double)elapsed / 1000,
			 buf_str(&text));
	else
		log_note("%s: %.1f s: %s", p->name, (double)elapsed / 1000, buf_str(&text));
	buf_free(&text);
}
