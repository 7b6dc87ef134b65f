/* Owns the reading of options from every place that may set them, and all that is printed of the tables. Refuses what it does not
 * know, with the nearest name that exists. */
#include "lib/opt.h"

#include "lib/err.h"
#include "lib/str.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CONFIG_MOST (1u << 20)
#define DURATION_MOST 864e11 /* milliseconds: a million days, which doubles hold exactly */
#define ETC_CONFIG "/etc/tuxtape/tuxtape.toml"

struct reading {
	const struct opt *table;
	char *into;
	struct opt_env *env;
	const char *place; /* how errors call where the value stands */
};

static size_t count_options(const struct opt *table)
{
	size_t n = 0;

	while (table[n].name)
		n++;
	return n;
}

static const char *home_of(const struct opt_env *env)
{
	struct passwd *pw;

	if (env->home && *env->home)
		return env->home;
	pw = getpwuid(getuid());
	return pw ? pw->pw_dir : "/";
}

static const char *expand(const struct opt_env *env, const char *path)
{
	return str_starts(path, "~/") ? arena_printf(env->arena, "%s%s", home_of(env), path + 1) : path;
}

static bool read_truth(const char *text, bool *out)
{
	static const char *const words[] = { "false", "no", "0", "true", "yes", "1" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(words[i], text) == 0) {
			*out = i >= 3;
			return true;
		}
	return false;
}

static bool read_decimal(const char *text, double *out)
{
	size_t whole = strspn(text, "0123456789");
	const char *rest = text + whole;

	if (*rest == '.')
		rest += 1 + strspn(rest + 1, "0123456789");
	if (*rest || whole == 0)
		return false;
	*out = strtod(text, NULL);
	return true;
}

/* A time beyond all limits is one, too, and is as long as a number can say. */
static bool read_duration(const char *text, uint64_t *ms)
{
	static const struct {
		const char *unit;
		double ms;
	} units[] = { { "", 1000 },     { "s", 1000 },    { "ms", 1 },      { "m", 60000 },
		      { "min", 60000 }, { "h", 3600000 }, { "d", 86400000 } };
	size_t n = strspn(text, "0123456789");

	if (n == 0)
		return false;
	if (text[n] == '.')
		n += 1 + strspn(text + n + 1, "0123456789");
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (strcmp(units[i].unit, text + n) == 0) {
			double value = strtod(text, NULL) * units[i].ms;

			*ms = value < DURATION_MOST ? (uint64_t)(value + 0.5) : UINT64_MAX;
			return true;
		}
	return false;
}

static int refuse(const struct reading *r, const struct opt *o, const char *text, const char *wanted)
{
	return fail(ERR_USAGE, "%s: '%s' is not %s (option %s)", r->place, text, wanted, o->name);
}

static bool in_range(const struct opt *o, uint64_t v)
{
	return v >= o->least && (!o->most || v <= o->most);
}

static int set_word(const struct reading *r, const struct opt *o, const char *text, const char **to)
{
	struct buf choices = { 0 };
	int err = 0;

	for (const char *const *w = o->words; *w; w++) {
		if (strcmp(*w, text) == 0) {
			*to = *w;
			goto out;
		}
		buf_printf(&choices, "%s%s", choices.len ? ", " : "one of ", *w);
	}
	err = refuse(r, o, text, buf_str(&choices));
out:
	buf_free(&choices);
	return err;
}

static int set_number(const struct reading *r, const struct opt *o, const char *text, uint64_t *to)
{
	char wanted[96];

	if (str_to_u64(text, UINT64_MAX, to) && in_range(o, *to))
		return 0;
	if (o->most)
		snprintf(wanted, sizeof(wanted), "a number from %llu to %llu", (unsigned long long)o->least,
			 (unsigned long long)o->most);
	else
		snprintf(wanted, sizeof(wanted), "a number of at least %llu", (unsigned long long)o->least);
	return refuse(r, o, text, wanted);
}

/* A time as people write it, in the largest unit that divides it. */
const char *opt_duration_text(struct arena *a, uint64_t ms)
{
	static const struct {
		uint64_t ms;
		const char *unit;
	} units[] = { { 86400000, "d" }, { 3600000, "h" }, { 60000, "min" }, { 1000, "s" } };

	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (ms && ms % units[i].ms == 0)
			return arena_printf(a, "%llu%s", (unsigned long long)(ms / units[i].ms), units[i].unit);
	return arena_printf(a, "%llums", (unsigned long long)ms);
}

static int set_duration(const struct reading *r, const struct opt *o, const char *text, uint64_t *to)
{
	uint64_t most = o->most ? o->most : (uint64_t)DURATION_MOST;

	if (!read_duration(text, to))
		return refuse(r, o, text, "a time such as 250ms, 6s, 2h or 1d");
	if (*to >= o->least && *to <= most)
		return 0;
	return refuse(r, o, text,
		      arena_printf(r->env->arena, "a time from %s to %s", opt_duration_text(r->env->arena, o->least),
				   opt_duration_text(r->env->arena, most)));
}

static int set_decimal(const struct reading *r, const struct opt *o, const char *text, double *to)
{
	if (read_decimal(text, to) && (!o->most || *to <= (double)o->most))
		return 0;
	return refuse(r, o, text,
		      o->most ? arena_printf(r->env->arena, "a number from 0 to %llu", (unsigned long long)o->most)
			      : "a number of at least 0");
}

/* The text is kept by reference: it lives in argv, in the environment, in a table or in the arena. */
static int set_value(const struct reading *r, const struct opt *o, const char *text)
{
	void *to = r->into + o->offset;
	struct opt_list *list = to;

	switch (o->kind) {
	case OPT_FLAG:
		return read_truth(text, to) ? 0 : refuse(r, o, text, "true or false");
	case OPT_COUNT: {
		uint64_t n;

		if (!str_to_u64(text, 9, &n))
			return refuse(r, o, text, "a number from 0 to 9");
		*(int *)to = (int)n;
		return 0;
	}
	case OPT_STRING:
		*(const char **)to = text;
		return 0;
	case OPT_PATH:
		*(const char **)to = expand(r->env, text);
		return 0;
	case OPT_LIST:
		*(const char **)arena_grow(r->env->arena, (void **)&list->items, &list->n, sizeof(*list->items)) = text;
		return 0;
	case OPT_NUMBER:
		return set_number(r, o, text, to);
	case OPT_DURATION:
		return set_duration(r, o, text, to);
	case OPT_DECIMAL:
		return set_decimal(r, o, text, to);
	case OPT_WORD:
		return set_word(r, o, text, to);
	}
	return refuse(r, o, text, "understood");
}

/* A list that a stronger place sets replaces the weaker one's. */
static int set_from(const struct reading *r, const struct opt *o, const char *text, enum opt_source source, bool first)
{
	int err;

	if (o->kind == OPT_LIST && first)
		*(struct opt_list *)(void *)(r->into + o->offset) = (struct opt_list){ 0 };
	err = set_value(r, o, text);
	if (!err && r->env->sources)
		r->env->sources[o - r->table] = source;
	return err;
}

/* Defaults below the usual places follow where the XDG variables put these. */
static const char *default_of(const struct reading *r, const struct opt *o)
{
	static const struct {
		const char *usual, *variable;
	} places[] = {
		{ "~/.cache/", "XDG_CACHE_HOME" },
		{ "~/.config/", "XDG_CONFIG_HOME" },
		{ "~/.local/share/", "XDG_DATA_HOME" },
	};

	for (size_t i = 0; o->kind == OPT_PATH && i < ARRAY_LEN(places); i++) {
		const char *base = getenv(places[i].variable);

		/* The specification has relative ones ignored. */
		if (base && *base == '/' && str_starts(o->def, places[i].usual))
			return arena_printf(r->env->arena, "%s/%s", base, o->def + strlen(places[i].usual));
	}
	return o->def;
}

static int read_defaults(struct reading *r)
{
	int err = 0;

	r->place = "default";
	for (const struct opt *o = r->table; o->name && !err; o++)
		if (o->def)
			err = set_from(r, o, default_of(r, o), OPT_FROM_DEFAULT, true);
		else if (r->env->sources)
			r->env->sources[o - r->table] = OPT_FROM_DEFAULT;
	return err;
}

static bool key_is(const char *key, const char *name)
{
	for (; *key && *name; key++, name++)
		if (*key != *name && !(*key == '_' && *name == '-'))
			return false;
	return *key == *name;
}

static const struct opt *find_key(const struct opt *table, const char *key)
{
	for (const struct opt *o = table; o->name; o++)
		if (!o->flag_only && (key_is(key, o->name) || (o->alias && key_is(key, o->alias))))
			return o;
	return NULL;
}

bool opt_has_setting(const struct opt *table, const char *key)
{
	return find_key(table, key) != NULL;
}

static void note_unknown(struct reading *r, const char *key)
{
	struct opt_list *list = &r->env->unknown;

	if (r->env->known && !r->env->known(key))
		*(const char **)arena_grow(r->env->arena, (void **)&list->items, &list->n,
					   sizeof(*list->items)) = arena_printf(r->env->arena, "%s: '%s'", r->place, key);
}

/* A value of the config file as the text that a flag would have. NULL where it is a table. */
static const char *text_of(struct arena *a, const struct toml *v)
{
	switch (v->kind) {
	case TOML_STRING:
		return v->string;
	case TOML_INT:
		return arena_printf(a, "%lld", (long long)v->integer);
	case TOML_FLOAT:
		return arena_printf(a, "%.15g", v->real);
	case TOML_BOOL:
		return v->truth ? "true" : "false";
	default:
		return NULL;
	}
}

static int set_from_toml(struct reading *r, const struct opt *o, const struct toml *v, enum opt_source source)
{
	bool many = o->kind == OPT_LIST && (v->kind == TOML_ARRAY || v->kind == TOML_TABLE);
	const struct toml *item = many ? v->child : v;
	bool first = true;
	int err = 0;

	/* An empty list is a value: it takes away what a weaker place has set. */
	if (!item) {
		*(struct opt_list *)(void *)(r->into + o->offset) = (struct opt_list){ 0 };
		if (r->env->sources)
			r->env->sources[o - r->table] = source;
	}
	for (; item && !err; item = item == v ? NULL : item->next, first = false) {
		const char *text = text_of(r->env->arena, item);

		/* A table is a list of what its rows say. */
		if (text && v->kind == TOML_TABLE)
			text = arena_printf(r->env->arena, "%s=%s", item->key, text);

		err = text ? set_from(r, o, text, source, first)
			   : fail(ERR_INPUT, "%s: not a single value (option %s)", r->place, o->name);
	}
	return err;
}

/* own: the applet's own table, where every key must be known; at the top stand keys of other applets, too. */
static int read_toml_table(struct reading *r, const char *path, const struct toml *t, bool own, enum opt_source source)
{
	int err = 0;

	for (const struct toml *v = t ? t->child : NULL; v && !err; v = v->next) {
		const struct opt *o = find_key(r->table, v->key);

		r->place = arena_printf(r->env->arena, "%s:%u", path, v->line);
		/* An applet's own table may bear the name of an option. */
		if (o && !own && v->kind == TOML_TABLE && o->kind != OPT_LIST)
			continue;
		if (o)
			err = set_from_toml(r, o, v, source);
		else if (own)
			err = fail(ERR_INPUT, "%s: '%s' is not a setting of %s", r->place, v->key, r->env->section);
		else
			note_unknown(r, v->key);
	}
	return err == ERR_USAGE ? ERR_INPUT : err;
}

static int read_config(struct reading *r, const char *path, bool must_exist, enum opt_source source)
{
	struct buf text = { 0 };
	const struct toml *own;
	struct toml *root;
	int err = buf_read_file(&text, path, CONFIG_MOST);

	if (err == ERR_NOTFOUND && !must_exist) {
		err = 0;
		goto out;
	}
	if (err || (err = toml_parse(r->env->arena, buf_str(&text), text.len, path, &root)) ||
	    (err = read_toml_table(r, path, root, false, source)))
		goto out;
	own = toml_get(root, r->env->section);
	/* A string may be another applet's setting: `server = "ADDRESS"`. */
	if (own && own->kind != TOML_TABLE && own->kind != TOML_STRING)
		err = fail(ERR_INPUT, "%s:%u: '%s' is the name of a table of settings: [%s]", path, own->line, own->key,
			   own->key);
	else if (own && own->kind == TOML_TABLE)
		err = read_toml_table(r, path, own, true, source);
out:
	buf_free(&text);
	return err;
}

static const char *xdg_config(const struct opt_env *env)
{
	const char *base = getenv("XDG_CONFIG_HOME");

	if (base && *base == '/')
		return arena_printf(env->arena, "%s/tuxtape/tuxtape.toml", base);
	return arena_printf(env->arena, "%s/.config/tuxtape/tuxtape.toml", home_of(env));
}

static int read_configs(struct reading *r)
{
	int err;

	if (r->env->config)
		return read_config(r, r->env->config, true, OPT_FROM_CONFIG);
	if (faccessat(AT_FDCWD, ETC_CONFIG, R_OK, AT_EACCESS) < 0 && errno == EACCES) {
		if (r->env->must_read)
			return fail(ERR_DENIED, "%s: %s", ETC_CONFIG, strerror(errno));
		r->env->unread = ETC_CONFIG;
	} else if ((err = read_config(r, ETC_CONFIG, false, OPT_FROM_ETC))) {
		return err;
	}
	return read_config(r, xdg_config(r->env), false, OPT_FROM_XDG);
}

void opt_env_name(struct buf *out, const struct opt *o)
{
	buf_adds(out, "TUXTAPE_");
	for (const char *c = o->name; *c; c++)
		buf_addc(out, *c == '-' ? '_' : *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c);
}

static int read_environment(struct reading *r)
{
	int err = 0;

	for (const struct opt *o = r->table; o->name && !err; o++) {
		struct buf name = { 0 };
		const char *value;

		if (o->flag_only)
			continue;
		opt_env_name(&name, o);
		value = getenv(buf_str(&name));
		r->place = arena_strdup(r->env->arena, buf_str(&name));
		if (value)
			err = set_from(r, o, value, OPT_FROM_ENV, true);
		buf_free(&name);
	}
	return err;
}

static const struct opt *find_long(const struct opt *table, const char *name, size_t n)
{
	for (const struct opt *o = table; o->name; o++)
		if ((strlen(o->name) == n && memcmp(o->name, name, n) == 0) ||
		    (o->alias && strlen(o->alias) == n && memcmp(o->alias, name, n) == 0))
			return o;
	return NULL;
}

static int unknown_option(const struct opt *table, const char *arg, size_t n)
{
	const char *nearest = NULL;
	unsigned best = 4;
	char name[64];

	snprintf(name, sizeof(name), "%.*s", (int)n, arg);
	for (const struct opt *o = table; o->name; o++)
		if (str_distance(o->name, name) < best) {
			best = str_distance(o->name, name);
			nearest = o->name;
		}
	if (nearest)
		return fail(ERR_USAGE, "no option --%s; did you mean --%s?", name, nearest);
	return fail(ERR_USAGE, "no option --%s; see --help", name);
}

static bool takes_value(const struct opt *o)
{
	return o->kind != OPT_FLAG && o->kind != OPT_COUNT;
}

/* What flags of the command line set, in order; lists start anew at their first flag. */
struct flags {
	struct reading *r;
	char **argv;
	int argc, at;
	bool *seen;
};

static int set_flag(struct flags *f, const struct opt *o, const char *value)
{
	bool first = !f->seen[o - f->r->table];
	char number[16];

	/* Settings have places that override one another, the command line's end the last; what is asked for has not. */
	if (!first && o->flag_only && takes_value(o) && o->kind != OPT_LIST)
		return fail(ERR_USAGE, "--%s is given twice: say one of them", o->name);
	f->seen[o - f->r->table] = true;
	f->r->place = "command line";
	if (o->kind == OPT_COUNT) {
		int *n = (int *)(void *)(f->r->into + o->offset);

		snprintf(number, sizeof(number), "%d", MIN_OF(first ? 1 : *n + 1, 9));
		return set_from(f->r, o, number, OPT_FROM_FLAG, first);
	}
	return set_from(f->r, o, value ? value : "true", OPT_FROM_FLAG, first);
}

static int read_long(struct flags *f, const char *arg)
{
	size_t n = strcspn(arg, "=");
	const struct opt *o = find_long(f->r->table, arg, n);
	const char *value = arg[n] ? arg + n + 1 : NULL;

	if (!o)
		return unknown_option(f->r->table, arg, n);
	if (!takes_value(o) && value)
		return fail(ERR_USAGE, "--%s takes no value", o->name);
	if (takes_value(o) && !value) {
		if (f->at + 1 >= f->argc)
			return fail(ERR_USAGE, "--%s wants a value: %s", o->name, o->arg ? o->arg : "VALUE");
		value = f->argv[++f->at];
	}
	return set_flag(f, o, value);
}

static int read_letters(struct flags *f, const char *letters)
{
	int err = 0;

	for (; *letters && !err; letters++) {
		const struct opt *o = f->r->table;
		const char *value = NULL;

		while (o->name && o->letter != *letters)
			o++;
		if (!o->name)
			return fail(ERR_USAGE, "no option -%c; see --help", *letters);
		if (takes_value(o)) {
			if (letters[1])
				value = letters + 1;
			else if (f->at + 1 < f->argc)
				value = f->argv[++f->at];
			else
				return fail(ERR_USAGE, "-%c wants a value: %s", *letters, o->arg ? o->arg : "VALUE");
			return set_flag(f, o, value);
		}
		err = set_flag(f, o, value);
	}
	return err;
}

static int read_flags(struct reading *r, int *nargs, char **argv)
{
	bool *seen = arena_alloc(r->env->arena, count_options(r->table) + 1);
	struct flags f = { .r = r, .argv = argv, .argc = *nargs, .seen = seen };
	int kept = 1, err = 0;

	for (f.at = 1; f.at < f.argc && !err; f.at++) {
		char *arg = argv[f.at];

		if (strcmp(arg, "--") == 0) {
			while (++f.at < f.argc)
				argv[kept++] = argv[f.at];
		} else if (str_starts(arg, "--")) {
			err = read_long(&f, arg + 2);
		} else if (*arg == '-' && arg[1]) {
			err = read_letters(&f, arg + 1);
		} else {
			argv[kept++] = arg;
		}
	}
	*nargs = kept;
	return err;
}

/* --config decides where the others come from, so it is looked for before them. */
static void find_config_flag(const struct opt *table, struct opt_env *env, int argc, char **argv)
{
	const char *name = find_long(table, OPT_CONFIG_FILE, strlen(OPT_CONFIG_FILE)) ? OPT_CONFIG_FILE : "config";
	size_t n = strlen(name);

	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (!str_starts(argv[i], "--") || strncmp(argv[i] + 2, name, n) != 0)
			continue;
		if (argv[i][2 + n] == '=')
			env->config = argv[i] + 3 + n;
		else if (argv[i][2 + n] == '\0' && i + 1 < argc)
			env->config = argv[i + 1];
	}
}

int opt_read(const struct opt *table, void *into, int *nargs, char **argv, struct opt_env *env)
{
	struct reading r = { .table = table, .into = into, .env = env };
	const char *text;
	int err;

	env->unread = NULL;
	if (!env->config)
		find_config_flag(table, env, *nargs, argv);
	if (!env->config)
		env->config = getenv("TUXTAPE_CONFIG");
	if (!(err = read_defaults(&r)) && !(err = read_configs(&r)) && !(err = read_environment(&r)))
		return read_flags(&r, nargs, argv);
	text = arena_strdup(env->arena, err_text());
	read_flags(&r, nargs, argv);
	return fail(err, "%s", text);
}

/* "review, show"; before the last stands `last`. */
static void add_verbs(struct buf *out, const char *verbs, const char *last)
{
	while (*verbs) {
		size_t n = strcspn(verbs, " ");
		const char *next = verbs + n + (verbs[n] == ' ');

		buf_add(out, verbs, n);
		if (*next)
			buf_adds(out, strchr(next, ' ') ? ", " : last);
		verbs = next;
	}
}

static bool is_verb_of(const struct opt *o, const char *verb)
{
	size_t n = strlen(verb);

	for (const char *v = o->verbs; v && *v; v += strcspn(v, " "), v += *v == ' ')
		if (strncmp(v, verb, n) == 0 && (v[n] == ' ' || v[n] == '\0'))
			return true;
	return !o->verbs;
}

int opt_check_verb(const struct opt *table, const enum opt_source *sources, const char *verb)
{
	struct buf verbs = { 0 };
	int err;

	for (const struct opt *o = table; o->name; o++) {
		if (sources[o - table] != OPT_FROM_FLAG || is_verb_of(o, verb))
			continue;
		add_verbs(&verbs, o->verbs, " and ");
		err = fail(ERR_USAGE, "%s: --%s is an option of %s alone", verb, o->name, buf_str(&verbs));
		buf_free(&verbs);
		return err;
	}
	return 0;
}

void opt_purpose(struct buf *out, const struct opt *o)
{
	if (o->verbs) {
		add_verbs(out, o->verbs, ", ");
		buf_adds(out, ": ");
	}
	buf_adds(out, o->help);
}

void opt_help(struct buf *out, const struct opt *table)
{
	for (const struct opt *o = table; o->name; o++) {
		size_t start = out->len;

		if (o->letter)
			buf_printf(out, "  -%c, ", o->letter);
		else
			buf_adds(out, "      ");
		buf_printf(out, "--%s%s%s", o->name, o->arg ? " " : "", o->arg ? o->arg : "");
		if (out->len - start > 28)
			buf_printf(out, "\n%*s", 30, "");
		else
			buf_printf(out, "%*s", (int)(30 - (out->len - start)), "");
		opt_purpose(out, o);
		if (o->def && takes_value(o) && *o->def)
			buf_printf(out, " [%s]", o->def);
		buf_addc(out, '\n');
	}
}

/* A TOML string that can do nothing to a terminal. What is not UTF-8 has no form in TOML and is shown as text. */
static void add_toml_string(struct buf *out, const char *s)
{
	size_t left = strlen(s), n;

	buf_addc(out, '"');
	for (; left; s += n, left -= n) {
		uint32_t rune = 0;

		n = str_utf8_next(s, left, &rune);
		if (n == 0) {
			buf_printf(out, "\\\\x%02x", (unsigned)(unsigned char)*s);
			n = 1;
		} else if (rune == '"' || rune == '\\') {
			buf_printf(out, "\\%c", *s);
		} else if (str_rune_is_hostile(rune)) {
			buf_printf(out, rune < 0x10000 ? "\\u%04x" : "\\U%08x", rune);
		} else {
			buf_add(out, s, n);
		}
	}
	buf_addc(out, '"');
}

static void add_value(struct buf *out, const struct opt *o, const char *at)
{
	const struct opt_list *list = (const void *)at;
	const char *text = NULL;

	switch (o->kind) {
	case OPT_FLAG:
		buf_adds(out, *(const bool *)at ? "true" : "false");
		return;
	case OPT_COUNT:
		buf_printf(out, "%d", *(const int *)(const void *)at);
		return;
	case OPT_NUMBER:
		buf_printf(out, "%llu", (unsigned long long)*(const uint64_t *)(const void *)at);
		return;
	case OPT_DURATION:
		buf_printf(out, "\"%llums\"", (unsigned long long)*(const uint64_t *)(const void *)at);
		return;
	case OPT_DECIMAL:
		buf_printf(out, "%g", *(const double *)(const void *)at);
		return;
	case OPT_LIST:
		buf_addc(out, '[');
		for (size_t i = 0; i < list->n; i++) {
			buf_adds(out, i ? ", " : "");
			add_toml_string(out, list->items[i]);
		}
		buf_addc(out, ']');
		return;
	default:
		text = *(const char *const *)(const void *)at;
		add_toml_string(out, text ? text : "");
		return;
	}
}

static const char *source_name(const struct opt *o, const struct opt_env *env, enum opt_source source)
{
	struct buf name = { 0 };
	const char *text = "default";

	if (source == OPT_FROM_ENV) {
		buf_adds(&name, "environment ");
		opt_env_name(&name, o);
		text = arena_strdup(env->arena, name.data);
		buf_free(&name);
	} else if (source == OPT_FROM_ETC) {
		text = ETC_CONFIG;
	} else if (source == OPT_FROM_XDG) {
		text = xdg_config(env);
	} else if (source == OPT_FROM_CONFIG) {
		text = env->config;
	} else if (source == OPT_FROM_FLAG) {
		text = "command line";
	}
	return text;
}

void opt_show(struct buf *out, const struct opt *table, const void *values, const struct opt_env *env)
{
	for (const struct opt *o = table; o->name; o++) {
		enum opt_source source = env->sources ? env->sources[o - table] : OPT_FROM_DEFAULT;
		/* A setting without a value is shown as a comment: TOML has no word for none. */
		bool unset = source == OPT_FROM_DEFAULT && !o->def && o->kind != OPT_FLAG && o->kind != OPT_COUNT &&
			     o->kind != OPT_LIST;

		if (o->flag_only)
			continue;
		if (unset)
			buf_adds(out, "# ");
		for (const char *c = o->name; *c; c++)
			buf_addc(out, *c == '-' ? '_' : *c);
		buf_adds(out, " = ");
		if (str_ends(o->name, "-key"))
			buf_adds(out, "\"(secret)\"");
		else
			add_value(out, o, (const char *)values + o->offset);
		buf_printf(out, "  # %s\n", source_name(o, env, source));
	}
}
