/* What compiled files say of each other: who includes a header and through what, which exports stand in a namespace, and texts that only look
 * like either. */
#include "lib/build_scan.h"
#include "lib/err.h"
#include "tap.h"

static struct arena *arena;

/* A tree of a few files. */
static const struct {
	const char *path, *text;
} tree[] = {
	{ "include/linux/a.h", "#ifndef A\n#include <linux/b.h>\n#endif\n" },
	{ "include/linux/b.h", "#include <uapi/linux/b.h>\n#include <linux/a.h>\n" },
	{ "include/uapi/linux/b.h", "/* #include in words */ int b;\n" },
	{ "include/linux/alone.h", "int alone;\n" },
	{ "include/asm-generic/g.h", "int g;\n" },
	{ "kernel/one.c", "#include <linux/a.h>\nint one;\nEXPORT_SYMBOL(one);\nEXPORT_SYMBOL_NS_GPL(one_ns, CXL);\n" },
	{ "kernel/two.c",
	  "  #  include\t<uapi/linux/b.h>\nEXPORT_SYMBOL_NS(two_ns, \"DMA_BUF\");\n/* EXPORT_SYMBOL_NS(no, NO);\n" },
	{ "kernel/three.c",
	  "int x; #include <linux/a.h>\n// #include <linux/a.h>\n#include MACRO\n#include <linux/\n#include" },
	{ "drivers/net/four.c", "#include \"four.h\"\n#include \"../common/five.h\"\n" },
	{ "drivers/net/four.h", "#include <asm/g.h>\n" },
	{ "drivers/common/five.h", "" },
	{ "sound/four.c", "#include \"four.h\"\n" },
	{ "sound/four.h", "" },
	{ "include/uapi/asm-generic/made.h", "" },
	{ "sound/five.c", "#include <asm/made.h>\n#include <linux/a2.h>\n" },
	{ "drivers/gpu/drm/amd/dm/six.c", "#include \"dc/dc.h\"\n#include \"linux/../x.h\"\n" },
	{ "drivers/gpu/drm/amd/display/dc/dc.h", "" },
	{ "net/seven.c", "#include \"dc/dc.h\"\n" },
	{ "net/eight.S", "#include <linux/b.h>\n" },
	{ "net/nine.c",
	  "#define DEFAULT_SYMBOL_NAMESPACE NINE\nEXPORT_SYMBOL_GPL(nine);\n EXPORT_SYMBOL(blank);\nEXPORT_SYMBOL_GPL(\n" },
	{ "kernel/parts.c", "#include \"part.c\"\n" },
	{ "kernel/part.c", "#include <linux/part.h>\n" },
	{ "include/linux/part.h", "" },
	{ "net/ten.c",
	  "#include \"table.inc\"\nEXPORT_SYMBOL_NS_GPL(ten ELEVEN);\nEXPORT_SYMBOL_NS_GPL(ten,\nEXPORT_SYMBOL_NS_GPL" },
};

/* Whether files are read as they are, or as what is kept of them. */
static bool reduced;

static int read_tree(void *ctx, const char *path, struct buf *out)
{
	const char *broken = ctx;

	if (broken && strcmp(path, broken) == 0)
		return fail(ERR_GIT, "%s is broken", path);
	for (size_t i = 0; i < ARRAY_LEN(tree); i++)
		if (strcmp(tree[i].path, path) == 0) {
			if (reduced)
				build_scan_reduce(out, tree[i].text, strlen(tree[i].text));
			else
				buf_adds(out, tree[i].text);
			return 0;
		}
	return fail(ERR_NOTFOUND, "no %s", path);
}

static int scan(const char *broken, struct build_scan **out)
{
	static const char *const headers[] = { "include/linux/unbuilt.h", "include/linux/a.h" };
	const char *files[ARRAY_LEN(tree) + 3] = { "include/generated/a2.h", "kernel/one.c",
						   "arch/x86/include/generated/uapi/asm/made.h" };

	for (size_t i = 0; i < ARRAY_LEN(tree); i++)
		files[i + 3] = tree[i].path;
	return build_scan_run(arena,
			      &(struct build_scan_input){ .read = read_tree,
							  .ctx = (void *)(uintptr_t)broken,
							  .files = files,
							  .n_files = ARRAY_LEN(files),
							  .headers = headers,
							  .n_headers = ARRAY_LEN(headers) },
			      out);
}

static void test_includers(const struct build_scan *s)
{
	static const struct {
		const char *header, *files;
	} tries[] = {
		{ "include/linux/a.h", "kernel/one.c net/eight.S " },
		{ "include/linux/b.h", "kernel/one.c net/eight.S " },
		{ "include/uapi/linux/b.h", "kernel/one.c kernel/two.c net/eight.S " },
		{ "include/linux/alone.h", "" },
		{ "include/linux/part.h", "kernel/part.c kernel/parts.c " },
		{ "include/linux/unbuilt.h", "" },
		{ "include/linux/nowhere.h", "" },
		{ "drivers/net/four.h", "drivers/net/four.c " },
		{ "sound/four.h", "sound/four.c " },
		{ "drivers/common/five.h", "drivers/net/four.c " },
		{ "include/asm-generic/g.h", "drivers/net/four.c " },
		{ "include/uapi/asm-generic/made.h", "sound/five.c " },
		{ "drivers/gpu/drm/amd/display/dc/dc.h", "drivers/gpu/drm/amd/dm/six.c " },
	};

	for (size_t i = 0; i < ARRAY_LEN(tries); i++) {
		struct buf text = { 0 };
		const char **files;
		size_t n;

		build_scan_includers(s, arena, tries[i].header, &n, &files);
		for (size_t k = 0; k < n; k++)
			buf_printf(&text, "%s ", files[k]);
		is_str(buf_str(&text), tries[i].files, tries[i].header);
		buf_free(&text);
	}
}

static void test_exports(const struct build_scan *s)
{
	is_str(build_scan_space(s, "one_ns"), "CXL", "a namespace");
	is_str(build_scan_space(s, "two_ns"), "DMA_BUF", "one in quotes");
	is_str(build_scan_space(s, "nine"), "NINE", "that of the whole file");
	is_str(build_scan_space(s, "blank"), "NINE", "blanks before it");
	ok(!build_scan_space(s, "one"), "no namespace");
	ok(!build_scan_space(s, "no"), "a comment");
	ok(!build_scan_space(s, "ten"), "no export");
	ok(!build_scan_space(s, "nobody"), "no symbol");
}

static void test_reduce(void)
{
	static const char
		text[] = "int a;\n # include \"../x.h\" /* why */\n#include <y z.h>\n#include M\n"
			 "#define DEFAULT_SYMBOL_NAMESPACE ALL\nEXPORT_SYMBOL(a);\nEXPORT_SYMBOL_NS_GPL(b,\"ONE\");\n",
		most[] = "#include <../x.h>\n#include <y z.h>\nEXPORT_SYMBOL_NS(a, ALL)\nEXPORT_SYMBOL_NS(b, ONE)\n";
	struct buf once = { 0 }, twice = { 0 };

	build_scan_reduce(&once, text, sizeof(text) - 1);
	is_str(buf_str(&once), most, "what is kept of a text");
	build_scan_reduce(&twice, buf_str(&once), once.len);
	is_str(buf_str(&twice), most, "  is all kept of itself");
	buf_reset(&once);
	build_scan_reduce(&once, "int a;\nEXPORT_SYMBOL(a);\n", 25);
	is_str(buf_str(&once), "", "of one that says nothing, nothing");
	buf_reset(&once);
	build_scan_reduce(&once, "#include <a\0b>\n", 15);
	ok(once.len == 15 && memcmp(once.data, "#include <a\0b>\n", 15) == 0, "bytes are bytes");
	buf_free(&once);
	buf_free(&twice);
}

int main(void)
{
	struct build_scan *s;

	arena = arena_new(0);
	is_int(scan(NULL, &s), 0, "the files are read, those that the tree lacks passed over");
	test_includers(s);
	test_exports(s);
	reduced = true;
	is_int(scan(NULL, &s), 0, "the same of what is kept of the files");
	test_includers(s);
	test_exports(s);
	test_reduce();
	reduced = false;
	is_int(scan("kernel/two.c", &s), ERR_GIT, "what cannot be read for another reason ends it");
	is_int(build_scan_run(arena, &(struct build_scan_input){ .read = read_tree }, &s), 0, "nothing compiled");
	ok(!build_scan_space(s, "one"), "exports nothing");
	arena_free(arena);
	return done();
}
