/* Owns the rules on what is no code: layouts, data, static locals, exports and their namespaces. */
#include "lib/lint_model.h"

#include "lib/bound.h"
#include "lib/buf.h"
#include "lib/str.h"

#include <stdlib.h>

#define BLOCK LINT_LEVEL__LINT_BLOCK
#define WARN LINT_LEVEL__LINT_WARN
#define REVIEW LINT_LEVEL__LINT_REVIEW

static struct lint_place at_touch(const struct lint_touch *t)
{
	return (struct lint_place){ t->file, t->line };
}

/* Do the tokens of these parts differ between both sides? */
static bool head_differs(const struct lint_touch *t)
{
	return !lint_same_tokens(&t->file->old, t->old->first, t->old->body, &t->file->now, t->now->first, t->now->body);
}

static bool body_differs(const struct lint_touch *t)
{
	return !lint_same_tokens(&t->file->old, t->old->body, t->old->end, &t->file->now, t->now->body, t->now->end);
}

/* ---- 7: layout */

static const char *name_of_type(const struct citem *item)
{
	return *item->name ? item->name : "a type without a name";
}

static void judge_layout(struct lint *l, const struct lint_touch *t)
{
	const struct citem *item = lint_item_of(t);

	if (!t->old || !t->now)
		return;
	if (item->kind == CITEM_TYPE && (head_differs(t) || body_differs(t)))
		lint_add(l, WARN, at_touch(t),
			 "The members of %s change, but objects of the running kernel have the old layout.",
			 name_of_type(item));
	else if (item->kind == CITEM_DATA && head_differs(t))
		lint_add(l, WARN, at_touch(t),
			 "The type or the size of %s changes, but the running kernel has the old object.", item->name);
}

/* A number that a macro stands for and that bounds an array of this file. */
static const struct citem *bounded_by(const struct cfile *c, const char *macro)
{
	for (size_t i = 0; i < c->n_items; i++) {
		const struct citem *item = &c->items[i];
		int bracket = 0;

		if (item->kind != CITEM_TYPE && item->kind != CITEM_DATA)
			continue;
		for (size_t k = item->first; k < item->end; k++) {
			bracket += ctok_is(&c->toks[k], "[");
			bracket -= ctok_is(&c->toks[k], "]");
			if (bracket > 0 && ctok_is(&c->toks[k], macro))
				return item;
		}
	}
	return NULL;
}

static const struct citem *find_macro(const struct cfile *c, const char *name)
{
	for (size_t i = 0; i < c->n_notes; i++)
		if (c->notes[i].kind == CITEM_MACRO && strcmp(c->notes[i].name, name) == 0)
			return &c->notes[i];
	return NULL;
}

/* Macros looked at in one file: each costs a walk through it. */
#define MACROS_MOST 64

/* #define lines that change their value. */
static void judge_macros(struct lint *l, const struct lint_file *f)
{
	size_t looked = 0;

	for (size_t i = 0; i < f->n_lines && looked < MACROS_MOST; i++) {
		const struct lint_line *line = &f->lines[i];
		const struct citem *macro, *bounded;
		char *name;

		if (line->diff->kind != DIFF_ADD || line->end - line->first < 4 ||
		    !ctok_is(&f->now.c.toks[line->first], "#") || !ctok_is(&f->now.c.toks[line->first + 1], "define"))
			continue;
		looked++;
		name = arena_memdup(l->a, f->now.c.toks[line->first + 2].s, f->now.c.toks[line->first + 2].len);
		macro = find_macro(&f->old.c, name);
		if (!macro || lint_same_tokens(&f->old, macro->first, macro->end, &f->now, line->first, line->end))
			continue;
		if ((bounded = bounded_by(&f->old.c, name)))
			lint_add(l, WARN, (struct lint_place){ f, line->number },
				 "%s changes, and with it the size of an array in %s.", name, name_of_type(bounded));
	}
}

int lint_layout(struct lint *l)
{
	for (size_t i = 0; i < l->n_files; i++) {
		for (size_t k = 0; k < l->files[i].n_touches; k++)
			judge_layout(l, &l->files[i].touches[k]);
		judge_macros(l, &l->files[i]);
	}
	return 0;
}

/* ---- 8: data */

/* Calls that make no data of their own: of those a change is no matter. */
static bool makes_no_data(const char *macro)
{
	static const char *const prefixes[] = { "EXPORT_",        "MODULE_AUTHOR", "MODULE_DESCRIPTION", "MODULE_LICENSE",
						"MODULE_VERSION", "MODULE_PARM",   "MODULE_INFO",        "MODULE_IMPORT_NS",
						"MODULE_SOFTDEP", "NOKPROBE_",     "ALLOW_ERROR",        "static_assert",
						"module_init",    "module_exit",   "BUILD_BUG",          "DECLARE_" };

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
		if (str_starts(macro, prefixes[i]))
			return true;
	return strstr(macro, "initcall") != NULL;
}

static void judge_data(struct lint *l, const struct lint_touch *t)
{
	const struct citem *item = lint_item_of(t);

	if (!t->old || !t->now)
		return;
	if (item->kind == CITEM_DATA && body_differs(t))
		lint_add(l, WARN, at_touch(t), "The value of %s changes, but a livepatch replaces functions, not data.",
			 item->name);
	else if (item->kind == CITEM_CALL && !makes_no_data(item->name) && body_differs(t))
		lint_add(l, WARN, at_touch(t), "%s() makes data that the running kernel has already.", item->name);
}

int lint_data(struct lint *l)
{
	for (size_t i = 0; i < l->n_files; i++)
		for (size_t k = 0; k < l->files[i].n_touches; k++)
			judge_data(l, &l->files[i].touches[k]);
	return 0;
}

/* ---- 10: exports */

static bool is_export(const char *macro)
{
	return str_starts(macro, "EXPORT_SYMBOL") || str_starts(macro, "EXPORT_PER_CPU_SYMBOL") ||
	       strcmp(macro, "ACPI_EXPORT_SYMBOL") == 0;
}

static void judge_prototype(struct lint *l, const struct lint_touch *t)
{
	const char *name = lint_item_of(t)->name;

	if (!t->old || !t->now || t->old->kind != CITEM_FUNCTION || t->old->macro || !head_differs(t))
		return;
	if (lint_call_of(&t->file->old, name, is_export))
		lint_add(l, BLOCK, at_touch(t),
			 "The prototype of %s changes, and with it the checksum by which modules find it.", name);
	else if (!t->file->whole && !citem_has_word(&t->file->old.c, t->old, "static"))
		lint_add(l, WARN, at_touch(t), "The prototype of %s changes; where it is exported, modules find it no more.",
			 name);
}

/* Exports that come or go: the livepatch is no provider of symbols. */
static void judge_exports(struct lint *l, const struct lint_touch *t)
{
	const struct citem *item = lint_item_of(t);

	if (item->kind != CITEM_CALL || !is_export(item->name) || (t->old && t->now))
		return;
	lint_add(l, WARN, at_touch(t), "An %s() %s: the symbols of the running kernel stay what they are.", item->name,
		 t->now ? "is added" : "goes");
}

static bool exports_symbols(const struct lint_side *s)
{
	for (size_t i = 0; i < s->n_calls; i++)
		if (is_export(s->calls[i].item->name))
			return true;
	return false;
}

static void judge_includes(struct lint *l, const struct lint_file *f)
{
	if (lint_is_header(f->path) || !exports_symbols(&f->old))
		return;
	for (size_t i = 0; i < f->n_lines; i++) {
		const struct lint_line *line = &f->lines[i];

		if (line->diff->kind == DIFF_ADD && line->end - line->first > 2 &&
		    ctok_is(&f->now.c.toks[line->first], "#") && ctok_is(&f->now.c.toks[line->first + 1], "include"))
			lint_add(l, WARN, (struct lint_place){ f, line->number },
				 "A new #include in a file that exports symbols may complete a type and so change their "
				 "checksums.");
	}
}

int lint_export(struct lint *l)
{
	for (size_t i = 0; i < l->n_files; i++) {
		struct lint_file *f = &l->files[i];

		for (size_t k = 0; k < f->n_touches; k++) {
			judge_prototype(l, &f->touches[k]);
			judge_exports(l, &f->touches[k]);
		}
		judge_includes(l, f);
	}
	return 0;
}

/* ---- 11: static locals */

/* Notes looked at in one function. */
#define LOCALS_MOST 256

static bool begins_before(const void *note, const void *token)
{
	return ((const struct citem *)note)->first < *(const size_t *)token;
}

/* The notes of static locals that stand in an item: [*from, *to). They are in order of their functions. */
static void locals_of(const struct lint_side *s, const struct citem *item, size_t *from, size_t *to)
{
	size_t at = bound(s->c.notes, s->c.n_notes, sizeof(*s->c.notes), &item->first, begins_before);

	*from = at;
	while (at < s->c.n_notes && s->c.notes[at].first < item->end && at - *from < LOCALS_MOST)
		at++;
	*to = at;
}

static const struct citem *find_local(const struct lint_side *s, const struct citem *item, const char *name)
{
	size_t from, to;

	locals_of(s, item, &from, &to);
	for (; from < to; from++)
		if (s->c.notes[from].kind == CITEM_STATIC_LOCAL && strcmp(s->c.notes[from].name, name) == 0)
			return &s->c.notes[from];
	return NULL;
}

static void judge_old_local(struct lint *l, const struct lint_touch *t, const struct citem *local)
{
	if (!find_local(&t->file->now, t->now, local->name))
		lint_add(l, WARN, at_touch(t),
			 "The static variable %s of %s goes: the builders must find each of them again.", local->name,
			 t->old->name);
	else if (t->file->whole && citem_count(&t->file->old.c, t->old, local->name) > 1 &&
		 citem_count(&t->file->now.c, t->now, local->name) == 1)
		lint_add(l, WARN, at_touch(t),
			 "Nothing in %s refers to its static variable %s any longer, so it is optimised away.", t->old->name,
			 local->name);
}

/* A constant holds no state. Of a pointer it is the const behind the last * that counts. */
static bool is_constant(const struct cfile *c, const struct citem *local)
{
	bool is_const = false;

	for (size_t i = local->first; i < local->end && !ctok_is(&c->toks[i], local->name); i++) {
		is_const |= ctok_is(&c->toks[i], "const");
		/* What const said so far was about what is pointed at. */
		if (ctok_is(&c->toks[i], "*"))
			is_const = false;
	}
	return is_const;
}

static void judge_locals(struct lint *l, const struct lint_touch *t)
{
	size_t from, to;

	if (!t->old || !t->now || t->old->kind != CITEM_FUNCTION)
		return;
	locals_of(&t->file->old, t->old, &from, &to);
	for (; from < to; from++)
		if (t->file->old.c.notes[from].kind == CITEM_STATIC_LOCAL)
			judge_old_local(l, t, &t->file->old.c.notes[from]);
	locals_of(&t->file->now, t->now, &from, &to);
	for (; from < to; from++) {
		const struct citem *local = &t->file->now.c.notes[from];

		if (local->kind == CITEM_STATIC_LOCAL && !is_constant(&t->file->now.c, local) &&
		    !find_local(&t->file->old, t->old, local->name))
			lint_add(l, WARN, (struct lint_place){ t->file, local->first_line },
				 "A static variable %s comes into %s: it starts anew with each livepatch.", local->name,
				 t->now->name);
	}
}

int lint_static_local(struct lint *l)
{
	for (size_t i = 0; i < l->n_files; i++)
		for (size_t k = 0; k < l->files[i].n_touches; k++)
			judge_locals(l, &l->files[i].touches[k]);
	return 0;
}

/* ---- 26: namespaces */

/* Calls asked about in one file. */
#define CALLS_MOST 64

static bool is_import(const char *macro)
{
	return strcmp(macro, "MODULE_IMPORT_NS") == 0;
}

static bool knows_word(const struct lint_side *s, const struct ctok *t)
{
	for (size_t i = 0; i < s->c.n_toks; i++)
		if (s->c.toks[i].len == t->len && memcmp(s->c.toks[i].s, t->s, t->len) == 0)
			return true;
	return false;
}

/* The import that a file has already; NULL: none. */
static const struct citem *import_of(const struct lint_side *s)
{
	for (size_t i = 0; i < s->c.n_items; i++)
		if (s->c.items[i].kind == CITEM_CALL && is_import(s->c.items[i].name))
			return &s->c.items[i];
	return NULL;
}

/* A call by a name in small letters. */
static bool is_call(const struct cfile *c, size_t k)
{
	const struct ctok *t = &c->toks[k];

	if (t->kind != CTOK_IDENT || k + 1 >= c->n_toks || !ctok_is(&c->toks[k + 1], "("))
		return false;
	for (size_t i = 0; i < t->len; i++)
		if (t->s[i] >= 'a' && t->s[i] <= 'z')
			return true;
	return false;
}

static int judge_call(struct lint *l, const struct lint_file *f, uint32_t line, const struct ctok *t)
{
	char *name = arena_memdup(l->a, t->s, t->len);
	const char *space = NULL;
	int err = l->in->export_space(l->in->build_ctx, name, &space);

	if (!err && space)
		lint_add(l, WARN, (struct lint_place){ f, line },
			 "%s is exported in the namespace %s, which a module must import.", name, space);
	return err;
}

static bool is_asked(const struct ctok *const *asked, size_t n, const struct ctok *t)
{
	for (size_t i = 0; i < n; i++)
		if (asked[i]->len == t->len && memcmp(asked[i]->s, t->s, t->len) == 0)
			return true;
	return false;
}

/* The calls on [first, end), each name once. Those that the file made before are asked about only where it imports a namespace: else it
 * lives without one. */
static int judge_calls(struct lint *l, const struct lint_file *f, size_t first, size_t end, bool all,
		       const struct ctok **asked, size_t *n)
{
	const struct cfile *c = &f->now.c;
	int err = 0;

	for (size_t k = first; !err && k < end && *n < CALLS_MOST; k++) {
		if (!is_call(c, k) || is_asked(asked, *n, &c->toks[k]) || (!all && knows_word(&f->old, &c->toks[k])))
			continue;
		asked[(*n)++] = &c->toks[k];
		err = judge_call(l, f, c->toks[k].line, &c->toks[k]);
	}
	return err;
}

static int judge_uses(struct lint *l, const struct lint_file *f)
{
	const struct ctok *asked[CALLS_MOST];
	bool imports = import_of(&f->now) != NULL;
	size_t n = 0;
	int err = 0;

	for (size_t i = 0; !err && i < f->n_lines; i++)
		if (f->lines[i].diff->kind == DIFF_ADD)
			err = judge_calls(l, f, f->lines[i].first, f->lines[i].end, imports, asked, &n);
	for (size_t i = 0; !err && imports && i < f->n_touches; i++)
		if (f->touches[i].now && f->touches[i].now->kind == CITEM_FUNCTION)
			err = judge_calls(l, f, f->touches[i].now->body, f->touches[i].now->end, true, asked, &n);
	return err;
}

static void judge_macros_of_spaces(struct lint *l, const struct lint_file *f, const struct lint_line *line)
{
	for (size_t k = line->first; k < line->end; k++) {
		const struct ctok *t = &f->now.c.toks[k];

		if (t->kind == CTOK_IDENT && (ctok_is(t, "MODULE_IMPORT_NS") || lint_tok_starts(t, "EXPORT_SYMBOL_NS")))
			lint_add(l, WARN, (struct lint_place){ f, line->number },
				 "%.*s ties the code to an export namespace.", (int)t->len, t->s);
	}
}

/* Without a build to tell what is exported where, a file that imports a namespace is as much as can be said. */
static void judge_import(struct lint *l, const struct lint_file *f)
{
	const struct citem *import = import_of(&f->now);
	bool touched = false;

	for (size_t i = 0; i < f->n_touches; i++)
		touched |= f->touches[i].now && f->touches[i].now->kind == CITEM_FUNCTION;
	if (import && touched)
		lint_add(l, REVIEW, (struct lint_place){ f, import->first_line },
			 "The file imports a namespace; a livepatch of functions that use its symbols must import it, too.");
}

int lint_namespace(struct lint *l)
{
	int err = 0;

	for (size_t i = 0; !err && i < l->n_files; i++) {
		const struct lint_file *f = &l->files[i];

		for (size_t k = 0; k < f->n_lines; k++)
			if (f->lines[k].diff->kind == DIFF_ADD)
				judge_macros_of_spaces(l, f, &f->lines[k]);
		if (l->in->export_space)
			err = judge_uses(l, f);
		else
			judge_import(l, f);
	}
	return err || l->in->export_space ? err
					  : lint_skip(l, "which symbols are exported in a namespace is not known: the "
							 "build's list of files is missing");
}
