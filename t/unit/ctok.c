/* The outline of C files: items with names and lines, attributes, static locals, and what #if, macros and odd bytes do to it. */
#include "lib/buf.h"
#include "lib/ctok.h"
#include "tap.h"

#include <time.h>

static struct arena *arena;
static struct cfile file;

static const char *const kinds[] = { "function", "prototype", "type", "data", "call", "macro", "include", "local" };

/* The outline as text: "function f 1-4; data x 5-5". */
static const char *outline_of(void)
{
	struct buf out = { 0 };
	const char *text;

	for (size_t i = 0; i < file.n_items; i++) {
		const struct citem *c = &file.items[i];

		buf_printf(&out, "%s%s %s%s%s %u-%u", i ? "; " : "", kinds[c->kind], c->macro ? c->macro : "",
			   c->macro ? "/" : "", c->name, c->first_line, c->last_line);
	}
	for (size_t i = 0; i < file.n_notes; i++)
		buf_printf(&out, " [%s %s %u]", kinds[file.notes[i].kind], file.notes[i].name, file.notes[i].first_line);
	text = arena_strdup(arena, buf_str(&out));
	buf_free(&out);
	return text;
}

static const char *outline(const char *text)
{
	arena_reset(arena);
	file = (struct cfile){ 0 };
	cfile_read(arena, text, strlen(text), &file);
	return outline_of();
}

static const char *piece(const char *section, const char *text)
{
	arena_reset(arena);
	file = (struct cfile){ 0 };
	cfile_read_piece(arena, section, strlen(section), text, strlen(text), 100, &file);
	return outline_of();
}

static const struct {
	const char *text, *want, *what;
} cases[] = {
	{ "int f(void)\n{\n\treturn 0;\n}\n", "function f 1-4", "a function" },
	{ "static int\nf(int a,\n  int b)\n{\n}\n", "function f 1-5", "over lines" },
	{ "int f(void);\n", "prototype f 1-1", "a prototype" },
	{ "struct s *f(struct t *t)\n{\n}\n", "function f 1-3", "that returns a struct" },
	{ "void f(void (*g)(int), int (*h)[3])\n{\n}\n", "function f 1-3", "that takes functions" },
	{ "__printf(1, 2)\nstatic int f(char *s, ...)\n{\n}\n", "function f 1-4", "behind an attribute" },
	{ "static int __attribute__((unused)) f(void)\n{\n}\n", "function f 1-3", "with an attribute inside" },
	{ "void f(struct l *l) __acquires(l)\n{\n}\n", "function f 1-3", "with one behind" },
	{ "SYSCALL_DEFINE2(open, int, a, int, b)\n{\n}\n", "function SYSCALL_DEFINE2/open 1-3", "made by a macro" },
	{ "struct s {\n\tint a;\n};\n", "type s 1-3", "a struct" },
	{ "struct s {\n\tstruct {\n\t\tint a;\n\t} b;\n\tint (*f)(void);\n};\n", "type s 1-6", "with another inside" },
	{ "struct __packed s {\n\tint a;\n} __aligned(8);\n", "type s 1-3", "with attributes" },
	{ "enum e { A, B };\nunion u { int a; };\n", "type e 1-1; type u 2-2", "an enum and a union" },
	{ "typedef struct {\n\tint a;\n} t;\n", "type t 1-3", "a typedef" },
	{ "typedef int (*fn)(void);\n", "type fn 1-1", "a typedef of a function" },
	{ "struct s;\n", "data s 1-1", "a declaration" },
	{ "static const struct ops o = {\n\t.f = f,\n\t.g = { 1 },\n};\n", "data o 1-4", "data" },
	{ "int x, y = 3;\n", "data x 1-1", "two objects bear the first one's name" },
	{ "static int x[3] = { 1 };\n", "data x 1-1", "an array" },
	{ "int (*fp)(void) = f;\n", "data fp 1-1", "a pointer to a function" },
	{ "static struct s { int a; } x = { 1 };\n", "data x 1-1", "a struct with its object" },
	{ "module_init(f);\nEXPORT_SYMBOL(g);\nstatic DEFINE_MUTEX(m);\n",
	  "call module_init 1-1; call EXPORT_SYMBOL 2-2; call DEFINE_MUTEX 3-3", "calls of macros" },
	{ "BTF_ID(func, f)\nstatic int x;\n", "call BTF_ID 1-1; data x 2-2", "a call without a semicolon" },
	{ "#include <linux/a.h>\n#include \"b.h\"\n#define N \\\n\t3\nint x;\n",
	  "data x 5-5 [include linux/a.h 1] [include b.h 2] [macro N 3]", "directives" },
	{ "int f(void)\n{\n\tstatic int a = 1, *b;\n\tstatic DEFINE_MUTEX(m);\n\tint c;\n\tstatic DEFINE_PER_CPU(int, p);\n"
	  "\tstatic const char *const s[] = { 0 };\n\tstatic struct k key;\n}\n",
	  "function f 1-9 [local a 3] [local m 4] [local p 6] [local s 7] [local key 8]", "static locals" },
	{ "int f(void)\n{\n\tstatic int a, b;\n}\n", "function f 1-4 [local a 3] [local b 3]", "two of them" },
	{ "/* int f(void)\n{ */\n// int g(void) {\nint x;\n", "data x 4-4", "comments" },
	{ "const char *s = \"{ /* \\\" \";\nchar c = '\"';\nint x;\n", "data s 1-1; data c 2-2; data x 3-3",
	  "strings and characters" },
	{ "char *s = \"open\nint x;\n", "data s 1-2", "a string that is never closed ends with its line" },
	{ "#ifdef A\nint f(int a)\n{\n#else\nint f(long a)\n{\n#endif\n\treturn 0;\n}\nint x;\n",
	  "function f 2-3; function f 5-9; data x 10-10", "two heads of one function" },
	{ "int f(void)\n{\n#ifdef A\n\tif (a) {\n#else\n\tif (b) {\n#endif\n\t}\n}\nint x;\n",
	  "function f 1-9; data x 10-10", "two openings of one block" },
	{ "int f(int a\n#ifdef A\n\t, int b)\n#else\n\t)\n#endif\n{\n}\nint x;\n", "function f 1-8; data x 9-9",
	  "two ends of a list" },
	{ "int f(void)\n{\n#ifdef A\n}\n#else\n\tg();\n}\n#endif\nint x;\n", "function f 1-7; data x 9-9",
	  "two ends of a function" },
	{ "int f(void)\n{\n\tMACRO_WITH_BRACE {\n}\nint x;\n", "function f 1-4; data x 5-5",
	  "a brace in the first column ends all" },
	{ "int f(void)\n{\n\tif (a) {\n#if 0\n\t{\n#endif\n\t}\n}\nint x;\n", "function f 1-8; data x 9-9",
	  "an unbalanced branch" },
	{ "int f(int a;\nstatic int x;\n", "data x 2-2", "a parenthesis that is never closed" },
	{ "}\n)\n;\nint x;\n", "data x 4-4", "stray ends" },
	{ "extern \"C\" {\nint f(void);\n}\n", "prototype f 2-2", "C++" },
	{ "\\\n#\n#define\n#else\n#endif\n#include\nint x;", "data x 7-7", "empty directives" },
	{ "int f(void) { return 1; } int g(void) { return 2; }\n", "function f 1-1; function g 1-1", "two on one line" },
};

static void test_outlines(void)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		is_str(outline(cases[i].text), cases[i].want, cases[i].what);
}

static const struct {
	const char *section, *text, *want, *what;
} pieces[] = {
	{ "static int f(void)", "\ta();\n\tb();\n", "function f 99-101", "the section opens a function" },
	{ "static int f(int a,", "\tb();\n}\n\nint g(void)\n{\n", "function f 99-101; function g 103-104",
	  "which ends, and another begins" },
	{ "static int f(void)", "\t}\n\t}\n\tb();\n", "function f 99-102", "more braces end than begin" },
	{ "static int f(void)", "\tb();\nint g(void)\n{\n\tc();\n", "function f 99-100; function g 101-103",
	  "its end is out of sight" },
	{ "static int f(void)", "\tb();\nout:\n\tc();\n}\n", "function f 99-103", "a label is no item" },
	{ "struct s {", "\tint a;\n\tint b;\n", "type s 99-101", "a struct" },
	{ "struct s", "\tint a;\n};\nint x;\n", "type s 99-101; data x 102-102", "whose brace stands below" },
	{ "static const struct ops o = {", "\t.a = b,\n};\n", "data o 99-101", "data" },
	{ "static int x;", "\tfoo();\nint g(void)\n{\n", "data x 99-99; function g 101-102", "what opens nothing" },
	{ "", "\tfoo();\n\tbar = 3;\n}\nint x;\n", "data x 103-103", "no section: what is indented belongs to nothing" },
	{ "int f(void)", " * a { comment\n */\n\tg();\n}\n", "function f 99-103", "a comment that begins above" },
	{ "int f(void)", " * all\n * of it {\n", "function f 99-99", "and ends below" },
};

static void test_pieces(void)
{
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++)
		is_str(piece(pieces[i].section, pieces[i].text), pieces[i].want, pieces[i].what);
}

static void test_questions(void)
{
	const struct citem *f;

	outline("static __always_inline int f(int a)\n{\n\tstatic int n;\n\treturn n + a;\n}\n\n/* */\nint x = 1;\n");
	f = cfile_find(&file, CITEM_FUNCTION, "f");
	ok(f && !cfile_find(&file, CITEM_FUNCTION, "x"), "found by kind and name");
	ok(citem_has_word(&file, f, "__always_inline") && citem_has_word(&file, f, "static"), "attributes");
	ok(!citem_has_word(&file, f, "return"), "the body has none");
	is_int((long long)citem_count(&file, f, "n"), 2, "words are counted");
	is_int((long long)citem_count(&file, f, "a"), 2, "whole words");
	ok(cfile_item_at(&file, 4) == f && cfile_item_at(&file, 1) == f, "the item of a line");
	ok(!cfile_item_at(&file, 6) && !cfile_item_at(&file, 7) && !cfile_item_at(&file, 99), "between items is none");
	is_str(cfile_item_at(&file, 8)->name, "x", "the next");
	is_int((long long)file.notes[0].scope, 0, "a static local's function");
	ok(cfile_token_at(&file, 1) == 0 && file.toks[cfile_token_at(&file, 5)].line == 5, "the tokens of a line");
	is_int((long long)cfile_token_at(&file, 100), (long long)file.n_toks, "none behind the end");
}

/* Bytes that are no text, and sizes that quadratic code would not live to see. */
static void test_hostile(void)
{
	static const char *const parts[] = { "{",
					     "(",
					     "#if 1\n",
					     "#else\n",
					     "#if 1\n}\n#else\n#endif\n",
					     "int f(void)\n{\nstatic int a;\n",
					     "/*/",
					     "\"",
					     "A(b)\nc\n",
					     "static static static " };
	char bytes[256];

	for (int i = 0; i < 256; i++)
		bytes[i] = (char)(255 - i);
	arena_reset(arena);
	file = (struct cfile){ 0 };
	cfile_read(arena, bytes, sizeof(bytes), &file);
	ok(true, "every byte");
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		struct buf text = { 0 };
		clock_t began = clock();

		while (text.len < 1000000)
			buf_adds(&text, parts[i]);
		arena_reset(arena);
		file = (struct cfile){ 0 };
		cfile_read(arena, text.data, text.len, &file);
		ok((double)(clock() - began) / CLOCKS_PER_SEC < 5, "a million bytes of part %zu", i);
		buf_free(&text);
	}
}

int main(void)
{
	arena = arena_new(0);
	test_outlines();
	test_pieces();
	test_questions();
	test_hostile();
	arena_free(arena);
	return done();
}
