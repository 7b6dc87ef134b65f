/* The dashboard without a terminal: pages supply columns, rows and texts; the engine draws, scrolls, sorts, searches and filters them. Events
 * go in, cells come out, and what is needed from elsewhere is asked for as requests that the caller serves. No descriptor, no clock. */
#ifndef TUXTAPE_DASH_ENGINE_H
#define TUXTAPE_DASH_ENGINE_H

#include "applets/dash_action.h"
#include "applets/dash_list.h"
#include "applets/dash_style.h"
#include "applets/dash_text.h"
#include "lib/canvas.h"
#include "lib/event.h"

#define DASH_PANES_MOST 4
#define DASH_TABS_MOST 8

struct dash;

/* Something that the caller is asked for. Kinds below 1000 are the pages' own. */
enum {
	DASH_RUN = 1000,              /* hand the terminal over to argv; the answer's status is as waitpid gives it */
	DASH_NO_ANSWER,               /* from here on, nothing is answered */
	DASH_CANCEL = DASH_NO_ANSWER, /* number: the id of a request that nobody waits for any more */
	DASH_SUSPEND,                 /* stop, as ^Z does */
	DASH_REDRAW,                  /* draw all of the screen anew */
};

struct dash_request {
	uint32_t id;
	unsigned kind;
	uint64_t number;  /* what they mean is the kind's affair */
	const char *text; /* NULL for none; `size` bytes where it is data, a NUL behind them */
	size_t size;
	char **argv; /* DASH_RUN */
};

struct dash_answer {
	enum { DASH_MORE, DASH_DONE, DASH_FAILED } state; /* any number of MORE, then one of the others */
	const void *message;                              /* what came, NULL for nothing; valid during the call */
	const char *text;                                 /* DASH_FAILED: one line for people */
	int status;                                       /* of a program; of DASH_FAILED the kind of error */
};

/* A pane is a list (rows) or a text (text). */
struct dash_pane_def {
	const char *title;
	const struct dash_rows *rows;
	int sort;                                              /* of a list: the column to begin with, or DASH_UNSORTED */
	void (*text)(const void *data, struct dash_text *out); /* writes the whole text; NULL: see dash_text_of */
	bool wrap, follow;                                     /* of a text, as in dash_text.h */
	bool shares;       /* on a narrow screen it has one place with the pane before it: dash_swap */
	const char *empty; /* what is shown where there is nothing */
};

/* What happened in a popup that the page opened. */
struct dash_said {
	unsigned tag;     /* as given when it was opened */
	bool yes;         /* false: cancelled */
	const char *text; /* a prompt's line, or the item chosen */
	size_t choice;    /* the item's number */
};

/* A page. Any function may be NULL. They are called with the page's data and may call what stands below. */
struct dash_page {
	const char *title;
	const struct dash_pane_def *panes;
	size_t n_panes;
	bool beside; /* the panes stand beside each other, equal, where there is room: to compare */
	bool above;  /* the first pane stands above several others, which stand beside each other where there is room */
	const unsigned *actions;                   /* those of ON_PAGE that it has, ACT_NONE at the end */
	void (*opened)(struct dash *, void *data); /* when it is first in front: to ask for data */
	void (*moved)(struct dash *, void *data, unsigned pane,
		      size_t row); /* the cursor is on another row, or DASH_NO_ROW */
	void (*act)(struct dash *, void *data, unsigned action);
	void (*answered)(struct dash *, void *data, const struct dash_request *, const struct dash_answer *);
	void (*said)(struct dash *, void *data, const struct dash_said *);
	void (*told)(struct dash *, void *data, unsigned news); /* dash_tell; it asks, and opens or closes nothing */
	void (*closed)(struct dash *, void *data);              /* it will not be seen again: to release data */
};

/* keys is copied. Starts at 80x24. Release with dash_free, which closes all pages. */
struct dash *dash_new(const struct dash_keymap *keys);
void dash_free(struct dash *d);

/* Adds a tab. def and what it points at must outlive d. */
void dash_add_tab(struct dash *d, const struct dash_page *def, void *data);

/* What the person did. */
void dash_event(struct dash *d, const struct event *e);

/* Brings the screen's state up to date after answers: before dash_draw. dash_event does it, too. */
void dash_settle(struct dash *d);

/* Fills the canvas, which has the size of the last EVENT_RESIZE. */
void dash_draw(const struct dash *d, struct canvas *c);

/* True once the person has left. */
bool dash_ended(const struct dash *d);

/* Milliseconds until an EVENT_TICK is needed for something to change, -1 for never. */
int dash_timeout(const struct dash *d);

/* ---- The caller's side of requests */

/* The next request; NULL where there is none. It lives until its answer is complete, one without an answer until the next call. */
const struct dash_request *dash_next_request(struct dash *d);

/* An answer, or a part of one. One that nobody waits for any more is dropped. */
void dash_answer(struct dash *d, uint32_t id, const struct dash_answer *answer);

/* How many requests are not answered, those apart that last. */
size_t dash_waiting(const struct dash *d);

/* Tells all views that have been in front that something happened; what it is stands between the caller and the pages. */
void dash_tell(struct dash *d, unsigned news);

/* Server, identity, connection: shown in the status line while there is nothing more urgent. */
void dash_set_status(struct dash *d, unsigned style, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* ---- For pages; "pane" is a number in the page's table */

/* Asks for something; returns the id. text may be NULL; it is copied. */
uint32_t dash_ask(struct dash *d, unsigned kind, uint64_t number, const char *text);
/* The same with any bytes. */
uint32_t dash_ask_bytes(struct dash *d, unsigned kind, uint64_t number, const void *data, size_t n);
/* Runs a program in the handed-over terminal; argv is copied. */
uint32_t dash_run(struct dash *d, uint64_t number, const char *const argv[]);
/* It goes on for as long as there is something to tell: dash_waiting does not count it from here on. */
void dash_lasts(struct dash *d, uint32_t id);
/* Nobody waits for it any more; 0 and unknown ids are fine. */
void dash_cancel(struct dash *d, uint32_t id);

/* Rows came (those before are as they were), or a text grew. */
void dash_grown(struct dash *d, unsigned pane);
/* Anything in it may have changed; cursor and place are kept. */
void dash_changed(struct dash *d, unsigned pane);
/* It shows something else now: from the top. */
void dash_fresh(struct dash *d, unsigned pane);
/* The text of a pane whose table has no function for it: the page adds lines to it itself, which costs no more than they do. */
struct dash_text *dash_text_of(struct dash *d, unsigned pane);
/* What an empty pane says, in place of its table's text: "loading", an error. NULL: the table's again. */
void dash_set_message(struct dash *d, unsigned pane, unsigned style, const char *text);
void dash_set_title(struct dash *d, unsigned pane, const char *title);
/* It has nothing to show now, and the others have its room; not for the first pane. */
void dash_hide(struct dash *d, unsigned pane, bool hidden);
/* Of two panes that have one place, shows the other one; false where no two have. */
bool dash_swap(struct dash *d);

unsigned dash_focus(const struct dash *d);
void dash_set_focus(struct dash *d, unsigned pane);
/* The row with the cursor of a list, DASH_NO_ROW where there is none. */
size_t dash_row(const struct dash *d, unsigned pane);
bool dash_goto(struct dash *d, unsigned pane, size_t row);

/* A view above the page, which Back closes again. */
void dash_push(struct dash *d, const struct dash_page *def, void *data);
void dash_pop(struct dash *d);

/* Puts the tab of a page in front; what was opened from it closes. */
void dash_show_tab(struct dash *d, const struct dash_page *page);

/* A line in the status row: for some seconds, errors until the next key. */
void dash_alert(struct dash *d, unsigned style, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Popups; the page's `said` hears how they end. One that is open is closed first. */
void dash_confirm(struct dash *d, unsigned tag, const char *title, const char *question);
void dash_prompt(struct dash *d, unsigned tag, const char *title, const char *initial);
/* Among names, however many: what is typed narrows them down. */
void dash_choose(struct dash *d, unsigned tag, const char *title, const char *const *items, size_t n, size_t chosen);
/* Among a few things that are always the same: by number, or with the keys of lists. */
void dash_menu(struct dash *d, unsigned tag, const char *title, const char *const *items, size_t n, size_t chosen);
/* A text to read; add to it what is to be read. `said` does not hear of it. */
struct dash_text *dash_show_text(struct dash *d, const char *title);

#endif
