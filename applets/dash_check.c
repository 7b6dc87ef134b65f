/* Owns how a check of a patch is told: as a list, and beside the lines that it is about. Refuses to look at a tree: it tells what was found. */
#include "applets/dash_check.h"

#include "applets/words.h"
#include "lib/apply.h"
#include "lib/diff.h"
#include "lib/kver.h"
#include "lib/lint.h"

#include <stdlib.h>

#define BESIDE_MOST (1u << 20) /* bytes of a patch that is read for its lines */

const char *dash_apply_word(bool checked, ApplyState state)
{
	return checked ? apply_state_name(state) : "not checked";
}

unsigned dash_apply_style(bool checked, ApplyState state)
{
	return !checked                              ? ST_WARNING
	       : apply_is_good(state)                ? ST_GOOD
	       : state == APPLY_STATE__APPLY_ALREADY ? ST_DIM
						     : ST_ERROR;
}

bool dash_check_is_bad(const PatchCheck *c)
{
	return (c->apply && !apply_is_good(c->apply->state)) || (c->lint && c->lint->blocks);
}

/* ---- As a list */

static unsigned finding_style(const LintFinding *f)
{
	return f->has_suppressed                    ? ST_DIM
	       : f->level == LINT_LEVEL__LINT_BLOCK ? ST_ERROR
	       : f->level == LINT_LEVEL__LINT_WARN  ? ST_WARNING
						    : ST_LABEL;
}

static void add_finding(const LintFinding *f, struct dash_text *out)
{
	struct buf place = { 0 };

	if (f->has_file)
		buf_printf(&place, " %.*s", (int)f->file.len, (const char *)f->file.data);
	if (f->has_line)
		buf_printf(&place, ":%llu", (unsigned long long)f->line);
	dash_text_add(out, finding_style(f), "%s %s%s", f->id, finding_word(f), buf_str(&place));
	dash_text_add(out, ST_PLAIN, "  %s", f->why ? f->why : "");
	if (f->has_suppressed)
		dash_text_add(out, ST_PLAIN, "  Lint-ok: %.*s", (int)f->suppressed.len, (const char *)f->suppressed.data);
	else if (f->todo)
		dash_text_add(out, ST_PLAIN, "  %s", f->todo);
	buf_free(&place);
}

/* One hunk that is not simply where the patch says: in words, appended. */
static void hunk_words(const ApplyHunk *h, struct buf *out)
{
	buf_printf(out, "hunk %u: %s", h->number, apply_state_name(h->state));
	if (h->has_offset)
		buf_printf(out, ", %+lld lines", (long long)h->offset);
	if (h->has_wanted)
		buf_printf(out, "; wanted: %.*s", (int)h->wanted.len, (const char *)h->wanted.data);
	if (h->has_found)
		buf_printf(out, "; found: %.*s", (int)h->found.len, (const char *)h->found.data);
}

static void add_file(const ApplyFile *f, struct dash_text *out)
{
	if (f->state == APPLY_STATE__APPLY_CLEAN)
		return;
	dash_text_add(out, dash_apply_style(true, f->state), "  %.*s: %s%s%s", (int)f->path.len, (const char *)f->path.data,
		      apply_state_name(f->state), f->reason ? ": " : "", f->reason ? f->reason : "");
	for (size_t i = 0; i < f->n_hunks; i++) {
		struct buf words = { 0 };

		if (f->hunks[i]->state == APPLY_STATE__APPLY_CLEAN)
			continue;
		hunk_words(f->hunks[i], &words);
		dash_text_add(out, ST_PLAIN, "    %s", buf_str(&words));
		buf_free(&words);
	}
}

static void add_apply(const PatchCheck *c, struct dash_text *out)
{
	if (!c->apply) {
		dash_text_field(out, "Applies", ST_WARNING, "not checked: %s",
				c->unchecked ? c->unchecked : "there was no tree");
		return;
	}
	dash_text_field(out, "Applies", dash_apply_style(true, c->apply->state), "%s, to %s%s",
			apply_state_name(c->apply->state), c->ref ? c->ref : "?",
			c->apply->state == APPLY_STATE__APPLY_ALREADY ? ": good news, the fix is in this tree already" : "");
}

static void add_lint(const LintResult *l, struct dash_text *out)
{
	dash_text_field(out, "Lint",
			l->blocks  ? ST_ERROR
			: l->warns ? ST_WARNING
				   : ST_GOOD,
			"%u block, %u warn, %u ask the reviewer, %u accepted", l->blocks, l->warns, l->reviews,
			l->suppressed);
}

void dash_check_text(const PatchCheck *c, struct dash_text *out)
{
	const LintResult *l = c->lint;

	add_apply(c, out);
	if (l)
		add_lint(l, out);
	for (size_t i = 0; c->apply && i < c->apply->n_files; i++)
		add_file(c->apply->files[i], out);
	for (size_t i = 0; l && i < l->n_findings; i++)
		add_finding(l->findings[i], out);
}

void dash_check_skipped(const PatchCheck *c, struct dash_text *out)
{
	const LintResult *l = c->lint;

	for (size_t i = 0; l && i < l->n_skipped; i++)
		dash_text_add(out, ST_DIM, "%s not run: %s", l->skipped[i]->id, l->skipped[i]->why);
}

void dash_check_show(const PatchCheck *c, struct dash *d, const char *title)
{
	struct dash_text *out = dash_show_text(d, title);

	dash_check_text(c, out);
	dash_check_skipped(c, out);
}

/* ---- Beside the lines */

struct note {
	size_t line; /* of the patch, below which it stands; 0: above all */
	size_t order;
	unsigned style;
	const char *text;
};

struct notes {
	struct arena *arena;
	struct note *items;
	size_t n;
};

static void add_note(struct notes *l, size_t line, unsigned style, const char *text)
{
	struct note *n = arena_grow(l->arena, (void **)&l->items, &l->n, sizeof(*n));

	*n = (struct note){ line, l->n, style, text };
}

static int by_line(const void *a, const void *b)
{
	const struct note *x = a, *y = b;

	return x->line != y->line ? (x->line < y->line ? -1 : 1) : x->order < y->order ? -1 : 1;
}

static bool is_path(ProtobufCBinaryData path, const char *other)
{
	return other && path.len == strlen(other) && memcmp(path.data, other, path.len) == 0;
}

static const struct diff_file *file_of(const struct diff *d, ProtobufCBinaryData path)
{
	for (size_t i = 0; i < d->n_files; i++)
		if (is_path(path, d->files[i].new_path) || is_path(path, d->files[i].old_path))
			return &d->files[i];
	return NULL;
}

/* The line of the patch that makes that line of the patched file; the file's head where none does. */
static size_t line_of(const struct diff_file *f, uint64_t wanted)
{
	for (size_t i = 0; i < f->n_hunks; i++) {
		const struct diff_hunk *h = &f->hunks[i];
		uint64_t at = h->new_start;

		for (size_t k = 0; k < h->n_lines; k++)
			if (h->lines[k].kind != DIFF_DELETE && at++ == wanted)
				return h->lines[k].line;
	}
	return f->line;
}

static void note_findings(struct notes *l, const struct diff *d, const LintResult *lint)
{
	for (size_t i = 0; lint && i < lint->n_findings; i++) {
		const LintFinding *f = lint->findings[i];
		const struct diff_file *file = f->has_file ? file_of(d, f->file) : NULL;

		if (file)
			add_note(l, f->has_line ? line_of(file, f->line) : file->line, finding_style(f),
				 arena_printf(l->arena, "^ %s %s: %s", f->id, finding_word(f), f->why ? f->why : ""));
	}
}

static void note_hunks(struct notes *l, const ApplyResult *apply)
{
	struct buf words = { 0 };

	for (size_t i = 0; apply && i < apply->n_files; i++)
		for (size_t k = 0; k < apply->files[i]->n_hunks; k++) {
			const ApplyHunk *h = apply->files[i]->hunks[k];

			if (h->state == APPLY_STATE__APPLY_CLEAN || !h->has_patch_line)
				continue;
			buf_reset(&words);
			hunk_words(h, &words);
			add_note(l, h->patch_line, dash_apply_style(true, h->state),
				 arena_printf(l->arena, "^ %s", buf_str(&words)));
		}
	buf_free(&words);
}

/* Both are in the order of the patch's lines. */
static void weave(const char *text, size_t n, const struct notes *l, struct dash_text *out)
{
	size_t from = 0, at = 0, line = 0, k = 0;

	while (at < n) {
		const char *end = memchr(text + at, '\n', n - at);

		at = end ? (size_t)(end - text) + 1 : n;
		if (k == l->n || l->items[k].line > ++line)
			continue;
		dash_text_diff(out, text + from, at - from);
		from = at;
		for (; k < l->n && l->items[k].line <= line; k++)
			dash_text_lines(out, l->items[k].style, l->items[k].text, strlen(l->items[k].text));
	}
	if (from < n)
		dash_text_diff(out, text + from, n - from);
}

void dash_check_diff(const PatchCheck *c, ProtobufCBinaryData body, struct dash_text *out)
{
	struct notes l = { .arena = arena_new(0) };
	const char *text = (const char *)body.data;
	struct diff d = { 0 };

	if (c && body.len <= BESIDE_MOST && !diff_parse(l.arena, text, body.len, &d)) {
		note_findings(&l, &d, c->lint);
		note_hunks(&l, c->apply);
	}
	if (l.n)
		qsort(l.items, l.n, sizeof(*l.items), by_line);
	if (body.len)
		weave(text, body.len, &l, out);
	arena_free(l.arena);
}
