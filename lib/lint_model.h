/* What the rules of the linter see: the files of a patch, both sides read as C, and what the patch touches in them. Private to
 * lib/lint*.c. */
#ifndef TUXTAPE_LINT_MODEL_H
#define TUXTAPE_LINT_MODEL_H

#include "lib/ctok.h"
#include "lib/lint.h"

/* A line that the patch adds or takes away. */
struct lint_line {
	const struct diff_line *diff;
	uint32_t number;          /* in the new file, or in the old one where the line goes */
	uint32_t now;             /* in the new file; where it stood, for one that goes */
	size_t first, end;        /* its tokens, of that side */
	const struct citem *item; /* in which it stands on that side; NULL: none */
};

/* A named thing at file scope: its calls' names are macro and first words, so that DEFINE_MUTEX(a) and DEFINE_MUTEX(b) differ. */
struct lint_name {
	const char *key;
	const struct citem *item;
	size_t order; /* among those with the same key, from 0 */
};

/* An item that the patch changes, adds or removes; comments and blank lines aside. */
struct lint_touch {
	struct lint_file *file;
	const struct citem *old, *now; /* one may be NULL */
	uint32_t line;                 /* the first changed line */
};

/* One side of a file. */
struct lint_side {
	struct cfile c;
	struct lint_name *names; /* sorted by kind, key and order */
	size_t n_names;
	const struct lint_name **name_of; /* by the index of the item */
	struct lint_name *calls;          /* sorted by the first word in the parentheses, which is the key */
	size_t n_calls;
};

struct lint_file {
	const struct diff_file *diff;
	const char *path;
	bool whole; /* both sides were read from the tree; else from the hunks */
	struct lint_side old, now;
	struct lint_line *lines;
	size_t n_lines;
	uint32_t *gone; /* the numbers of the lines that go, ascending */
	size_t n_gone;
	struct lint_touch *touches;
	size_t n_touches;
};

struct lint_rule;

struct lint {
	struct arena *a;
	const struct lint_input *in;
	struct lint_file *files; /* as many as the diff has, in its order */
	size_t n_files;
	ApplyResult *apply;           /* NULL: nobody knows */
	const struct lint_rule *rule; /* the one that runs */
	LintResult *out;
	struct lint_found *found;
	size_t n_found, n_of_rule;
	size_t n_whole; /* bytes of the files that were read whole */
	bool cut;       /* there were too many: the rest was read from the hunks */
};

/* The sorted list is made from these. */
struct lint_found {
	LintFinding *finding;
	size_t file, order;
};

struct lint_rule {
	uint32_t number;
	const char *word;
	LintLevel level; /* the worst it gives */
	bool arguable;   /* a Lint-ok may accept even a block */
	bool wants_tree; /* without one it saw the diff's own lines alone */
	int (*run)(struct lint *l);
	const char *about, *todo;
};

/* Where a finding belongs. file NULL: the patch as a whole; line 0: the whole file. */
struct lint_place {
	const struct lint_file *file;
	uint32_t line;
};

/* Reads all files of the patch. */
int lint_read(struct lint *l);

/* Adds a finding of the rule that runs; the rule's todo is told with it. Always 0. */
int lint_add(struct lint *l, LintLevel level, struct lint_place where, const char *why, ...) PRINTF_LIKE(4, 5);

/* Says that the rule did not run, or not over everything. Always 0. */
int lint_skip(struct lint *l, const char *why);

/* True where klp-build of the kernel's own tree does the work: 6.19 and later. */
bool lint_uses_klp_build(const struct lint *l);

/* True for a source file of the kernel itself: not of tools/, samples/, scripts/, Documentation/. */
bool lint_is_code(const char *path);
bool lint_is_header(const char *path);

/* The item in which a word is the first in the parentheses of a call whose macro fits, such as EXPORT_SYMBOL_GPL(word). */
const struct citem *lint_call_of(const struct lint_side *s, const char *word, bool (*fits)(const char *macro));

/* True when the tokens [from, to) of both sides are the same. */
bool lint_same_tokens(const struct lint_side *x, size_t x_from, size_t x_to, const struct lint_side *y, size_t y_from,
		      size_t y_to);

/* The first identifier of an item for which fits says true; NULL where there is none. */
const struct ctok *lint_find_word(const struct lint_side *s, const struct citem *item, bool (*fits)(const struct ctok *t));

/* Does a token start or end with this? */
bool lint_tok_starts(const struct ctok *t, const char *prefix);
bool lint_tok_ends(const struct ctok *t, const char *suffix);

/* The side of a touched item that stands for it, and its item: the new one unless it goes. */
const struct lint_side *lint_side_of(const struct lint_touch *t);
const struct citem *lint_item_of(const struct lint_touch *t);

/* The rules, a function each: on paths, configs and the patch as a whole; on functions; on data, types and exports. */
int lint_assembly(struct lint *l);
int lint_lib(struct lint *l);
int lint_unpatchable(struct lint *l);
int lint_kbuild(struct lint *l);
int lint_nothing(struct lint *l);
int lint_header(struct lint *l);
int lint_rust(struct lint *l);
int lint_apply(struct lint *l);
int lint_config(struct lint *l);
int lint_module_name(struct lint *l);

int lint_init(struct lint *l);
int lint_static_key(struct lint *l);
int lint_static_call(struct lint *l);
int lint_syscall(struct lint *l);
int lint_untraceable(struct lint *l);
int lint_removed(struct lint *l);
int lint_lines(struct lint *l);
int lint_sleeper(struct lint *l);
int lint_once(struct lint *l);

int lint_layout(struct lint *l);
int lint_data(struct lint *l);
int lint_export(struct lint *l);
int lint_static_local(struct lint *l);
int lint_namespace(struct lint *l);

#endif
