/* What stands above a page for a moment: a question, a line to type, a choice, a text. */
#ifndef TUXTAPE_DASH_POPUP_H
#define TUXTAPE_DASH_POPUP_H

#include "applets/dash_edit.h"
#include "applets/dash_text.h"
#include "lib/arena.h"

enum popup_kind { POPUP_NONE, POPUP_CONFIRM, POPUP_PROMPT, POPUP_CHOOSE, POPUP_TEXT };
enum popup_result { POPUP_STAYS, POPUP_ACCEPTED, POPUP_CANCELLED };

struct dash_popup {
	enum popup_kind kind;
	unsigned tag; /* the asker's */
	char *title;
	struct dash_edit edit; /* POPUP_PROMPT, and what was typed ahead in POPUP_CHOOSE */
	struct dash_text text; /* POPUP_TEXT, and the question of POPUP_CONFIRM */
	struct arena *items_arena;
	const char **items; /* POPUP_CHOOSE */
	size_t *view;       /* those that hold what was typed */
	size_t n_items, n_view, cursor, top;
	bool menu; /* POPUP_CHOOSE: a few fixed items, moved through by the keys of lists; else a text is typed to find one */
	struct rect r; /* where it is drawn; set by dash_popup_layout */
};

/* Each closes what was open. Texts and items are copied. */
void dash_popup_confirm(struct dash_popup *p, const char *title, const char *question);
void dash_popup_prompt(struct dash_popup *p, const char *title, const char *initial);
void dash_popup_choose(struct dash_popup *p, const char *title, const char *const *items, size_t n, size_t chosen);
void dash_popup_menu(struct dash_popup *p, const char *title, const char *const *items, size_t n, size_t chosen);
/* The caller then adds lines to p->text. */
void dash_popup_text(struct dash_popup *p, const char *title);
void dash_popup_close(struct dash_popup *p);

void dash_popup_layout(struct dash_popup *p, int rows, int cols);
enum popup_result dash_popup_key(struct dash_popup *p, uint32_t key);
enum popup_result dash_popup_click(struct dash_popup *p, int row, int col);
void dash_popup_wheel(struct dash_popup *p, int delta);
void dash_popup_draw(const struct dash_popup *p, struct canvas *c);

/* POPUP_CHOOSE: the number of the item with the cursor; SIZE_MAX where none is left. */
size_t dash_popup_choice(const struct dash_popup *p);

#endif
