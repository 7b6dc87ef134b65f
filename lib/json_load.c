/* Owns the parsing of JSON from outside: its depth and complaints are bounded, what can be replaced is. Refuses to
 * guess: a text that is cut or garbled is none. */
#include "lib/json_load.h"

#include "lib/clock.h"
#include "lib/cvss.h"
#include "lib/err.h"
#include "lib/str.h"

#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define DEPTH_MOST 64 /* real records have 10 levels; jansson recurses, and stops at 2048 */
#define COMPLAINTS_MOST 100
#define COMPLAINT_MOST 400 /* bytes */
#define VECTOR_MOST 400
#define ESCAPE 6 /* bytes of \uXXXX */
#define REPLACED "\\ufffd"

void json_complain(struct json_in *in, size_t line, const char *fmt, ...)
{
	char what[COMPLAINT_MOST];
	const char *place;
	Complaint *c;
	va_list ap;

	if (++in->told > COMPLAINTS_MOST)
		return;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	place = line ? arena_printf(in->arena, "%s:%zu", in->where, line) : in->where;
	c = PB_ADD(in->arena, in, complaints, complaint);
	c->has_place = true;
	c->place = pb_bytes(in->arena, place, strlen(place));
	c->what = in->told < COMPLAINTS_MOST ? arena_strdup(in->arena, what) : "further complaints are left out";
}

/* Returns the line where the text is deeper than jansson shall go, 0 where it nowhere is. */
static size_t too_deep(const char *s, size_t n)
{
	size_t depth = 0, line = 1;
	bool inside = false;

	for (size_t i = 0; i < n; i++) {
		line += s[i] == '\n';
		if (s[i] == '"')
			inside = !inside;
		else if (inside)
			i += s[i] == '\\';
		else if (s[i] == '[' || s[i] == '{')
			depth++;
		else if ((s[i] == ']' || s[i] == '}') && depth)
			depth--;
		if (depth > DEPTH_MOST)
			return line;
	}
	return 0;
}

/* The value of \uXXXX at s; false where there is none. */
static bool read_escape(const char *s, size_t n, unsigned *value)
{
	char digits[5] = { 0 };

	if (n < ESCAPE || s[0] != '\\' || s[1] != 'u')
		return false;
	memcpy(digits, s + 2, 4);
	if (strspn(digits, "0123456789abcdefABCDEF") != 4)
		return false;
	*value = (unsigned)strtoul(digits, NULL, 16);
	return true;
}

/* Copies what starts with a backslash, and replaces NUL and halves of pairs. Returns how much was read. */
static size_t repair_escape(struct buf *out, const char *s, size_t n)
{
	unsigned value, low;
	size_t used = MIN_OF(n, (size_t)2);

	if (read_escape(s, n, &value)) {
		bool high = value >= 0xd800 && value <= 0xdbff;
		bool pair = high && read_escape(s + ESCAPE, n - ESCAPE, &low) && low >= 0xdc00 && low <= 0xdfff;

		used = pair ? 2 * ESCAPE : ESCAPE;
		if (value == 0 || (!pair && value >= 0xd800 && value <= 0xdfff)) {
			buf_adds(out, REPLACED);
			return used;
		}
	}
	buf_add(out, s, used);
	return used;
}

/* Copies a number, or null where a double does not hold it. The text ends in NUL. */
static size_t repair_number(struct buf *out, const char *s)
{
	size_t n = strspn(s, "0123456789+-.eE");

	if (isinf(strtod(s, NULL)))
		buf_adds(out, "null");
	else
		buf_add(out, s, n);
	return n;
}

/* Writes the text with what is wrong in single characters and numbers replaced. */
static void repair(struct buf *out, const char *text, size_t n)
{
	struct buf utf8 = { 0 };
	bool inside = false;
	const char *s;

	str_utf8_replace(&utf8, text, n);
	s = buf_str(&utf8);
	for (size_t i = 0; i < utf8.len;) {
		char c = s[i];

		if (!inside && (c == '-' || (c >= '0' && c <= '9'))) {
			i += repair_number(out, s + i);
		} else if (inside && c == '\\') {
			i += repair_escape(out, s + i, utf8.len - i);
		} else if (inside && (unsigned char)c < 0x20) {
			buf_printf(out, "\\u%04x", (unsigned)c);
			i++;
		} else {
			inside ^= c == '"';
			buf_addc(out, c);
			i++;
		}
	}
	buf_free(&utf8);
}

static const char *what_became(const json_error_t *e)
{
	switch (json_error_code(e)) {
	case json_error_duplicate_key:
		return "the last one counts";
	case json_error_invalid_utf8:
		return "what is not UTF-8 is replaced, and the rest read";
	default:
		return "what is no JSON is replaced, and the rest read";
	}
}

static json_t *load_repaired(struct json_in *in, const char *text, size_t n, json_error_t *e)
{
	struct buf repaired = { 0 };
	json_error_t first = *e;
	json_t *root;

	repair(&repaired, text, n);
	root = json_loadb(buf_str(&repaired), repaired.len, JSON_DECODE_INT_AS_REAL, e);
	buf_free(&repaired);
	if (root)
		json_complain(in, first.line > 0 ? (size_t)first.line : 0, "%s: %s", first.text, what_became(&first));
	return root;
}

int json_load(struct json_in *in, const char *text, size_t n, json_t **root, size_t *line)
{
	json_error_t e;

	*root = NULL;
	if ((*line = too_deep(text, n)))
		return fail(ERR_INPUT, "JSON of more than %d levels", DEPTH_MOST);
	*root = json_loadb(text, n, JSON_DECODE_INT_AS_REAL | JSON_REJECT_DUPLICATES, &e);
	if (!*root)
		*root = load_repaired(in, text, n, &e);
	if (!*root) {
		*line = e.line > 0 ? (size_t)e.line : 0;
		return fail(ERR_INPUT, "no JSON: %s", e.text);
	}
	if (json_is_object(*root))
		return 0;
	json_decref(*root);
	*root = NULL;
	return fail(ERR_INPUT, "the JSON is not an object");
}

void json_wrong_type(struct json_in *in, const char *of, const char *key, int type)
{
	static const char *const names[] = {
		[JSON_OBJECT] = "an object",
		[JSON_ARRAY] = "an array",
		[JSON_STRING] = "a string",
		[JSON_REAL] = "a number",
	};

	json_complain(in, 0, "%s%s%s is not %s", of, *of ? "." : "", key, names[type]);
}

json_t *json_member(struct json_in *in, const json_t *object, const char *of, const char *key, int type)
{
	json_t *value = json_object_get(object, key);

	if (!value || json_is_null(value))
		return NULL;
	if ((int)json_typeof(value) == type)
		return value;
	json_wrong_type(in, of, key, type);
	return NULL;
}

const char *json_text(struct json_in *in, const json_t *object, const char *of, const char *key)
{
	const char *s = json_string_value(json_member(in, object, of, key, JSON_STRING));

	return s && *s ? arena_strdup(in->arena, s) : NULL;
}

const char *json_time(struct json_in *in, const json_t *object, const char *of, const char *key)
{
	const char *s = json_text(in, object, of, key);
	int64_t when;

	if (!s || (strlen(s) < CLOCK_TEXT && clock_parse(s, &when)))
		return s;
	json_complain(in, 0, "%s%s%s is no time: \"%.80s\"", of, *of ? "." : "", key, s);
	return NULL;
}

const struct json_cvss_key json_cvss_keys[JSON_CVSS_KEYS] = {
	{ "3.1", "cvssV3_1", "cvssMetricV31" },
	{ "3.0", "cvssV3_0", "cvssMetricV30" },
	{ "4.0", "cvssV4_0", "cvssMetricV40" },
	{ "2.0", "cvssV2_0", "cvssMetricV2" },
};

/* Metrics beside the base ones may have any value, and so any length. */
static int check_vector(struct json_in *in, const char *vector, const char *wanted, Score *s)
{
	Cve parts = CVE__INIT;

	s->version = strlen(vector) <= VECTOR_MOST ? cvss_version(vector) : NULL;
	if (!s->version || (wanted && strcmp(s->version, wanted) != 0))
		return fail(ERR_INPUT, "\"%.120s\" is no CVSS%s%s vector", vector, wanted ? " " : "", wanted ? wanted : "");
	if (*s->version == '3') {
		s->has_base_score = true;
		return cvss_base_score(vector, &s->base_score);
	}
	cvss_parts(in->arena, vector, &parts);
	return parts.attack_vector ? 0 : fail(ERR_INPUT, "\"%.120s\" is no CVSS %s vector", vector, s->version);
}

Score *json_score_of_vector(struct json_in *in, size_t line, const char *cve_id, const char *vector, const char *version)
{
	Score *s = pb_new(in->arena, &score__descriptor);

	if (check_vector(in, vector, version, s)) {
		json_complain(in, line, "%s", err_text());
		return NULL;
	}
	s->cve_id = cve_id;
	s->vector = arena_strdup(in->arena, vector);
	return s;
}

Score *json_score(struct json_in *in, const json_t *data, const char *of, const char *cve_id, const char *version)
{
	const char *vector = json_text(in, data, of, "vectorString");
	json_t *stated = json_object_get(data, "baseScore");
	Score *s;

	if (!vector) {
		json_complain(in, 0, "%s has no vectorString", of);
		return NULL;
	}
	s = json_score_of_vector(in, 0, cve_id, vector, version);
	if (!s || s->has_base_score)
		return s;
	if (!json_is_real(stated) || json_real_value(stated) < 0 || json_real_value(stated) > 10) {
		json_complain(in, 0, "%s.baseScore is no number from 0 to 10", of);
		return NULL;
	}
	s->has_base_score = true;
	s->base_score = json_real_value(stated);
	return s;
}
