/* TOML 1.0: each form of value, key and table; what the language does not allow is refused with file and line. */
#include "lib/toml.h"
#include "lib/err.h"
#include "tap.h"

#include "lib/buf.h"

#include <math.h>

static struct arena *arena;

static const struct toml *parse(const char *text)
{
	struct toml *root = NULL;

	arena_reset(arena);
	if (toml_parse(arena, text, strlen(text), "f.toml", &root)) {
		ok(false, "%s: %s", text, err_text());
		return NULL;
	}
	return root;
}

/* The tree in one line: {a=1 b=[x y]}. */
static void draw(struct buf *out, const struct toml *v)
{
	switch (v->kind) {
	case TOML_STRING:
		buf_printf(out, "'%s'", v->string);
		return;
	case TOML_INT:
		buf_printf(out, "%lld", (long long)v->integer);
		return;
	case TOML_FLOAT:
		buf_printf(out, "%.17gf", v->real);
		return;
	case TOML_BOOL:
		buf_adds(out, v->truth ? "true" : "false");
		return;
	default:
		buf_addc(out, v->kind == TOML_TABLE ? '{' : '[');
		for (const struct toml *c = v->child; c; c = c->next) {
			if (c->key)
				buf_printf(out, "%s=", c->key);
			draw(out, c);
			buf_adds(out, c->next ? " " : "");
		}
		buf_addc(out, v->kind == TOML_TABLE ? '}' : ']');
	}
}

static void is_tree(const char *text, const char *want)
{
	const struct toml *root = parse(text);
	struct buf got = { 0 };

	if (root)
		draw(&got, root);
	is_str(buf_str(&got), want, want);
	buf_free(&got);
}

static const struct {
	const char *text, *tree;
} good[] = {
	{ "", "{}" },
	{ "\n \t\n# comment\n\r\n#", "{}" },
	{ "a=1", "{a=1}" },
	{ "a = 1 # one\r\nb\t=\t2\r\n", "{a=1 b=2}" },
	{ "a-B_9 = 1\n1234 = 2\n\"quoted key\" = 3\n'lit\\eral' = 4\n\"\" = 5",
	  "{a-B_9=1 1234=2 quoted key=3 lit\\eral=4 =5}" },
	{ "\"\\u00e9\" = 1", "{\xc3\xa9=1}" },
	/* integers */
	{ "a=0\nb=+0\nc=-0\nd=+99\ne=-17", "{a=0 b=0 c=0 d=99 e=-17}" },
	{ "a=9223372036854775807\nb=-9223372036854775808", "{a=9223372036854775807 b=-9223372036854775808}" },
	{ "a=1_000\nb=5_3_4\nc=0xDEAD_beef\nd=0o755\ne=0b1101\nf=0x00", "{a=1000 b=534 c=3735928559 d=493 e=13 f=0}" },
	/* floats */
	{ "a=1.5\nb=-0.25\nc=+1e3\nd=5E-2\ne=6.5e+1\nf=1_0.2_5\ng=0e0",
	  "{a=1.5f b=-0.25f c=1000f d=0.050000000000000003f e=65f f=10.25f g=0f}" },
	{ "a=inf\nb=-inf\nc=+inf", "{a=inff b=-inff c=inff}" },
	{ "a=true\nb=false", "{a=true b=false}" },
	/* strings */
	{ "a=\"\"\nb=''", "{a='' b=''}" },
	{ "a=\"tab\\t quote\\\" back\\\\ \\b\\f\\n\\r.\"", "{a='tab\t quote\" back\\ \b\f\n\r.'}" },
	{ "a=\"\\u00E9 \\u20ac \\U0001F427\"", "{a='\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xa7'}" },
	{ "a=\"\xc3\xa9 # no comment\"", "{a='\xc3\xa9 # no comment'}" },
	{ "a='C:\\new \"x\"'", "{a='C:\\new \"x\"'}" },
	{ "a=\"\"\"one\ntwo\"\"\"", "{a='one\ntwo'}" },
	{ "a=\"\"\"\nfirst line end is dropped\"\"\"", "{a='first line end is dropped'}" },
	{ "a=\"\"\"\r\nhere, too\"\"\"", "{a='here, too'}" },
	{ "a=\"\"\"x \\\n   \n\t y\"\"\"", "{a='x y'}" },
	{ "a=\"\"\"x \\  \r\n y\"\"\"", "{a='x y'}" },
	{ "a=\"\"\"\"q\" \"\"q\"\"\"\"\"", "{a='\"q\" \"\"q\"\"'}" },
	{ "a=\"\"\"\"\"\"\nb=''''''", "{a='' b=''}" },
	{ "a='''\nraw \\n 'q'\n'''", "{a='raw \\n 'q'\n'}" },
	/* arrays */
	{ "a=[]\nb=[ ]\nc=[1]\nd=[1,2,]", "{a=[] b=[] c=[1] d=[1 2]}" },
	{ "a = [ # start\n 1, # one\n\n 'x',\r\n [true, [ ]] # end\n]\n", "{a=[1 'x' [true []]]}" },
	{ "a=[{b=1},{b=2,c='d'}]", "{a=[{b=1} {b=2 c='d'}]}" },
	/* tables */
	{ "a={}\nb={ c = 1 }\nd={e.f=1,e.g=2}", "{a={} b={c=1} d={e={f=1 g=2}}}" },
	{ "a.b=1\na . c=2\na.\"d.e\".f=3", "{a={b=1 c=2 d.e={f=3}}}" },
	{ "3.14=1", "{3={14=1}}" },
	{ "[a]\nb=1\n[ c . d ] # x\ne=2\n[c]\nf=3\n[g]", "{a={b=1} c={d={e=2} f=3} g={}}" },
	{ "[a.b.c]\nx=1\n[a]\ny=2\n[a.b]\nz=3", "{a={b={c={x=1} z=3} y=2}}" },
	{ "[a]\nb.c=1\n[a.b.d]\ne=2", "{a={b={c=1 d={e=2}}}}" },
	{ "[[a]]\nb=1\n[[a]]\n[[ a ]]\nb=3", "{a=[{b=1} {} {b=3}]}" },
	{ "[[a]]\n[a.b]\nc=1\n[[a.d]]\ne=2\n[[a]]\n[a.b]\nc=3", "{a=[{b={c=1} d=[{e=2}]} {b={c=3}}]}" },
	{ "[keybindings.Normal]\n\"<Enter>\" = \"Select\"\nshift-h = \"TabLeft\"",
	  "{keybindings={Normal={<Enter>='Select' shift-h='TabLeft'}}}" },
};

static void test_good(void)
{
	const struct toml *root = parse("a=nan");

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		is_tree(good[i].text, good[i].tree);
	root = parse("a=nan");
	ok(root && root->child->kind == TOML_FLOAT && isnan(root->child->real), "not a number is a number here");
}

static const struct {
	const char *text, *error; /* error: what stands behind "f.toml:" */
} broken[] = {
	{ "a", "1: '=' was expected behind the key" },
	{ "a b = 1", "1: '=' was expected" },
	{ "= 1", "1: a key was expected" },
	{ "\n\n*a = 1", "3: a key was expected" },
	{ "a. = 1", "1: a key was expected" },
	{ "a..b = 1", "1: a key was expected" },
	{ "\xc3\xa9 = 1", "1: a key was expected" },
	{ "\"\"\"a\"\"\" = 1", "1: '=' was expected" },
	{ "a =", "1: a value was expected" },
	{ "a = \n1", "1: a value was expected" },
	{ "a = 1 b = 2", "1: something behind the value" },
	{ "a = 1\rb = 2", "1: something behind the value" },
	{ "a = yes", "1: not a value: strings want quotes" },
	{ "a = True", "1: not a value" },
	{ "a = 01", "1: not a value" },
	{ "a = -01", "1: not a value" },
	{ "a = +0x1", "1: not a value" },
	{ "a = 0X1", "1: not a value" },
	{ "a = 0x", "1: not a value" },
	{ "a = 0b2", "1: not a value" },
	{ "a = 0o8", "1: not a value" },
	{ "a = 1.", "1: not a value" },
	{ "a = .5", "1: not a value" },
	{ "a = 1.e5", "1: not a value" },
	{ "a = 1e", "1: not a value" },
	{ "a = 03.5", "1: not a value" },
	{ "a = --1", "1: not a value" },
	{ "a = 9223372036854775808", "1: not a value" },
	{ "a = 0xffffffffffffffffff", "1: not a value" },
	{ "a = _1", "1: an underscore that is not between digits" },
	{ "a = 1_", "1: an underscore" },
	{ "a = 1__0", "1: an underscore" },
	{ "a = 0x_1", "1: an underscore" },
	{ "a = 1e_5", "1: an underscore" },
	{ "a = 1_e5", "1: an underscore" },
	{ "a = f_alse", "1: an underscore" },
	{ "a = 2026-08-14", "1: dates and times are not read here; quote them" },
	{ "a = 2026-08-14T16:45:24Z", "1: dates and times" },
	{ "a = 16:45:24", "1: dates and times" },
	{ "a = \"x", "1: a string that does not end" },
	{ "a = \"x\ny\"", "1: a string that does not end" },
	{ "a = 'x", "1: a string that does not end" },
	{ "a = \"\"\"x\n\n", "3: a string that does not end" },
	{ "a = \"x\\", "1: an escape that TOML does not know" },
	{ "a = \"\\x41\"", "1: an escape that TOML does not know" },
	{ "a = \"\\e\"", "1: an escape that TOML does not know" },
	{ "a = \"\\ \n\"", "1: an escape that TOML does not know" },
	{ "a = \"\\u00g0\"", "1: an escape with too few hexadecimal digits" },
	{ "a = \"\\u12\"", "1: an escape with too few" },
	{ "a = \"\\u0000\"", "1: an escape that is no character" },
	{ "a = \"\\ud800\"", "1: an escape that is no character" },
	{ "a = \"\\U00110000\"", "1: an escape that is no character" },
	{ "a = \"\x1b[31m\"", "1: a control character in a string" },
	{ "a = 'x\x7f'", "1: a control character in a string" },
	{ "a = \"\"\"x\ry\"\"\"", "1: a control character in a string" },
	{ "a = \"\xff\"", "1: a string that is not UTF-8" },
	{ "a = 'caf\xe9'", "1: a string that is not UTF-8" },
	{ "# \x01", "1: a control character in a comment" },
	{ "\n# caf\xe9", "2: a comment that is not UTF-8" },
	{ "a = [1", "1: ',' or ']' was expected in the array" },
	{ "a = [1,", "1: a value was expected" },
	{ "a = [,1]", "1: a value was expected" },
	{ "a = [1,,2]", "1: a value was expected" },
	{ "a = [1\n2]", "2: ',' or ']' was expected" },
	{ "a = {b=1", "1: ',' or '}' was expected in the inline table" },
	{ "a = {b=1,}", "1: a key was expected" },
	{ "a = {b=1\n}", "1: ',' or '}' was expected" },
	{ "a = {\nb=1}", "1: a key was expected" },
	{ "a = {b=1,b=2}", "1: 'b' is set twice" },
	{ "a = 1\na = 2", "2: 'a' is set twice" },
	{ "a = 1\n\"a\" = 2", "2: 'a' is set twice" },
	{ "a = 1\n[a]", "2: 'a' is set twice" },
	{ "a = 1\na.b = 2", "2: 'a' is set already and cannot be added to" },
	{ "a.b = 1\na = 2", "2: 'a' is set twice" },
	{ "[a]\n[b]\n[a]", "3: 'a' is set twice" },
	{ "[a.b]\n[a]\nb = 1", "3: 'b' is set twice" },
	{ "[a]\nb = 1\n[a.b]", "3: 'b' is set twice" },
	{ "[a]\nb.c = 1\n[a.b]", "3: 'b' is set twice" },
	{ "[a.b.c]\n[a]\nb.d = 1", "3: 'b' is set already and cannot be added to" },
	{ "a = {b=1}\na.c = 2", "2: 'a' is set already" },
	{ "a = {b=1}\n[a.c]", "2: 'a' is set already" },
	{ "a = {b.c=1}\n[a.b]", "2: 'a' is set already" },
	{ "a = []\n[[a]]", "2: 'a' is set twice" },
	{ "a = [{b=1}]\n[a.c]", "2: 'a' is set already" },
	{ "[a]\n[[a]]", "2: 'a' is set twice" },
	{ "[[a]]\n[a]", "2: 'a' is set twice" },
	{ "[[a.b]]\n[a]\nb.c = 1", "3: 'b' is set already" },
	{ "[a", "1: ']' was expected behind the table's name" },
	{ "[[a]", "1: ']' was expected" },
	{ "[[a] ]", "1: ']' was expected" },
	{ "[ [a]]", "1: a key was expected" },
	{ "[]", "1: a key was expected" },
	{ "[a] b = 1", "1: something behind the value" },
	{ "a = '''\n\n'''\n[b]\nc = *", "5: a value was expected" },
	{ "a = \"\"\"\\\n\n x\"\"\"\nb", "4: '=' was expected" },
	{ "a = [\n1,\n# x\n2]\nb", "5: '=' was expected" },
};

static void test_broken(void)
{
	for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
		struct toml *root;
		char want[200];

		arena_reset(arena);
		snprintf(want, sizeof(want), "f.toml:%s", broken[i].error);
		is_int(toml_parse(arena, broken[i].text, strlen(broken[i].text), "f.toml", &root), ERR_INPUT,
		       broken[i].error);
		if (!ok(strncmp(err_text(), want, strlen(want)) == 0, "with its line"))
			printf("# got: %s\n", err_text());
	}
}

/* What cannot stand in a C string. */
static void test_nul(void)
{
	static const struct {
		const char *text;
		size_t n;
	} texts[] = {
		{ "a\0=1", 4 }, { "a='\0'", 5 }, { "a=\"\\\0\"", 6 }, { "a=\"\"\"\\\n\0x\"\"\"", 12 },
		{ "#\0", 2 },   { "a=1\0", 4 },  { "\0", 1 },         { "a=\"\\u00\0\0\"", 10 },
	};
	struct toml *root;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		is_int(toml_parse(arena, texts[i].text, texts[i].n, "f", &root), ERR_INPUT, "a NUL byte is refused");
	is_int(toml_parse(arena, "a=1b", 3, "f", &root), 0, "n bytes are read");
	is_int(root->child->integer, 1, "and no more");
}

static int nested(const char *open, const char *inside, const char *close, int depth)
{
	struct buf text = { 0 };
	struct toml *root;
	int err;

	buf_adds(&text, "a=");
	for (int i = 0; i < depth; i++)
		buf_adds(&text, open);
	buf_adds(&text, inside);
	for (int i = 0; i < depth; i++)
		buf_adds(&text, close);
	err = toml_parse(arena, text.data, text.len, "f", &root);
	buf_free(&text);
	return err;
}

static void test_depth(void)
{
	is_int(nested("[", "1", "]", 32), 0, "32 arrays deep");
	is_int(nested("[", "1", "]", 33), ERR_INPUT, "33 are too deep");
	is_int(nested("{b=", "1", "}", 32), 0, "32 tables deep");
	is_int(nested("{b=", "1", "}", 33), ERR_INPUT, "33 are too deep");
	is_int(nested("[], [], [], [], [], [], [], [], [], ", "", "", 1), ERR_INPUT, "no array around them");
	is_int(nested("[[], [], [], [], [], [], [], [], [], ", "[]", "]", 30), 0, "neighbours do not count");
	is_int(nested("[", "", "", 100000), ERR_INPUT, "however deep");
	is_int(nested("1\n[", "x", "]", 1), 0, "a header");
	is_int(nested("1\nx", ".x", "", 1), ERR_INPUT, "a path that leads nowhere");
	is_int(nested("1\nx.", "x=1", "", 1), 0, "a dotted key");
	ok(nested("", "1\nx.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x=1", "", 0) == 0, "of 32 parts");
	ok(nested("", "1\nx.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x=1", "", 0) == ERR_INPUT,
	   "of 33");
	ok(strstr(err_text(), "too deep") != NULL, "is too deep");
}

static void test_tree(void)
{
	const struct toml *root = parse("a = 1\n[b]\nc = [\n'x',\n'y']\n[b.d]\ne=true"), *b;

	ok(root->kind == TOML_TABLE && !root->key, "the root is a table without a key");
	b = toml_get(root, "b");
	ok(b && b->kind == TOML_TABLE, "a child by its key");
	ok(toml_get(b, "c")->child->key == NULL, "values of an array have none");
	is_int(toml_get(root, "a")->line, 1, "lines");
	is_int(b->line, 2, "of headers");
	is_int(toml_get(b, "c")->line, 3, "of arrays");
	is_int(toml_get(b, "c")->child->next->line, 5, "of their values");
	ok(toml_get(toml_get(b, "d"), "e")->truth, "deeper");
	ok(!toml_get(root, "x") && !toml_get(toml_get(root, "a"), "x") && !toml_get(toml_get(b, "c"), "x") &&
		   !toml_get(NULL, "x"),
	   "what is not there is NULL");
}

int main(void)
{
	arena = arena_new(0);
	test_good();
	test_broken();
	test_nul();
	test_depth();
	test_tree();
	arena_free(arena);
	return done();
}
