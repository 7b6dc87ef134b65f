/* tuxtape cves: what is open in a kernel, everything known of one CVE, and the raw patch of a fix. Owns the words and columns that
 * people see; the verdicts come from lib/answer.c. */
#include "applets/applet.h"

#include "applets/cves.h"
#include "lib/answer.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/cve.h"
#include "lib/cvss.h"
#include "lib/db_cve.h"
#include "lib/dyad.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/kver.h"
#include "lib/log.h"
#include "lib/str.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct cves_options {
	struct applet_common common;
	const char *db, *kernel, *sort;
	double min_score;
	bool fixed_only, unfixed_only, json;
};

static const char *const sorts[] = { "score", "id", "fix", NULL };

#define O(field) offsetof(struct cves_options, field)
static const struct opt options[] = {
	{ "db", 0, OPT_PATH, O(db), "FILE", "database to read", "~/.cache/tuxtape-server/db.db3", .alias = "db-path" },
	{ "kernel", 'k', OPT_STRING, O(kernel), "VERSION", "kernel to judge for: 6.1.170, 6.12, 7.2-rc4", NULL,
	  .flag_only = true },
	{ "min-score", 0, OPT_DECIMAL, O(min_score), "SCORE", "leave out what is scored lower, or not at all", "0",
	  .most = 10 },
	{ "fixed-only", 0, OPT_FLAG, O(fixed_only), NULL, "only CVEs with a fix on the kernel's own branch",
	  .flag_only = true },
	{ "unfixed-only", 0, OPT_FLAG, O(unfixed_only), NULL, "only CVEs without one", .flag_only = true },
	{ "sort", 0, OPT_WORD, O(sort), "ORDER", "score (highest first), id, or fix (version it is fixed in)", "score",
	  sorts },
	{ "json", 0, OPT_FLAG, O(json), NULL, "print JSON", .flag_only = true },
	APPLET_COMMON(struct cves_options),
	OPT_END,
};
#undef O

/* The list keeps what a line shows, in the order asked for. */
struct line {
	const Cve *cve;
	const Verdict *verdict;
	size_t at; /* place by severity, which decides between equals */
};

static int by_score(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

static int by_id(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	uint64_t kx = cve_key(x->cve->id, strlen(x->cve->id)), ky = cve_key(y->cve->id, strlen(y->cve->id));

	return kx < ky ? -1 : kx > ky;
}

/* Fixed on the branch first, then in mainline, then not at all. */
static int by_fix(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	const Verdict *v = x->verdict, *w = y->verdict;
	int rank_v = v->fixed ? 0 : v->mainline_fixed ? 1 : 2, rank_w = w->fixed ? 0 : w->mainline_fixed ? 1 : 2;
	int d = rank_v - rank_w;

	if (d == 0 && rank_v < 2)
		d = v->fixed ? kver_cmp(v->fixed, w->fixed) : kver_cmp(v->mainline_fixed, w->mainline_fixed);
	return d ? d : by_score(a, b);
}

static int (*order_of(const char *sort))(const void *, const void *)
{
	return strcmp(sort, "id") == 0 ? by_id : strcmp(sort, "fix") == 0 ? by_fix : by_score;
}

const char *cves_fix_word(struct arena *a, const Verdict *v)
{
	char text[KVER_TEXT_MAX];

	if (v->fixed)
		return arena_strdup(a, kver_text(text, v->fixed));
	if (v->mainline_fixed)
		return arena_printf(a, "mainline %s", kver_text(text, v->mainline_fixed));
	return v->verdict == VERDICT_KIND__UNKNOWN ? "unknown" : "none";
}

const char *cves_severity_word(const Cve *cve)
{
	return cve->has_severity ? cvss_severity(cve->cvss_version, cve->severity) : "-";
}

static const char *colour_of(const char *severity)
{
	static const struct {
		const char *severity, *code;
	} colours[] = {
		{ "CRITICAL", "\033[1;31m" }, { "HIGH", "\033[31m" }, { "MEDIUM", "\033[33m" }, { "LOW", "\033[32m" }
	};

	for (size_t i = 0; i < ARRAY_LEN(colours); i++)
		if (strcmp(colours[i].severity, severity) == 0)
			return colours[i].code;
	return "";
}

/* Columns of the terminal, 0 where stdout is none: then lines are whole. */
static size_t terminal_width(void)
{
	struct winsize size;

	if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		return size.ws_col;
	return 0;
}

static void print_line(struct arena *a, struct buf *out, const struct line *l, size_t width, bool colour)
{
	const char *word = cves_severity_word(l->cve);
	char score[16] = "-";
	size_t start = out->len;

	if (l->cve->has_severity)
		snprintf(score, sizeof(score), "%.1f", l->cve->severity);
	buf_printf(out, "%-16s %5s %s%-8s%s %-16s ", l->cve->id, score, colour ? colour_of(word) : "", word,
		   colour && *colour_of(word) ? "\033[0m" : "", cves_fix_word(a, l->verdict));
	/* Titles hold UTF-8 now and then; cut between characters, not within one. */
	if (l->cve->title) {
		struct buf title = { 0 };
		size_t room = width > 50 ? width - 50 : 0, n;
		uint32_t rune;

		str_printable(&title, l->cve->title, strlen(l->cve->title));
		n = title.len;
		if (width && n > room)
			for (n = 0; n < room;) {
				size_t k = str_utf8_next(title.data + n, title.len - n, &rune);
				n += k ? k : 1;
			}
		buf_add(out, title.data, MIN_OF(n, title.len));
		buf_free(&title);
	}
	while (out->len > start && out->data[out->len - 1] == ' ')
		out->len--;
	buf_addc(out, '\n');
}

static void print_table(const struct line *lines, size_t n)
{
	struct arena *a = arena_new(0);
	struct buf out = { 0 };
	size_t width = terminal_width();
	bool colour = log_colour(STDOUT_FILENO);

	if (n)
		printf("%-16s %5s %-8s %-16s %s\n", "CVE", "SCORE", "SEVERITY", "FIXED IN", "TITLE");
	for (size_t i = 0; i < n; i++) {
		arena_reset(a);
		buf_reset(&out);
		print_line(a, &out, &lines[i], width, colour);
		fwrite(out.data, 1, out.len, stdout);
	}
	buf_free(&out);
	arena_free(a);
}

static void print_json(const struct line *lines, size_t n)
{
	struct buf out = { 0 };

	putchar('[');
	for (size_t i = 0; i < n; i++) {
		buf_reset(&out);
		json_print(&out, &lines[i].cve->base, 0);
		printf("%s\n%s", i ? "," : "", out.data);
	}
	puts(n ? "\n]" : "]");
	buf_free(&out);
}

static void print_counts(const AnswerSummary *seen, size_t listed, const struct cves_options *o)
{
	char text[KVER_TEXT_MAX], newest[KVER_TEXT_MAX];

	log_note("%s: %llu CVEs open, %llu of them with a fix on this branch; %llu cannot be told; %zu listed",
		 kver_text(text, seen->version), (unsigned long long)seen->affected, (unsigned long long)seen->fixed,
		 (unsigned long long)seen->unknown, listed);
	if (seen->unscored)
		log_note("%llu more have no score yet and are left out by --min-score %.1f",
			 (unsigned long long)seen->unscored, o->min_score);
	if (!seen->newest)
		log_note("no release of this branch stands in the data: the answer is a guess");
	else if (kver_cmp(seen->version, seen->newest) > 0)
		log_note("%s is newer than all the data knows of this branch (%s): the answer is a guess", text,
			 kver_text(newest, seen->newest));
}

/* The list is drawn whole before it is printed: sorting needs that. */
static int collect(struct db *db, struct arena *a, const struct answer_ask *ask, struct line **lines, size_t *n,
		   AnswerSummary **seen)
{
	struct answer *ans = NULL;
	Cve *cve;
	int err;

	if ((err = answer_open(&ans, db, ask)))
		return err;
	while (!(err = answer_next(ans, &cve)) && cve) {
		struct line *l = arena_grow(a, (void **)lines, n, sizeof(**lines));

		*l = (struct line){ .cve = cve, .verdict = cve->verdicts[0], .at = *n };
	}
	if (!err)
		*seen = pb_copy(a, &answer_summary(ans, 0)->base);
	answer_close(ans);
	return err;
}

/* Takes a version as people write it; what is ignored of it is said. */
static int read_version(const struct cves_options *o, KernelVersion *v)
{
	char text[KVER_TEXT_MAX];
	const char *suffix;
	int err;

	if ((err = kver_parse_user(v, o->kernel, &suffix)))
		return err == ERR_INPUT ? ERR_USAGE : err;
	if (*suffix)
		log_note("'%s' is judged as plain %s: distribution kernels carry backports that nobody here knows of",
			 o->kernel, kver_text(text, v));
	return 0;
}

static int list_cves(struct db *db, struct arena *a, const struct cves_options *o)
{
	struct answer_target target = { 0 };
	struct answer_ask ask = {
		.targets = &target, .n_targets = 1, .min_score = o->min_score, .brief = !o->json, .keep = a
	};
	AnswerSummary *seen = NULL;
	struct line *lines = NULL;
	size_t n = 0;
	int err;

	if (!o->kernel)
		return fail(ERR_USAGE, "say for which kernel: --kernel VERSION (or: cves show CVE-ID, cves patch TITLE)");
	if (o->fixed_only && o->unfixed_only)
		return fail(ERR_USAGE, "--fixed-only and --unfixed-only leave nothing together");
	ask.fix = o->fixed_only ? ANSWER_FIXED : o->unfixed_only ? ANSWER_UNFIXED : ANSWER_ANY;
	if ((err = read_version(o, &target.version)) || (err = collect(db, a, &ask, &lines, &n, &seen)))
		return err;
	if (n)
		qsort(lines, n, sizeof(*lines), order_of(o->sort));
	if (o->json)
		print_json(lines, n);
	else
		print_table(lines, n);
	print_counts(seen, n, o);
	return 0;
}

static int show_cve(struct db *db, struct arena *a, const struct cves_options *o, const char *id)
{
	KernelVersion version;
	Cve *cve;
	int err;

	if (cve_key(id, strlen(id)) == 0)
		return fail(ERR_USAGE, "'%s' is not a CVE id such as CVE-2024-26581", id);
	if ((o->kernel && (err = read_version(o, &version))) || (err = db_begin_read(db)))
		return err;
	err = db_cve_get(db, a, id, &cve);
	db_rollback(db);
	if (err)
		return err;
	if (o->kernel)
		cve_judge(a, cve, &version, PB_ADD(a, cve, verdicts, verdict));
	if (o->json) {
		struct buf out = { 0 };

		json_print(&out, &cve->base, 2);
		puts(out.data);
		buf_free(&out);
	} else {
		cves_print_one(a, cve);
	}
	return 0;
}

/* Raw to a file or a pipe, made printable on a terminal, where escape sequences would act. */
static void print_patch(ProtobufCBinaryData patch)
{
	struct buf shown = { 0 };

	if (!isatty(STDOUT_FILENO)) {
		fwrite(patch.data, 1, patch.len, stdout);
		return;
	}
	str_printable_lines(&shown, (const char *)patch.data, patch.len);
	fwrite(buf_str(&shown), 1, shown.len, stdout);
	buf_free(&shown);
}

static int show_patch(struct db *db, struct arena *a, const struct cves_options *o, const char *title)
{
	static const char *const why[] = {
		[FIX_STATE__FIX_MISSING] =
			"the clone of the kernel does not have that commit; fetch and run `tuxtape parse` again",
		[FIX_STATE__FIX_ROOT] = "that commit has no parent to differ from",
		[FIX_STATE__FIX_MERGE] = "that commit is a merge",
	};
	const char *id, *commit;
	Fix *fix;
	int err;

	/* As with `cves show`: an operand that can be no title is misuse. */
	if ((err = dyad_split_title(a, title, &id, &commit)))
		return err == ERR_INPUT ? ERR_USAGE : err;
	if (strcmp(commit, "nofix") == 0)
		return fail(ERR_NOTFOUND, "%s: there is no fix for this instance", title);
	if ((err = db_fix_get(db, a, id, commit, &fix)))
		return err;
	if (fix->state != FIX_STATE__FIX_STORED)
		return fail(ERR_NOTFOUND, "%s: no patch: %s", title, why[fix->state]);
	if (o->json) {
		struct buf out = { 0 };

		json_print(&out, &fix->base, 2);
		puts(out.data);
		buf_free(&out);
	} else {
		print_patch(fix->patch);
	}
	return 0;
}

static int tell_source(struct db *db, struct arena *a)
{
	const char *commit = NULL, *time = NULL;
	char ago[CLOCK_TEXT] = "";
	int64_t when;
	int err;

	if ((err = db_meta_get(db, a, "based_on_vulns_commit", &commit)) ||
	    (err = db_meta_get(db, a, "based_on_vulns_time", &time)))
		return err;
	if (!commit)
		return fail(ERR_DB, "%s: no run of `tuxtape parse` has filled it yet", db_path(db));
	log_note("database %s, vulns.git %.12s, %s old", db_path(db), commit,
		 time && clock_parse(time, &when) ? clock_ago(ago, when) : "?");
	return 0;
}

static int run_verb(struct arena *a, const struct cves_options *o, int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : NULL;
	bool show = verb && strcmp(verb, "show") == 0, patch = verb && strcmp(verb, "patch") == 0;
	struct db *db = NULL;
	int err;

	if (verb && !show && !patch)
		return fail(ERR_USAGE, "'%s' is not a verb of cves: show or patch, or none to list", verb);
	if (verb && argc != 3)
		return fail(ERR_USAGE, "cves %s takes one %s", verb, show ? "CVE-ID" : "TITLE");
	if (!(err = db_open(&db, o->db, DB_READ, a, NULL)) && !(err = tell_source(db, a)))
		err = show ? show_cve(db, a, o, argv[2]) : patch ? show_patch(db, a, o, argv[2]) : list_cves(db, a, o);
	db_close(db);
	return err;
}

static int cves_main(int argc, char **argv)
{
	struct arena *a = arena_new(0);
	struct cves_options o = { 0 };
	int err = applet_begin(&applet_cves, &o, &argc, argv, a);
	int code;

	if (!err)
		err = run_verb(a, &o, argc, argv);
	code = applet_end(err);
	arena_free(a);
	return code;
}

const struct applet applet_cves = {
	.name = "cves",
	.summary = "the CVEs open in a kernel, one CVE in full, or the raw patch of a fix",
	.synopsis = "--kernel VERSION [OPTION]...\ncves show CVE-ID [--kernel VERSION] [OPTION]...\ncves patch TITLE "
		    "[OPTION]...",
	.options = options,
	.options_size = sizeof(struct cves_options),
	.common = offsetof(struct cves_options, common),
	.run = cves_main,
};
