/* The multi-call main: finds the applet by argv[0] or argv[1], gives help, prints what the tables hold. Owns the last look at stdout:
 * an answer that could not be written is a failure. */
#include "applets/applet.h"

#include "lib/err.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/str.h"
#include "version.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define APPLET_ADDRESS(n) &applet_##n,
static const struct applet *const applets[] = { APPLETS(APPLET_ADDRESS) };
#undef APPLET_ADDRESS

static const char exit_codes[] = "\nExit codes: 0 done, 1 failed, 2 misuse, 3 done but degraded, 4 not found, 5 denied.\n";

static const struct applet *find_applet(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(applets); i++) {
		if (strcmp(applets[i]->name, name) == 0)
			return applets[i];
		for (const char *const *alias = applets[i]->aliases; alias && *alias; alias++)
			if (strcmp(*alias, name) == 0)
				return applets[i];
	}
	return NULL;
}

static void print_help(const struct applet *applet)
{
	struct buf text = { 0 };
	const char *form = applet->synopsis, *lead = "Usage:";

	while (*form) {
		int n = (int)strcspn(form, "\n");
		bool named = str_starts(form, applet->name);

		buf_printf(&text, "%-6s tuxtape %s%s%.*s\n", lead, named ? "" : applet->name, named ? "" : " ", n, form);
		form += n + (form[n] == '\n');
		lead = "";
	}
	buf_printf(&text, "\n%c%s.\n\n", applet->summary[0] - ('a' - 'A') * (applet->summary[0] >= 'a'),
		   applet->summary + 1);
	opt_help(&text, applet->options);
	buf_printf(&text, "%sMore: man tuxtape-%s\n", exit_codes, applet->name);
	fwrite(text.data, 1, text.len, stdout);
	buf_free(&text);
}

static size_t count_options(const struct applet *applet)
{
	size_t n = 0;

	while (applet->options[n].name)
		n++;
	return n;
}

bool applet_given(const struct applet *applet, const struct applet_common *common, const char *option)
{
	for (size_t i = 0; applet->options[i].name; i++)
		if (strcmp(applet->options[i].name, option) == 0)
			return common->sources[i] == OPT_FROM_FLAG;
	return false;
}

static void tell_unread(const char *path)
{
	log_note("%s may not be read by this user, and is left out", path);
}

/* Whether any applet takes a key, or a table, at the top of a config file. */
static bool is_known_key(const char *key)
{
	for (size_t i = 0; i < ARRAY_LEN(applets); i++) {
		if (strcmp(applets[i]->name, key) == 0 || opt_has_setting(applets[i]->options, key))
			return true;
		for (const char *const *table = applets[i]->tables; table && *table; table++)
			if (strcmp(*table, key) == 0)
				return true;
	}
	return false;
}

int applet_begin(const struct applet *applet, void *opts, int *argc, char **argv, struct arena *a)
{
	struct opt_env env = { .arena = a,
			       .section = applet->name,
			       .home = getenv("HOME"),
			       .must_read = applet->serves,
			       .known = is_known_key };
	struct applet_common *common = (void *)((char *)opts + applet->common);
	int err;

	env.sources = arena_alloc(a, count_options(applet) * sizeof(*env.sources));
	common->sources = env.sources;
	log_setup(arena_printf(a, "tuxtape %s", applet->name), LOG_NORMAL);
	err = opt_read(applet->options, opts, argc, argv, &env);
	/* Help is given even where the rest is wrong: that is when it is wanted. */
	if (common->help) {
		print_help(applet);
		return APPLET_DONE;
	}
	if (common->version) {
		puts("tuxtape " TUXTAPE_VERSION);
		return APPLET_DONE;
	}
	if (err)
		return err;
	log_setup(arena_printf(a, "tuxtape %s", applet->name),
		  common->quiet ? LOG_QUIET : (enum log_level)MIN_OF(common->verbose, 2));
	if (env.unread)
		tell_unread(env.unread);
	for (size_t i = 0; i < env.unknown.n; i++)
		log_note("%s is the name of no setting and no applet: it is left out", env.unknown.items[i]);
	return 0;
}

int applet_find_verb(const struct applet *applet, const struct applet_common *common, const void *rows, size_t n,
		     size_t row_size, int argc, char **argv, size_t *found)
{
	struct buf names = { 0 };
	int err;

	for (size_t i = 0; i < n; i++) {
		const struct applet_verb *v = (const void *)((const char *)rows + i * row_size);

		buf_printf(&names, "%s%s", i == 0 ? "" : i + 1 < n ? ", " : " or ", v->name);
		if (argc < 2 || strcmp(v->name, argv[1]) != 0)
			continue;
		buf_free(&names);
		*found = i;
		if (argc - 2 < v->least || argc - 2 > v->most)
			return fail(ERR_USAGE, "%s %s takes %s", applet->name, v->name, v->operands);
		return opt_check_verb(applet->options, common->sources, v->name);
	}
	err = fail(ERR_USAGE, "say what to do: %s; see tuxtape %s --help", buf_str(&names), applet->name);
	buf_free(&names);
	return err;
}

int applet_end(int err)
{
	if (err == 0 || err == APPLET_DONE)
		return EXIT_DONE;
	log_error("%s", err_text());
	return err_exit_code(err);
}

void applet_print_json(const ProtobufCMessage *m)
{
	struct buf out = { 0 };

	json_print(&out, m, 2);
	puts(out.data);
	buf_free(&out);
}

static int list_applets(int argc UNUSED, char **argv UNUSED)
{
	puts("tuxtape " TUXTAPE_VERSION ": kernel CVEs, livepatches, and which of your kernels want them\n\n"
	     "Usage: tuxtape APPLET [OPTION]...    one of these:\n");
	for (size_t i = 0; i < ARRAY_LEN(applets); i++)
		printf("  %-10s %s\n", applets[i]->name, applets[i]->summary);
	puts("\ntuxtape APPLET --help tells an applet's options; --show-config [APPLET] every setting with its source;\n"
	     "--version, --list, --list-aliases, --list-options APPLET and --completion bash are for scripts.");
	return EXIT_DONE;
}

static int print_version(int argc UNUSED, char **argv UNUSED)
{
	puts("tuxtape " TUXTAPE_VERSION);
	return EXIT_DONE;
}

static int print_names(int argc UNUSED, char **argv UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(applets); i++)
		puts(applets[i]->name);
	return EXIT_DONE;
}

static int print_aliases(int argc UNUSED, char **argv UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(applets); i++)
		for (const char *const *alias = applets[i]->aliases; alias && *alias; alias++)
			printf("%s %s\n", *alias, applets[i]->name);
	return EXIT_DONE;
}

static int no_applet(const char *name)
{
	const char *nearest = NULL;
	unsigned best = 3;

	for (size_t i = 0; i < ARRAY_LEN(applets); i++)
		if (str_distance(applets[i]->name, name) < best) {
			best = str_distance(applets[i]->name, name);
			nearest = applets[i]->name;
		}
	if (nearest)
		log_error("no applet '%s'; did you mean '%s'?", name, nearest);
	else
		log_error("no applet '%s'; `tuxtape` alone lists them", name);
	return EXIT_NOAPPLET;
}

/* For the words behind --list-options and --show-config: NULL where there is no such applet, which is said. */
static const struct applet *named_applet(const char *name)
{
	const struct applet *applet = find_applet(name);

	if (!applet)
		no_applet(name);
	return applet;
}

static int print_options(int argc, char **argv)
{
	const struct applet *applet;

	if (argc < 3) {
		log_error("--list-options wants an applet's name");
		return EXIT_MISUSE;
	}
	if (!(applet = named_applet(argv[2])))
		return EXIT_NOAPPLET;
	for (const struct opt *o = applet->options; o->name; o++) {
		struct buf purpose = { 0 };

		opt_purpose(&purpose, o);
		printf("%s\t%c\t%s\t%s\n", o->name, o->letter ? o->letter : '-', o->arg ? o->arg : "-", buf_str(&purpose));
		buf_free(&purpose);
	}
	return EXIT_DONE;
}

static int show_one_config(const struct applet *applet, const char **unread)
{
	struct arena *a = arena_new(0);
	struct opt_env env = { .arena = a, .section = applet->name, .home = getenv("HOME") };
	void *values = arena_alloc(a, applet->options_size);
	struct buf out = { 0 };
	char name[] = "tuxtape", *argv[] = { name, NULL };
	int argc = 1, err;

	env.sources = arena_alloc(a, count_options(applet) * sizeof(*env.sources));
	if (!(err = opt_read(applet->options, values, &argc, argv, &env))) {
		buf_printf(&out, "[%s]\n", applet->name);
		opt_show(&out, applet->options, values, &env);
		puts(out.data);
	}
	if (env.unread && !*unread)
		tell_unread(*unread = env.unread);
	buf_free(&out);
	arena_free(a);
	return applet_end(err);
}

static int show_config(int argc, char **argv)
{
	const struct applet *only = NULL;
	const char *unread = NULL;
	int code = EXIT_DONE;

	if (argc > 2 && !(only = named_applet(argv[2])))
		return EXIT_NOAPPLET;
	for (size_t i = 0; i < ARRAY_LEN(applets) && code == EXIT_DONE; i++)
		if (!only || only == applets[i])
			code = show_one_config(applets[i], &unread);
	return code;
}

static int print_completion(int argc, char **argv)
{
	if (argc < 3 || strcmp(argv[2], "bash") != 0) {
		log_error("--completion knows one shell: bash");
		return EXIT_MISUSE;
	}
	puts("_tuxtape() {\n"
	     "\tlocal cur=${COMP_WORDS[COMP_CWORD]} applet=${COMP_WORDS[1]} options=\n"
	     "\tif [ \"$COMP_CWORD\" = 1 ]; then");
	printf("\t\tCOMPREPLY=($(compgen -W \"");
	for (size_t i = 0; i < ARRAY_LEN(applets); i++)
		printf("%s ", applets[i]->name);
	puts("help --help --version --list --show-config\" -- \"$cur\"))\n\t\treturn\n\tfi\n\tcase $applet in");
	for (size_t i = 0; i < ARRAY_LEN(applets); i++) {
		printf("\t%s) options=\"", applets[i]->name);
		for (const struct opt *o = applets[i]->options; o->name; o++)
			printf("--%s ", o->name);
		puts("\" ;;");
	}
	puts("\tesac\n"
	     "\tcase $cur in\n"
	     "\t-*) COMPREPLY=($(compgen -W \"$options\" -- \"$cur\")) ;;\n"
	     "\t*) COMPREPLY=($(compgen -f -- \"$cur\")) ;;\n"
	     "\tesac\n"
	     "}\n"
	     "complete -o filenames -F _tuxtape tuxtape");
	return EXIT_DONE;
}

static int help_on(int argc, char **argv)
{
	const struct applet *applet;

	if (argc < 3)
		return list_applets(argc, argv);
	if (!(applet = named_applet(argv[2])))
		return EXIT_NOAPPLET;
	print_help(applet);
	return EXIT_DONE;
}

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} builtins[] = {
	{ "help", help_on },
	{ "--help", help_on },
	{ "-h", help_on },
	{ "--version", print_version },
	{ "--list", print_names },
	{ "--list-aliases", print_aliases },
	{ "--list-options", print_options },
	{ "--show-config", show_config },
	{ "--completion", print_completion },
};

static int dispatch(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/'), *name = slash ? slash + 1 : argv[0];
	const struct applet *applet = find_applet(name);

	if (!applet && str_starts(name, "tuxtape-"))
		applet = find_applet(name + strlen("tuxtape-"));
	if (applet)
		return applet->run(argc, argv);
	if (argc < 2)
		return list_applets(argc, argv);
	if ((applet = find_applet(argv[1])))
		return applet->run(argc - 1, argv + 1);
	for (size_t i = 0; i < ARRAY_LEN(builtins); i++)
		if (strcmp(builtins[i].name, argv[1]) == 0)
			return builtins[i].run(argc, argv);
	return no_applet(argv[1]);
}

int main(int argc, char **argv)
{
	int code;

	signal(SIGPIPE, SIG_IGN);
	/* Writing beyond `ulimit -f` is an error like a full disk, and no death. */
	signal(SIGXFSZ, SIG_IGN);
	if (argc < 1)
		return EXIT_MISUSE;
	code = dispatch(argc, argv);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		/* A reader that has seen enough, such as head, is not worth a line. */
		if (errno != EPIPE)
			log_error("standard output: %s", strerror(errno));
		if (code == EXIT_DONE)
			code = EXIT_FAILED;
	}
	return code;
}
