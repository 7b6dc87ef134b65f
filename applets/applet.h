/* The applets: one const struct each, and the only list of them. */
#ifndef TUXTAPE_APPLET_H
#define TUXTAPE_APPLET_H

#include "lib/arena.h"
#include "lib/opt.h"
#include "lib/pb.h"

struct applet {
	const char *name;
	const char *const *aliases; /* other names that it answers to, NULL at the end; NULL for none */
	const char *summary;        /* one line, lower case, no full stop */
	const char *synopsis;       /* what stands behind the name, a form a line; a line may name the applet itself */
	const char *const *tables;  /* of a config file that it reads itself, NULL at the end; NULL for none */
	const struct opt *options;
	size_t options_size; /* bytes of the struct that the options fill */
	size_t common;       /* where struct applet_common stands in it */
	bool serves;         /* runs for others: what the system's config says (certificates, roles) must not be missed */
	int (*run)(int argc, char **argv); /* argv[0] is the applet's name; returns the exit code */
};

/* What every applet's options hold; the rows of the table come from APPLET_COMMON. */
struct applet_common {
	bool help, version, quiet;
	int verbose;
	const char *config;
	const enum opt_source *sources; /* of each option, in the table's order */
};

#define APPLET_CONFIG(type, name)                                                                                       \
	{                                                                                                               \
		name, 0, OPT_STRING, offsetof(type, common.config), "FILE", "read this config file and no other", NULL, \
			.flag_only = true                                                                               \
	}
#define APPLET_USUAL(type)                                                                                          \
	{ "quiet", 'q', OPT_FLAG, offsetof(type, common.quiet), NULL, "say nothing but errors" },                   \
		{ "verbose", 'v', OPT_COUNT, offsetof(type, common.verbose), NULL, "say more; twice: more still" }, \
		{ "help", 'h', OPT_FLAG, offsetof(type, common.help), NULL, "show this help", .flag_only = true },  \
	{                                                                                                           \
		"version", 0, OPT_FLAG, offsetof(type, common.version), NULL, "show the version", .flag_only = true \
	}
#define APPLET_COMMON(type) APPLET_CONFIG(type, "config"), APPLET_USUAL(type)

/* For applets to which --config is a kernel's. */
#define APPLET_COMMON_KERNEL(type) APPLET_CONFIG(type, OPT_CONFIG_FILE), APPLET_USUAL(type)

/* The only list of applets. */
#define APPLETS(X) \
	X(parse) X(server) X(builder) X(cves) X(config) X(job) X(patch) X(lint) X(dash) X(cert) X(backup) X(restore)

#define APPLET_DECLARE(n) extern const struct applet applet_##n;
APPLETS(APPLET_DECLARE)
#undef APPLET_DECLARE

/* More than any error kind: the applet has done what was asked (help, version). */
#define APPLET_DONE 1000

/* Reads the options into opts and sets up the log. 0; APPLET_DONE after --help or --version; or an error kind. */
int applet_begin(const struct applet *applet, void *opts, int *argc, char **argv, struct arena *a);

/* True when the option of that name was given on the command line. */
bool applet_given(const struct applet *applet, const struct applet_common *common, const char *option);

/* What the rows of an applet's table of verbs begin with: `tuxtape config put NAME FILE`. */
struct applet_verb {
	const char *name;
	int least, most;      /* operands */
	const char *operands; /* in words: "NAME FILE", "no operand" */
};

/* Sets *found to the row that argv[1] names, when as many operands follow as it takes, and no option was given that is for other verbs.
 * ERR_USAGE otherwise, with what there is. */
int applet_find_verb(const struct applet *applet, const struct applet_common *common, const void *rows, size_t n,
		     size_t row_size, int argc, char **argv, size_t *found);

/* The exit code for what applet_begin or the applet's work returned; errors are said first. */
int applet_end(int err);

/* Prints a message as JSON, indented, with a line end. */
void applet_print_json(const ProtobufCMessage *m);

#endif
