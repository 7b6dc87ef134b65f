/* Owns the rules on functions: those that have run, that cannot be redirected, that never return, and what they call. */
#include "lib/lint_model.h"

#include "lib/buf.h"
#include "lib/str.h"

#include <stdlib.h>

#define BLOCK LINT_LEVEL__LINT_BLOCK
#define WARN LINT_LEVEL__LINT_WARN
#define REVIEW LINT_LEVEL__LINT_REVIEW

/* How many functions a finding names. */
#define NAMES_MOST 3

/* Calls judge for each touched item of a kind. */
static int each_touch(struct lint *l, enum citem_kind kind, void (*judge)(struct lint *l, const struct lint_touch *t))
{
	for (size_t i = 0; i < l->n_files; i++)
		for (size_t k = 0; k < l->files[i].n_touches; k++)
			if (lint_item_of(&l->files[i].touches[k])->kind == kind)
				judge(l, &l->files[i].touches[k]);
	return 0;
}

static struct lint_place at_touch(const struct lint_touch *t)
{
	return (struct lint_place){ t->file, t->line };
}

static bool has_word(const struct lint_touch *t, const char *word)
{
	return (t->old && citem_has_word(&t->file->old.c, t->old, word)) ||
	       (t->now && citem_has_word(&t->file->now.c, t->now, word));
}

/* The first of these words that stands in the head of a touched item, on either side. */
static const char *first_word(const struct lint_touch *t, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (has_word(t, words[i]))
			return words[i];
	return NULL;
}

/* The call of a macro that names the touched item, on either side. */
static const struct citem *call_of(const struct lint_touch *t, bool (*fits)(const char *macro))
{
	const char *name = lint_item_of(t)->name;
	const struct citem *call = lint_call_of(&t->file->old, name, fits);

	return call ? call : lint_call_of(&t->file->now, name, fits);
}

/* ---- 6: has run already */

static bool is_initcall(const char *macro)
{
	return str_ends(macro, "_initcall") || str_ends(macro, "_initcall_sync") || strcmp(macro, "__initcall") == 0 ||
	       strcmp(macro, "module_init") == 0;
}

/* The probe function of a driver; elsewhere the word means other things. */
static bool is_probe(const char *path, const char *name)
{
	static const char *const homes[] = { "drivers/", "sound/", "arch/" };

	if (!str_ends(name, "_probe"))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(homes); i++)
		if (str_starts(path, homes[i]))
			return true;
	return false;
}

static void judge_init(struct lint *l, const struct lint_touch *t)
{
	static const char *const gone[] = { "__init",           "__initdata", "__initconst",
					    "__init_or_module", "__net_init", "__initdata_or_module" };
	static const char *const leaving[] = { "__exit", "__exitdata", "__net_exit" };
	const struct citem *item = lint_item_of(t), *call;
	const char *word;

	if ((word = first_word(t, gone, 3))) {
		lint_add(l, BLOCK, at_touch(t), "%s is %s: it has run, its memory is free, and kpatch-build refuses it.",
			 item->name, word);
	} else if ((word = first_word(t, gone, ARRAY_LEN(gone)))) {
		lint_add(l, WARN, at_touch(t), "%s is %s: for what is set up already it has run.", item->name, word);
	} else if ((word = first_word(t, leaving, ARRAY_LEN(leaving)))) {
		lint_add(l, WARN, at_touch(t), "%s is %s: in a built-in object it is not there.", item->name, word);
	} else if (item->kind != CITEM_FUNCTION) {
		return;
	} else if ((call = call_of(t, is_initcall))) {
		lint_add(l, WARN, at_touch(t), "%s is run by %s(), which is over.", item->name, call->name);
	} else if (is_probe(t->file->path, item->name)) {
		lint_add(l, WARN, at_touch(t), "%s sets a device up: for those that are there it has run.", item->name);
	}
}

int lint_init(struct lint *l)
{
	each_touch(l, CITEM_DATA, judge_init);
	return each_touch(l, CITEM_FUNCTION, judge_init);
}

/* ---- 12: once */

/* WARN_ONCE, pr_warn_once, dev_err_ratelimited and their kin: those that hide a static object. */
static bool is_once(const struct ctok *t)
{
	static const char *const words[] = { "warn", "err",   "info",  "dbg",    "debug", "notice",
					     "crit", "alert", "emerg", "printk", "print", "DO" };

	if (ctok_is(t, "lock_class_key") || ctok_is(t, "DEFINE_RATELIMIT_STATE") || ctok_is(t, "printk_ratelimit") ||
	    ctok_is(t, "net_ratelimit") || lint_tok_ends(t, "_ratelimited") || lint_tok_ends(t, "_RATELIMITED"))
		return true;
	if (lint_tok_ends(t, "_ONCE"))
		return memmem(t->s, t->len, "WARN", 4) || memmem(t->s, t->len, "DO_ONCE", 7) ||
		       memmem(t->s, t->len, "BUG", 3);
	if (!lint_tok_ends(t, "_once"))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (memmem(t->s, t->len, words[i], strlen(words[i])))
			return true;
	return lint_tok_starts(t, "get_random_once") || lint_tok_starts(t, "net_get_random_once");
}

static bool same_word(const struct ctok *x, const struct ctok *y)
{
	return x->len == y->len && memcmp(x->s, y->s, x->len) == 0;
}

/* The words of one kind on the changed lines of a file. */
struct word {
	const struct ctok *tok;
	uint32_t line;
	long net; /* added minus taken away */
};

#define WORDS_MOST 64

static void count_word(struct word *words, size_t *n, const struct ctok *t, const struct lint_line *line)
{
	size_t i = 0;

	while (i < *n && !same_word(words[i].tok, t))
		i++;
	if (i == WORDS_MOST)
		return;
	if (i == *n)
		words[(*n)++] = (struct word){ t, 0, 0 };
	words[i].net += line->diff->kind == DIFF_ADD ? 1 : -1;
	if (line->diff->kind == DIFF_ADD && !words[i].line)
		words[i].line = line->number;
}

static size_t count_words(const struct lint_file *f, bool (*fits)(const struct ctok *t), struct word words[WORDS_MOST])
{
	size_t n = 0;

	for (size_t i = 0; i < f->n_lines; i++) {
		const struct lint_line *line = &f->lines[i];
		const struct cfile *c = line->diff->kind == DIFF_ADD ? &f->now.c : &f->old.c;

		for (size_t k = line->first; k < line->end; k++)
			if (c->toks[k].kind == CTOK_IDENT && fits(&c->toks[k]))
				count_word(words, &n, &c->toks[k], line);
	}
	return n;
}

int lint_once(struct lint *l)
{
	struct word words[WORDS_MOST];

	for (size_t i = 0; i < l->n_files; i++) {
		size_t n = count_words(&l->files[i], is_once, words);

		for (size_t k = 0; k < n; k++) {
			if (words[k].net <= 0)
				continue;
			lint_add(l, lint_uses_klp_build(l) ? REVIEW : WARN,
				 (struct lint_place){ &l->files[i], words[k].line }, "%.*s hides a static object: %s.",
				 (int)words[k].tok->len, words[k].tok->s,
				 lint_uses_klp_build(l) ? "the livepatch has one of its own"
							: "kpatch-build refuses new data in its section");
		}
	}
	return 0;
}

/* ---- 13, 15: patched call sites */

static bool is_static_key(const struct ctok *t)
{
	return (lint_tok_starts(t, "static_branch_") || lint_tok_starts(t, "static_key_")) &&
	       !ctok_is(t, "static_key_enabled") && !ctok_is(t, "static_key_count") && !ctok_is(t, "static_key_initialized");
}

static void judge_static_key(struct lint *l, const struct lint_touch *t)
{
	const KernelVersion *v = l->in->version;
	const struct ctok *word = t->now ? lint_find_word(&t->file->now, t->now, is_static_key) : NULL;

	if (!word)
		return;
	if (v && v->has_major && (v->major < 5 || (v->major == 5 && v->minor < 8)))
		lint_add(l, WARN, at_touch(t),
			 "%s uses %.*s(): before 5.8 jump labels are patched before the livepatch's relocations are.",
			 t->now->name, (int)word->len, word->s);
	else
		lint_add(l, WARN, at_touch(t),
			 "%s uses %.*s(): where the key is a module's, it cannot be reached from a livepatch.", t->now->name,
			 (int)word->len, word->s);
}

int lint_static_key(struct lint *l)
{
	return each_touch(l, CITEM_FUNCTION, judge_static_key);
}

static bool is_static_call(const struct ctok *t)
{
	return ctok_is(t, "static_call") || ctok_is(t, "static_call_cond") || ctok_is(t, "static_call_mod");
}

static void judge_static_call(struct lint *l, const struct lint_touch *t)
{
	const struct ctok *word = t->now ? lint_find_word(&t->file->now, t->now, is_static_call) : NULL;

	if (word)
		lint_add(l, WARN, at_touch(t),
			 "%s uses %.*s(): where the key is a module's, it cannot be reached from a livepatch.", t->now->name,
			 (int)word->len, word->s);
}

int lint_static_call(struct lint *l)
{
	return each_touch(l, CITEM_FUNCTION, judge_static_call);
}

/* ---- 16, 17: no ftrace entry */

static void judge_syscall(struct lint *l, const struct lint_touch *t)
{
	const char *macro = lint_item_of(t)->macro;

	if (t->old && macro && strstr(macro, "SYSCALL_DEFINE"))
		lint_add(l, WARN, at_touch(t), "The body of %s(%s) becomes an inline function, which has no ftrace entry.",
			 macro, lint_item_of(t)->name);
}

int lint_syscall(struct lint *l)
{
	return each_touch(l, CITEM_FUNCTION, judge_syscall);
}

static bool is_nokprobe(const char *macro)
{
	return strcmp(macro, "NOKPROBE_SYMBOL") == 0;
}

/* Sections of code that ftrace keeps out of, as a string in the head of the function. */
static bool in_closed_section(const struct lint_touch *t)
{
	static const char *const sections[] = { "\".noinstr.text\"", "\".entry.text\"", "\".cpuidle.text\"" };
	const struct lint_side *s = lint_side_of(t);
	const struct citem *item = lint_item_of(t);

	for (size_t i = item->first; i < item->body; i++)
		for (size_t k = 0; k < ARRAY_LEN(sections); k++)
			if (s->c.toks[i].kind == CTOK_STRING && ctok_is(&s->c.toks[i], sections[k]))
				return true;
	return false;
}

static void judge_untraceable(struct lint *l, const struct lint_touch *t)
{
	static const char *const closed[] = { "notrace", "noinstr", "__cpuidle", "__noinstr_section",
					      "__no_instrument_function" };
	static const char *const inlined[] = { "__always_inline", "inline", "__inline", "__inline__" };
	const char *name = lint_item_of(t)->name, *word;

	if (!t->old)
		return;
	if ((word = first_word(t, closed, ARRAY_LEN(closed))))
		lint_add(l, BLOCK, at_touch(t), "%s is %s: it has no ftrace entry to redirect.", name, word);
	else if (in_closed_section(t))
		lint_add(l, BLOCK, at_touch(t), "%s is in a section that ftrace keeps out of.", name);
	else if ((word = first_word(t, inlined, ARRAY_LEN(inlined))))
		lint_add(l, WARN, at_touch(t),
			 "%s is %s: it has no ftrace entry where it is inlined, so its callers are what changes.", name,
			 word);
	else if (call_of(t, is_nokprobe))
		lint_add(l, WARN, at_touch(t), "%s is a NOKPROBE_SYMBOL: it may run where ftrace must not.", name);
}

/* The code by which functions are redirected. */
static bool is_livepatch_core(const char *path)
{
	static const char *const paths[] = { "kernel/livepatch/", "kernel/trace/ftrace.c", "kernel/trace/fgraph.c",
					     "kernel/trace/trace_functions" };

	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		if (str_starts(path, paths[i]))
			return true;
	return str_starts(path, "arch/") && strstr(path, "/kernel/ftrace");
}

int lint_untraceable(struct lint *l)
{
	for (size_t i = 0; i < l->n_files; i++)
		if (is_livepatch_core(l->files[i].path))
			lint_add(l, BLOCK, (struct lint_place){ &l->files[i], 0 },
				 "It is the code by which functions are redirected, and cannot redirect itself.");
	return each_touch(l, CITEM_FUNCTION, judge_untraceable);
}

/* ---- 19: removed */

static int compare_numbers(const void *p, const void *q)
{
	uint32_t x = *(const uint32_t *)p, y = *(const uint32_t *)q;

	return x < y ? -1 : x > y;
}

/* Does the line with the function's name go? In a piece of a file a function may just be out of sight on one side. */
static bool name_goes(const struct lint_file *f, const struct citem *item)
{
	const char *name = item->macro ? item->macro : item->name;

	if (f->whole)
		return true;
	for (size_t k = item->first; k < item->body; k++)
		if (ctok_is(&f->old.c.toks[k], name))
			return f->n_gone &&
			       bsearch(&f->old.c.toks[k].line, f->gone, f->n_gone, sizeof(*f->gone), compare_numbers);
	return false;
}

static void judge_removed(struct lint *l, const struct lint_touch *t)
{
	static const char *const inlined[] = { "__always_inline", "inline", "__inline", "__inline__" };

	if (t->now || !*t->old->name || first_word(t, inlined, ARRAY_LEN(inlined)) || !name_goes(t->file, t->old))
		return;
	if (t->file->diff->deleted != DIFF_YES)
		lint_add(l, WARN, at_touch(t),
			 "%s goes or gets another name: its old code stays, and who runs in it returns to it.",
			 t->old->name);
}

int lint_removed(struct lint *l)
{
	for (size_t i = 0; i < l->n_files; i++) {
		const struct lint_file *f = &l->files[i];

		if (!lint_is_code(f->path))
			continue;
		if (f->diff->deleted == DIFF_YES)
			lint_add(l, WARN, (struct lint_place){ f, 0 },
				 "The file goes, but its code stays in the running kernel.");
		else if (f->diff->renamed)
			lint_add(l, WARN, (struct lint_place){ f, 0 },
				 "The file gets another name, so the builders look for its functions in another object.");
	}
	return each_touch(l, CITEM_FUNCTION, judge_removed);
}

/* ---- 20: __LINE__ */

static bool uses_line(const struct ctok *t)
{
	return lint_tok_starts(t, "WARN") || lint_tok_starts(t, "BUG") || lint_tok_starts(t, "VM_BUG") ||
	       lint_tok_starts(t, "VM_WARN") || lint_tok_starts(t, "might_sleep") || lint_tok_starts(t, "lockdep_assert") ||
	       lint_tok_starts(t, "might_resched") || ctok_is(t, "ASSERT_RTNL") || ctok_is(t, "RCU_LOCKDEP_WARN") ||
	       ctok_is(t, "rcu_dereference_check") || ctok_is(t, "__LINE__");
}

/* Marks for the items of the new side that the patch touches. */
static bool *mark_touched(struct lint *l, const struct lint_file *f)
{
	bool *touched = arena_alloc(l->a, f->now.c.n_items + 1);

	for (size_t i = 0; i < f->n_touches; i++)
		if (f->touches[i].now)
			touched[f->touches[i].now - f->now.c.items] = true;
	return touched;
}

static void find_moved(struct lint *l, const struct lint_file *f)
{
	const bool *touched = mark_touched(l, f);
	struct buf names = { 0 };
	size_t n = 0, at = 0;
	long shift = 0;

	for (size_t i = 0; i < f->now.c.n_items; i++) {
		const struct citem *item = &f->now.c.items[i];

		for (; at < f->n_lines && f->lines[at].now <= item->first_line; at++)
			shift += f->lines[at].diff->kind == DIFF_ADD ? 1 : -1;
		if (shift == 0 || touched[i] || item->kind != CITEM_FUNCTION || !lint_find_word(&f->now, item, uses_line))
			continue;
		if (n++ < NAMES_MOST)
			buf_printf(&names, "%s%s", n > 1 ? ", " : "", item->name);
	}
	if (n)
		lint_add(l, WARN, (struct lint_place){ f, f->lines[0].number },
			 "%zu untouched function%s with __LINE__ below (%s%s), which kpatch-build may take for a change.", n,
			 n == 1 ? " moves" : "s move", buf_str(&names), n > NAMES_MOST ? ", ..." : "");
	buf_free(&names);
}

int lint_lines(struct lint *l)
{
	if (lint_uses_klp_build(l))
		return lint_skip(l, "klp-build keeps line numbers itself");
	if (!l->in->tree)
		return lint_skip(l, "needs the tree: what stands below the hunks is not in the diff");
	for (size_t i = 0; i < l->n_files; i++)
		if (l->files[i].whole && !lint_is_header(l->files[i].path))
			find_moved(l, &l->files[i]);
	return 0;
}

/* ---- 21: always on some stack */

static bool is_thread_loop(const struct ctok *t)
{
	return ctok_is(t, "kthread_should_stop") || ctok_is(t, "kthread_freezable_should_stop") ||
	       ctok_is(t, "kthread_should_park");
}

static bool always_runs(const char *name)
{
	static const char *const names[] = {
		"schedule",
		"__schedule",
		"schedule_timeout",
		"do_wait",
		"ep_poll",
		"do_epoll_wait",
		"futex_wait",
		"__futex_wait",
		"do_sys_poll",
		"do_poll",
		"do_select",
		"core_sys_select",
		"do_nanosleep",
		"hrtimer_nanosleep",
		"pipe_read",
		"do_sigtimedwait",
		"do_idle",
		"cpu_startup_entry",
		"default_idle",
		"cpuidle_idle_call",
		"worker_thread",
		"rescuer_thread",
		"kthread",
		"kthread_worker_fn",
		"smpboot_thread_fn",
		"rcu_gp_kthread",
		"kswapd",
		"kthreadd",
		"wait_for_completion",
		"unix_stream_read_generic",
		"inet_csk_accept",
		"do_signal_stop",
		"sigsuspend",
		"n_tty_read",
		"inotify_read",
		"signalfd_dequeue",
		"eventfd_read",
		"timerfd_read",
		"do_msgrcv",
		"__do_semtimedop",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* NAME_thread, unless the name says that it is about a thread: start_x_thread, x_irq_thread, which returns each time. */
static bool names_thread(const char *name)
{
	static const char *const about[] = { "start",    "stop", "kill", "create", "destroy", "wake",
					     "schedule", "init", "exit", "irq",    "_has_" };

	if (!str_ends(name, "_thread") && !str_ends(name, "_kthread"))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(about); i++)
		if (strstr(name, about[i]))
			return false;
	return true;
}

static void judge_sleeper(struct lint *l, const struct lint_touch *t)
{
	const struct citem *item = lint_item_of(t);

	if (!t->old)
		return;
	if (always_runs(item->name))
		lint_add(l, REVIEW, at_touch(t),
			 "%s is on the stack of some sleeping task nearly always, so the transition may never end.",
			 item->name);
	else if (names_thread(item->name) || lint_find_word(&t->file->old, t->old, is_thread_loop))
		lint_add(l, REVIEW, at_touch(t),
			 "%s looks like the loop of a kernel thread, which does not leave it to be patched.", item->name);
}

int lint_sleeper(struct lint *l)
{
	return each_touch(l, CITEM_FUNCTION, judge_sleeper);
}
