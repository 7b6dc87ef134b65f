/* Options: each kind, from each place, the stronger place winning; what is wrong is named; what is printed of a table. */
#include "lib/opt.h"
#include "lib/err.h"
#include "tap.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct values {
	bool flag, no_fetch, json;
	int verbose;
	const char *string, *path, *word, *key, *config;
	struct opt_list list;
	uint64_t number, free_number, pause;
	double score;
};

static const char *const words[] = { "nvd", "cna", NULL };

#define AT(field) offsetof(struct values, field)
static const struct opt table[] = {
	{ .name = "unit-flag", .letter = 'f', .kind = OPT_FLAG, .offset = AT(flag), .help = "a flag" },
	{ .name = "no-unit-fetch", .kind = OPT_FLAG, .offset = AT(no_fetch), .help = "another flag" },
	{ .name = "unit-verbose", .letter = 'v', .kind = OPT_COUNT, .offset = AT(verbose), .help = "say more" },
	{ .name = "unit-string", .letter = 's', .kind = OPT_STRING, .offset = AT(string), .arg = "TEXT", .help = "a text" },
	{ .name = "unit-db",
	  .letter = 'd',
	  .kind = OPT_PATH,
	  .offset = AT(path),
	  .arg = "FILE",
	  .help = "a path",
	  .def = "~/db",
	  .alias = "unit-db-path" },
	{ .name = "unit-extra", .letter = 'e', .kind = OPT_LIST, .offset = AT(list), .arg = "DIR", .help = "a list" },
	{ .name = "unit-jobs",
	  .letter = 'j',
	  .kind = OPT_NUMBER,
	  .offset = AT(number),
	  .arg = "N",
	  .help = "a number",
	  .def = "4",
	  .least = 1,
	  .most = 64 },
	{ .name = "unit-free",
	  .kind = OPT_NUMBER,
	  .offset = AT(free_number),
	  .arg = "N",
	  .help = "one without end",
	  .least = 2,
	  .def = "2" },
	{ .name = "unit-pause",
	  .kind = OPT_DURATION,
	  .offset = AT(pause),
	  .arg = "TIME",
	  .help = "a time",
	  .def = "6s",
	  .most = 86400000 },
	{ .name = "unit-score", .kind = OPT_DECIMAL, .offset = AT(score), .arg = "SCORE", .help = "a decimal", .most = 10 },
	{ .name = "unit-prefer",
	  .kind = OPT_WORD,
	  .offset = AT(word),
	  .arg = "nvd|cna",
	  .help = "a word",
	  .def = "nvd",
	  .words = words },
	{ .name = "unit-key", .kind = OPT_STRING, .offset = AT(key), .arg = "KEY", .help = "a secret" },
	{ .name = "unit-json-and-a-very-long-name",
	  .kind = OPT_FLAG,
	  .offset = AT(json),
	  .help = "flag only",
	  .flag_only = true },
	{ .name = "config", .kind = OPT_PATH, .offset = AT(config), .arg = "FILE", .help = "the file", .flag_only = true },
	OPT_END,
};

static char dir[] = "/tmp/tuxtape-opt.XXXXXX";
static struct arena *arena;
static struct values v;
static enum opt_source sources[ARRAY_LEN(table)];
static char *argv[16];
static int argc;

/* Reads what was set up, with these words behind argv[0]. */
static int read_words(const char *const *line)
{
	struct opt_env env = { .arena = arena, .section = "unit", .home = "/home/u", .sources = sources };

	v = (struct values){ 0 };
	for (argc = 0; line[argc]; argc++)
		argv[argc + 1] = arena_strdup(arena, line[argc]);
	argv[0] = arena_strdup(arena, "tuxtape");
	argc++;
	return opt_read(table, &v, &argc, argv, &env);
}

#define READ(...) read_words((const char *const[ARRAY_LEN(argv)]){ __VA_ARGS__ })

static enum opt_source source_of(const char *name)
{
	for (const struct opt *o = table; o->name; o++)
		if (strcmp(o->name, name) == 0)
			return sources[o - table];
	return (enum opt_source) - 1;
}

/* Writes dir/tuxtape/NAME and returns its path. */
static const char *config(const char *name, const char *text)
{
	const char *path = arena_printf(arena, "%s/tuxtape/%s", dir, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) || close(fd) < 0)
		printf("Bail out! cannot write %s\n", path);
	return path;
}

static void no_config(void)
{
	unlink(arena_printf(arena, "%s/tuxtape/tuxtape.toml", dir));
}

static bool list_is(const char *a, const char *b)
{
	return v.list.n == (size_t)(a != NULL) + (b != NULL) && (!a || strcmp(v.list.items[0], a) == 0) &&
	       (!b || strcmp(v.list.items[1], b) == 0);
}

static void test_defaults(void)
{
	is_int(READ(), 0, "no words");
	is_str(v.path, "/home/u/db", "a default in the home directory");
	ok(v.number == 4 && v.pause == 6000 && v.score == 0 && strcmp(v.word, "nvd") == 0, "defaults");
	ok(!v.flag && !v.verbose && !v.string && !v.list.n, "what has none is empty");
	is_int(argc, 1, "no operands");
	is_int(source_of("unit-db"), OPT_FROM_DEFAULT, "its source");
}

static void test_flags(void)
{
	is_int(READ("one", "--unit-flag", "--unit-string", "a b", "two", "--unit-db=x=y", "-j8", "-e", "p", "--unit-extra=q",
		    "--", "-f"),
	       0, "flags and operands, mixed");
	ok(v.flag && strcmp(v.string, "a b") == 0 && strcmp(v.path, "x=y") == 0 && v.number == 8 && list_is("p", "q"),
	   "are read");
	ok(argc == 4 && !strcmp(argv[1], "one") && !strcmp(argv[2], "two") && !strcmp(argv[3], "-f"),
	   "operands are left in order");
	is_int(source_of("unit-jobs"), OPT_FROM_FLAG, "the source is the command line");
	is_int(READ("-sx", "--unit-string", "y"), 0, "a setting may be given again");
	is_str(v.string, "y", "and the last counts");
	is_int(READ("--config", config("shown.toml", ""), "--config", config("shown.toml", "")), ERR_USAGE,
	       "what is no setting may not");
	is_str(err_text(), "--config is given twice: say one of them", "which is said");
	is_int(READ("-vfv", "-vsx", "-"), 0, "bundles");
	ok(v.verbose == 3 && v.flag && strcmp(v.string, "x") == 0 && argc == 2 && strcmp(argv[1], "-") == 0,
	   "and a lone dash");
	is_int(READ("--unit-db-path", "old", "--unit-string="), 0, "an alias");
	ok(strcmp(v.path, "old") == 0 && strcmp(v.string, "") == 0, "and an empty value");
	is_int(READ("-s", "--unit-flag", "-j", "1", "-j", "2"), 0, "a value may look like an option; the last of two wins");
	ok(strcmp(v.string, "--unit-flag") == 0 && !v.flag && v.number == 2, "as it was said");
	is_int(READ("-vvvvvvvvvvvvvvv"), 0, "a count");
	is_int(v.verbose, 9, "has an end");
}

static const struct {
	const char *line[3];
	const char *error;
} refused[] = {
	{ { "--unit-fla" }, "no option --unit-fla; did you mean --unit-flag?" },
	{ { "--unit-jbos=3" }, "no option --unit-jbos; did you mean --unit-jobs?" },
	{ { "--something-else" }, "no option --something-else; see --help" },
	{ { "--no-unit-flag" }, "no option --no-unit-flag" },
	{ { "-x" }, "no option -x; see --help" },
	{ { "-fx" }, "no option -x; see --help" },
	{ { "--unit-jobs" }, "--unit-jobs wants a value: N" },
	{ { "-fj" }, "-j wants a value: N" },
	{ { "--unit-flag=true" }, "--unit-flag takes no value" },
	{ { "--unit-verbose=2" }, "--unit-verbose takes no value" },
	{ { "-j", "0" }, "command line: '0' is not a number from 1 to 64 (option unit-jobs)" },
	{ { "-j", "65" }, "command line: '65' is not a number from 1 to 64" },
	{ { "-j", "4x" }, "command line: '4x' is not a number" },
	{ { "-j", "-4" }, "command line: '-4' is not a number" },
	{ { "-j", "" }, "command line: '' is not a number" },
	{ { "--unit-free", "1" }, "command line: '1' is not a number of at least 2" },
	{ { "--unit-free", "18446744073709551616" }, "command line: '18446744073709551616' is not a number" },
	{ { "--unit-prefer", "NVD" }, "command line: 'NVD' is not one of nvd, cna (option unit-prefer)" },
	{ { "--unit-score", "10.1" }, "command line: '10.1' is not a number from 0 to 10 (option unit-score)" },
	{ { "--unit-score", "-1" }, "command line: '-1' is not a number" },
	{ { "--unit-score", "1e1" }, "command line: '1e1' is not a number" },
	{ { "--unit-score", "nan" }, "command line: 'nan' is not a number" },
	{ { "--unit-score", ".5" }, "command line: '.5' is not a number" },
	{ { "--config" }, "--config wants a value: FILE" },
};

static void test_refused(void)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		is_int(read_words(refused[i].line), ERR_USAGE, refused[i].error);
		if (!ok(strncmp(err_text(), refused[i].error, strlen(refused[i].error)) == 0, "is what is said"))
			printf("# got: %s\n", err_text());
	}
}

enum { REFUSED = -1, OUTSIDE = -2 };

static const struct {
	const char *text;
	long long ms; /* REFUSED; OUTSIDE: a time, but not one that the option takes */
} durations[] = {
	{ "6s", 6000 },
	{ "250ms", 250 },
	{ "2h", 7200000 },
	{ "1d", 86400000 },
	{ "5m", 300000 },
	{ "5min", 300000 },
	{ "3", 3000 },
	{ "0", 0 },
	{ "0.5s", 500 },
	{ "1.5h", 5400000 },
	{ "0.25", 250 },
	{ "0.0015s", 2 },
	{ "1.s", 1000 },
	{ "", REFUSED },
	{ "s", REFUSED },
	{ "-1s", REFUSED },
	{ "1 s", REFUSED },
	{ "1.2.3s", REFUSED },
	{ ".5s", REFUSED },
	{ "1w", REFUSED },
	{ "1S", REFUSED },
	{ "1e3", REFUSED },
	{ "25h", OUTSIDE },
	{ "86400001ms", OUTSIDE },
	{ "inf", REFUSED },
	{ "99999999999999999999d", OUTSIDE },
	{ "1111111111111111111111111111111111111s", OUTSIDE },
	{ "1111111111111111111111111111111111111x", REFUSED },
};

static void test_durations(void)
{
	for (size_t i = 0; i < ARRAY_LEN(durations); i++) {
		int err = READ("--unit-pause", durations[i].text);

		if (durations[i].ms >= 0) {
			is_int(err ? -1 : (long long)v.pause, durations[i].ms, durations[i].text);
			continue;
		}
		is_int(err, ERR_USAGE, durations[i].text);
		if (!ok(strstr(err_text(), durations[i].ms == OUTSIDE ? "is not a time from 0ms to 1d (option unit-pause)"
								      : "is not a time such as 250ms, 6s, 2h or 1d"),
			"and says what would do"))
			printf("# got: %s\n", err_text());
	}
	is_int(READ("--unit-score", "7"), 0, "a decimal without a point");
	ok(v.score == 7.0, "is one");
	is_int(READ("--unit-score", "9.75"), 0, "one with it");
	ok(v.score == 9.75, "too");
}

static void test_environment(void)
{
	setenv("TUXTAPE_UNIT_FLAG", "yes", 1);
	setenv("TUXTAPE_UNIT_VERBOSE", "2", 1);
	setenv("TUXTAPE_UNIT_DB", "~/env", 1);
	setenv("TUXTAPE_UNIT_EXTRA", "env", 1);
	setenv("TUXTAPE_UNIT_JSON_AND_A_VERY_LONG_NAME", "1", 1);
	is_int(READ(), 0, "the environment");
	ok(v.flag && v.verbose == 2 && strcmp(v.path, "/home/u/env") == 0 && list_is("env", NULL), "sets options");
	ok(!v.json, "but not those that are flags alone");
	is_int(source_of("unit-db"), OPT_FROM_ENV, "the source is the environment");
	is_int(READ("-v", "--unit-db", "arg", "-e", "arg"), 0, "with flags");
	ok(v.verbose == 1 && strcmp(v.path, "arg") == 0 && list_is("arg", NULL), "these win, lists as a whole");
	setenv("TUXTAPE_UNIT_FLAG", "0", 1);
	is_int(READ(), 0, "a flag");
	ok(!v.flag, "may be set to no");
	setenv("TUXTAPE_UNIT_FLAG", "perhaps", 1);
	is_int(READ(), ERR_USAGE, "but to nothing else");
	is_str(err_text(), "TUXTAPE_UNIT_FLAG: 'perhaps' is not true or false (option unit-flag)", "by its name");
	unsetenv("TUXTAPE_UNIT_FLAG");
	unsetenv("TUXTAPE_UNIT_VERBOSE");
	unsetenv("TUXTAPE_UNIT_DB");
	unsetenv("TUXTAPE_UNIT_EXTRA");
	unsetenv("TUXTAPE_UNIT_JSON_AND_A_VERY_LONG_NAME");
}

static void test_config(void)
{
	config("tuxtape.toml", "of_another_applet = 1\nunit_jobs = 5\nunit-pause = 1.5\nunit_flag = true\nunit_verbose = 1\n"
			       "unit_extra = ['a', 'b']\nunit_db_path = '~/c'\n[other]\nunknown = 1\n"
			       "[unit]\nunit_jobs = 6\nunit_score = 7.25\nunit_prefer = 'cna'\n");
	is_int(READ(), 0, "a config file in $XDG_CONFIG_HOME");
	ok(v.number == 6, "the applet's own table wins over the top");
	ok(v.pause == 1500 && v.flag && v.verbose == 1 && list_is("a", "b") && v.score == 7.25 && strcmp(v.word, "cna") == 0,
	   "every kind of value");
	is_str(v.path, "/home/u/c", "an alias, and the home directory");
	is_int(source_of("unit-jobs"), OPT_FROM_XDG, "the source is the file");
	setenv("TUXTAPE_UNIT_JOBS", "7", 1);
	is_int(READ("-e", "z"), 0, "with the environment and a flag");
	ok(v.number == 7 && list_is("z", NULL), "these win");
	is_int(READ("-j", "8"), 0, "and a flag");
	is_int((long long)v.number, 8, "over all");
	unsetenv("TUXTAPE_UNIT_JOBS");
	config("tuxtape.toml", "unit_extra = ['a', 'b']\n[unit]\nunit_extra = []");
	is_int(READ(), 0, "an empty list");
	ok(list_is(NULL, NULL), "takes away what stood before");
	config("tuxtape.toml", "unit_string = 5\n[unit]\nunit_extra = 'one'\nunit_score = 3\nunit_free = 0x10\n");
	is_int(READ(), 0, "numbers and words where the other is wanted");
	ok(strcmp(v.string, "5") == 0 && list_is("one", NULL) && v.score == 3 && v.free_number == 16,
	   "are taken by their text");
	config("tuxtape.toml", "[unit_extra]\nann = 'viewer'\nbob = 'author'\n");
	is_int(READ(), 0, "a table where a list is wanted");
	ok(list_is("ann=viewer", "bob=author"), "is its rows");
	config("tuxtape.toml", "[unit_string]\nx = 1\n[unit]\nunit_jobs = 3\n");
	is_int(READ(), 0, "a table that bears the name of an option");
	ok(!v.string && v.number == 3, "is another's");
	config("tuxtape.toml", "unit = 'host:1'\nunit_jobs = 3\n");
	is_int(READ(), 0, "a text that bears the name of the table");
	is_int((long long)v.number, 3, "likewise");
}

/* In a table where --config is something else, the file has the other name. */
static void test_other_config_flag(void)
{
	struct {
		const char *kernel, *file, *text;
	} w = { 0 };
	const struct opt own[] = {
		{ .name = "config",
		  .kind = OPT_STRING,
		  .offset = 0,
		  .arg = "NAME",
		  .help = "a kernel's",
		  .flag_only = true },
		{ .name = OPT_CONFIG_FILE,
		  .kind = OPT_STRING,
		  .offset = sizeof(char *),
		  .arg = "FILE",
		  .help = "a file",
		  .flag_only = true },
		{ .name = "text", .kind = OPT_STRING, .offset = 2 * sizeof(char *), .arg = "TEXT", .help = "a text" },
		OPT_END,
	};
	const char *other = config("other.toml", "text = 'other'\n");
	char *given[] = { arena_strdup(arena, "x"),   arena_strdup(arena, "--config"),
			  arena_strdup(arena, "web"), arena_strdup(arena, "--config-file"),
			  arena_strdup(arena, other), NULL };
	struct opt_env env = { .arena = arena, .section = "unit", .home = "/home/u" };
	int n = 5;

	is_int(opt_read(own, &w, &n, given, &env), 0, "--config and --config-file");
	ok(strcmp(w.kernel, "web") == 0 && strcmp(w.text, "other") == 0, "are told apart");
}

static void test_xdg_defaults(void)
{
	static const struct opt own[] = {
		{ .name = "path", .kind = OPT_PATH, .offset = 0, .arg = "DIR", .help = "a path", .def = "~/.cache/x/y" },
		OPT_END,
	};
	struct opt_env env = { .arena = arena, .section = "unit", .home = "/home/u" };
	const char *path = NULL;
	char *given[] = { arena_strdup(arena, "x"), NULL };
	int n = 1;

	config("tuxtape.toml", "");
	unsetenv("XDG_CACHE_HOME");
	opt_read(own, &path, &n, given, &env);
	is_str(path, "/home/u/.cache/x/y", "a default below ~/.cache");
	setenv("XDG_CACHE_HOME", "/big", 1);
	opt_read(own, &path, &n, given, &env);
	is_str(path, "/big/x/y", "follows XDG_CACHE_HOME");
	setenv("XDG_CACHE_HOME", "relative", 1);
	opt_read(own, &path, &n, given, &env);
	is_str(path, "/home/u/.cache/x/y", "unless that is relative");
	unsetenv("XDG_CACHE_HOME");
}

static void test_config_flag(void)
{
	const char *other = config("other.toml", "unit_jobs = 9\n");

	config("tuxtape.toml", "unit_jobs = 5\nunit_string = 'x'\n");
	is_int(READ("--config", other), 0, "--config");
	ok(v.number == 9 && !v.string && strcmp(v.config, other) == 0, "is read instead of the usual files");
	is_int(source_of("unit-jobs"), OPT_FROM_CONFIG, "and the source");
	is_int(READ("x", arena_printf(arena, "--config=%s", other)), 0, "--config=");
	is_int((long long)v.number, 9, "too");
	is_int(READ("--", "--config", "/nonexistent"), 0, "behind -- it is an operand");
	is_int((long long)v.number, 5, "and not read");
	setenv("TUXTAPE_CONFIG", other, 1);
	is_int(READ(), 0, "TUXTAPE_CONFIG");
	is_int((long long)v.number, 9, "does the same");
	unsetenv("TUXTAPE_CONFIG");
	is_int(READ("--config", "/nonexistent/x.toml"), ERR_NOTFOUND, "one that is named must be there");
	ok(strstr(err_text(), "/nonexistent/x.toml") != NULL, "its name is said");
}

static const struct {
	const char *text, *error; /* behind the file's path */
} bad_configs[] = {
	{ "a = ", ":1: a value was expected" },
	{ "\n[unit]\nunit_jbos = 1", ":3: 'unit_jbos' is not a setting of unit" },
	{ "[unit]\nunit_json_and_a_very_long_name = true", ":2: 'unit_json_and_a_very_long_name' is not a setting" },
	{ "unit_jobs = 65", ":1: '65' is not a number from 1 to 64 (option unit-jobs)" },
	{ "unit_jobs = -1", ":1: '-1' is not a number" },
	{ "unit_flag = 2", ":1: '2' is not true or false" },
	{ "\nunit_db = ['a']", ":2: not a single value (option unit-db)" },
	{ "[unit]\nunit_db = {a=1}", ":2: not a single value" },
	{ "unit_extra = [['a']]", ":1: not a single value" },
	{ "unit_score = nan", ":1: 'nan' is not a number" },
	{ "unit_pause = inf", ":1: 'inf' is not a time" },
	{ "\nunit = 1", ":2: 'unit' is the name of a table of settings: [unit]" },
	{ "[[unit]]\nunit_jobs = 3", ":1: 'unit' is the name of a table" },
	{ "unit_verbose = 10", ":1: '10' is not a number from 0 to 9" },
};

static void test_bad_configs(void)
{
	for (size_t i = 0; i < ARRAY_LEN(bad_configs); i++) {
		const char *path = config("tuxtape.toml", bad_configs[i].text);
		const char *want = arena_printf(arena, "%s%s", path, bad_configs[i].error);

		is_int(READ(), ERR_INPUT, bad_configs[i].error);
		if (!ok(strncmp(err_text(), want, strlen(want)) == 0, "with its place"))
			printf("# got: %s\n", err_text());
	}
	no_config();
	is_int(mkdir(arena_printf(arena, "%s/tuxtape/tuxtape.toml", dir), 0700), 0, "a directory in its place");
	is_int(READ(), ERR_INPUT, "is refused");
	rmdir(arena_printf(arena, "%s/tuxtape/tuxtape.toml", dir));
}

static void test_xdg(void)
{
	struct opt_env env = { .arena = arena, .section = "unit", .home = dir };
	char name[] = "tuxtape", *args[] = { name, NULL };
	int n = 1;

	/* dir/.config is a link to dir itself. */
	config("tuxtape.toml", "unit_jobs = 11\n");
	is_int(symlink(dir, arena_printf(arena, "%s/.config", dir)), 0, "a home directory");
	unsetenv("XDG_CONFIG_HOME");
	v = (struct values){ 0 };
	is_int(opt_read(table, &v, &n, args, &env), 0, "without XDG_CONFIG_HOME");
	is_int((long long)v.number, 11, "~/.config is read");
	setenv("XDG_CONFIG_HOME", "not/absolute", 1);
	v = (struct values){ 0 };
	is_int(opt_read(table, &v, &n, args, &env), 0, "where it is not absolute");
	is_int((long long)v.number, 11, "too");
	setenv("XDG_CONFIG_HOME", dir, 1);
	unlink(arena_printf(arena, "%s/.config", dir));
	no_config();
}

static void test_help(void)
{
	struct buf out = { 0 };
	const char *line;
	bool all = true;

	opt_help(&out, table);
	ok(strstr(out.data, "  -f, --unit-flag             a flag\n") != NULL, "a letter and a name");
	ok(strstr(out.data, "\n      --no-unit-fetch         another flag\n") != NULL, "a name alone");
	ok(strstr(out.data, "\n  -d, --unit-db FILE          a path [~/db]\n") != NULL, "an argument and a default");
	ok(strstr(out.data, "\n      --unit-json-and-a-very-long-name\n                              flag only\n") != NULL,
	   "a long one");
	ok(!strstr(out.data, "unit-db-path"), "no alias");
	for (const struct opt *o = table; o->name; o++)
		all &= strstr(out.data, arena_printf(arena, "--%s", o->name)) != NULL;
	ok(all, "every option");
	for (line = strtok(out.data, "\n"); line; line = strtok(NULL, "\n"))
		all &= strlen(line) <= 100;
	ok(all, "in lines that fit");
	buf_free(&out);
}

static void test_verbs(void)
{
	static const struct opt some[] = {
		{ .name = "one", .letter = 'o', .kind = OPT_FLAG, .help = "a flag", .verbs = "put" },
		{ .name = "more", .kind = OPT_FLAG, .help = "a flag", .verbs = "list get diff" },
		{ .name = "any", .kind = OPT_FLAG, .help = "a flag" },
		OPT_END,
	};
	enum opt_source given[] = { OPT_FROM_DEFAULT, OPT_FROM_FLAG, OPT_FROM_FLAG },
			set[] = { OPT_FROM_XDG, OPT_FROM_ENV, OPT_FROM_FLAG };
	struct buf out = { 0 };

	opt_help(&out, some);
	ok(strstr(out.data, "  -o, --one                   put: a flag\n") != NULL, "help says for which verb an option is");
	ok(strstr(out.data, "--more                  list, get, diff: a flag\n") != NULL, "or which");
	ok(strstr(out.data, "--any                   a flag\n") != NULL, "or nothing");
	buf_free(&out);
	is_int(opt_check_verb(some, given, "get"), 0, "one of them takes it");
	is_int(opt_check_verb(some, given, "list"), 0, "and so does the first");
	is_int(opt_check_verb(some, given, "ge"), ERR_USAGE, "no part of a name is one");
	is_int(opt_check_verb(some, given, "put"), ERR_USAGE, "another does not");
	is_str(err_text(), "put: --more is an option of list, get and diff alone", "and the line says which do");
	given[0] = OPT_FROM_FLAG;
	given[1] = OPT_FROM_DEFAULT;
	is_int(opt_check_verb(some, given, "get"), ERR_USAGE, "one verb");
	is_str(err_text(), "get: --one is an option of put alone", "is named alone");
	is_int(opt_check_verb(some, set, "rebuild"), 0, "what is set for all is no word to this verb");
}

static bool is_other(const char *key)
{
	return strcmp(key, "other_url") == 0 || strcmp(key, "other") == 0 || strcmp(key, "unit") == 0;
}

static void test_unknown(void)
{
	const char *path = config("shown.toml", "unit_jobs = 3\nother_url = \"x\"\nother_ulr = \"x\"\n[other]\nx = 1\n"
						"[unit]\nunit_flag = true\n[uint]\nunit_flag = true\n");
	struct opt_env env = { .arena = arena, .section = "unit", .home = "/home/u", .config = path, .known = is_other };

	v = (struct values){ 0 };
	argc = 1;
	argv[0] = arena_strdup(arena, "tuxtape");
	is_int(opt_read(table, &v, &argc, argv, &env), 0, "keys that nobody knows");
	is_int((long long)env.unknown.n, 2, "are told, and no other");
	is_str(env.unknown.n ? env.unknown.items[0] : "", arena_printf(arena, "%s:3: 'other_ulr'", path), "a setting");
	is_str(env.unknown.n > 1 ? env.unknown.items[1] : "", arena_printf(arena, "%s:8: 'uint'", path), "and a table");
	ok(opt_has_setting(table, "unit_jobs") && opt_has_setting(table, "unit-db-path") &&
		   !opt_has_setting(table, "config"),
	   "a table's settings, and what is none");
}

static void test_show(void)
{
	struct opt_env env = { .arena = arena, .section = "unit", .home = "/home/u", .sources = sources };
	const char *shown = config("shown.toml", "");
	struct buf out = { 0 };
	struct toml *root;

	setenv("TUXTAPE_UNIT_PAUSE", "250ms", 1);
	setenv("TUXTAPE_UNIT_KEY", "hidden-value", 1);
	is_int(READ("-f", "-s", "q\"\\\x01", "-ea", "-eb", "--unit-score=7.5"), 0, "values");
	opt_show(&out, table, &v, &env);
	ok(strstr(out.data, "unit_flag = true  # command line\n") && strstr(out.data, "unit_jobs = 4  # default\n") &&
		   strstr(out.data, "unit_pause = \"250ms\"  # environment TUXTAPE_UNIT_PAUSE\n") &&
		   strstr(out.data, "unit_extra = [\"a\", \"b\"]  # command line\n") &&
		   strstr(out.data, "unit_db = \"/home/u/db\"  # default\n"),
	   "are shown with their sources");
	ok(strstr(out.data, "unit_key = \"(secret)\"") && !strstr(out.data, "hidden"), "a secret is not");
	ok(!strstr(out.data, "json"), "nor what no file may set");
	is_int(toml_parse(arena, out.data, out.len, "shown", &root), 0, "all of it is TOML");
	is_str(toml_get(root, "unit_string")->string, "q\"\\\x01", "that says the same");
	buf_free(&out);
	unsetenv("TUXTAPE_UNIT_PAUSE");
	unsetenv("TUXTAPE_UNIT_KEY");
	env.config = shown;
	config("shown.toml", "unit_jobs = 3\n");
	is_int(READ("--config", shown), 0, "from a file");
	opt_show(&out, table, &v, &env);
	ok(strstr(out.data, arena_printf(arena, "unit_jobs = 3  # %s\n", shown)) != NULL, "the file is named");
	ok(strstr(out.data, "\n# unit_string = \"\"") != NULL, "what has no value is a comment");
	buf_free(&out);
	is_int(READ("-s", "d\xc3\xbcr\xf0\x9f\x90\xa7", "-e", "\xff\x80z\xc3", "-e",
		    "\xc2\x9b"
		    "1\xe2\x80\xae\xf3\xa0\x80\x81\x7f"),
	       0, "bytes");
	opt_show(&out, table, &v, &env);
	ok(strstr(out.data, "unit_string = \"d\xc3\xbcr\xf0\x9f\x90\xa7\"") != NULL, "UTF-8 is shown");
	ok(strstr(out.data, "[\"\\\\xff\\\\x80z\\\\xc3\", \"\\u009b1\\u202e\\U000e0001\\u007f\"]") != NULL,
	   "what is none, or acts on a terminal, as text");
	is_int(toml_parse(arena, out.data, out.len, "shown", &root), 0, "which is TOML");
	buf_free(&out);
	opt_env_name(&out, &table[1]);
	is_str(out.data, "TUXTAPE_NO_UNIT_FETCH", "the environment's name");
	buf_free(&out);
}

int main(void)
{
	arena = arena_new(0);
	ok(mkdtemp(dir) && mkdir(arena_printf(arena, "%s/tuxtape", dir), 0700) == 0, "a directory");
	setenv("XDG_CONFIG_HOME", dir, 1);
	unsetenv("TUXTAPE_CONFIG");
	test_defaults();
	test_flags();
	test_refused();
	test_durations();
	test_environment();
	test_config();
	test_config_flag();
	test_other_config_flag();
	test_xdg_defaults();
	test_bad_configs();
	test_xdg();
	test_help();
	test_verbs();
	test_unknown();
	test_show();
	unlink(arena_printf(arena, "%s/tuxtape/other.toml", dir));
	unlink(arena_printf(arena, "%s/tuxtape/shown.toml", dir));
	ok(rmdir(arena_printf(arena, "%s/tuxtape", dir)) == 0 && rmdir(dir) == 0, "nothing is left behind");
	arena_free(arena);
	return done();
}
