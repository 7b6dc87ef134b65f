/* Options: one table an applet, from which come flags, environment, config file keys, help, man page test and completion. */
#ifndef TUXTAPE_OPT_H
#define TUXTAPE_OPT_H

#include "lib/arena.h"
#include "lib/base.h"
#include "lib/buf.h"
#include "lib/toml.h"

enum opt_kind {
	OPT_FLAG,   /* bool; --name, --no-name only where the table has it */
	OPT_COUNT,  /* int that each use raises: -v -v */
	OPT_STRING, /* const char * */
	OPT_PATH,   /* const char *; a leading ~/ from the environment or a config file is the home directory */
	OPT_LIST, /* struct opt_list; may be given more than once; a config file may give a table, whose rows are "KEY=VALUE" */
	OPT_NUMBER, /* uint64_t, decimal, checked against least and most */
	OPT_DURATION, /* uint64_t milliseconds; "6s", "250ms", "2h", "1d", a bare number is seconds; fractions allowed ("0.5s") */
	OPT_DECIMAL, /* double, checked against 0 and most (7.0) */
	OPT_WORD,    /* const char *, one of words */
};

struct opt_list {
	size_t n;
	const char **items;
};

enum opt_source { OPT_FROM_DEFAULT, OPT_FROM_ETC, OPT_FROM_XDG, OPT_FROM_CONFIG, OPT_FROM_ENV, OPT_FROM_FLAG };

struct opt {
	const char *name; /* long name without dashes: "nvd-url" */
	char letter;      /* short name, 0 for none */
	enum opt_kind kind;
	size_t offset;    /* where the value goes in the applet's struct */
	const char *arg;  /* what help calls the value: "FILE"; NULL for flags */
	const char *help; /* one line, lower case, no full stop */
	const char *
		def; /* default as text, NULL for none; of an OPT_PATH "~/" is the home directory, and "~/.cache/", "~/.config/" and "~/.local/share/" are where the XDG variables say */
	const char *const *words; /* OPT_WORD: the choices, NULL at the end */
	uint64_t least, most;     /* OPT_NUMBER, OPT_DURATION (ms), OPT_DECIMAL; most 0: no limit */
	const char *alias;        /* an older long name, accepted and not shown; NULL for none */
	bool flag_only;           /* neither environment nor config file may set it: --help, --json */
	const char *verbs;        /* of the applet's verbs those that it is for: "review show"; NULL: all */
};
#define OPT_END              \
	{                    \
		.name = NULL \
	}

/* The options that every applet has (help, config, quiet and verbose live in its own struct by these offsets). */

/* The option that names a config file is called "config", in tables where that is something else, this. */
#define OPT_CONFIG_FILE "config-file"

struct opt_env {
	struct arena *arena;      /* values live here */
	const char *section;      /* "parse": the config file's table that overrides top-level keys */
	const char *home;         /* $HOME, NULL where unset */
	const char *config;       /* --config FILE (or --config-file): read instead of the two usual files; NULL */
	enum opt_source *sources; /* one for each option of the table, filled by opt_read; NULL when not wanted */
	bool must_read;           /* a file of the system's that this user may not read is ERR_DENIED, and not left out */
	const char *unread;       /* set by opt_read: such a file that was left out; NULL */
	bool (*known)(const char *key); /* whether a key at the top of a config file is anybody's; NULL: not asked */
	struct opt_list unknown;        /* filled by opt_read with those that are nobody's: "PATH:LINE: 'KEY'" */
};

/* Fills `into` from defaults, /etc/tuxtape/tuxtape.toml, $XDG_CONFIG_HOME/tuxtape/tuxtape.toml (or --config), the environment
 * (TUXTAPE_NVD_URL) and argv[1..], the later winning. Options and operands may be mixed; "--" ends options; "--name=value",
 * "--name value", "-nvalue", "-n value" and bundled flags work; an unambiguous prefix is not accepted (scripts would break).
 * A flag_only option with one value is taken once; of a setting the last counts.
 * Operands are left in argv[1..*nargs]. ERR_USAGE with one line that names the option, and the nearest one that exists;
 * ERR_INPUT for a broken config file (path:line). Config keys use '_' or '-' alike; an unknown key of the applet's own table is
 * ERR_INPUT; top-level keys of other applets are fine, and those of none are told in env->unknown. Flags are read even where what comes
 * before them failed, so that one that asks for help is seen. */
int opt_read(const struct opt *table, void *into, int *nargs, char **argv, struct opt_env *env);

/* A time in the largest unit that holds it whole, as opt_read takes it: "6h". */
const char *opt_duration_text(struct arena *a, uint64_t ms);

/* Appends the option part of a help text, aligned, with defaults. */
void opt_help(struct buf *out, const struct opt *table);

/* Appends what an option is for: its verbs, "review, show: ", and its help. */
void opt_purpose(struct buf *out, const struct opt *o);

/* ERR_USAGE for the first option that was given on the command line and is not for this verb. */
int opt_check_verb(const struct opt *table, const enum opt_source *sources, const char *verb);

/* Appends "name = value  # source" for each option that a config file may set, in TOML's syntax. Values that are secret
 * (name ends in -key) are not shown. */
void opt_show(struct buf *out, const struct opt *table, const void *values, const struct opt_env *env);

/* Whether a key of a config file is one of the table's settings. */
bool opt_has_setting(const struct opt *table, const char *key);

/* The environment variable of an option, "TUXTAPE_NVD_URL". */
void opt_env_name(struct buf *out, const struct opt *o);

#endif
