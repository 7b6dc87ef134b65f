/* Owns the table of rules, the findings and what a Lint-ok line may do to them. Reads nothing itself: the model does, the rules judge. */
#include "lib/lint_model.h"

#include "lib/err.h"
#include "lib/pb.h"
#include "lib/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/* Findings of one rule; a patch with more is one that nobody reads to the end. */
#define FINDINGS_MOST 200
#define REASON_LEAST 4
#define OKS_MOST 100

#define BLOCK LINT_LEVEL__LINT_BLOCK
#define WARN LINT_LEVEL__LINT_WARN
#define REVIEW LINT_LEVEL__LINT_REVIEW

/* The numbers are those of the reference list of rules; gaps are rules that a program cannot check on a diff, a tree and a config. */
static const struct lint_rule rules[] = {
	{ .number = 1,
	  .word = "assembly",
	  .level = BLOCK,
	  .run = lint_assembly,
	  .about = "an assembly file changes",
	  .todo = "Look for a fix in C, or reboot into a patched kernel." },
	{ .number = 2,
	  .word = "lib",
	  .level = BLOCK,
	  .arguable = true,
	  .run = lint_lib,
	  .about = "a file below lib/ changes",
	  .todo = "Copy the function into the .c file of a caller and fix it there, or say in a Lint-ok line that it is not "
		  "in lib.a." },
	{ .number = 3,
	  .word = "unpatchable",
	  .level = BLOCK,
	  .run = lint_unpatchable,
	  .about = "a file changes that is no text of the running kernel: vdso, boot code, purgatory, EFI stub, tools",
	  .todo = "Drop the file from the patch; where the fix is in it, reboot into a patched kernel." },
	{ .number = 4,
	  .word = "kbuild",
	  .level = WARN,
	  .run = lint_kbuild,
	  .about = "a Kconfig file or makefile changes",
	  .todo = "Drop the hunks, and make sure that the code does not count on the new option or flag." },
	{ .number = 5,
	  .word = "nothing",
	  .level = BLOCK,
	  .run = lint_nothing,
	  .about = "no file of the patch is kernel code",
	  .todo = "Mark the CVE as not applicable to livepatching." },
	{ .number = 6,
	  .word = "init",
	  .level = BLOCK,
	  .wants_tree = true,
	  .run = lint_init,
	  .about = "code that has run already changes: __init, initcalls, probe",
	  .todo = "Bring the running state in order from a pre-patch or post-patch callback." },
	{ .number = 7,
	  .word = "layout",
	  .level = WARN,
	  .wants_tree = true,
	  .run = lint_layout,
	  .about = "a struct, union, enum or array changes its layout",
	  .todo = "Use a shadow variable, or a field or hole that is there." },
	{ .number = 8,
	  .word = "data",
	  .level = WARN,
	  .wants_tree = true,
	  .run = lint_data,
	  .about = "data that is initialised at file scope changes",
	  .todo = "Leave the data alone and test in the function that reads it, or change it from a callback." },
	{ .number = 9,
	  .word = "header",
	  .level = WARN,
	  .run = lint_header,
	  .about = "a header changes",
	  .todo = "Move the macro or inline function into the .c file that needs it." },
	{ .number = 10,
	  .word = "export",
	  .level = BLOCK,
	  .arguable = true,
	  .wants_tree = true,
	  .run = lint_export,
	  .about = "the prototype of an exported function changes",
	  .todo = "Leave the function, add one under a new name and patch the callers; keep includes behind #ifndef "
		  "__GENKSYMS__." },
	{ .number = 11,
	  .word = "static-local",
	  .level = WARN,
	  .wants_tree = true,
	  .run = lint_static_local,
	  .about = "a static variable inside a function comes or goes",
	  .todo = "Keep a harmless reference to the old one, and keep new state at file scope." },
	{ .number = 12,
	  .word = "once",
	  .level = WARN,
	  .run = lint_once,
	  .about = "a *_once or *_ratelimited macro is added",
	  .todo = "Use the plain call with a bool of your own." },
	{ .number = 13,
	  .word = "static-key",
	  .level = WARN,
	  .wants_tree = true,
	  .run = lint_static_key,
	  .about = "a touched function uses a static key",
	  .todo = "Ask static_key_enabled() instead." },
	{ .number = 15,
	  .word = "static-call",
	  .level = WARN,
	  .wants_tree = true,
	  .run = lint_static_call,
	  .about = "a touched function makes a static call",
	  .todo = "Use KPATCH_STATIC_CALL() or KLP_STATIC_CALL()." },
	{ .number = 16,
	  .word = "syscall",
	  .level = WARN,
	  .run = lint_syscall,
	  .about = "the body of a SYSCALL_DEFINE macro changes",
	  .todo = "Define it with KPATCH_SYSCALL_DEFINEn() or KLP_SYSCALL_DEFINEn()." },
	{ .number = 17,
	  .word = "untraceable",
	  .level = BLOCK,
	  .wants_tree = true,
	  .run = lint_untraceable,
	  .about = "a touched function has no ftrace entry",
	  .todo = "Patch the functions that call it." },
	{ .number = 19,
	  .word = "removed",
	  .level = WARN,
	  .wants_tree = true,
	  .run = lint_removed,
	  .about = "a function is removed or renamed",
	  .todo = "Keep the old function and add the new one beside it." },
	{ .number = 20,
	  .word = "lines",
	  .level = WARN,
	  .wants_tree = true,
	  .run = lint_lines,
	  .about = "code that uses __LINE__ moves",
	  .todo = "Put new functions at the end of the file and keep the number of lines above others." },
	{ .number = 21,
	  .word = "sleeper",
	  .level = REVIEW,
	  .wants_tree = true,
	  .run = lint_sleeper,
	  .about = "a touched function may be on some stack for ever",
	  .todo = "Move the change into a helper that returns, or plan how its tasks are woken." },
	{ .number = 26,
	  .word = "namespace",
	  .level = WARN,
	  .run = lint_namespace,
	  .about = "a symbol of an export namespace is used",
	  .todo = "Import the namespace in the livepatch, or do without the symbol." },
	{ .number = 29,
	  .word = "rust",
	  .level = BLOCK,
	  .arguable = true,
	  .run = lint_rust,
	  .about = "a Rust file changes",
	  .todo = "Reboot into a patched kernel." },
	{ .number = 30,
	  .word = "apply",
	  .level = BLOCK,
	  .wants_tree = true,
	  .run = lint_apply,
	  .about = "the patch does not apply where it says",
	  .todo = "Make the patch anew on the target's own tree, and note its tag." },
	{ .number = 31,
	  .word = "config",
	  .level = BLOCK,
	  .run = lint_config,
	  .about = "the kernel's config rules livepatches out",
	  .todo = "Change the option and boot such a kernel first." },
	{ .number = 34,
	  .word = "name",
	  .level = BLOCK,
	  .run = lint_module_name,
	  .about = "the module's name is too long or has other characters",
	  .todo = "Make the name from the kernel's version and the patch's id." },
};

static const struct lint_rule ok_rule = {
	.number = 0,
	.word = "lint-ok",
	.level = WARN,
	.about = "a Lint-ok line that accepts nothing",
	.todo = "Write \"Lint-ok: RULE reason\" with a rule that is found, or drop the line."
};

static char *rule_id(struct arena *a, const struct lint_rule *r)
{
	return arena_printf(a, "%u-%s", r->number, r->word);
}

bool lint_rule_at(size_t i, const char **id, LintLevel *level, const char **about)
{
	static char text[64];

	if (i >= ARRAY_LEN(rules))
		return false;
	snprintf(text, sizeof(text), "%u-%s", rules[i].number, rules[i].word);
	*id = text;
	*level = rules[i].level;
	*about = rules[i].about;
	return true;
}

bool lint_rule_is_arguable(uint32_t number)
{
	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		if (rules[i].number == number)
			return rules[i].arguable;
	return false;
}

const char *lint_level_name(LintLevel level)
{
	static const char *const names[] = { "none", "block", "warn", "review" };

	return level < ARRAY_LEN(names) ? names[level] : names[0];
}

/* ---- Findings */

int lint_skip(struct lint *l, const char *why)
{
	LintSkipped *s = PB_ADD(l->a, l->out, skipped, lint_skipped);

	s->has_rule = true;
	s->rule = l->rule->number;
	s->id = rule_id(l->a, l->rule);
	s->why = arena_strdup(l->a, why);
	return 0;
}

/* Is it told already? A function that several hunks touch is one finding where the diff is all there is. */
static bool is_told(const struct lint *l, size_t file, const char *why)
{
	for (size_t i = l->n_found; i > 0 && l->found[i - 1].finding->rule == l->rule->number; i--)
		if (l->found[i - 1].file == file && strcmp(l->found[i - 1].finding->why, why) == 0)
			return true;
	return false;
}

int lint_add(struct lint *l, LintLevel level, struct lint_place where, const char *why, ...)
{
	size_t file = where.file ? (size_t)(where.file - l->files) + 1 : 0;
	struct lint_found *found;
	struct buf text = { 0 };
	LintFinding *f;
	va_list ap;

	if (l->n_of_rule >= FINDINGS_MOST)
		return l->n_of_rule++ == FINDINGS_MOST ? lint_skip(l, "too many findings: the rest is left out") : 0;
	va_start(ap, why);
	buf_vprintf(&text, why, ap);
	va_end(ap);
	if (is_told(l, file, buf_str(&text))) {
		buf_free(&text);
		return 0;
	}
	l->n_of_rule++;
	f = pb_new(l->a, &lint_finding__descriptor);
	found = arena_grow(l->a, (void **)&l->found, &l->n_found, sizeof(*found));
	*found = (struct lint_found){ f, file, l->n_found };
	f->has_rule = f->has_level = true;
	f->rule = l->rule->number;
	f->level = level;
	f->id = rule_id(l->a, l->rule);
	f->why = arena_strdup(l->a, buf_str(&text));
	f->todo = l->rule->todo;
	buf_free(&text);
	if (where.file) {
		f->has_file = true;
		f->file = pb_bytes(l->a, where.file->path, strlen(where.file->path));
		f->has_from_diff = l->rule->wants_tree;
		f->from_diff = l->rule->wants_tree && !where.file->whole;
	}
	f->has_line = where.line > 0;
	f->line = where.line;
	return 0;
}

static int compare_found(const void *p, const void *q)
{
	const struct lint_found *x = p, *y = q;

	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	if (x->finding->line != y->finding->line)
		return x->finding->line < y->finding->line ? -1 : 1;
	if (x->finding->rule != y->finding->rule)
		return x->finding->rule < y->finding->rule ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

/* ---- Lint-ok */

static bool names_rule(const char *s, size_t n, const LintFinding *f)
{
	const char *word = strchr(f->id, '-') + 1;
	size_t digits = (size_t)(word - f->id) - 1;

	return (n == strlen(f->id) && strncasecmp(s, f->id, n) == 0) ||
	       (n == strlen(word) && strncasecmp(s, word, n) == 0) || (n == digits && strncmp(s, f->id, n) == 0);
}

/* Accepts the findings of one rule. Returns how many there are, or would be but for their level. */
static size_t accept(struct lint *l, const char *rule, size_t rule_len, struct diff_text reason, bool *refused)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n_found; i++) {
		LintFinding *f = l->found[i].finding;

		if (!names_rule(rule, rule_len, f) || f->rule == 0)
			continue;
		n++;
		if (f->level == BLOCK && !lint_rule_is_arguable(f->rule)) {
			*refused = true;
			continue;
		}
		if (reason.len < REASON_LEAST)
			continue;
		f->has_suppressed = true;
		f->suppressed = pb_bytes(l->a, reason.text, reason.len);
	}
	return n;
}

static int take_lint_ok(struct lint *l, struct diff_text value)
{
	const struct lint_place nowhere = { NULL, 0 };
	size_t n = 0, met;
	struct diff_text reason;
	struct buf shown = { 0 };
	bool refused = false;

	while (n < value.len && value.text[n] != ' ' && value.text[n] != '\t' && value.text[n] != ':')
		n++;
	reason = (struct diff_text){ value.text + n, value.len - n };
	while (reason.len && (*reason.text == ' ' || *reason.text == '\t' || *reason.text == ':')) {
		reason.text++;
		reason.len--;
	}
	met = accept(l, value.text, n, reason, &refused);
	str_printable(&shown, value.text, MIN_OF(n, (size_t)40));
	if (!met)
		lint_add(l, REVIEW, nowhere, "A Lint-ok line names \"%s\", of which nothing is found.", buf_str(&shown));
	else if (reason.len < REASON_LEAST)
		lint_add(l, WARN, nowhere, "A Lint-ok line for \"%s\" gives no reason, so it accepts nothing.",
			 buf_str(&shown));
	else if (refused)
		lint_add(l, WARN, nowhere, "A Lint-ok line cannot accept \"%s\": no reason makes the tools build it.",
			 buf_str(&shown));
	buf_free(&shown);
	return 0;
}

static void take_lint_oks(struct lint *l)
{
	struct diff_text value;
	size_t at = 0, n = 0;

	l->rule = &ok_rule;
	l->n_of_rule = 0;
	while (diff_header_value(l->in->diff, "Lint-ok", &at, &value)) {
		if (n++ == OKS_MOST) {
			lint_skip(l, "more than 100 Lint-ok lines: the rest is not read");
			return;
		}
		take_lint_ok(l, value);
	}
}

/* ---- The run */

static void count(struct lint *l)
{
	LintResult *out = l->out;
	uint32_t n[4] = { 0 };

	for (size_t i = 0; i < out->n_findings; i++) {
		const LintFinding *f = out->findings[i];

		if (f->has_suppressed)
			out->suppressed++;
		else if (f->level < ARRAY_LEN(n))
			n[f->level]++;
	}
	out->has_blocks = out->has_warns = out->has_reviews = out->has_suppressed = true;
	out->blocks = n[BLOCK];
	out->warns = n[WARN];
	out->reviews = n[REVIEW];
}

/* Says of a rule that ran how much of the tree it has seen. */
static void tell_sight(struct lint *l)
{
	if (!l->rule->wants_tree || l->rule->run == lint_apply)
		return;
	if (!l->in->tree && l->rule->run != lint_lines)
		lint_skip(l, "without a tree it saw the diff's own lines alone");
	else if (l->cut)
		lint_skip(l, "the patch touches too much: of some files it saw the diff's own lines alone");
}

int lint_patch(struct arena *a, const struct lint_input *in, LintResult *out)
{
	struct lint l = { .a = a, .in = in, .out = out, .apply = (ApplyResult *)in->apply };
	int err = lint_read(&l);

	for (size_t i = 0; !err && i < ARRAY_LEN(rules); i++) {
		l.rule = &rules[i];
		l.n_of_rule = 0;
		if (!(err = rules[i].run(&l)))
			tell_sight(&l);
	}
	if (err)
		return err;
	take_lint_oks(&l);
	if (l.n_found)
		qsort(l.found, l.n_found, sizeof(*l.found), compare_found);
	for (size_t i = 0; i < l.n_found; i++)
		PB_ADD_MSG(a, out, findings, l.found[i].finding);
	count(&l);
	return 0;
}
