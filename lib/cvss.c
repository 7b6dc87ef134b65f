/* Owns CVSS: the grammar of vectors from 2.0 to 4.0, the base scores of 3.0 and 3.1, and which of several scores is shown.
 * Refuses vectors with a metric unknown, doubled or missing; computes no scores of 2.0 and 4.0. */
#include "lib/cvss.h"

#include "lib/err.h"

#include <math.h>

#define BASE_MAX 11
#define NO_PART SIZE_MAX
#define QUOTE_MAX 120

/* A base metric: its letters, and for each the word that a Cve shows and the weight in a score of version 3. */
struct metric {
	const char *key, *letters;
	const char *const *words;
	const double *weights;
	size_t part; /* where the word goes in a Cve, or NO_PART */
};

/* A version's grammar: every base metric stands once, the others at most once. */
struct grammar {
	const char *version, *prefix;
	const struct metric *base;
	size_t n_base;
	const char *const *others; /* keys of temporal, environmental and further metrics; ends with NULL */
};

static const char *const vectors[] = { "NETWORK", "ADJACENT_NETWORK", "LOCAL", "PHYSICAL" };
static const char *const low_high[] = { "LOW", "HIGH" };
static const char *const low_medium_high[] = { "LOW", "MEDIUM", "HIGH" };
static const char *const none_low_high[] = { "NONE", "LOW", "HIGH" };
static const char *const none_required[] = { "NONE", "REQUIRED" };
static const char *const none_passive_active[] = { "NONE", "PASSIVE", "ACTIVE" };
static const char *const none_present[] = { "NONE", "PRESENT" };
static const char *const none_single_multiple[] = { "NONE", "SINGLE", "MULTIPLE" };
static const char *const none_partial_complete[] = { "NONE", "PARTIAL", "COMPLETE" };
static const char *const scopes[] = { "UNCHANGED", "CHANGED" };

static const double vector_weights[] = { 0.85, 0.62, 0.55, 0.2 };
static const double complexity_weights[] = { 0.77, 0.44 };
static const double privilege_weights[] = { 0.85, 0.62, 0.27 };
static const double privilege_weights_changed[] = { 0.85, 0.68, 0.5 };
static const double interaction_weights[] = { 0.85, 0.62 };
static const double impact_weights[] = { 0, 0.22, 0.56 };

/* Places of the metrics of version 3 in its table; the formulas need them by name. */
enum { V3_AV, V3_AC, V3_PR, V3_UI, V3_S, V3_C, V3_I, V3_A, V3_METRICS };

static const struct metric v3_base[V3_METRICS] = {
	[V3_AV] = { "AV", "NALP", vectors, vector_weights, offsetof(Cve, attack_vector) },
	[V3_AC] = { "AC", "LH", low_high, complexity_weights, offsetof(Cve, attack_complexity) },
	[V3_PR] = { "PR", "NLH", none_low_high, privilege_weights, offsetof(Cve, privileges_required) },
	[V3_UI] = { "UI", "NR", none_required, interaction_weights, offsetof(Cve, user_interaction) },
	[V3_S] = { "S", "UC", scopes, NULL, offsetof(Cve, scope) },
	[V3_C] = { "C", "NLH", none_low_high, impact_weights, offsetof(Cve, confidentiality_impact) },
	[V3_I] = { "I", "NLH", none_low_high, impact_weights, offsetof(Cve, integrity_impact) },
	[V3_A] = { "A", "NLH", none_low_high, impact_weights, offsetof(Cve, availability_impact) },
};

static const struct metric v2_base[] = {
	{ "AV", "NAL", vectors, NULL, offsetof(Cve, attack_vector) },
	{ "AC", "LMH", low_medium_high, NULL, offsetof(Cve, attack_complexity) },
	{ "Au", "NSM", none_single_multiple, NULL, offsetof(Cve, privileges_required) },
	{ "C", "NPC", none_partial_complete, NULL, offsetof(Cve, confidentiality_impact) },
	{ "I", "NPC", none_partial_complete, NULL, offsetof(Cve, integrity_impact) },
	{ "A", "NPC", none_partial_complete, NULL, offsetof(Cve, availability_impact) },
};

static const struct metric v4_base[BASE_MAX] = {
	{ "AV", "NALP", vectors, NULL, offsetof(Cve, attack_vector) },
	{ "AC", "LH", low_high, NULL, offsetof(Cve, attack_complexity) },
	{ "AT", "NP", none_present, NULL, NO_PART },
	{ "PR", "NLH", none_low_high, NULL, offsetof(Cve, privileges_required) },
	{ "UI", "NPA", none_passive_active, NULL, offsetof(Cve, user_interaction) },
	{ "VC", "NLH", none_low_high, NULL, offsetof(Cve, confidentiality_impact) },
	{ "VI", "NLH", none_low_high, NULL, offsetof(Cve, integrity_impact) },
	{ "VA", "NLH", none_low_high, NULL, offsetof(Cve, availability_impact) },
	{ "SC", "NLH", none_low_high, NULL, NO_PART },
	{ "SI", "NLH", none_low_high, NULL, NO_PART },
	{ "SA", "NLH", none_low_high, NULL, NO_PART },
};

static const char *const v2_others[] = { "E", "RL", "RC", "CDP", "TD", "CR", "IR", "AR", NULL };
static const char *const v3_others[] = { "E",   "RL",  "RC", "CR", "IR", "AR", "MAV", "MAC",
					 "MPR", "MUI", "MS", "MC", "MI", "MA", NULL };
static const char *const v4_others[] = { "E",   "CR",  "IR",  "AR",  "MAV", "MAC", "MAT", "MPR", "MUI", "MVC", "MVI",
					 "MVA", "MSC", "MSI", "MSA", "S",   "AU",  "R",   "V",   "RE",  "U",   NULL };

/* Version 2.0 has no prefix, so it comes last. */
static const struct grammar grammars[] = {
	{ "3.1", "CVSS:3.1/", v3_base, ARRAY_LEN(v3_base), v3_others },
	{ "3.0", "CVSS:3.0/", v3_base, ARRAY_LEN(v3_base), v3_others },
	{ "4.0", "CVSS:4.0/", v4_base, ARRAY_LEN(v4_base), v4_others },
	{ "2.0", "", v2_base, ARRAY_LEN(v2_base), v2_others },
};

/* What a vector says: for each base metric the place of its letter. */
struct reading {
	const struct grammar *grammar;
	size_t choice[BASE_MAX];
	uint32_t base_seen, others_seen; /* a bit for each metric */
};

static const struct grammar *grammar_of(const char *vector)
{
	size_t i = 0;

	while (strncmp(vector, grammars[i].prefix, strlen(grammars[i].prefix)) != 0)
		i++;
	return &grammars[i];
}

static bool is_key(const char *key, const char *s, size_t n)
{
	return strlen(key) == n && memcmp(key, s, n) == 0;
}

/* Marks a metric as seen; false when it was already. */
static bool see(uint32_t *seen, size_t i)
{
	uint32_t bit = (uint32_t)1 << i;
	bool first = !(*seen & bit);

	*seen |= bit;
	return first;
}

/* Reads one KEY:VALUE of n bytes. */
static bool read_metric(struct reading *r, const char *s, size_t n)
{
	const char *colon = memchr(s, ':', n);
	size_t key = colon ? (size_t)(colon - s) : n, value = n - key;

	/* value counts the colon, too. */
	if (value < 2)
		return false;
	for (size_t i = 0; i < r->grammar->n_base; i++) {
		const char *letters = r->grammar->base[i].letters, *letter;

		if (!is_key(r->grammar->base[i].key, s, key))
			continue;
		letter = value == 2 ? strchr(letters, colon[1]) : NULL;
		if (!letter)
			return false;
		r->choice[i] = (size_t)(letter - letters);
		return see(&r->base_seen, i);
	}
	for (size_t i = 0; r->grammar->others[i]; i++)
		if (is_key(r->grammar->others[i], s, key))
			return see(&r->others_seen, i);
	return false;
}

static int read_vector(struct reading *r, const char *vector)
{
	const char *at;

	*r = (struct reading){ .grammar = grammar_of(vector) };
	at = vector + strlen(r->grammar->prefix);
	for (;;) {
		size_t n = strcspn(at, "/");

		if (!read_metric(r, at, n))
			return fail(ERR_INPUT, "\"%.*s\" is no CVSS %s vector: \"%.*s\" is unknown or stands twice",
				    QUOTE_MAX, vector, r->grammar->version, (int)MIN_OF(n, (size_t)QUOTE_MAX), at);
		if (!at[n])
			break;
		at += n + 1;
	}
	for (size_t i = 0; i < r->grammar->n_base; i++)
		if (!(r->base_seen >> i & 1))
			return fail(ERR_INPUT, "\"%.*s\" is no CVSS %s vector: %s is missing", QUOTE_MAX, vector,
				    r->grammar->version, r->grammar->base[i].key);
	return 0;
}

const char *cvss_version(const char *vector)
{
	const struct grammar *g = grammar_of(vector);
	struct reading r;

	/* A prefix tells the version whatever stands behind it; without one only the metrics can. */
	if (!*g->prefix && read_vector(&r, vector))
		return NULL;
	return g->version;
}

/* Appendix A of the 3.1 specification: the arithmetic is done on whole numbers, since a double may lie a hair above a tenth. */
static double round_up_31(double x)
{
	long n = lround(x * 100000);

	return (double)(n % 10000 == 0 ? n / 10000 : n / 10000 + 1) / 10.0;
}

static double round_up_30(double x)
{
	return ceil(x * 10) / 10;
}

static double weight(const struct reading *r, size_t i)
{
	return r->grammar->base[i].weights[r->choice[i]];
}

static double base_score(const struct reading *r)
{
	bool changed = r->choice[V3_S] == 1;
	double privileges = changed ? privilege_weights_changed[r->choice[V3_PR]] : weight(r, V3_PR);
	double lost = 1 - (1 - weight(r, V3_C)) * (1 - weight(r, V3_I)) * (1 - weight(r, V3_A));
	double impact = changed ? 7.52 * (lost - 0.029) - 3.25 * pow(lost - 0.02, 15) : 6.42 * lost;
	double exploitability = 8.22 * weight(r, V3_AV) * weight(r, V3_AC) * privileges * weight(r, V3_UI);
	double sum = fmin((changed ? 1.08 : 1) * (impact + exploitability), 10);

	if (impact <= 0)
		return 0;
	return strcmp(r->grammar->version, "3.0") == 0 ? round_up_30(sum) : round_up_31(sum);
}

int cvss_base_score(const char *vector, double *score)
{
	struct reading r;
	int err;

	if (grammar_of(vector)->base != v3_base)
		return fail(ERR_INPUT, "\"%.*s\" is no CVSS 3 vector", QUOTE_MAX, vector);
	err = read_vector(&r, vector);
	if (!err)
		*score = base_score(&r);
	return err;
}

const char *cvss_severity(const char *version, double score)
{
	bool v2 = version && strcmp(version, "2.0") == 0;

	if (score >= 9 && !v2)
		return "CRITICAL";
	if (score >= 7)
		return "HIGH";
	if (score >= 4)
		return "MEDIUM";
	return score > 0 || v2 ? "LOW" : "NONE";
}

static void set_part(Cve *cve, size_t part, const char *word)
{
	if (part != NO_PART)
		*(const char **)((char *)cve + part) = word;
}

void cvss_parts(struct arena *a UNUSED, const char *vector, Cve *cve)
{
	struct reading r;

	/* The table of version 3 knows every part that any version has. */
	for (size_t i = 0; i < ARRAY_LEN(v3_base); i++)
		set_part(cve, v3_base[i].part, NULL);
	if (!vector || read_vector(&r, vector))
		return;
	for (size_t i = 0; i < r.grammar->n_base; i++)
		set_part(cve, r.grammar->base[i].part, r.grammar->base[i].words[r.choice[i]]);
}

/* The kernel CNA as its own records and as NVD name it. */
static const char *const kernel_cna[] = { "f4215fc3-5b6b-47ff-a258-f7189bd81038", "416baaa9-dc9f-4396-8d5f-8c081fb06d67" };

/* Place of s in a list, the length of the list when it is absent. */
static unsigned place_in(const char *const *list, size_t n, const char *s)
{
	size_t i = 0;

	while (i < n && (!s || strcmp(list[i], s) != 0))
		i++;
	return (unsigned)i;
}

static bool can_be_shown(const Score *s)
{
	return s->has_base_score && s->base_score >= 0 && s->base_score <= 10 && s->version;
}

/* What comes first has the lower number; equal numbers keep the listed order. */
static unsigned rank_of(const Score *s, const char *prefer)
{
	static const char *const versions[] = { "3.1", "3.0", "4.0", "2.0" };
	static const char *const origins[] = { "extra", "vulns", "nvd" };
	bool nvd = s->source && strcmp(s->source, "nvd@nist.gov") == 0;
	bool second_side = nvd == (strcmp(prefer, "cna") == 0);
	bool secondary = s->type && strcmp(s->type, "Secondary") == 0;
	bool other_cna = place_in(kernel_cna, ARRAY_LEN(kernel_cna), s->source) == ARRAY_LEN(kernel_cna);
	unsigned rank = second_side;

	rank = rank * 8 + place_in(versions, ARRAY_LEN(versions), s->version);
	rank = rank * 2 + secondary;
	rank = rank * 2 + other_cna;
	return rank * 4 + place_in(origins, ARRAY_LEN(origins), s->origin);
}

void cvss_choose(struct arena *a, const char *prefer, Cve *cve)
{
	static const Score nothing = SCORE__INIT;
	const Score *best = NULL;

	for (size_t i = 0; i < cve->n_scores; i++)
		if (can_be_shown(cve->scores[i]) && (!best || rank_of(cve->scores[i], prefer) < rank_of(best, prefer)))
			best = cve->scores[i];
	best = best ? best : &nothing;
	cve->has_severity = best->has_base_score;
	cve->severity = best->base_score;
	cve->vector = best->vector;
	cve->cvss_version = best->version;
	cve->score_source = best->source;
	cve->score_as_of = best->as_of;
	cvss_parts(a, best->vector, cve);
}
