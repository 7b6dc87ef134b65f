/* The livepatch linter: what in a patch will not survive being turned into a livepatch, told before anybody builds it. */
#ifndef TUXTAPE_LINT_H
#define TUXTAPE_LINT_H

#include "lib/apply.h"
#include "lib/arena.h"
#include "lib/base.h"
#include "lib/diff.h"

#include "proto/tuxtape.pb-c.h"

/* What the linter may ask. Each is optional: without it the rules that need it are listed as skipped. */
struct lint_input {
	const struct diff *diff;
	/* The kernel that the patch is for; NULL: unknown, judged as one that kpatch-build serves. From 6.19 on klp-build does. */
	const KernelVersion *version;
	/* The tree before the patch: functions are then seen whole. NULL: the diff's own lines are all there is. */
	const struct tree_reader *tree;
	/* How the patch applies; NULL: found out where there is a tree. */
	const ApplyResult *apply;
	/* The value of a kernel option without its CONFIG_: "y", "m", a string without quotes; NULL: not set. No function: no config. */
	const char *(*config)(void *ctx, const char *option);
	void *config_ctx;
	/* What the kernel's build compiled: the files that include a header, directly or through others, in the arena; and the namespace that
	 * a symbol is exported in, NULL for none. Errors end the run. */
	int (*includers)(void *ctx, struct arena *a, const char *header, size_t *n, const char ***files);
	int (*export_space)(void *ctx, const char *symbol, const char **space);
	void *build_ctx;
	/* The name that the module will have; NULL: not known. */
	const char *module_name;
};

/* Runs every rule that can run and fills *out (in the arena). Findings that a "Lint-ok: RULE reason" line of the patch's header accepts stay in
 * the list with its reason; RULE is the number, the word or the id ("7", "layout", "7-layout"). Findings that block are facts about the
 * tools, so a Lint-ok accepts them only for the rules of which lint_rule_is_arguable says true; one that may not, that gives no reason or
 * that meets no finding is a finding itself. Errors are those of the readers, and ERR_INPUT where a patch cannot be placed. */
int lint_patch(struct arena *a, const struct lint_input *in, LintResult *out);

/* The rules, for lists and manual pages: id, worst level and what it looks for; false behind the last one. */
bool lint_rule_at(size_t i, const char **id, LintLevel *level, const char **about);

/* True when a Lint-ok line may accept even a blocking finding of that rule. */
bool lint_rule_is_arguable(uint32_t number);

/* "block", "warn", "review". */
const char *lint_level_name(LintLevel level);

#endif
