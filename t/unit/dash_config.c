/* The dashboard's keys and colours from a file, and the line that is typed. */
#include "applets/dash_action.h"
#include "applets/dash_edit.h"
#include "applets/dash_style.h"
#include "lib/err.h"
#include "lib/event.h"
#include "lib/str.h"
#include "tap.h"

/* ---- Config */

static int read_config(const char *toml, struct dash_keymap *keys, struct look looks[ST_COUNT])
{
	struct arena *a = arena_new(0);
	struct toml *root;
	int err = toml_parse(a, toml, strlen(toml), "x.toml", &root);

	dash_keymap_default(keys);
	dash_looks_default(looks);
	if (!err && !(err = dash_keymap_read(keys, root, "x.toml")))
		err = dash_looks_read(looks, root, "x.toml");
	arena_free(a);
	return err;
}

static const struct {
	const char *toml, *error;
} bad_configs[] = {
	{ "[keybindings.Normal]\nq = \"Quite\"\n", "x.toml:2: there is no action 'Quite'; did you mean 'Quit'?" },
	{ "[keybindings.Normal]\nq = \"Frobnicate\"\n",
	  "x.toml:2: there is no action 'Frobnicate'; tuxtape-dash(1) lists them" },
	{ "[keybindings.Normal]\n\"<Entr>\" = \"Quit\"\n", "x.toml:2: '<Entr>' names no key" },
	{ "[keybindings.Normal]\nq = 1\n", "x.toml:2: key 'q': the name of an action in quotes" },
	{ "[keybindings.Insert]\nq = \"Quit\"\n", "x.toml:1: keybindings has one table" },
	{ "keybindings = 1\n", "x.toml:1: keybindings is a table" },
	{ "[colors]\ncritical = \"mauve\"\n", "x.toml:2: critical: 'mauve' is no colour" },
	{ "[colors]\ncriticl = \"red\"\n", "x.toml:2: [colors] knows no 'criticl'" },
	{ "[colors]\ncritical = 1\n", "x.toml:2: critical: colours in quotes" },
};

static void test_config(void)
{
	struct dash_keymap keys;
	struct look looks[ST_COUNT];
	struct buf out = { 0 };
	uint32_t key = 0;

	is_int(read_config(
		       "[keybindings.Normal]\nq = \"Quit\"\nshift-h = \"TabLeft\"\nshift-l = \"TabRight\"\nh = "
		       "\"PaneLeft\"\n"
		       "l = \"PaneRight\"\nj = \"ScrollDown\"\nk = \"ScrollUp\"\n\"<Enter>\" = \"Select\"\nx = \"Quit\"\n"
		       "f = \"\"\n[colors]\nhigh = \"bold #ff0000\"\n",
		       &keys, looks),
	       0, "bindings and colours");
	is_int(dash_keymap_find(&keys, 'H'), ACT_TAB_LEFT, "shift-h");
	is_int(dash_keymap_find(&keys, 'x'), ACT_QUIT, "a new key");
	is_int(dash_keymap_find(&keys, 'f'), ACT_NONE, "a key that does nothing any more");
	is_int(dash_keymap_find(&keys, TKEY_DOWN), ACT_SCROLL_DOWN, "the other defaults stay");
	is_int(looks[ST_HIGH].fg, 196, "a colour");
	for (size_t i = 0; i < ARRAY_LEN(bad_configs); i++) {
		is_int(read_config(bad_configs[i].toml, &keys, looks), ERR_INPUT, bad_configs[i].error);
		ok(str_starts(err_text(), bad_configs[i].error), "  says: %s", err_text());
	}
	dash_keymap_default(&keys);
	for (unsigned i = 1; i < ACT_COUNT; i++) {
		buf_reset(&out);
		if (!dash_keymap_keys(&keys, i, 1, &out) || !key_parse(out.data, &key) || dash_keymap_find(&keys, key) != i)
			ok(false, "%s has a key of its own", dash_actions[i].name);
	}
	buf_reset(&out);
	dash_keymap_keys(&keys, ACT_SCROLL_DOWN, 3, &out);
	is_str(out.data, "j <Down>", "keys of an action");
	buf_free(&out);
}

/* ---- Line editor */

static void type(struct dash_edit *e, const char *names)
{
	char copy[200], *rest = NULL;
	bool changed;
	uint32_t key;

	snprintf(copy, sizeof(copy), "%s", names);
	for (char *name = strtok_r(copy, " ", &rest); name; name = strtok_r(NULL, " ", &rest))
		if (key_parse(name, &key))
			dash_edit_key(e, key, &changed);
}

static void test_edit(void)
{
	struct dash_edit e = { 0 };

	dash_edit_set(&e, "");
	type(&e, "a é e\u0301 b");
	is_str(buf_str(&e.text), "a\u00e9b", "a key is one character");
	dash_edit_set(&e, "e\u0301x日");
	type(&e, "<Left> <Left> <Backspace>");
	is_str(buf_str(&e.text), "x日", "a mark goes with its character");
	type(&e, "<Home> z <Right> <Delete> <Delete>");
	is_str(buf_str(&e.text), "zx", "home, delete");
	type(&e, "<Space> a b <Space> c ctrl-w");
	is_str(buf_str(&e.text), "zx ab ", "a word");
	type(&e, "<Left> <Left> ctrl-k");
	is_str(buf_str(&e.text), "zx a", "the rest");
	type(&e, "ctrl-u");
	is_str(buf_str(&e.text), "", "all before");
	dash_edit_set(&e, "\xff"
			  "a");
	is_str(buf_str(&e.text),
	       "\xef\xbf\xbd"
	       "a",
	       "what is not UTF-8 does not come in");
	buf_free(&e.text);
}

int main(void)
{
	test_config();
	test_edit();
	return done();
}
