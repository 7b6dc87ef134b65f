/* What the engine's own files share of its state; for no one else. */
#ifndef TUXTAPE_DASH_OWN_H
#define TUXTAPE_DASH_OWN_H

#include "applets/dash_engine.h"
#include "applets/dash_popup.h"

struct pane {
	const struct dash_pane_def *def;
	struct dash_list list;
	struct dash_text text;
	struct rect r; /* with its frame */
	bool hidden;   /* by the page */
	bool away;     /* that, or another pane has its place */
	bool seen;     /* there is room for it */
	enum { PANE_CLEAN, PANE_GROWN, PANE_CHANGED } state;
	char *title, *message;
	unsigned message_style;
	bool told; /* moved() has heard of this row */
	size_t told_row;
	uint64_t told_id;
};

struct view {
	const struct dash_page *def;
	void *data;
	struct pane panes[DASH_PANES_MOST];
	unsigned n, focus;
	bool zoom, opened;
	bool swapped; /* of two panes in one place, the second is shown */
	struct view *below;
};

struct pending {
	struct dash_request r;
	struct view *view; /* NULL: nobody waits */
	bool taken, lasts;
};

enum line_mode { LINE_NONE, LINE_SEARCH, LINE_FILTER };

/* Which popup the engine itself has asked for. */
enum popup_owner { OWNER_PAGE, OWNER_SORT, OWNER_TEXT };

struct dash {
	struct dash_keymap keys;
	struct view *tabs[DASH_TABS_MOST]; /* the view in front of each */
	size_t n_tabs, front;
	struct view *calling; /* whose function runs; NULL: the one in front */

	struct dash_popup popup;
	enum popup_owner owner;
	struct view *popup_view;

	enum line_mode line_mode;
	struct dash_edit line;
	size_t line_from; /* the cursor or top from which the search goes */
	bool line_found;

	char *alert, *status;
	unsigned alert_style, status_style;
	uint64_t alert_until; /* 0: until the next key */

	struct pending **pending;
	size_t n_pending;
	uint32_t last_id;

	int rows, cols;
	uint64_t now_ms;
	bool ended;
};

struct view *dash_front(const struct dash *d);
struct pane *dash_focused(const struct dash *d); /* of the view in front; NULL where it has no pane */
bool pane_is_list(const struct pane *p);
struct rect pane_inside(const struct pane *p);

/* How many panes of the view have a place, from the first to before `end`. */
unsigned dash_panes_before(const struct view *v, unsigned end);

/* Does an action apply now? */
bool dash_applies(const struct dash *d, unsigned action);

/* Runs a page's function with `calling` set. */
#define DASH_CALL(d, v, function, ...)                                     \
	do {                                                               \
		struct view *dash_call_before = (d)->calling;              \
		(d)->calling = (v);                                        \
		if ((v)->def->function)                                    \
			(v)->def->function((d), (v)->data, ##__VA_ARGS__); \
		(d)->calling = dash_call_before;                           \
	} while (0)

/* Screen column where each tab begins in the first row; [n_tabs] is behind the last. */
void dash_tab_columns(const struct dash *d, int at[DASH_TABS_MOST + 1]);

void dash_open_help(struct dash *d);
void dash_open_sort(struct dash *d);
bool dash_close_view(struct dash *d); /* the uppermost of the tab in front; false where it is the page itself */

#endif
