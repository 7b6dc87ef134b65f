/* The linter: for each rule patches that it must find and near misses that it must not, from the diff alone and with a tree; then what is
 * asked of others, Lint-ok lines, order, counts and hostile sizes. */
#include "lib/buf.h"
#include "lib/diff.h"
#include "lib/err.h"
#include "lib/kver.h"
#include "lib/lint.h"
#include "lib/pb.h"
#include "tap.h"

#include <time.h>

static struct arena *arena;

/* ---- Making patches and trees of few words */

/* A hunk's lines with their marks; section NULL: the hunk is the whole file, so that a tree can be made of it. */
struct hunk_case {
	int rule;
	bool found;
	const char *path, *section, *body;
};

static void count_lines(const char *body, int *old, int *now)
{
	*old = *now = 0;
	for (const char *s = body; *s; s = strchr(s, '\n') + 1) {
		*old += *s != '+';
		*now += *s != '-';
	}
}

/* The patch of one hunk, counts worked out. */
static void add_patch(struct buf *out, const char *path, const char *section, const char *body)
{
	int old, now;

	count_lines(body, &old, &now);
	buf_printf(out, "diff --git a/%s b/%s\n", path, path);
	if (old == 0)
		buf_adds(out, "new file mode 100644\n");
	if (now == 0)
		buf_adds(out, "deleted file mode 100644\n");
	buf_printf(out, "--- %s%s\n+++ %s%s\n", old ? "a/" : "", old ? path : "/dev/null", now ? "b/" : "",
		   now ? path : "/dev/null");
	buf_printf(out, "@@ -%d,%d +%d,%d @@%s%s\n%s",
		   section ? 100
		   : old   ? 1
			   : 0,
		   old,
		   section ? 100
		   : now   ? 1
			   : 0,
		   now, section && *section ? " " : "", section ? section : "", body);
}

/* A tree of one file. */
struct small_tree {
	const char *path;
	struct buf text;
};

static int read_small(void *ctx, struct arena *a UNUSED, const char *path, struct tree_file *out)
{
	struct small_tree *t = ctx;
	size_t n = strlen(path);

	if (strcmp(path, t->path) == 0)
		*out = (struct tree_file){ TREE_FILE, 0100644, buf_str(&t->text), t->text.len };
	else if (strncmp(path, t->path, n) == 0 && t->path[n] == '/')
		out->kind = TREE_DIRECTORY;
	return 0;
}

static void make_tree(struct small_tree *t, const char *path, const char *body)
{
	t->path = path;
	for (const char *s = body; *s; s = strchr(s, '\n') + 1)
		if (*s != '+')
			buf_add(&t->text, s + 1, (size_t)(strchr(s, '\n') - s));
}

static LintResult *lint_text(const char *text, const struct lint_input *how)
{
	struct lint_input in = how ? *how : (struct lint_input){ 0 };
	LintResult *r = pb_new(arena, &lint_result__descriptor);
	struct diff diff;

	in.diff = &diff;
	if (diff_parse(arena, text, strlen(text), &diff) || lint_patch(arena, &in, r)) {
		printf("# %s\n", err_text());
		return NULL;
	}
	return r;
}

static const LintFinding *find(const LintResult *r, int rule)
{
	for (size_t i = 0; r && i < r->n_findings; i++)
		if (r->findings[i]->rule == (uint32_t)rule)
			return r->findings[i];
	return NULL;
}

static bool skips(const LintResult *r, int rule)
{
	for (size_t i = 0; i < r->n_skipped; i++)
		if (r->skipped[i]->rule == (uint32_t)rule)
			return true;
	return false;
}

/* ---- The cases */

static const struct hunk_case cases[] = {
	{ 1, true, "arch/x86/entry/entry_64.S", "", " a\n-b\n+c\n" },
	{ 1, true, "arch/arm64/lib/copy.S", "", " a\n+c\n" },
	{ 1, false, "tools/testing/x.S", "", " a\n+c\n" },
	{ 1, false, "drivers/net/S.c", "", " a\n+c\n" },
	{ 2, true, "lib/glob.c", "", " a\n+c\n" },
	{ 2, true, "lib/mpi/x.c", "", " a\n+c\n" },
	{ 2, false, "drivers/net/lib/glob.c", "", " a\n+c\n" },
	{ 2, false, "lib/Kconfig", "", " a\n+c\n" },
	{ 3, true, "arch/x86/entry/vdso/vma.c", "", " a\n+c\n" },
	{ 3, true, "arch/x86/boot/main.c", "", " a\n+c\n" },
	{ 3, true, "drivers/firmware/efi/libstub/gop.c", "", " a\n+c\n" },
	{ 3, true, "arch/x86/purgatory/purgatory.c", "", " a\n+c\n" },
	{ 3, true, "arch/x86/realmode/rm/wakemain.c", "", " a\n+c\n" },
	{ 3, true, "init/version.c", "", " a\n+c\n" },
	{ 3, true, "tools/perf/x.c", "", " a\n+c\n" },
	{ 3, false, "arch/arm/boot/dts/x.dts", "", " a\n+c\n" },
	{ 3, false, "drivers/firmware/efi/efi.c", "", " a\n+c\n" },
	{ 3, false, "drivers/boot/x.c", "", " a\n+c\n" },
	{ 4, true, "drivers/net/Kconfig", "", " a\n+c\n" },
	{ 4, true, "Makefile", "", " a\n+c\n" },
	{ 4, true, "drivers/net/Kbuild", "", " a\n+c\n" },
	{ 4, false, "drivers/net/makefile.c", "", " a\n+c\n" },
	{ 4, false, "tools/perf/Makefile.config", "", " a\n+c\n" },
	{ 5, true, "Documentation/x.rst", "", " a\n+c\n" },
	{ 5, true, "arch/arm/boot/dts/x.dts", "", " a\n+c\n" },
	{ 5, true, "samples/bpf/x.c", "", " a\n+c\n" },
	{ 5, false, "drivers/net/x.c", "", " a\n+c\n" },
	{ 5, false, "include/linux/x.h", "", " a\n+c\n" },
	{ 6, true, "a/x.c", NULL, " static int __init f(void)\n {\n-\treturn 1;\n+\treturn 0;\n }\n" },
	{ 6, true, "a/x.c", "static int __init f(void)", " \ta();\n-\treturn 1;\n+\treturn 0;\n }\n" },
	{ 6, true, "a/x.c", NULL, " static int __exit f(void)\n {\n-\treturn 1;\n+\treturn 0;\n }\n" },
	{ 6, true, "a/x.c", NULL, " static int f(void)\n {\n-\treturn 1;\n+\treturn 0;\n }\n module_init(f);\n" },
	{ 6, true, "a/x.c", NULL, " static int f(void)\n {\n-\treturn 1;\n+\treturn 0;\n }\n late_initcall_sync(f);\n" },
	{ 6, false, "net/x.c", NULL, " static int f_probe(void)\n {\n-\treturn 1;\n+\treturn 0;\n }\n" },
	{ 6, true, "drivers/x.c", NULL, " static int f_probe(void)\n {\n-\treturn 1;\n+\treturn 0;\n }\n" },
	{ 6, true, "a/x.c", NULL, " static const int x[] __initconst = {\n-\t1,\n+\t2,\n };\n" },
	{ 6, false, "a/x.c", NULL,
	  " static int __init f(void)\n {\n }\n static int g(void)\n {\n-\treturn 1;\n+\treturn 0;\n }\n" },
	{ 6, false, "a/x.c", NULL, " static int __init f(void)\n {\n-\t/* one */\n+\t/* two */\n }\n" },
	{ 6, false, "a/x.c", NULL, " static int f(void)\n {\n-\treturn 1;\n+\treturn 0;\n }\n module_exit(f);\n" },
	{ 6, false, "a/x.c", NULL, " static int f_probed(int init)\n {\n-\treturn 1;\n+\treturn 0;\n }\n" },
	{ 6, false, "a/x.c", "static int __init f(void)",
	  " \treturn 0;\n }\n \n static int g(void)\n {\n-\treturn 1;\n+\treturn 0;\n }\n" },
	{ 7, true, "a/x.h", NULL, " struct s {\n \tint a;\n+\tint b;\n };\n" },
	{ 7, true, "a/x.h", "struct s {", " \tint a;\n-\tint b;\n \tint c;\n" },
	{ 7, true, "a/x.c", NULL, " enum e {\n \tA,\n+\tB,\n \tC,\n };\n" },
	{ 7, true, "a/x.c", NULL, "-static char x[8];\n+static char x[16];\n" },
	{ 7, true, "a/x.c", NULL, "-#define N 8\n+#define N 16\n struct s {\n \tint a[N];\n };\n" },
	{ 7, true, "a/x.c", NULL, " typedef struct {\n-\tint a;\n+\tlong a;\n } t;\n" },
	{ 7, false, "a/x.h", NULL, " struct s {\n-\tint a; /* one */\n+\tint a; /* two */\n };\n" },
	{ 7, false, "a/x.h", NULL, " int x;\n+struct s {\n+\tint a;\n+};\n" },
	{ 7, false, "a/x.c", NULL, " struct s f(struct s *p)\n {\n-\treturn 1;\n+\treturn 0;\n }\n" },
	{ 7, false, "a/x.c", NULL, "-#define N 8\n+#define N 16\n struct s {\n \tint a[M];\n };\n" },
	{ 7, false, "a/x.c", NULL, " struct s {\n-\tint  a;\n+\tint a;\n };\n" },
	{ 8, true, "a/x.c", NULL, " static const struct ops o = {\n-\t.a = b,\n+\t.a = c,\n };\n" },
	{ 8, true, "a/x.c", "static const struct ops o = {", " \t.x = y,\n-\t.a = b,\n+\t.a = c,\n };\n" },
	{ 8, true, "a/x.c", NULL, "-static int x = 1;\n+static int x = 2;\n" },
	{ 8, true, "a/x.c", NULL, "-module_param(x, int, 0644);\n+module_param(x, int, 0444);\n" },
	{ 8, false, "a/x.c", NULL, " int y;\n+static int x = 2;\n" },
	{ 8, false, "a/x.c", NULL, " static int f(void)\n {\n-\tint x = 1;\n+\tint x = 2;\n }\n" },
	{ 8, false, "a/x.c", NULL, " DEFINE_MUTEX(a);\n+DEFINE_MUTEX(b);\n DEFINE_MUTEX(c);\n" },
	{ 8, false, "a/x.c", NULL, "-MODULE_DESCRIPTION(\"a\");\n+MODULE_DESCRIPTION(\"b\");\n" },
	{ 8, false, "a/x.c", NULL, " static const struct ops o = {\n-\t.a = b, /* one */\n+\t.a = b,\n };\n" },
	{ 9, true, "include/linux/x.h", NULL, " int f(void);\n+int g(void);\n" },
	{ 9, true, "a/x.h", "", " int f(void);\n+int g(void);\n" },
	{ 9, false, "a/x.c", NULL, " int f(void);\n+int g(void);\n" },
	{ 9, false, "tools/include/x.h", NULL, " int f(void);\n+int g(void);\n" },
	{ 10, true, "a/x.c", NULL, "-int f(int a)\n+int f(long a)\n {\n }\n EXPORT_SYMBOL_GPL(f);\n" },
	{ 10, true, "a/x.c", NULL, "+#include <linux/y.h>\n int f(int a)\n {\n }\n EXPORT_SYMBOL(f);\n" },
	{ 10, true, "a/x.c", NULL, " int f(int a)\n {\n }\n+EXPORT_SYMBOL(f);\n" },
	{ 10, true, "a/x.c", "int e(void)", " \treturn 0;\n }\n-int f(int a)\n+int f(long a)\n {\n" },
	{ 10, false, "a/x.c", "again:", " \tb();\n \n-\tif (a) {\n+\tif (b) {\n \t\tc();\n" },
	{ 10, false, "a/x.c", NULL, "-static int f(int a)\n+static int f(long a)\n {\n }\n EXPORT_SYMBOL(g);\n" },
	{ 10, false, "a/x.c", NULL, " int f(int a)\n {\n-\treturn 1;\n+\treturn 0;\n }\n EXPORT_SYMBOL_GPL(f);\n" },
	{ 10, false, "a/x.c", NULL, "+#include <linux/y.h>\n int f(int a)\n {\n }\n" },
	{ 11, true, "a/x.c", NULL, " int f(int a)\n {\n+\tstatic int n;\n \treturn 0;\n }\n" },
	{ 11, true, "a/x.c", NULL, " int f(int a)\n {\n-\tstatic bool once = true;\n \treturn 0;\n }\n" },
	{ 11, true, "a/x.c", NULL, " int f(int a)\n {\n+\tstatic DEFINE_MUTEX(lock);\n \treturn 0;\n }\n" },
	{ 11, true, "a/x.c", NULL, " int f(int a)\n {\n+\tstatic const char *s;\n \treturn 0;\n }\n" },
	{ 11, false, "a/x.c", NULL, " int f(int a)\n {\n+\tint n;\n \treturn 0;\n }\n" },
	{ 11, false, "a/x.c", NULL, " int f(int a)\n {\n \treturn 0;\n }\n+int g(void)\n+{\n+\tstatic int n;\n+}\n" },
	{ 11, false, "a/x.c", NULL, " int x;\n+static int y;\n int z;\n" },
	{ 11, false, "a/x.c", NULL, " int f(int a)\n {\n+\tstatic const char *const s[] = { 0 };\n \treturn 0;\n }\n" },
	{ 12, true, "a/x.c", NULL, " int f(int a)\n {\n+\tWARN_ON_ONCE(a);\n \treturn 0;\n }\n" },
	{ 12, true, "a/x.c", NULL, " int f(int a)\n {\n+\tdev_err_ratelimited(d, \"x\");\n \treturn 0;\n }\n" },
	{ 12, true, "a/x.c", NULL, " int f(int a)\n {\n+\tpr_warn_once(\"x\");\n \treturn 0;\n }\n" },
	{ 12, false, "a/x.c", NULL, " int f(int a)\n {\n+\tb = READ_ONCE(a);\n+\tWRITE_ONCE(a, b);\n \treturn 0;\n }\n" },
	{ 12, false, "a/x.c", NULL,
	  " int f(int a)\n {\n-\tWARN_ON_ONCE(a);\n+\tif (b)\n+\t\tWARN_ON_ONCE(a);\n \treturn 0;\n }\n" },
	{ 12, false, "a/x.c", NULL,
	  " int f(int a)\n {\n+\t/* pr_warn_once(\"x\") */\n+\tg(\"WARN_ONCE\");\n+\tpoll_once();\n }\n" },
	{ 13, true, "a/x.c", NULL,
	  " int f(int a)\n {\n \tif (static_branch_unlikely(&k))\n-\t\treturn 1;\n+\t\treturn 2;\n }\n" },
	{ 13, true, "a/x.c", NULL, " int f(int a)\n {\n+\tstatic_key_slow_inc(&k);\n \treturn 2;\n }\n" },
	{ 13, false, "a/x.c", NULL, " int f(int a)\n {\n+\tif (static_key_enabled(&k))\n \treturn 2;\n }\n" },
	{ 13, false, "a/x.c", NULL,
	  " int f(int a)\n {\n \tstatic_branch_inc(&k);\n }\n int g(void)\n {\n-\treturn 1;\n+\treturn 2;\n }\n" },
	{ 15, true, "a/x.c", NULL, " int f(int a)\n {\n+\tstatic_call(x)(a);\n \treturn 2;\n }\n" },
	{ 15, true, "a/x.c", NULL, " int f(int a)\n {\n \tstatic_call_cond(x)(a);\n-\treturn 1;\n+\treturn 2;\n }\n" },
	{ 15, false, "a/x.c", NULL, " int f(int a)\n {\n+\tstatic_caller(x)(a);\n \treturn 2;\n }\n" },
	{ 15, false, "a/x.c", NULL, " int f(int a)\n {\n-\tstatic_call(x)(a);\n \treturn 2;\n }\n" },
	{ 16, true, "a/x.c", NULL, " SYSCALL_DEFINE2(open, int, a, int, b)\n {\n-\treturn 1;\n+\treturn 2;\n }\n" },
	{ 16, true, "a/x.c", "COMPAT_SYSCALL_DEFINE1(open, int, a)", " \tx();\n-\treturn 1;\n+\treturn 2;\n }\n" },
	{ 16, false, "a/x.c", NULL,
	  " SYSCALL_DEFINE1(open, int, a)\n {\n \treturn 1;\n }\n int f(void)\n {\n-\tx();\n+\ty();\n }\n" },
	{ 16, false, "a/x.c", NULL, " static long do_open(int a)\n {\n-\treturn 1;\n+\treturn 2;\n }\n" },
	{ 17, true, "a/x.c", NULL, " static noinstr int f(void)\n {\n-\treturn 1;\n+\treturn 2;\n }\n" },
	{ 17, true, "a/x.c", NULL, " static inline int f(void)\n {\n-\treturn 1;\n+\treturn 2;\n }\n" },
	{ 17, true, "a/x.c", NULL, " void __section(\".noinstr.text\") f(void)\n {\n-\treturn 1;\n+\treturn 2;\n }\n" },
	{ 17, true, "a/x.c", NULL, " int f(void)\n {\n-\treturn 1;\n+\treturn 2;\n }\n NOKPROBE_SYMBOL(f);\n" },
	{ 17, true, "kernel/livepatch/core.c", "", " a\n+c\n" },
	{ 17, false, "a/x.c", NULL, " static int f(void)\n {\n-\treturn 1;\n+\treturn 2;\n }\n" },
	{ 17, false, "a/x.c", NULL,
	  " static int f(void)\n {\n-\treturn notrace;\n+\treturn 2;\n }\n NOKPROBE_SYMBOL(g);\n" },
	{ 17, false, "a/x.c", NULL, " int x;\n+static inline int f(void)\n+{\n+\treturn 1;\n+}\n" },
	{ 19, true, "a/x.c", NULL, " int x;\n-static int f(void)\n-{\n-\treturn 1;\n-}\n" },
	{ 19, true, "a/x.c", NULL, "-static int f(void)\n+static int g(void)\n {\n \treturn 1;\n }\n" },
	{ 19, true, "a/x.c", NULL, "-static int f(void)\n-{\n-\treturn 1;\n-}\n" },
	{ 19, false, "a/x.c", NULL, "-static int f(void)\n+static int f(int a)\n {\n \treturn 1;\n }\n" },
	{ 19, false, "a/x.c", NULL, " int x;\n-static inline int f(void)\n-{\n-\treturn 1;\n-}\n" },
	{ 19, false, "a/x.c", NULL, "-int f(void)\n-{\n-\treturn 1;\n-}\n int x;\n+int f(void)\n+{\n+\treturn 1;\n+}\n" },
	{ 19, false, "a/x.c", "static int f(void)", " \tx();\n-\ty();\n-\tz();\n }\n \n" },
	{ 21, true, "a/x.c", NULL, " static int do_wait(void)\n {\n-\treturn 1;\n+\treturn 2;\n }\n" },
	{ 21, true, "a/x.c", NULL, " static int x_thread(void *p)\n {\n-\treturn 1;\n+\treturn 2;\n }\n" },
	{ 21, true, "a/x.c", NULL,
	  " static int f(void *p)\n {\n \twhile (!kthread_should_stop())\n-\t\tg();\n+\t\th();\n }\n" },
	{ 21, false, "a/x.c", NULL, " static int start_x_thread(void *p)\n {\n-\treturn 1;\n+\treturn 2;\n }\n" },
	{ 21, false, "a/x.c", NULL, " static int do_waited(void)\n {\n-\treturn 1;\n+\treturn 2;\n }\n" },
	{ 26, true, "a/x.c", NULL, " int x;\n+MODULE_IMPORT_NS(CXL);\n" },
	{ 26, true, "a/x.c", NULL, " int f(void)\n {\n }\n+EXPORT_SYMBOL_NS_GPL(f, CXL);\n" },
	{ 26, false, "a/x.c", NULL, " int x;\n-MODULE_IMPORT_NS(CXL);\n" },
	{ 26, false, "a/x.c", NULL, " int x;\n+/* MODULE_IMPORT_NS(CXL); */\n+MODULE_LICENSE(\"GPL\");\n" },
	{ 29, true, "rust/kernel/x.rs", "", " a\n+c\n" },
	{ 29, true, "drivers/x.rs", "", " a\n+c\n" },
	{ 29, false, "samples/rust/x.rs", "", " a\n+c\n" },
	{ 29, false, "drivers/rs.c", "", " a\n+c\n" },
};

static void test_cases(void)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct hunk_case *c = &cases[i];
		struct small_tree tree = { 0 };
		struct tree_reader reader = { read_small, &tree };
		struct lint_input in = { .tree = &reader };
		struct buf text = { 0 };
		const LintResult *r;

		arena_reset(arena);
		add_patch(&text, c->path, c->section, c->body);
		r = lint_text(buf_str(&text), NULL);
		ok(r && !find(r, c->rule) == !c->found, "rule %d %s: %s, case %zu", c->rule,
		   c->found ? "finds" : "passes over", c->path, i);
		if (!c->section) {
			make_tree(&tree, c->path, c->body);
			r = lint_text(buf_str(&text), &in);
			ok(r && !find(r, c->rule) == !c->found, "and with a tree");
			ok(r && !find(r, 30), "to which it applies");
		}
		buf_free(&tree.text);
		buf_free(&text);
	}
}

/* ---- What a finding says */

static void test_finding(void)
{
	struct buf text = { 0 };
	const LintFinding *f;
	const LintResult *r;

	arena_reset(arena);
	add_patch(&text, "a/x.c", "static int __init f(void)", " \ta();\n \tb();\n-\treturn 1;\n+\treturn 0;\n }\n");
	r = lint_text(buf_str(&text), NULL);
	f = find(r, 6);
	is_str(f->id, "6-init", "its id");
	is_int(f->level, LINT_LEVEL__LINT_BLOCK, "__init blocks");
	is_int((long long)f->line, 102, "its line");
	is_str((const char *)f->file.data, "a/x.c", "its file");
	ok(strstr(f->why, "f is __init"), "why it is found");
	ok(f->todo && *f->todo, "what to do");
	ok(f->from_diff, "read from the diff");
	is_int(r->blocks, 1, "counted");
	is_int(r->warns + r->reviews + r->suppressed, 0, "alone");
	ok(skips(r, 20) && skips(r, 30) && skips(r, 31) && skips(r, 34), "rules that lack something are listed");
	ok(!skips(r, 1) && !skips(r, 12), "others are not");
	arena_reset(arena);
	buf_reset(&text);
	add_patch(&text, "Documentation/x.rst", "", " a\n+b\n");
	is_int(find(lint_text(buf_str(&text), NULL), 5)->level, LINT_LEVEL__LINT_BLOCK, "nothing to patch blocks");
	buf_free(&text);
}

static void test_lists(void)
{
	const char *id, *about;
	LintLevel level;
	size_t n = 0;

	while (lint_rule_at(n, &id, &level, &about) && *id && *about && level)
		n++;
	is_int((long long)n, 24, "24 rules");
	ok(lint_rule_is_arguable(2) && lint_rule_is_arguable(10) && !lint_rule_is_arguable(1), "some can be argued with");
	is_str(lint_level_name(LINT_LEVEL__LINT_REVIEW), "review", "levels have names");
}

/* ---- Rules that ask others */

static const char *config_value(void *ctx, const char *option)
{
	const char *const *words = ctx;

	for (; *words; words += 2)
		if (strcmp(*words, option) == 0)
			return words[1];
	return NULL;
}

static void test_config(void)
{
	static const char *good[] = { "LIVEPATCH", "y", "DEBUG_INFO", "y", NULL };
	static const char *off[] = { "LIVEPATCH", "n", "DEBUG_INFO", "y", NULL };
	static const char *random[] = { "LIVEPATCH", "y", "DEBUG_INFO", "y", "GCC_PLUGIN_RANDSTRUCT", "y", NULL };
	static const char *split[] = { "LIVEPATCH", "y", "DEBUG_INFO", "y", "DEBUG_INFO_SPLIT", "y", NULL };
	static const char *klp[] = { "LIVEPATCH", "y", "KLP_BUILD", "y", "DEBUG_INFO_SPLIT", "y", NULL };
	static const char *clang[] = { "LIVEPATCH",     "y",      "KLP_BUILD", "y", "CC_IS_CLANG", "y",
				       "CLANG_VERSION", "190107", NULL };
	static const char *clang20[] = { "LIVEPATCH",     "y",      "KLP_BUILD", "y", "CC_IS_CLANG", "y",
					 "CLANG_VERSION", "200100", NULL };
	static const struct {
		const char *version;
		const char **config;
		bool found;
	} tries[] = {
		{ "6.1.1", good, false }, { "6.1.1", off, true }, { "6.1.1", random, true }, { "6.1.1", split, true },
		{ "6.19", good, true },   { "6.19", klp, false }, { "6.19.3", clang, true }, { "7.0", clang20, false },
		{ NULL, good, false },    { NULL, split, true },  { "6.1.1", clang, true },
	};
	struct buf text = { 0 };

	add_patch(&text, "a/x.c", "", " a\n+b\n");
	for (size_t i = 0; i < ARRAY_LEN(tries); i++) {
		KernelVersion v;
		struct lint_input in = { .config = config_value, .config_ctx = tries[i].config };

		arena_reset(arena);
		if (tries[i].version && kver_parse(&v, tries[i].version, strlen(tries[i].version)) == 0)
			in.version = &v;
		ok(!find(lint_text(buf_str(&text), &in), 31) == !tries[i].found, "config %zu %s", i,
		   tries[i].found ? "rules livepatches out" : "allows livepatches");
	}
	buf_free(&text);
}

static void test_module_name(void)
{
	static const struct {
		const char *name;
		bool found;
	} names[] = {
		{ "livepatch_6_1_1-a", false },
		{ "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz012", false },
		{ "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123", true },
		{ "live.patch", true },
		{ "", true },
	};
	struct buf text = { 0 };

	add_patch(&text, "a/x.c", "", " a\n+b\n");
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct lint_input in = { .module_name = names[i].name };

		arena_reset(arena);
		ok(!find(lint_text(buf_str(&text), &in), 34) == !names[i].found, "name \"%s\"", names[i].name);
	}
	buf_free(&text);
}

static int list_includers(void *ctx, struct arena *a, const char *header, size_t *n, const char ***files)
{
	*n = 0;
	*files = NULL;
	for (size_t i = 0; strcmp(header, "a/x.h") == 0 && i < *(size_t *)ctx; i++)
		*(const char **)arena_grow(a, (void **)files, n, sizeof(**files)) = arena_printf(a, "a/%zu.c", i);
	return *n == 13 ? fail(ERR_DB, "no list") : 0;
}

static int space_of(void *ctx, const char *symbol, const char **space)
{
	*space = strcmp(symbol, "cxl_f") == 0 ? "CXL" : NULL;
	return *(size_t *)ctx == 13 ? fail(ERR_DB, "no list") : 0;
}

static void test_others(void)
{
	size_t n = 7;
	struct lint_input in = { .includers = list_includers, .export_space = space_of, .build_ctx = &n };
	struct buf text = { 0 };
	struct diff diff;
	LintResult *r;
	const LintFinding *f;

	arena_reset(arena);
	add_patch(&text, "a/x.h", NULL, " int a;\n+int f(void);\n");
	f = find(lint_text(buf_str(&text), &in), 9);
	ok(strstr(f->why, "7 compiled files include it"), "includers are counted");
	ok(f->n_files == 7 && strcmp((const char *)f->files[6].data, "a/6.c") == 0, "and named");
	n = 1234;
	f = find(lint_text(buf_str(&text), &in), 9);
	ok(strstr(f->why, "1234 compiled files") && f->n_files == 1000, "of many there is a number");
	n = 13;
	r = pb_new(arena, &lint_result__descriptor);
	in.diff = &diff;
	ok(diff_parse(arena, buf_str(&text), text.len, &diff) == 0 && lint_patch(arena, &in, r) == ERR_DB,
	   "whose errors end the run");
	n = 7;
	buf_reset(&text);
	for (int i = 0; i < 120; i++) {
		char path[32];

		snprintf(path, sizeof(path), "b/%d.h", i);
		add_patch(&text, path, NULL, " int a;\n+int f(void);\n");
	}
	r = lint_text(buf_str(&text), &in);
	ok(r->n_findings == 120 && strstr(r->findings[99]->why, "0 compiled files") &&
		   strstr(r->findings[100]->why, "Every file"),
	   "beyond a hundred headers nobody looks");
	buf_free(&text);
}

/* ---- Rules that need a tree */

static LintResult *lint_in_tree(const char *path, const char *file, const char *patch, const char *version)
{
	struct small_tree tree = { .path = path };
	struct tree_reader reader = { read_small, &tree };
	struct lint_input in = { .tree = &reader };
	KernelVersion v;
	LintResult *r;

	arena_reset(arena);
	if (version && kver_parse(&v, version, strlen(version)) == 0)
		in.version = &v;
	buf_adds(&tree.text, file);
	r = lint_text(patch, &in);
	buf_free(&tree.text);
	return r;
}

#define FILE_A                                                                                                         \
	"int f(void)\n{\n\tstatic int n;\n\n\treturn n++;\n}\n\nint g(void)\n{\n\tWARN_ON(1);\n\treturn 0;\n}\n\nint " \
	"h(void)\n{\n"                                                                                                 \
	"\treturn 0;\n}\n"
#define HEAD "--- a/a/x.c\n+++ b/a/x.c\n"

/* Who calls what, with a build that knows the exports and without one. */
static void test_spaces(void)
{
	static const char imports[] =
		"MODULE_IMPORT_NS(CXL);\nint g(void)\n{\n\treturn 1;\n}\nint f(void)\n{\n\tcxl_f();\n\treturn 1;\n}\n";
	static const struct {
		const char *what, *path, *body;
		bool found;
	} tries[] = {
		{ "a new call", "a/x.c", " int f(void)\n {\n+\tcxl_f();\n+\tg();\n+\th();\n }\n", true },
		{ "a new call in a new function", "a/x.c", " int a;\n+static int f(void)\n+{\n+\treturn cxl_f();\n+}\n",
		  true },
		{ "a call that the file makes already", "a/x.c", " int f(void)\n {\n-\tcxl_f(1);\n+\tcxl_f(2);\n }\n",
		  false },
		{ "a name that is not called", "a/x.c", " int f(void)\n {\n+\tint cxl_f = 1;\n }\n", false },
		{ "a call that goes", "a/x.c", " int f(void)\n {\n-\tcxl_f();\n+\tg();\n }\n", false },
		{ "a comment", "a/x.c", " int f(void)\n {\n+\tg(); /* cxl_f() */\n }\n", false },
		{ "a touched function of a file that imports", "a/x.c",
		  " MODULE_IMPORT_NS(CXL);\n int f(void)\n {\n \tcxl_f();\n-\treturn 1;\n+\treturn 2;\n }\n", true },
		{ "an untouched one", "a/x.c",
		  " MODULE_IMPORT_NS(CXL);\n int g(void)\n {\n-\treturn 1;\n+\treturn 2;\n }\n int f(void)\n {\n "
		  "\tcxl_f();\n }\n",
		  false },
	};
	static const char in_g[] = HEAD "@@ -2,4 +2,4 @@\n int g(void)\n {\n-\treturn 1;\n+\treturn 2;\n }\n";
	static const char outside[] = HEAD "@@ -5,2 +5,3 @@\n }\n+/* x */\n int f(void)\n";
	size_t n = 7;
	struct lint_input in = { .export_space = space_of, .build_ctx = &n };
	struct buf text = { 0 };
	const LintFinding *f;

	for (size_t i = 0; i < ARRAY_LEN(tries); i++) {
		arena_reset(arena);
		buf_reset(&text);
		add_patch(&text, tries[i].path, NULL, tries[i].body);
		f = find(lint_text(buf_str(&text), &in), 26);
		ok(!f == !tries[i].found, "namespaces: %s", tries[i].what);
		ok(!f || strstr(f->why, "cxl_f is exported in the namespace CXL"), "and which");
	}
	f = find(lint_in_tree("a/x.c", imports, in_g, NULL), 26);
	ok(f && f->level == LINT_LEVEL__LINT_REVIEW && f->line == 1,
	   "without a build a file that imports is for the reviewer");
	ok(!find(lint_in_tree("a/x.c", imports, outside, NULL), 26), "unless nothing of it is touched");
	buf_free(&text);
}

static void test_tree(void)
{
	static const char grows[] = HEAD "@@ -4,3 +4,4 @@ int f(void)\n \n+\tx();\n \treturn n++;\n }\n";
	static const char same[] = HEAD "@@ -4,3 +4,3 @@ int f(void)\n \n-\treturn n++;\n+\treturn n--;\n }\n";
	static const char below[] = HEAD "@@ -14,4 +14,5 @@ int h(void)\n int h(void)\n {\n+\tx();\n \treturn 0;\n }\n";
	static const char drops[] = HEAD "@@ -4,3 +4,3 @@ int f(void)\n \n-\treturn n++;\n+\treturn 0;\n }\n";
	static const char moved[] = HEAD "@@ -14,3 +14,4 @@ int f(void)\n \n+\tx();\n \treturn n++;\n }\n";
	static const char wrong[] = HEAD "@@ -4,3 +4,4 @@ int f(void)\n \n+\tx();\n \treturn m++;\n }\n";
	static const char there[] = HEAD "@@ -4,2 +4,3 @@ int f(void)\n \n+\treturn n++;\n }\n";
	const LintResult *r = lint_in_tree("a/x.c", FILE_A, grows, NULL);

	ok(find(r, 20) && strstr(find(r, 20)->why, "(g)"), "g moves");
	is_int((long long)find(r, 20)->line, 5, "from line 5 on");
	ok(!find(lint_in_tree("a/x.c", FILE_A, same, NULL), 20), "nothing moves");
	ok(!find(lint_in_tree("a/x.c", FILE_A, below, NULL), 20), "what moves is touched, or stands above");
	ok(find(lint_in_tree("a/x.c", FILE_A, grows, "6.18.1"), 20), "kpatch-build minds");
	ok(!find(lint_in_tree("a/x.c", FILE_A, grows, "6.19"), 20), "klp-build does not");
	ok(find(lint_in_tree("a/x.c", FILE_A, drops, NULL), 11), "the last reference goes");
	ok(!find(lint_in_tree("a/x.c", FILE_A, same, NULL), 11), "a reference stays");
	r = lint_in_tree("a/x.c", FILE_A, moved, NULL);
	is_int(find(r, 30)->level, LINT_LEVEL__LINT_WARN, "applies elsewhere");
	ok(strstr(find(r, 30)->why, "10 lines above"), "by how much");
	is_int((long long)find(r, 20)->line, 5, "lines are those of the tree");
	r = lint_in_tree("a/x.c", FILE_A, wrong, NULL);
	is_int(find(r, 30)->level, LINT_LEVEL__LINT_BLOCK, "does not apply");
	r = lint_in_tree("a/x.c", FILE_A, there, NULL);
	ok(strstr(find(r, 30)->why, "has the fix already"), "is applied already");
	r = lint_in_tree("a/y.c", FILE_A, grows, NULL);
	ok(strstr(find(r, 30)->why, "no such file"), "the file is missing");
}

/* A function that stands twice, under #if and #else, is compared with its own self. */
static void test_variants(void)
{
	static const char file[] = "#ifdef A\nint f(int a)\n{\n\treturn 1;\n}\n#else\nint f(long b)\n{\n\treturn "
				   "2;\n}\n#endif\nEXPORT_SYMBOL(f);\n";
	static const char patch[] = HEAD "@@ -7,4 +7,4 @@\n int f(long b)\n {\n-\treturn 2;\n+\treturn 3;\n }\n";

	ok(!find(lint_in_tree("a/x.c", file, patch, NULL), 10), "the other branch's prototype is no change");
}

/* ---- Lint-ok */

static LintResult *lint_with(const char *header, const char *path, const char *section, const char *body)
{
	struct buf text = { 0 };
	LintResult *r;

	arena_reset(arena);
	buf_adds(&text, header);
	add_patch(&text, path, section, body);
	r = lint_text(buf_str(&text), NULL);
	for (size_t i = 0; i < r->n_findings; i++)
		if (r->findings[i]->has_suppressed)
			r->findings[i]->suppressed = pb_bytes(arena, r->findings[i]->suppressed.data,
							      r->findings[i]->suppressed.len);
	buf_free(&text);
	return r;
}

static void test_lint_ok(void)
{
	static const char warns[] = " struct s {\n \tint a;\n+\tint b;\n };\n", blocks[] = " a\n+b\n";
	const LintResult *r = lint_with("Subject: x\nLint-ok: 7 the struct is on the stack only\n\n", "a/x.c", NULL, warns);

	is_str((const char *)find(r, 7)->suppressed.data, "the struct is on the stack only", "the reason is kept");
	is_int(r->suppressed, 1, "one is accepted");
	is_int(r->blocks + r->warns + r->reviews, 0, "none stands");
	ok(find(lint_with("Lint-ok: layout on the stack only\n", "a/x.c", NULL, warns), 7)->has_suppressed, "by its word");
	ok(find(lint_with("lint-ok:7-layout: on the stack only\n", "a/x.c", NULL, warns), 7)->has_suppressed, "by its id");
	r = lint_with("Lint-ok: 7\n", "a/x.c", NULL, warns);
	ok(!find(r, 7)->has_suppressed && strstr(find(r, 0)->why, "gives no reason"), "a reason is needed");
	is_int(r->warns, 2, "and its lack is a finding");
	r = lint_with("Lint-ok: 8 whatever\n", "a/x.c", NULL, warns);
	ok(!find(r, 7)->has_suppressed && strstr(find(r, 0)->why, "nothing is found"), "another rule's");
	ok(strstr(find(lint_with("Lint-ok: \033[31m x\n", "a/x.c", NULL, warns), 0)->why, "\\x1b"),
	   "what it names is made printable");
	r = lint_with("Lint-ok: 1 we are sure\n", "a/x.S", "", blocks);
	ok(!find(r, 1)->has_suppressed && strstr(find(r, 0)->why, "cannot accept"), "a block of the tools stands");
	r = lint_with("Lint-ok: 2 iov_iter.o is in obj-y\n", "lib/iov_iter.c", "", blocks);
	ok(find(r, 2)->has_suppressed && !find(r, 0), "one that may be wrong does not have to");
	ok(!find(lint_with("Lint-okay: 7 x y z\n", "a/x.c", NULL, warns), 7)->has_suppressed, "another key");
}

/* ---- Order and sizes */

static void test_order(void)
{
	struct buf text = { 0 };
	const LintResult *r;

	arena_reset(arena);
	add_patch(&text, "b/x.h", NULL, " struct s {\n \tint a;\n+\tint b;\n };\n");
	add_patch(&text, "a/Makefile", "", " a\n+b\n");
	r = lint_text(buf_str(&text), NULL);
	is_int((long long)r->n_findings, 3, "three findings");
	ok(r->findings[0]->rule == 9 && r->findings[1]->rule == 7 && r->findings[2]->rule == 4,
	   "by file of the patch, then by line");
	buf_free(&text);
}

static void test_told_once(void)
{
	static const char two[] = "--- a/a/x.c\n+++ b/a/x.c\n@@ -10,3 +10,3 @@ static inline int f(void)\n a\n-b\n+c\n d\n"
				  "@@ -20,3 +20,3 @@ static inline int f(void)\n a\n-b\n+c\n d\n";

	arena_reset(arena);
	is_int((long long)lint_text(two, NULL)->n_findings, 1, "two hunks in one function are one finding");
}

static void test_binary(void)
{
	static const char binary[] =
		"diff --git a/a/x.c b/a/x.c\nindex 1..2 100644\nBinary files a/a/x.c and b/a/x.c differ\n";

	arena_reset(arena);
	is_int((long long)lint_text(binary, NULL)->n_findings, 0, "a binary file is not read");
}

/* Every file of this tree is the same, and large. */
static int read_large(void *ctx, struct arena *a UNUSED, const char *path, struct tree_file *out)
{
	const struct buf *text = ctx;

	*out = strchr(path, '.') ? (struct tree_file){ TREE_FILE, 0100644, text->data, text->len }
				 : (struct tree_file){ .kind = TREE_DIRECTORY };
	return 0;
}

/* Beyond some megabytes of source no more files are read whole, which is said. */
static void test_much(void)
{
	struct buf file = { 0 }, text = { 0 };
	struct tree_reader reader = { read_large, &file };
	struct lint_input in = { .tree = &reader };
	const LintResult *r;

	arena_reset(arena);
	for (int i = 1; i < 300000; i++)
		buf_printf(&file, "/* %06d */\n", i);
	buf_adds(&file, "static inline int f(void)\n{\n\treturn 1;\n}\n");
	for (int i = 0; i < 8; i++)
		buf_printf(&text,
			   "--- a/a/%d.c\n+++ b/a/%d.c\n@@ -300000,4 +300000,4 @@\n static inline int f(void)\n "
			   "{\n-\treturn 1;\n+\treturn 2;\n }\n",
			   i, i);
	r = lint_text(buf_str(&text), &in);
	is_int((long long)r->n_findings, 8, "files beyond the most are still judged");
	ok(!r->findings[0]->from_diff && r->findings[7]->from_diff, "the last of them by the diff");
	ok(skips(r, 17) && !skips(r, 1), "which is said of the rules that it concerns");
	buf_reset(&text);
	buf_adds(&text, "--- a/a/1.c\n+++ b/a/1.c\n@@ -300000,4 +300000,4 @@\n static inline int f(void)\n {\n-\treturn "
			"1;\n+\treturn 2;\n }\n");
	r = lint_text(buf_str(&text), &in);
	ok(!skips(r, 17), "of one file it is not");
	buf_free(&file);
	buf_free(&text);
}

/* Many functions, names and lines: time grows with the patch, not with its square. */
static void test_large(void)
{
	struct buf body = { 0 }, text = { 0 };
	const LintResult *r;
	clock_t began;

	arena_reset(arena);
	for (int i = 0; i < 30000; i++)
		buf_adds(&body, " static int __init f(void)\n {\n-\tstatic int a;\n+\tWARN_ON_ONCE(1);\n }\n");
	add_patch(&text, "a/x.c", NULL, buf_str(&body));
	began = clock();
	r = lint_text(buf_str(&text), NULL);
	ok(r && r->n_findings < 1000 && skips(r, 6), "findings are bounded");
	ok((double)(clock() - began) / CLOCKS_PER_SEC < 10, "30,000 functions of one name are linear");
	buf_free(&body);
	buf_free(&text);
}

int main(void)
{
	arena = arena_new(0);
	test_cases();
	test_finding();
	test_lists();
	test_config();
	test_module_name();
	test_others();
	test_tree();
	test_spaces();
	test_variants();
	test_lint_ok();
	test_order();
	test_told_once();
	test_binary();
	test_much();
	test_large();
	arena_free(arena);
	return done();
}
