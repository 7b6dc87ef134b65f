/* Owns the page of one CVE as text: scores in words, pairs in line order, verdict and reason. */
#include "applets/cves.h"

#include "applets/words.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/kver.h"
#include "lib/patch_state.h"
#include "lib/str.h"

#include <stdio.h>

static void add_text(struct buf *out, const char *s)
{
	str_printable(out, s, strlen(s));
}

/* "LABEL: text", the text printable. */
static void add_row(struct buf *out, const char *label, const char *text)
{
	if (!text)
		return;
	buf_printf(out, "%-24s", label);
	add_text(out, text);
	buf_addc(out, '\n');
}

static void add_score(struct buf *out, const Cve *cve)
{
	const struct {
		const char *label, *word;
	} parts[] = {
		{ "  Attack vector", cve->attack_vector },
		{ "  Attack complexity", cve->attack_complexity },
		{ "  Privileges required", cve->privileges_required },
		{ "  User interaction", cve->user_interaction },
		{ "  Scope", cve->scope },
		{ "  Confidentiality", cve->confidentiality_impact },
		{ "  Integrity", cve->integrity_impact },
		{ "  Availability", cve->availability_impact },
	};
	char ago[CLOCK_TEXT];
	int64_t when;

	if (!cve->has_severity) {
		add_row(out, "Severity", "not scored by anybody yet, which does not mean low");
		return;
	}
	buf_printf(out, "%-24s%.1f %s (CVSS %s, by ", "Severity", cve->severity, cves_severity_word(cve), cve->cvss_version);
	add_text(out, cve->score_source ? cve->score_source : "unknown");
	if (cve->score_as_of && clock_parse(cve->score_as_of, &when))
		buf_printf(out, ", %s old", clock_ago(ago, when));
	buf_adds(out, ")\n");
	add_row(out, "  Vector", cve->vector);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		add_row(out, parts[i].label, parts[i].word);
}

static void add_all_scores(struct buf *out, const Cve *cve)
{
	if (cve->n_scores < 2 && !(cve->n_scores == 1 && cve->scores[0]->reasoning))
		return;
	buf_adds(out, "\nAll scores\n");
	for (size_t i = 0; i < cve->n_scores; i++) {
		const Score *s = cve->scores[i];

		buf_printf(out, "  %4.1f  %-4s %-6s ", s->base_score, s->version ? s->version : "?", s->origin);
		add_text(out, s->source ? s->source : "?");
		buf_adds(out, "  ");
		add_text(out, s->vector ? s->vector : "");
		buf_addc(out, '\n');
		if (s->reasoning) {
			struct buf text = { 0 };

			str_printable_lines(&text, s->reasoning, strlen(s->reasoning));
			for (const char *line = buf_str(&text); *line;) {
				size_t n = strcspn(line, "\n");

				buf_printf(out, n ? "        %.*s\n" : "\n", (int)n, line);
				line += n + (line[n] == '\n');
			}
			buf_free(&text);
		}
	}
}

static void add_instances(struct buf *out, const Cve *cve)
{
	char from[KVER_TEXT_MAX], to[KVER_TEXT_MAX];

	buf_adds(out, "\nIntroduced                      Fixed                           Title\n");
	for (size_t i = 0; i < cve->n_instances; i++) {
		const CveInstance *in = cve->instances[i];

		buf_printf(out, "%-14s %-16.12s %-14s %-16.12s %s\n",
			   in->introduced ? kver_text(from, in->introduced) : "always",
			   in->introduced_commit ? in->introduced_commit : "",
			   in->fixed ? kver_text(to, in->fixed) : "no fix", in->fix_commit ? in->fix_commit : "", in->title);
	}
	if (cve->n_instances == 0)
		buf_adds(out, "no valid pair in its dyad: kernels are judged \"unknown\"\n");
}

static void add_files(struct buf *out, const Cve *cve)
{
	if (cve->n_program_files == 0)
		return;
	buf_adds(out, "\nFiles\n");
	for (size_t i = 0; i < cve->n_program_files; i++) {
		buf_adds(out, "  ");
		str_printable(out, (const char *)cve->program_files[i].data, cve->program_files[i].len);
		buf_addc(out, '\n');
	}
}

static void add_verdict(struct arena *a, struct buf *out, const Verdict *v)
{
	char version[KVER_TEXT_MAX];

	buf_printf(out, "%-24s%s: %s\n", "Kernel", kver_text(version, v->version), verdict_word(v->verdict));
	add_row(out, "  Because", v->reason);
	if (v->verdict != VERDICT_KIND__NOT_AFFECTED)
		add_row(out, "  Fixed in", cves_fix_word(a, v));
	if (v->has_livepatch)
		add_row(out, "  Livepatch",
			arena_printf(a, "patch %llu, %s", (unsigned long long)v->livepatch_id,
				     patch_state_word((int)v->livepatch)));
	for (size_t i = 0; i < v->n_titles; i++)
		add_row(out, i ? "" : "  Instances", v->titles[i]);
}

void cves_print_one(struct arena *a, const Cve *cve)
{
	char published[CLOCK_TEXT];
	struct buf out = { 0 };
	int64_t when;

	add_row(&out, "CVE", cve->id);
	add_row(&out, "Title", cve->title);
	if (cve->published && clock_parse(cve->published, &when))
		add_row(&out, "Published", clock_print(published, when));
	for (size_t i = 0; i < cve->n_verdicts; i++)
		add_verdict(a, &out, cve->verdicts[i]);
	add_score(&out, cve);
	if (strcmp(cve->origin, "extra") == 0)
		add_row(&out, "Origin", "a dyad of one's own (--extra)");
	add_instances(&out, cve);
	add_files(&out, cve);
	add_all_scores(&out, cve);
	if (cve->description) {
		buf_addc(&out, '\n');
		str_printable_lines(&out, cve->description, strlen(cve->description));
		buf_addc(&out, '\n');
	}
	fwrite(out.data, 1, out.len, stdout);
	buf_free(&out);
}
