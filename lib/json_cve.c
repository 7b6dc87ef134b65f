/* Owns the two texts beside a dyad: the CVE 5.1 record and the .cvss file. Refuses a record of another CVE, and a score
 * whose vector does not parse; never reads version ranges, which the dyad says better. */
#include "lib/json.h"

#include "lib/err.h"
#include "lib/json_load.h"
#include "lib/str.h"

#include <jansson.h>

#define CNA "containers.cna"
#define UUID_LENGTH 36
#define SOURCE_MOST 128

static struct json_in begin(struct arena *a, const char *where, const ReadResult *said)
{
	return (struct json_in){
		.arena = a, .where = where, .n_complaints = said->n_complaints, .complaints = said->complaints
	};
}

static void hand_on(const struct json_in *in, ReadResult *said)
{
	said->n_complaints = in->n_complaints;
	said->complaints = in->complaints;
}

/* Published records say cveID or cveId; both must agree where both stand. */
static bool is_record_of(struct json_in *in, const json_t *root, const char *id)
{
	static const char *const keys[] = { "cveId", "cveID" };
	json_t *meta = json_member(in, root, "", "cveMetadata", JSON_OBJECT);
	bool named = false;

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const char *said = json_text(in, meta, "cveMetadata", keys[i]);

		if (said && strcmp(said, id) != 0) {
			json_complain(in, 0, "this is the record of \"%.40s\"", said);
			return false;
		}
		named = named || said;
	}
	if (!named)
		json_complain(in, 0, "the record does not say of which CVE it is (cveMetadata.cveId)");
	return named;
}

/* Records of the kernel's CNA have no time before they leave it; those of others may. */
static void read_published(struct json_in *in, const json_t *root, Cve *cve)
{
	json_t *meta = json_member(in, root, "", "cveMetadata", JSON_OBJECT);

	cve->published = json_time(in, meta, "cveMetadata", "datePublished");
}

/* "en", "en-US", "en_GB". */
static bool is_english(const char *lang)
{
	return strncasecmp(lang, "en", 2) == 0 && (lang[2] == '\0' || lang[2] == '-' || lang[2] == '_');
}

static void read_description(struct json_in *in, const json_t *cna, Cve *cve)
{
	json_t *list = json_member(in, cna, CNA, "descriptions", JSON_ARRAY);

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *each = json_array_get(list, i);
		const char *lang, *value;

		if (!json_is_object(each)) {
			json_wrong_type(in, CNA, "descriptions[]", JSON_OBJECT);
			continue;
		}
		lang = json_text(in, each, CNA ".descriptions[]", "lang");
		if (!lang || !is_english(lang) || !(value = json_text(in, each, CNA ".descriptions[]", "value")))
			continue;
		cve->description = value;
		return;
	}
}

static void read_files(struct json_in *in, const json_t *files, json_t *seen, Cve *cve)
{
	for (size_t i = 0; i < json_array_size(files); i++) {
		const json_t *each = json_array_get(files, i);
		const char *path = json_string_value(each);

		if (!path || !*path) {
			json_wrong_type(in, CNA ".affected[]", "programFiles[]", JSON_STRING);
			continue;
		}
		if (json_object_get(seen, path))
			continue;
		json_object_set_new(seen, path, json_true());
		pb_add_bytes(in->arena, &cve->n_program_files, &cve->program_files, path, strlen(path));
	}
}

/* Records list their files once for git's ranges and once for releases; each path is kept once. */
static void read_affected(struct json_in *in, const json_t *cna, Cve *cve)
{
	json_t *list = json_member(in, cna, CNA, "affected", JSON_ARRAY), *seen = json_object();

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *each = json_array_get(list, i);

		if (!json_is_object(each)) {
			json_wrong_type(in, CNA, "affected[]", JSON_OBJECT);
			continue;
		}
		read_files(in, json_member(in, each, CNA ".affected[]", "programFiles", JSON_ARRAY), seen, cve);
	}
	json_decref(seen);
}

static void read_metrics(struct json_in *in, const json_t *cna, const char *origin, Cve *cve)
{
	json_t *list = json_member(in, cna, CNA, "metrics", JSON_ARRAY);
	json_t *provider = json_member(in, cna, CNA, "providerMetadata", JSON_OBJECT);
	const char *source = json_text(in, provider, CNA ".providerMetadata", "orgId");
	const char *as_of = json_time(in, provider, CNA ".providerMetadata", "dateUpdated");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *each = json_array_get(list, i);

		if (!json_is_object(each)) {
			json_wrong_type(in, CNA, "metrics[]", JSON_OBJECT);
			continue;
		}
		for (size_t k = 0; k < JSON_CVSS_KEYS; k++) {
			const struct json_cvss_key *key = &json_cvss_keys[k];
			json_t *data = json_member(in, each, CNA ".metrics[]", key->record, JSON_OBJECT);
			Score *s = data ? json_score(in, data, key->record, cve->id, key->version) : NULL;

			if (!s)
				continue;
			s->origin = origin;
			s->source = source;
			s->as_of = as_of;
			PB_ADD_MSG(in->arena, cve, scores, s);
		}
	}
}

bool json_cve_record(struct arena *a, const char *text, size_t n, const char *where, const char *origin, Cve *cve,
		     ReadResult *said)
{
	struct json_in in = begin(a, where, said);
	json_t *root, *cna;
	size_t line;
	bool good;

	if (json_load(&in, text, n, &root, &line))
		json_complain(&in, line, "%s", err_text());
	good = root && is_record_of(&in, root, cve->id);
	if (good) {
		const char *title;

		cna = json_member(&in, json_member(&in, root, "", "containers", JSON_OBJECT), "containers", "cna",
				  JSON_OBJECT);
		if ((title = json_text(&in, cna, CNA, "title")))
			cve->title = title;
		read_published(&in, root, cve);
		read_description(&in, cna, cve);
		read_affected(&in, cna, cve);
		read_metrics(&in, cna, origin, cve);
	}
	json_decref(root);
	hand_on(&in, said);
	return good;
}

/* ---- The .cvss file */

/* A line of blanks and two words at most; a third is what follows them. */
struct words {
	const char *word[3];
	size_t len[3], n;
};

static struct words split(const char *line, size_t n)
{
	struct words w = { .n = 0 };

	for (size_t i = 0; i < n && w.n < ARRAY_LEN(w.word);) {
		size_t start;

		while (i < n && (line[i] == ' ' || line[i] == '\t'))
			i++;
		for (start = i; i < n && line[i] != ' ' && line[i] != '\t';)
			i++;
		if (i > start) {
			w.word[w.n] = line + start;
			w.len[w.n++] = i - start;
		}
	}
	return w;
}

/* True when a line must be meant as a header: its source is a UUID, or a vector stands second. */
static bool looks_like_header(const struct words *w)
{
	static const char prefix[] = "CVSS:";
	size_t dashes = 0;

	if (w->n >= 2 && w->len[1] >= strlen(prefix) && memcmp(w->word[1], prefix, strlen(prefix)) == 0)
		return true;
	if (w->n == 0 || w->len[0] != UUID_LENGTH)
		return false;
	for (size_t i = 0; i < UUID_LENGTH; i++) {
		if (!strchr("0123456789abcdefABCDEF-", w->word[0][i]))
			return false;
		dashes += w->word[0][i] == '-';
	}
	return dashes == 4;
}

/* The score of that source and vector that the CVE has already. */
static Score *find_score(const Cve *cve, const char *origin, const char *source, const char *vector)
{
	for (size_t i = 0; i < cve->n_scores; i++) {
		const Score *s = cve->scores[i];

		if (s->source && s->vector && s->origin && strcmp(s->origin, origin) == 0 &&
		    strcmp(s->source, source) == 0 && strcmp(s->vector, vector) == 0)
			return cve->scores[i];
	}
	return NULL;
}

/* The score of a header line, appended to the CVE unless it is there; NULL and a complaint where the line is malformed. */
static Score *read_header(struct json_in *in, size_t line, const struct words *w, const char *origin, Cve *cve)
{
	const char *source, *vector;
	Score *s;

	if (w->n != 2 || w->len[0] > SOURCE_MOST) {
		json_complain(in, line, "a score is a line of two words, who scored and the vector: \"%.*s\"",
			      (int)MIN_OF(w->len[0], (size_t)80), w->word[0]);
		return NULL;
	}
	source = arena_memdup(in->arena, w->word[0], w->len[0]);
	vector = arena_memdup(in->arena, w->word[1], w->len[1]);
	if ((s = find_score(cve, origin, source, vector)))
		return s;
	if (!(s = json_score_of_vector(in, line, cve->id, vector, NULL)))
		return NULL;
	s->origin = origin;
	s->source = source;
	PB_ADD_MSG(in->arena, cve, scores, s);
	return s;
}

/* Scores named by one file: its reasoning is theirs. */
struct named {
	size_t n;
	Score **scores;
};

/* Reads the headers, with blank lines and comments among them. Returns where the reasoning starts. A first line of words
 * that is no header is a malformed one, since there is no reasoning without a score. */
static const char *read_headers(struct json_in *in, const char *text, const char *end, const char *origin, Cve *cve,
				struct named *named)
{
	const char *at = text;
	bool tried = false;

	for (size_t line = 1; at < end; line++) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *stop = newline ? newline : end;
		struct words w = split(at, (size_t)(stop - at));
		Score *s;

		if (w.n > 0 && *w.word[0] != '#') {
			if (tried && !looks_like_header(&w))
				return at;
			tried = true;
			if ((s = read_header(in, line, &w, origin, cve)))
				*(Score **)arena_grow(in->arena, (void **)&named->scores, &named->n, sizeof(s)) = s;
		}
		at = newline ? newline + 1 : end;
	}
	return end;
}

/* Replaces what is not UTF-8 and says so; the text is returned as it is where all of it is. */
static const char *clean(struct json_in *in, const char *text, size_t *n)
{
	struct buf utf8 = { 0 };

	str_utf8_replace(&utf8, text, *n);
	if (utf8.len != *n || memcmp(buf_str(&utf8), text, *n) != 0) {
		json_complain(in, 0, "not UTF-8, or a NUL byte: replaced, and the rest read");
		text = arena_memdup(in->arena, buf_str(&utf8), utf8.len);
		*n = utf8.len;
	}
	buf_free(&utf8);
	return text;
}

void json_cvss_file(struct arena *a, const char *text, size_t n, const char *where, const char *origin, Cve *cve,
		    ReadResult *said)
{
	struct json_in in = begin(a, where, said);
	struct named named = { 0 };
	const char *end, *why;

	text = clean(&in, text, &n);
	end = text + n;
	why = read_headers(&in, text, end, origin, cve, &named);
	while (end > why && strchr(" \t\r\n", end[-1]))
		end--;
	if (end > why && named.n > 0) {
		const char *reasoning = arena_memdup(a, why, (size_t)(end - why));

		for (size_t i = 0; i < named.n; i++)
			named.scores[i]->reasoning = reasoning;
	}
	hand_on(&in, said);
}
