/* tuxtape parse: sync repositories -> dyads -> scores -> database. Owns the order of things and the one connection that writes.
 * Refuses to run twice at once on one database. */
#include "applets/parse.h"

#include "applets/kernel_clone.h"
#include "applets/parse_run.h"
#include "lib/clock.h"
#include "lib/db_cve.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const sides[] = { "nvd", "cna", NULL };

#define O(field) offsetof(struct parse_options, field)
static const struct opt options[] = {
	{ "db", 0, OPT_PATH, O(db), "FILE", "database to fill", "~/.cache/tuxtape-server/db.db3", .alias = "db-path" },
	{ "vulns-repo", 0, OPT_PATH, O(vulns_repo), "DIR", "clone of vulns.git", "~/.cache/tuxtape-server/git/vulns" },
	{ "linux-repo", 0, OPT_PATH, O(linux_repo), "DIR", "clone of the stable kernel",
	  "~/.cache/tuxtape-server/git/linux" },
	{ "vulns-url", 0, OPT_STRING, O(vulns_url), "URL", "where vulns.git is fetched from",
	  "https://git.kernel.org/pub/scm/linux/security/vulns.git" },
	{ "linux-url", 0, OPT_STRING, O(linux_url), "URL", "where the stable kernel is fetched from",
	  "https://git.kernel.org/pub/scm/linux/kernel/git/stable/linux.git" },
	{ "ca-file", 0, OPT_PATH, O(ca_file), "FILE", "certificates to trust, for git and HTTP (PEM)", NULL },
	{ "fetch-timeout", 0, OPT_DURATION, O(fetch_timeout), "TIME", "give an origin up that is silent for so long", "5m",
	  .least = 1 },
	{ "nvd-url", 0, OPT_STRING, O(nvd_url), "URL", "NVD's API", "https://services.nvd.nist.gov/rest/json/cves/2.0" },
	{ "nvd-key-file", 0, OPT_PATH, O(nvd_key_file), "FILE",
	  "file of mode 0600 with the API key; else NVD_API_KEY is used", NULL },
	{ "nvd-pause", 0, OPT_DURATION, O(nvd_pause), "TIME", "least time between two requests to NVD", "6s" },
	{ "nvd-timeout", 0, OPT_DURATION, O(nvd_timeout), "TIME", "time that NVD has for an answer", "150s", .least = 1 },
	{ "nvd-tries", 0, OPT_NUMBER, O(nvd_tries), "N", "tries for each request to NVD", "4", .least = 1, .most = 100 },
	{ "nvd-backoff", 0, OPT_DURATION, O(nvd_backoff), "TIME", "wait before the second try; doubles", "10s" },
	{ "nvd-fresh", 0, OPT_DURATION, O(nvd_fresh), "TIME", "do not ask NVD again so soon after a complete sync", "2h" },
	{ "nvd-page", 0, OPT_NUMBER, O(nvd_page), "N", "records to ask NVD for at once", "2000", .least = 1, .most = 2000 },
	{ "extra", 0, OPT_PATH, O(extra), "DIR", "dyads of one's own, which win over vulns.git", NULL },
	{ "prefer-score", 0, OPT_WORD, O(prefer_score), "WHO", "whose score is shown: nvd or cna", "nvd", sides },
	{ "no-fetch", 0, OPT_FLAG, O(no_fetch), NULL, "read the repositories as they are (HEAD)" },
	{ "no-nvd", 0, OPT_FLAG, O(no_nvd), NULL, "do not ask NVD" },
	{ "jobs", 'j', OPT_NUMBER, O(jobs), "N", "worker processes; 0: one a core", "0", .most = 256 },
	{ "batch", 0, OPT_NUMBER, O(batch), "N", "records read and stored at once", "64", .least = 1, .most = 4096 },
	{ "full", 0, OPT_FLAG, O(full), NULL, "read everything anew", .flag_only = true },
	{ "dry-run", 'n', OPT_FLAG, O(dry_run), NULL, "say what there is to do and do nothing; fetches nothing",
	  .flag_only = true },
	{ "json", 0, OPT_FLAG, O(json), NULL, "print the summary as JSON", .flag_only = true },
	APPLET_COMMON(struct parse_options),
	OPT_END,
};
#undef O

/* The key comes from a file that nobody else can read, or from the environment; never from the command line. */
static int read_key(struct arena *a, const struct parse_options *o, const char **header)
{
	const char *key = getenv("NVD_API_KEY");
	struct buf text = { 0 };
	struct stat st;
	size_t n;
	int err = 0;

	*header = NULL;
	if (o->nvd_key_file) {
		if (stat(o->nvd_key_file, &st) == 0 && (st.st_mode & 077))
			return fail(ERR_INPUT, "%s: others can read it: chmod 600 %s", o->nvd_key_file, o->nvd_key_file);
		if ((err = buf_read_file(&text, o->nvd_key_file, 4096)))
			goto out;
		key = buf_str(&text);
	}
	if (!key || !*key)
		goto out;
	n = strcspn(key, " \t\r\n");
	if (n == 0 || key[n + strspn(key + n, " \t\r\n")] != '\0')
		err = fail(ERR_INPUT, "%s: not one line with a key", o->nvd_key_file ? o->nvd_key_file : "NVD_API_KEY");
	else
		*header = arena_printf(a, "apiKey: %.*s", (int)n, key);
out:
	buf_free(&text);
	return err;
}

static void print_summary(const struct parse_run *run)
{
	const ParseSummary *s = &run->sum;
	char ago[CLOCK_TEXT];
	int64_t when;

	if (run->opts->json) {
		struct buf out = { 0 };

		json_print(&out, &s->base, 2);
		printf("%s\n", out.data);
		buf_free(&out);
	}
	log_note("%llu new, %llu changed, %llu withdrawn, %llu of one's own; %llu patches made, %llu commits missing, %llu "
		 "scores",
		 (unsigned long long)s->new_, (unsigned long long)s->changed, (unsigned long long)s->withdrawn,
		 (unsigned long long)s->extra, (unsigned long long)s->patches, (unsigned long long)s->missing,
		 (unsigned long long)s->scores);
	log_note("%llu CVEs with %llu instances stored in %.1f s; vulns.git %.12s, %s old", (unsigned long long)s->cves,
		 (unsigned long long)s->instances, s->seconds, s->vulns_commit ? s->vulns_commit : "never read",
		 s->vulns_time && clock_parse(s->vulns_time, &when) ? clock_ago(ago, when) : "of unknown age");
	if (s->nvd_newest && clock_parse(s->nvd_newest, &when))
		log_note("NVD's newest change is %s old; this product uses data from the NVD API but is not endorsed or "
			 "certified by the NVD",
			 clock_ago(ago, when));
}

static int with_lock(struct parse_run *run, struct pool_how *how)
{
	int lock = -1;
	int err;

	if (!run->opts->dry_run && (err = db_lock(run->opts->db, &lock)))
		goto out;
	/* The workers come first: nothing of the database may be open when they are forked. */
	if (!(err = pool_new(&run->pool, how)))
		err = parse_everything(run);
	pool_free(run->pool);
	db_close(run->db);
out:
	if (lock >= 0)
		close(lock);
	return err;
}

static int parse_main(int argc, char **argv)
{
	struct arena *a = arena_new(0);
	struct parse_options o = { 0 };
	struct parse_setting setting = { .opts = &o };
	struct pool_how how = { .methods = parse_methods, .n_methods = PARSE_METHODS, .ctx = &setting };
	struct parse_run run = {
		.opts = &o, .setting = &setting, .arena = a, .batch = arena_new(0), .started_ms = now_ms()
	};
	int err = applet_begin(&applet_parse, &o, &argc, argv, a);
	int code;

	if (!err && argc > 1)
		err = fail(ERR_USAGE, "operand '%s' is not understood; see tuxtape parse --help", argv[1]);
	if (!err && !(err = read_key(a, &o, &setting.nvd_header))) {
		parse_summary__init(&run.sum);
		run.jobs = o.jobs ? (unsigned)o.jobs : (unsigned)MAX_OF(sysconf(_SC_NPROCESSORS_ONLN), 1L);
		/* One worker more than asked for: NVD is waited for beside the work. */
		how.workers = run.jobs + 1;
		setting.vulns_repo = o.vulns_repo;
		setting.linux_repo = kernel_clone_find(a, o.linux_repo, &run.kernel_lent);
		if (!(err = with_lock(&run, &how)) && !o.dry_run)
			print_summary(&run);
	}
	code = applet_end(err);
	if (code == EXIT_DONE && run.degraded)
		code = EXIT_DEGRADED;
	arena_free(run.batch);
	arena_free(a);
	return code;
}

static const char *const aliases[] = { "tuxtape-cve-parser", NULL };

const struct applet applet_parse = {
	.name = "parse",
	.aliases = aliases,
	.summary = "mirror vulns.git, the stable kernel and NVD into the database",
	.synopsis = "[OPTION]...",
	.options = options,
	.options_size = sizeof(struct parse_options),
	.common = offsetof(struct parse_options, common),
	.serves = true,
	.run = parse_main,
};
