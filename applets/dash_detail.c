/* Owns the text of one CVE in the dashboard: verdicts with their reasons first, then the score in words, files and description. */
#include "applets/dash_pages.h"

#include "applets/cves.h"
#include "applets/words.h"
#include "lib/cvss.h"
#include "lib/kver.h"
#include "lib/patch_state.h"

#include <math.h>

static unsigned verdict_style(VerdictKind v)
{
	return v == VERDICT_KIND__AFFECTED ? ST_HIGH : v == VERDICT_KIND__UNKNOWN ? ST_WARNING : ST_GOOD;
}

static void add_verdict(const Verdict *v, struct dash_text *out)
{
	char version[KVER_TEXT_MAX];

	kver_text(version, v->version);
	dash_text_field(out, v->config ? v->config : version, verdict_style(v->verdict), "%s", verdict_word(v->verdict));
	if (v->reason)
		dash_text_add(out, ST_PLAIN, "  %s", v->reason);
	if (v->has_livepatch)
		dash_text_add(out, v->livepatch == PATCH_STATE__APPROVED ? ST_GOOD : ST_WARNING,
			      "  livepatch: patch %llu, %s", (unsigned long long)v->livepatch_id,
			      patch_state_word((int)v->livepatch));
}

/* What a metric's word means, for those who do not know CVSS by heart. */
static const char *meaning(const char *label, const char *word)
{
	static const struct {
		const char *label, *word, *text;
	} meanings[] = {
		{ "Attack vector", "NETWORK", "from anywhere" },
		{ "Attack vector", "ADJACENT_NETWORK", "from the same network" },
		{ "Attack vector", "LOCAL", "by somebody on the machine" },
		{ "Attack vector", "PHYSICAL", "by touching the machine" },
		{ "Attack complexity", "LOW", "works every time" },
		{ "Attack complexity", "HIGH", "takes luck or preparation" },
		{ "Privileges required", "NONE", "no account is needed" },
		{ "Privileges required", "LOW", "a user's account" },
		{ "Privileges required", "HIGH", "an administrator's account" },
		{ "User interaction", "NONE", "nobody needs to help" },
		{ "User interaction", "REQUIRED", "somebody must be led to do something" },
		{ "Scope", "UNCHANGED", "harms what is attacked" },
		{ "Scope", "CHANGED", "harms more than what is attacked" },
	};

	for (size_t i = 0; i < ARRAY_LEN(meanings); i++)
		if (strcmp(meanings[i].label, label) == 0 && strcmp(meanings[i].word, word) == 0)
			return meanings[i].text;
	return NULL;
}

static void add_metrics(const Cve *cve, struct dash_text *out)
{
	const struct {
		const char *label, *word;
	} parts[] = {
		{ "Attack vector", cve->attack_vector },
		{ "Attack complexity", cve->attack_complexity },
		{ "Privileges required", cve->privileges_required },
		{ "User interaction", cve->user_interaction },
		{ "Scope", cve->scope },
		{ "Confidentiality impact", cve->confidentiality_impact },
		{ "Integrity impact", cve->integrity_impact },
		{ "Availability impact", cve->availability_impact },
	};

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		const char *text = parts[i].word ? meaning(parts[i].label, parts[i].word) : NULL;

		if (parts[i].word)
			dash_text_field(out, parts[i].label, ST_PLAIN, "%s%s%s%s", parts[i].word, text ? " (" : "",
					text ? text : "", text ? ")" : "");
	}
}

static void add_score(const Cve *cve, struct dash_text *out)
{
	if (cve->has_severity)
		dash_text_field(out, "Score", dash_score_style((int)lround(cve->severity * 10)), "%.1f %s", cve->severity,
				cvss_severity(cve->cvss_version, cve->severity));
	else
		dash_text_field(out, "Score", ST_WARNING, "nobody has scored it yet, which does not mean low");
}

static void add_how_scored(const struct dash_data *data, const Cve *cve, struct dash_text *out)
{
	char age[DASH_AGE];

	if (!cve->has_severity)
		return;
	dash_text_field(out, "Scored by", ST_PLAIN, "%s%s%s%s", cve->score_source ? cve->score_source : "?",
			cve->score_as_of ? ", " : "", cve->score_as_of ? dash_age(data, age, cve->score_as_of) : "",
			cve->score_as_of ? " ago" : "");
	if (cve->vector)
		dash_text_field(out, "Vector", ST_PLAIN, "%s%s", strncmp(cve->vector, "CVSS:", 5) == 0 ? "" : "CVSS 2.0 ",
				cve->vector);
	add_metrics(cve, out);
}

static void add_other_scores(const Cve *cve, struct dash_text *out)
{
	if (cve->n_scores < 2 && !(cve->n_scores == 1 && cve->scores[0]->reasoning))
		return;
	dash_text_add(out, ST_HEADER, "\nAll scores");
	for (size_t i = 0; i < cve->n_scores; i++) {
		const Score *s = cve->scores[i];

		dash_text_add(out, ST_PLAIN, "%.1f  CVSS %s by %s (%s) %s", s->base_score, s->version ? s->version : "?",
			      s->source ? s->source : "?", s->origin ? s->origin : "?", s->vector ? s->vector : "");
		if (s->reasoning)
			dash_text_lines(out, ST_DIM, s->reasoning, strlen(s->reasoning));
	}
}

void dash_cve_text(const struct dash_data *data, const Cve *cve, const char *subject, struct dash_text *out)
{
	dash_text_add(out, ST_HEADER, "%s", cve->id);
	if (cve->title)
		dash_text_add(out, ST_PLAIN, "%s", cve->title);
	add_score(cve, out);
	for (size_t i = 0; i < cve->n_verdicts; i++)
		add_verdict(cve->verdicts[i], out);
	add_how_scored(data, cve, out);
	if (cve->published)
		dash_text_field(out, "Published", ST_PLAIN, "%.10s", cve->published);
	if (subject)
		dash_text_field(out, "Fix commit", ST_PLAIN, "%s", subject);
	if (cve->origin && strcmp(cve->origin, "extra") == 0)
		dash_text_field(out, "Origin", ST_PLAIN, "a record of one's own (--extra)");
	if (cve->n_program_files)
		dash_text_add(out, ST_HEADER, "\nFiles");
	for (size_t i = 0; i < cve->n_program_files; i++)
		dash_text_add(out, ST_PLAIN, "  %.*s", (int)cve->program_files[i].len,
			      (const char *)cve->program_files[i].data);
	if (cve->description) {
		dash_text_add(out, ST_HEADER, "\nDescription");
		dash_text_lines(out, ST_PLAIN, cve->description, strlen(cve->description));
	}
	add_other_scores(cve, out);
}
