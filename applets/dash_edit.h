/* One line that is being typed: UTF-8, with a cursor. */
#ifndef TUXTAPE_DASH_EDIT_H
#define TUXTAPE_DASH_EDIT_H

#include "lib/buf.h"
#include "lib/canvas.h"

/* Starts from { 0 }; release with buf_free(&e->text). */
struct dash_edit {
	struct buf text;
	size_t at; /* bytes before the cursor */
};

void dash_edit_set(struct dash_edit *e, const char *text);

/* Takes a key; false where it is not one for a line. *changed is set when the text is another one than before. */
bool dash_edit_key(struct dash_edit *e, uint32_t key, bool *changed);

/* Draws it in `cols` columns with the cursor reversed; a long line scrolls so that the cursor is seen. */
void dash_edit_draw(const struct dash_edit *e, struct canvas *c, int row, int col, int cols, unsigned style);

#endif
