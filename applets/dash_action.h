/* What a person can do in the dashboard: the one list from which come keys, footer, help, man page and config names. */
#ifndef TUXTAPE_DASH_ACTION_H
#define TUXTAPE_DASH_ACTION_H

#include "lib/base.h"
#include "lib/buf.h"
#include "lib/toml.h"

/* Where an action applies. */
enum {
	ON_ALWAYS = 1,
	ON_LIST = 2, /* the pane with the focus is a list */
	ON_TEXT = 4, /* ... is a text */
	ON_PAGE = 8, /* the page in front names it among its own */
};

/* X(id, config name, default keys, word in the footer or NULL, help, where). The order is that of the help; the footer shows as many as
 * fit, in the same order. */
#define DASH_ACTIONS(X)                                                                                      \
	X(SELECT, "Select", "<Enter>", "open", "open what the cursor is on", ON_PAGE)                        \
	X(EDIT, "EditPatch", "e", "edit", "edit the patch with $VISUAL or $EDITOR", ON_PAGE)                 \
	X(SUBMIT, "Submit", "i", "submit", "hand the edited patch in to review", ON_PAGE)                    \
	X(APPROVE, "Approve", "A", "approve", "approve the revision that is shown", ON_PAGE)                 \
	X(REJECT, "Reject", "X", "reject", "reject the revision that is shown", ON_PAGE)                     \
	X(WITHDRAW, "Withdraw", "W", "withdraw", "withdraw a livepatch of one's own", ON_PAGE)               \
	X(CONFIG, "Config", "c", "kernel", "choose the config or version to look at", ON_PAGE)               \
	X(ADD, "New", "a", "new", "make a new config", ON_PAGE)                                              \
	X(CVES, "ShowCves", "O", "CVEs", "show the CVEs of the config", ON_PAGE)                             \
	X(JOB, "Job", "b", "build", "follow the build", ON_PAGE)                                             \
	X(FOLLOW, "Follow", "F", "follow", "stay at the end of the log, or not", ON_PAGE)                    \
	X(CANCEL_JOB, "CancelJob", "C", "cancel", "take a job out of the queue, or stop its build", ON_PAGE) \
	X(RETRY_JOB, "RetryJob", "r", "retry", "queue a job's config again", ON_PAGE)                        \
	X(COMPARE, "Diff", "d", "diff", "show what differs from another", ON_PAGE)                           \
	X(APPROVED, "Approved", "t", "approved", "show the approved revision, or the fix", ON_PAGE)          \
	X(EXPORT, "Export", "x", "export", "write it to a file", ON_PAGE)                                    \
	X(PRERELEASES, "ReleaseCandidates", "p", "rc", "show release candidates, or not", ON_PAGE)           \
	X(SEVERITY, "Severity", "v", "severity", "show only CVEs of a severity and above", ON_PAGE)          \
	X(FIXED, "Fixed", "u", "fixed", "show only CVEs with a fix on the branch, or without", ON_PAGE)      \
	X(SHOW, "Show", "o", "show", "choose what is shown by its livepatch", ON_PAGE)                       \
	X(NOT_COMPILED, "NotCompiled", "m", "not compiled", "show CVEs in files not compiled, too", ON_PAGE) \
	X(SEARCH, "Search", "/", "search", "search, going along while you type", ON_LIST | ON_TEXT)          \
	X(FILTER, "Filter", "f &", "filter", "show only rows that hold a text", ON_LIST)                     \
	X(SORT, "Sort", "s", "sort", "choose the column to sort by", ON_LIST)                                \
	X(DELETE, "Delete", "D", "delete", "delete a config from the server", ON_PAGE)                       \
	X(BACK, "Back", "<Esc>", "back", "close, end a search or a filter, go back", ON_ALWAYS)              \
	X(NEXT_PANE, "NextPane", "<Tab>", "next pane", "move to the next pane", ON_ALWAYS)                   \
	X(ZOOM, "Zoom", "z", "zoom", "give the pane the whole screen, or not", ON_ALWAYS)                    \
	X(HELP, "Help", "? <F1>", "help", "show all keys", ON_ALWAYS)                                        \
	X(QUIT, "Quit", "q", "quit", "close the view, or leave the dashboard", ON_ALWAYS)                    \
	X(SCROLL_DOWN, "ScrollDown", "j <Down>", NULL, "one row down", ON_LIST | ON_TEXT)                    \
	X(SCROLL_UP, "ScrollUp", "k <Up>", NULL, "one row up", ON_LIST | ON_TEXT)                            \
	X(PAGE_DOWN, "PageDown", "<PgDn> ctrl-f <Space>", NULL, "a page down", ON_LIST | ON_TEXT)            \
	X(PAGE_UP, "PageUp", "<PgUp> ctrl-b", NULL, "a page up", ON_LIST | ON_TEXT)                          \
	X(HALF_DOWN, "HalfPageDown", "ctrl-d", NULL, "half a page down", ON_LIST | ON_TEXT)                  \
	X(HALF_UP, "HalfPageUp", "ctrl-u", NULL, "half a page up", ON_LIST | ON_TEXT)                        \
	X(TOP, "Top", "g <Home>", NULL, "to the first row", ON_LIST | ON_TEXT)                               \
	X(BOTTOM, "Bottom", "G <End>", NULL, "to the last row", ON_LIST | ON_TEXT)                           \
	X(SEARCH_NEXT, "SearchNext", "n", NULL, "to the next match", ON_LIST | ON_TEXT)                      \
	X(SEARCH_PREVIOUS, "SearchPrevious", "N", NULL, "to the match before", ON_LIST | ON_TEXT)            \
	X(SORT_REVERSE, "SortReverse", "S", NULL, "sort the other way round", ON_LIST)                       \
	X(WRAP, "Wrap", "w", NULL, "wrap long lines, or cut them", ON_TEXT)                                  \
	X(PANE_LEFT, "PaneLeft", "h <Left>", NULL, "to the pane before; a cut text moves left", ON_ALWAYS)   \
	X(PANE_RIGHT, "PaneRight", "l <Right>", NULL, "to the next pane; a cut text moves right", ON_ALWAYS) \
	X(PREVIOUS_PANE, "PreviousPane", "shift-<Tab>", NULL, "move to the pane before", ON_ALWAYS)          \
	X(TAB_LEFT, "TabLeft", "H [", NULL, "to the tab on the left", ON_ALWAYS)                             \
	X(TAB_RIGHT, "TabRight", "L ]", NULL, "to the tab on the right", ON_ALWAYS)                          \
	X(TAB_1, "Tab1", "1", NULL, "to the first tab", ON_ALWAYS)                                           \
	X(TAB_2, "Tab2", "2", NULL, "to the second tab", ON_ALWAYS)                                          \
	X(TAB_3, "Tab3", "3", NULL, "to the third tab", ON_ALWAYS)                                           \
	X(TAB_4, "Tab4", "4", NULL, "to the fourth tab", ON_ALWAYS)                                          \
	X(RELOAD, "Reload", "R <F5>", NULL, "ask for what is shown again", ON_PAGE)                          \
	X(DETAIL_DOWN, "DetailDown", "J", NULL, "scroll the details from the list, down", ON_LIST)           \
	X(DETAIL_UP, "DetailUp", "K", NULL, "scroll the details from the list, up", ON_LIST)                 \
	X(QUIT_ALL, "QuitAll", "Q ctrl-c", NULL, "leave the dashboard at once", ON_ALWAYS)                   \
	X(CLEAR_SCREEN, "ClearScreen", "ctrl-l", NULL, "draw everything anew", ON_ALWAYS)                    \
	X(SUSPEND, "Suspend", "ctrl-z", NULL, "stop it; fg in the shell goes on", ON_ALWAYS)

#define DASH_ACTION_ID(id, name, keys, label, help, where) ACT_##id,
enum dash_act { ACT_NONE, DASH_ACTIONS(DASH_ACTION_ID) ACT_COUNT };
#undef DASH_ACTION_ID

struct dash_action {
	const char *name;
	const char *keys; /* blanks between them */
	const char *label;
	const char *help;
	unsigned where;
};

extern const struct dash_action dash_actions[ACT_COUNT]; /* [ACT_NONE] is empty */

#define DASH_KEYS_MOST 160

struct dash_keymap {
	size_t n;
	struct {
		uint32_t key;
		unsigned action;
	} rows[DASH_KEYS_MOST];
};

/* The defaults of the table. */
void dash_keymap_default(struct dash_keymap *m);

/* Adds the rows of [keybindings.Normal] (key = "Action"), each in the place of what its key did before; an empty action unbinds the key.
 * ERR_INPUT with "where:LINE: ..." for a key or action that does not exist. */
int dash_keymap_read(struct dash_keymap *m, const struct toml *root, const char *where);

/* ACT_NONE where the key does nothing. */
unsigned dash_keymap_find(const struct dash_keymap *m, uint32_t key);

/* Appends the names of an action's keys, at most so many, a blank between them; false where it has none. */
bool dash_keymap_keys(const struct dash_keymap *m, unsigned action, size_t most, struct buf *out);

#endif
