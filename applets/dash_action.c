/* Owns the list of actions and the keys that lead to them. Refuses a binding to a key or an action that does not exist. */
#include "applets/dash_action.h"

#include "lib/err.h"
#include "lib/event.h"
#include "lib/str.h"

#define DASH_ACTION_ROW(id, n, k, l, h, w) \
	[ACT_##id] = { .name = (n), .keys = (k), .label = (l), .help = (h), .where = (w) },
const struct dash_action dash_actions[ACT_COUNT] = { DASH_ACTIONS(DASH_ACTION_ROW) };
#undef DASH_ACTION_ROW

unsigned dash_keymap_find(const struct dash_keymap *m, uint32_t key)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->rows[i].key == key)
			return m->rows[i].action;
	return ACT_NONE;
}

static bool bind_key(struct dash_keymap *m, uint32_t key, unsigned action)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->rows[i].key == key) {
			m->rows[i].action = action;
			return true;
		}
	if (m->n == ARRAY_LEN(m->rows))
		return false;
	m->rows[m->n].key = key;
	m->rows[m->n++].action = action;
	return true;
}

void dash_keymap_default(struct dash_keymap *m)
{
	m->n = 0;
	for (unsigned action = 1; action < ACT_COUNT; action++)
		for (const char *s = dash_actions[action].keys; *s; s += strspn(s, " ")) {
			size_t n = strcspn(s, " ");
			char name[KEY_NAME_MAX];
			uint32_t key;

			n = MIN_OF(n, sizeof(name) - 1);
			memcpy(name, s, n);
			name[n] = '\0';
			if (key_parse(name, &key))
				bind_key(m, key, action);
			s += n;
		}
}

static const char *nearest_action(const char *name)
{
	const char *nearest = NULL;
	unsigned best = 4;

	for (unsigned i = 1; i < ACT_COUNT; i++)
		if (str_distance(dash_actions[i].name, name) < best) {
			best = str_distance(dash_actions[i].name, name);
			nearest = dash_actions[i].name;
		}
	return nearest;
}

static int find_action(const struct toml *row, const char *where, unsigned *action)
{
	const char *nearest;

	if (row->kind != TOML_STRING)
		return fail(ERR_INPUT, "%s:%u: key '%s': the name of an action in quotes was expected", where, row->line,
			    row->key);
	*action = ACT_NONE;
	if (!*row->string)
		return 0;
	for (unsigned i = 1; i < ACT_COUNT; i++)
		if (strcmp(dash_actions[i].name, row->string) == 0) {
			*action = i;
			return 0;
		}
	nearest = nearest_action(row->string);
	return fail(ERR_INPUT, "%s:%u: there is no action '%s'%s%s%s", where, row->line, row->string,
		    nearest ? "; did you mean '" : "", nearest ? nearest : "; tuxtape-dash(1) lists them",
		    nearest ? "'?" : "");
}

static int read_row(struct dash_keymap *m, const struct toml *row, const char *where)
{
	uint32_t key;
	unsigned action;
	int err;

	if (!key_parse(row->key, &key))
		return fail(ERR_INPUT, "%s:%u: '%s' names no key; such as q, shift-h, ctrl-c, \"<Enter>\", \"<F1>\" do",
			    where, row->line, row->key);
	if ((err = find_action(row, where, &action)))
		return err;
	if (!bind_key(m, key, action))
		return fail(ERR_INPUT, "%s:%u: more keys than %d", where, row->line, DASH_KEYS_MOST);
	return 0;
}

int dash_keymap_read(struct dash_keymap *m, const struct toml *root, const char *where)
{
	const struct toml *tables = toml_get(root, "keybindings");
	int err = 0;

	if (tables && tables->kind != TOML_TABLE)
		return fail(ERR_INPUT, "%s:%u: keybindings is a table: [keybindings.Normal]", where, tables->line);
	for (const struct toml *t = tables ? tables->child : NULL; t; t = t->next) {
		if (strcmp(t->key, "Normal") != 0 || t->kind != TOML_TABLE)
			return fail(ERR_INPUT, "%s:%u: keybindings has one table, [keybindings.Normal], not '%s'", where,
				    t->line, t->key);
		for (const struct toml *row = t->child; row && !err; row = row->next)
			err = read_row(m, row, where);
	}
	return err;
}

bool dash_keymap_keys(const struct dash_keymap *m, unsigned action, size_t most, struct buf *out)
{
	char name[KEY_NAME_MAX];
	size_t found = 0;

	for (size_t i = 0; i < m->n && found < most; i++)
		if (m->rows[i].action == action)
			buf_printf(out, "%s%s", found++ ? " " : "", key_print(name, m->rows[i].key));
	return found > 0;
}
