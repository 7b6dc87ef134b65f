/* Owns the dashboard's styles. Refuses colours and styles that it does not know. */
#include "applets/dash_style.h"

#include "lib/err.h"

#define DASH_STYLE_ROW(id, n, l) [ST_##id] = { .name = (n), .look = (l) },
static const struct {
	const char *name, *look;
} styles[ST_COUNT] = { DASH_STYLES(DASH_STYLE_ROW) };
#undef DASH_STYLE_ROW

void dash_looks_default(struct look looks[ST_COUNT])
{
	const char *wrong;

	for (size_t i = 0; i < ST_COUNT; i++)
		look_parse(styles[i].look, &looks[i], &wrong);
}

static int read_look(struct look looks[ST_COUNT], const struct toml *row, const char *where)
{
	const char *wrong = "";

	if (row->kind != TOML_STRING)
		return fail(ERR_INPUT, "%s:%u: %s: colours in quotes were expected", where, row->line, row->key);
	for (size_t i = 0; i < ST_COUNT; i++) {
		if (strcmp(styles[i].name, row->key) != 0)
			continue;
		if (look_parse(row->string, &looks[i], &wrong))
			return 0;
		return fail(ERR_INPUT, "%s:%u: %s: '%.*s' is no colour; such as \"bold red on #202020\" do", where,
			    row->line, row->key, (int)strcspn(wrong, " "), wrong);
	}
	return fail(ERR_INPUT, "%s:%u: [colors] knows no '%s'; tuxtape-dash(1) lists the names", where, row->line, row->key);
}

int dash_looks_read(struct look looks[ST_COUNT], const struct toml *root, const char *where)
{
	const struct toml *table = toml_get(root, "colors");
	int err = 0;

	if (table && table->kind != TOML_TABLE)
		return fail(ERR_INPUT, "%s:%u: colors is a table: [colors]", where, table->line);
	for (const struct toml *row = table ? table->child : NULL; row && !err; row = row->next)
		err = read_look(looks, row, where);
	return err;
}

unsigned dash_score_style(int tenths)
{
	static const struct {
		int least;
		unsigned style;
	} scale[] = { { 90, ST_CRITICAL }, { 70, ST_HIGH }, { 40, ST_MEDIUM }, { 1, ST_LOW }, { 0, ST_UNSCORED } };

	for (size_t i = 0; i < ARRAY_LEN(scale); i++)
		if (tenths >= scale[i].least)
			return scale[i].style;
	return ST_UNSCORED;
}
