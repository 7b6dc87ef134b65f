/* The styles of the dashboard: names for a config file, and what they look like by default. */
#ifndef TUXTAPE_DASH_STYLE_H
#define TUXTAPE_DASH_STYLE_H

#include "lib/look.h"
#include "lib/toml.h"

/* X(id, config name, look). The first is style 0, the plain one. */
#define DASH_STYLES(X)                                 \
	X(PLAIN, "text", "default")                    \
	X(BORDER, "border", "244")                     \
	X(FOCUS, "border_focus", "bold cyan")          \
	X(TAB, "tab", "default")                       \
	X(TAB_FRONT, "tab_front", "bold reverse")      \
	X(HEADER, "header", "bold")                    \
	X(REST, "cursor_elsewhere", "bold underline")  \
	X(STATUS, "status", "default")                 \
	X(KEY, "key", "bold")                          \
	X(DIM, "dim", "244")                           \
	X(LABEL, "label", "cyan")                      \
	X(CRITICAL, "critical", "bold bright-magenta") \
	X(HIGH, "high", "bold red")                    \
	X(MEDIUM, "medium", "yellow")                  \
	X(LOW, "low", "green")                         \
	X(UNSCORED, "unscored", "default")             \
	X(GOOD, "good", "green")                       \
	X(WARNING, "warning", "yellow")                \
	X(ERROR, "error", "bold red")                  \
	X(ADDED, "diff_added", "green")                \
	X(REMOVED, "diff_removed", "red")              \
	X(HUNK, "diff_hunk", "cyan")                   \
	X(DIFF_HEAD, "diff_header", "bold")            \
	X(MATCH, "match", "black on yellow")           \
	X(POPUP, "popup", "bold")

#define DASH_STYLE_ID(id, name, look) ST_##id,
enum dash_style { DASH_STYLES(DASH_STYLE_ID) ST_COUNT };
#undef DASH_STYLE_ID

/* The defaults. */
void dash_looks_default(struct look looks[ST_COUNT]);

/* Changes those that [colors] names (critical = "bold red"). ERR_INPUT with "where:LINE: ...". */
int dash_looks_read(struct look looks[ST_COUNT], const struct toml *root, const char *where);

/* The style of a CVSS base score in tenths (98 for 9.8), by CVSS's own qualitative scale; negative: not scored. */
unsigned dash_score_style(int tenths);

#endif
