/* Owns the list of CVEs: reading it from a database or a server, its order and its columns. */
#include "applets/cves.h"

#include "lib/answer.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/cvss.h"
#include "lib/dyad.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/kver.h"
#include "lib/log.h"
#include "lib/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

const char *const cves_sorts[] = { "score", "id", "fix", "date", NULL };

/* The list keeps what a line shows, in the order asked for. */
struct line {
	const Cve *cve;
	const Verdict *verdict;
	size_t at;         /* place by severity, which decides between equals */
	int64_t published; /* seconds since 1970; INT64_MIN: not known */
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

/* The newest first; those whose time is not known last. */
static int by_date(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	if (x->published != y->published)
		return x->published > y->published ? -1 : 1;
	return by_score(a, b);
}

static int (*order_of(const char *sort))(const void *, const void *)
{
	static int (*const orders[])(const void *, const void *) = { by_score, by_id, by_fix, by_date };

	for (size_t i = 0; cves_sorts[i]; i++)
		if (strcmp(cves_sorts[i], sort) == 0)
			return orders[i];
	return by_score;
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

/* How lines are laid out. */
struct look {
	size_t width; /* columns; 0: lines are whole */
	bool colour, dates;
};

#define DATE_COLUMNS 11

/* Titles hold UTF-8 now and then; cut between characters, not within one. */
static void add_title(struct buf *out, const char *text, size_t room)
{
	struct buf title = { 0 };
	uint32_t rune;
	size_t n;

	str_printable(&title, text, strlen(text));
	n = title.len;
	if (n > room)
		for (n = 0; n < room;) {
			size_t k = str_utf8_next(title.data + n, title.len - n, &rune);
			n += k ? k : 1;
		}
	buf_add(out, title.data, MIN_OF(n, title.len));
	buf_free(&title);
}

static void print_line(struct arena *a, struct buf *out, const struct line *l, const struct look *look)
{
	const char *word = cves_severity_word(l->cve), *colour = look->colour ? colour_of(word) : "";
	char score[16] = "-", date[CLOCK_TEXT] = "-";
	size_t start = out->len, taken = look->dates ? 50 + DATE_COLUMNS : 50;

	if (l->cve->has_severity)
		snprintf(score, sizeof(score), "%.1f", l->cve->severity);
	if (l->published != INT64_MIN)
		clock_print(date, l->published);
	buf_printf(out, "%-16s %5s %s%-8s%s %-16s ", l->cve->id, score, colour, word, *colour ? "\033[0m" : "",
		   cves_fix_word(a, l->verdict));
	if (look->dates)
		buf_printf(out, "%-10.10s ", date);
	if (l->cve->title)
		add_title(out, l->cve->title, look->width == 0 ? SIZE_MAX : look->width > taken ? look->width - taken : 0);
	while (out->len > start && out->data[out->len - 1] == ' ')
		out->len--;
	buf_addc(out, '\n');
}

/* Dates are shown where they give the order. */
static void print_table(const struct line *lines, size_t n, bool dates)
{
	struct look look = { .width = terminal_width(), .colour = log_colour(STDOUT_FILENO), .dates = dates };
	struct arena *a = arena_new(0);
	struct buf out = { 0 };

	if (n)
		printf("%-16s %5s %-8s %-16s %s%s\n", "CVE", "SCORE", "SEVERITY", "FIXED IN", dates ? "PUBLISHED  " : "",
		       "TITLE");
	for (size_t i = 0; i < n; i++) {
		arena_reset(a);
		buf_reset(&out);
		print_line(a, &out, &lines[i], &look);
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

/* What is open; version is that which was judged. */
static void print_verdicts(const AnswerSummary *seen, const char *version, size_t listed)
{
	if (seen->config)
		log_note("config %s: %llu CVEs of %s are in files that it does not compile", seen->config,
			 (unsigned long long)seen->not_compiled, version);
	log_note("%s: %llu CVEs open, %llu of them with a fix on this branch; %llu cannot be told; %zu listed",
		 seen->config ? seen->config : version, (unsigned long long)seen->affected, (unsigned long long)seen->fixed,
		 (unsigned long long)seen->unknown, listed);
}

static void print_counts(const AnswerSummary *seen, size_t listed, const struct cves_options *o)
{
	char text[KVER_TEXT_MAX], newest[KVER_TEXT_MAX];

	kver_text(text, seen->version);
	if (seen->has_built && !seen->built)
		log_note("%s: not built yet, so that of %s %llu CVEs cannot be told, %llu of them with a fix on this "
			 "branch; %zu "
			 "listed",
			 seen->config, text, (unsigned long long)seen->unknown, (unsigned long long)seen->fixed, listed);
	else
		print_verdicts(seen, text, listed);
	if (seen->unscored)
		log_note("%llu more have no score yet and are left out by --min-score %.1f",
			 (unsigned long long)seen->unscored, o->min_score);
	if (!seen->newest)
		log_note("no release of this branch stands in the data: the answer is a guess");
	else if (kver_cmp(seen->version, seen->newest) > 0)
		log_note("%s is newer than all the data knows of this branch (%s): the answer is a guess", text,
			 kver_text(newest, seen->newest));
}

/* --count: the numbers alone, a line each kernel. */
static void print_count_line(const AnswerSummary *seen, bool json)
{
	char text[KVER_TEXT_MAX];

	if (json)
		applet_print_json(&seen->base);
	else
		printf("%s: %llu affected / %llu not compiled / %llu unknown\n",
		       seen->config ? seen->config : kver_text(text, seen->version), (unsigned long long)seen->affected,
		       (unsigned long long)seen->not_compiled, (unsigned long long)seen->unknown);
}

/* The list is drawn whole before it is printed: sorting needs that. */
struct list {
	struct line *lines;
	size_t n;
	FetchCvesEnd *end;
};

/* A line shows the first kernel that the CVE is listed for. */
static void add_line(struct arena *a, struct list *l, const Cve *cve)
{
	struct line *line = arena_grow(a, (void **)&l->lines, &l->n, sizeof(*l->lines));

	*line = (struct line){ .cve = cve, .verdict = cve->n_verdicts ? cve->verdicts[0] : NULL, .at = l->n };
	if (!cve->published || !clock_parse(cve->published, &line->published))
		line->published = INT64_MIN;
	for (size_t i = cve->n_verdicts; i-- > 0;)
		if (cve->verdicts[i]->verdict == VERDICT_KIND__AFFECTED ||
		    cve->verdicts[i]->verdict == VERDICT_KIND__UNKNOWN)
			line->verdict = cve->verdicts[i];
}

static int collect_from_db(struct db *db, struct arena *a, const FetchCvesRequest *r, struct list *l)
{
	struct answer *ans = NULL;
	struct answer_ask ask;
	Cve *cve;
	int err;

	if ((err = answer_request(db, a, r, &ask)))
		return err;
	ask.keep = a;
	if ((err = answer_open(&ans, db, &ask)))
		return err;
	while (!(err = answer_next(ans, &cve)) && cve)
		add_line(a, l, cve);
	l->end = pb_new(a, &fetch_cves_end__descriptor);
	for (size_t i = 0; i < ask.n_targets; i++)
		PB_ADD_MSG(a, l->end, summaries, pb_copy(a, &answer_summary(ans, i)->base));
	answer_close(ans);
	return err;
}

static int collect_from_server(struct source *s, struct arena *a, const FetchCvesRequest *r, struct list *l)
{
	enum rpc_news news = RPC_NOTHING;
	void *message;
	int err = rpc_start(s->rpc, RPC_FETCH_CVES, &r->base);

	while (!err && news != RPC_END) {
		if ((err = rpc_next(s->rpc, a, s->timeout_ms, &news, &message)))
			break;
		if (news == RPC_NOTHING)
			err = fail(ERR_NET, "no answer within %d ms", s->timeout_ms);
		else if (news == RPC_RECORD)
			add_line(a, l, message);
		else
			l->end = message;
	}
	return err;
}

int cves_list(struct source *s, struct arena *a, const struct cves_options *o, const FetchCvesRequest *r)
{
	struct list l = { 0 };
	int err = s->rpc ? collect_from_server(s, a, r, &l) : collect_from_db(s->db, a, r, &l);

	if (err)
		return err;
	if (l.n)
		qsort(l.lines, l.n, sizeof(*l.lines), order_of(o->sort));
	if (o->count)
		for (size_t i = 0; i < l.end->n_summaries; i++)
			print_count_line(l.end->summaries[i], o->json);
	else if (o->json)
		print_json(l.lines, l.n);
	else
		print_table(l.lines, l.n, strcmp(o->sort, "date") == 0);
	for (size_t i = 0; i < l.end->n_summaries; i++)
		print_counts(l.end->summaries[i], l.n, o);
	return 0;
}
