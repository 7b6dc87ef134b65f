/* Owns ncurses: the only file that knows it. Refuses terminals that it does not know; shows nothing that the C library would draw with
 * another width than the canvas has. */
#include "lib/tui.h"

#include "lib/err.h"
#include "lib/log.h"
#include "lib/str.h"
#include "lib/tui_guard.h"

#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <term.h>
#include <unistd.h>
#include <wchar.h>

#define ESC_WAIT_MS 25
#define LOOKS_MOST 64
#define MOUSE_OFF "\033[?1000l\033[?1002l\033[?1003l\033[?1006l"

struct tui {
	SCREEN *screen;
	FILE *out;
	int epoll;
	bool ascii, mouse, shown_valid;
	int colours;
	struct canvas shown; /* what ncurses has been told */
	attr_t attributes[LOOKS_MOST];
	size_t n_looks;
};

/* Signals arrive as bytes in a pipe, so that poll wakes up for them. */
static int signal_pipe[2] = { -1, -1 };

static const int caught[] = { SIGWINCH, SIGTSTP, SIGCONT, SIGTERM, SIGHUP, SIGINT };
static struct sigaction caught_before[ARRAY_LEN(caught)];

static void on_signal(int number)
{
	int saved = errno;
	char byte = (char)number;

	if (write(signal_pipe[1], &byte, 1) < 0)
		errno = 0; /* full: the same byte is in there already */
	errno = saved;
}

/* ---- What kind of terminal */

static int check_terminal(void)
{
	const char *term = getenv("TERM");
	int answer;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return fail(ERR_USAGE, "this needs a terminal: standard %s is none",
			    isatty(STDIN_FILENO) ? "output" : "input");
	if (!term || !*term)
		return fail(ERR_USAGE, "TERM is not set: set it to what the terminal is, such as xterm");
	if (setupterm(NULL, STDOUT_FILENO, &answer) == OK) {
		const char *up = tigetstr("cup");

		if (up && up != (char *)-1)
			return 0;
		return fail(ERR_USAGE, "the terminal '%s' (TERM) cannot move its cursor: use another one", term);
	}
	if (answer < 0)
		return fail(ERR_USAGE, "there is no terminfo database here: install ncurses-base");
	return fail(ERR_USAGE, "the terminal type '%s' (TERM) is not known here: install ncurses-term, or set TERM=xterm",
		    term);
}

static struct buf *collected;

static int collect(int c)
{
	buf_addc(collected, (char)c);
	return c;
}

/* The strings that undo what tui_open does, in an order that leaves the cursor where it was. */
static void restore_strings(struct buf *out)
{
	static const char *const names[] = { "sgr0", "op", "cnorm", "rmkx", "rmcup" };
	const char *mouse = tigetstr("kmous");

	collected = out;
	if (mouse && mouse != (char *)-1)
		buf_adds(out, MOUSE_OFF);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char *s = tigetstr(names[i]);

		if (s && s != (char *)-1)
			tputs(s, 1, collect);
	}
}

int tui_guard(bool *drawer, int *status)
{
	struct buf text = { 0 };
	int err = check_terminal();

	if (err)
		return err;
	restore_strings(&text);
	del_curterm(cur_term);
	err = guard_fork(buf_str(&text), text.len, drawer, status);
	buf_free(&text);
	return err;
}

/* ---- Open and close */

/* The locale that the environment names may not be installed; its encoding is what counts. */
static bool locale_is_utf8(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	const char *want = NULL;

	if (setlocale(LC_CTYPE, ""))
		return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	for (size_t i = 0; i < ARRAY_LEN(names) && (!want || !*want); i++)
		want = getenv(names[i]);
	return want && (strcasestr(want, "utf-8") || strcasestr(want, "utf8")) && setlocale(LC_CTYPE, "C.UTF-8");
}

static int catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	if (pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK) < 0)
		return fail(ERR_SYS, "pipe: %s", strerror(errno));
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < ARRAY_LEN(caught); i++)
		sigaction(caught[i], &action, &caught_before[i]);
	return 0;
}

static void leave_signals(void)
{
	if (signal_pipe[0] < 0)
		return;
	for (size_t i = 0; i < ARRAY_LEN(caught); i++)
		sigaction(caught[i], &caught_before[i], NULL);
	close(signal_pipe[0]);
	close(signal_pipe[1]);
	signal_pipe[0] = signal_pipe[1] = -1;
}

static int watch(struct tui *t)
{
	int fds[] = { STDIN_FILENO, signal_pipe[0] };

	t->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (t->epoll < 0)
		return fail(ERR_SYS, "epoll: %s", strerror(errno));
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		struct epoll_event e = { .events = EPOLLIN };

		if (epoll_ctl(t->epoll, EPOLL_CTL_ADD, fds[i], &e) < 0)
			return fail(ERR_SYS, "epoll: %s", strerror(errno));
	}
	return 0;
}

static void set_looks(struct tui *t, const struct tui_options *o)
{
	const char *no_color = getenv("NO_COLOR");
	bool wanted = !o->no_colour && !(no_color && *no_color) && has_colors();

	t->n_looks = MIN_OF(o->n_looks, (size_t)LOOKS_MOST);
	if (wanted) {
		start_color();
		use_default_colors();
		t->colours = COLORS;
	}
	for (size_t i = 0; i < t->n_looks; i++) {
		const struct look *look = &o->looks[i];
		int fg = colour_reduce(look->fg, t->colours), bg = colour_reduce(look->bg, t->colours);
		short pair = (short)(i + 1);

		t->attributes[i] = (look->flags & STYLE_BOLD ? A_BOLD : 0) | (look->flags & STYLE_REVERSE ? A_REVERSE : 0) |
				   (look->flags & STYLE_UNDERLINE ? A_UNDERLINE : 0);
		if (wanted && (fg >= 0 || bg >= 0) && pair < COLOR_PAIRS && init_pair(pair, (short)fg, (short)bg) == OK)
			t->attributes[i] |= COLOR_PAIR(pair);
	}
}

static void set_modes(struct tui *t, const struct tui_options *o)
{
	raw();
	noecho();
	nonl();
	intrflush(stdscr, FALSE);
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	curs_set(0);
	if (!o->no_mouse) {
		mousemask(BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED, NULL);
		mouseinterval(0);
		t->mouse = true;
	}
}

static void last_restore(void)
{
	endwin();
}

int tui_open(struct tui **out, const struct tui_options *o)
{
	struct tui *t;
	int err = check_terminal();

	*out = NULL;
	if (err)
		return err;
	del_curterm(cur_term);
	t = xcalloc(1, sizeof(*t));
	t->epoll = -1;
	t->ascii = !locale_is_utf8();
	/* ncurses leaves signals alone that have a handler already. */
	if ((err = catch_signals()) || (err = watch(t))) {
		tui_close(t);
		return err;
	}
	use_env(FALSE);
	use_tioctl(TRUE);
	set_escdelay(ESC_WAIT_MS);
	t->out = fdopen(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3), "w");
	tui_state->screen_up = 1;
	t->screen = t->out ? newterm(NULL, t->out, stdin) : NULL;
	if (!t->screen) {
		tui_close(t);
		return fail(ERR_USAGE, "the terminal '%s' (TERM) cannot be used", getenv("TERM"));
	}
	err_last_hook = last_restore;
	set_modes(t, o);
	set_looks(t, o);
	*out = t;
	return 0;
}

void tui_close(struct tui *t)
{
	if (!t)
		return;
	err_last_hook = NULL;
	if (t->screen) {
		endwin();
		delscreen(t->screen);
	}
	tui_state->screen_up = 0;
	leave_signals();
	if (t->out)
		fclose(t->out);
	if (t->epoll >= 0)
		close(t->epoll);
	canvas_free(&t->shown);
	free(t);
}

void tui_size(const struct tui *t UNUSED, int *rows, int *cols)
{
	getmaxyx(stdscr, *rows, *cols);
}

bool tui_ascii(const struct tui *t)
{
	return t->ascii;
}

int tui_fd(const struct tui *t)
{
	return t->epoll;
}

/* ---- Events */

static const struct {
	wint_t code;
	uint32_t key;
} special[] = {
	{ KEY_ENTER, TKEY_ENTER },
	{ KEY_BACKSPACE, TKEY_BACKSPACE },
	{ KEY_UP, TKEY_UP },
	{ KEY_DOWN, TKEY_DOWN },
	{ KEY_LEFT, TKEY_LEFT },
	{ KEY_RIGHT, TKEY_RIGHT },
	{ KEY_PPAGE, TKEY_PAGE_UP },
	{ KEY_NPAGE, TKEY_PAGE_DOWN },
	{ KEY_HOME, TKEY_HOME },
	{ KEY_END, TKEY_END },
	{ KEY_IC, TKEY_INSERT },
	{ KEY_DC, TKEY_DELETE },
	{ KEY_BTAB, TKEY_TAB | TKEY_SHIFT },
	{ KEY_SLEFT, TKEY_LEFT | TKEY_SHIFT },
	{ KEY_SRIGHT, TKEY_RIGHT | TKEY_SHIFT },
	{ KEY_SR, TKEY_UP | TKEY_SHIFT },
	{ KEY_SF, TKEY_DOWN | TKEY_SHIFT },
};

static uint32_t special_key(wint_t code)
{
	if (code >= KEY_F(1) && code <= KEY_F(12))
		return TKEY_F1 + (uint32_t)(code - KEY_F(1));
	for (size_t i = 0; i < ARRAY_LEN(special); i++)
		if (special[i].code == code)
			return special[i].key;
	return 0;
}

static uint32_t plain_key(wint_t c)
{
	switch (c) {
	case '\r':
	case '\n':
		return TKEY_ENTER;
	case '\t':
		return TKEY_TAB;
	case '\033':
		return TKEY_ESC;
	case '\b':
	case 0x7f:
		return TKEY_BACKSPACE;
	default:
		/* The control characters lie 64 below their letters and signs: 1 is ctrl-a, 28 ctrl-\. */
		return key_normal(c == 0 ? ' ' | TKEY_CTRL : c < ' ' ? ((uint32_t)c + 64) | TKEY_CTRL : (uint32_t)c);
	}
}

static bool mouse_event(struct event *e)
{
	MEVENT m;

	if (getmouse(&m) != OK)
		return false;
	e->row = m.y;
	e->col = m.x;
	e->kind = m.bstate & BUTTON1_PRESSED ? EVENT_CLICK : EVENT_WHEEL;
	e->delta = m.bstate & BUTTON4_PRESSED ? -1 : 1;
	return m.bstate & (BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED);
}

static bool resize_event(struct tui *t, struct event *e)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_row == 0 || size.ws_col == 0)
		return false;
	resizeterm(size.ws_row, size.ws_col);
	tui_forget(t);
	e->kind = EVENT_RESIZE;
	e->row = size.ws_row;
	e->col = size.ws_col;
	return true;
}

/* What a signal means; false where it needs no event. */
static bool signal_event(struct tui *t, int number, struct event *e)
{
	if (number == SIGWINCH)
		return resize_event(t, e);
	if (number == SIGTSTP) {
		tui_suspend(t);
		return false;
	}
	if (number == SIGCONT) {
		tui_forget(t);
		e->kind = EVENT_REDRAW;
		return true;
	}
	e->kind = EVENT_END;
	return true;
}

static bool terminal_gone(void)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };

	return poll(&p, 1, 0) > 0 && p.revents & (POLLHUP | POLLERR | POLLNVAL);
}

bool tui_next_event(struct tui *t, struct event *e)
{
	char number;
	wint_t c;
	int kind;

	*e = (struct event){ .now_ms = now_ms() };
	while (read(signal_pipe[0], &number, 1) == 1)
		if (signal_event(t, number, e))
			return true;
	while ((kind = get_wch(&c)) != ERR) {
		e->key = kind == KEY_CODE_YES ? special_key(c) : plain_key(c);
		e->kind = EVENT_KEY;
		if (kind == KEY_CODE_YES && c == KEY_MOUSE ? mouse_event(e) : e->key != 0)
			return true;
	}
	if (!terminal_gone())
		return false;
	e->kind = EVENT_END;
	return true;
}

/* ---- Drawing */

static attr_t attributes_of(const struct tui *t, unsigned style)
{
	size_t id = style & STYLE_MASK;
	attr_t a = id < t->n_looks ? t->attributes[id] : A_NORMAL;

	/* Reversed twice is not at all: a mark inside of a reversed line stays to be seen. */
	if (style & STYLE_REVERSE)
		a ^= A_REVERSE;
	return a | (style & STYLE_BOLD ? A_BOLD : 0) | (style & STYLE_UNDERLINE ? A_UNDERLINE : 0);
}

static void put_cell(const struct tui *t, int row, int col, const struct cell *cell)
{
	wchar_t text[CANVAS_MARKS + 2] = { (wchar_t)cell->rune };
	attr_t a = attributes_of(t, cell->style);
	size_t n = 1;
	cchar_t out;

	/* A character that the C library sees with another width would shift all that follows. */
	if (cell->rune >= 0x80 && wcwidth((wchar_t)cell->rune) != cell->width)
		text[0] = L'?';
	else
		for (size_t i = 0; i < CANVAS_MARKS && cell->marks[i]; i++)
			if (wcwidth((wchar_t)cell->marks[i]) == 0)
				text[n++] = (wchar_t)cell->marks[i];
	text[n] = L'\0';
	if (setcchar(&out, text, a, (short)PAIR_NUMBER(a), NULL) == OK)
		mvadd_wch(row, col, &out);
	if (cell->width == 2 && text[0] == L'?')
		mvaddch(row, col + 1, '?' | a);
}

void tui_draw(struct tui *t, const struct canvas *c)
{
	int rows = MIN_OF(c->rows, getmaxy(stdscr)), cols = MIN_OF(c->cols, getmaxx(stdscr));
	size_t row_size = (size_t)c->cols * sizeof(*c->cells);

	if (t->shown.rows != c->rows || t->shown.cols != c->cols || !t->shown_valid) {
		canvas_resize(&t->shown, c->rows, c->cols);
		t->shown_valid = false;
		erase();
	}
	for (int row = 0; row < rows; row++) {
		const struct cell *cells = &c->cells[(size_t)row * (size_t)c->cols];
		struct cell *shown = &t->shown.cells[(size_t)row * (size_t)c->cols];

		if (t->shown_valid && memcmp(cells, shown, row_size) == 0)
			continue;
		for (int col = 0; col < cols; col++)
			if (cells[col].width != 0)
				put_cell(t, row, col, &cells[col]);
		memcpy(shown, cells, row_size);
	}
	t->shown_valid = true;
	refresh();
}

void tui_forget(struct tui *t)
{
	t->shown_valid = false;
	clearok(curscr, TRUE);
}

/* ---- Handing the terminal over */

static void give_back(void)
{
	def_prog_mode();
	endwin();
	tui_state->screen_up = 0;
}

static void take_again(struct tui *t)
{
	struct winsize size;

	tui_state->screen_up = 1;
	reset_prog_mode();
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0 &&
	    (size.ws_row != getmaxy(stdscr) || size.ws_col != getmaxx(stdscr)))
		on_signal(SIGWINCH);
	tui_forget(t);
	refresh();
}

void tui_suspend(struct tui *t)
{
	give_back();
	guard_stop();
	take_again(t);
	on_signal(SIGCONT); /* the caller draws anew */
}

int tui_run(struct tui *t, char *const argv[], int *status)
{
	int err;

	give_back();
	err = guard_run(argv, status);
	take_again(t);
	on_signal(SIGCONT);
	return err;
}
