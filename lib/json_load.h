/* Behind jansson's door: a text becomes a tree of bounded depth, and its members are asked for by type. For lib/json_*.c
 * alone. */
#ifndef TUXTAPE_JSON_LOAD_H
#define TUXTAPE_JSON_LOAD_H

#include "lib/arena.h"
#include "lib/base.h"
#include "lib/pb.h"

struct json_t;

/* One text being read. Complaints gather here, in the arena, and the caller hands them on; where is the place they name. */
struct json_in {
	struct arena *arena;
	const char *where;
	size_t n_complaints;
	Complaint **complaints;
	unsigned told; /* of this text; they are bounded */
};

/* Adds a complaint; line 0 names none. */
void json_complain(struct json_in *in, size_t line, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Parses a text whose root is an object; release *root with json_decref. What JSON forbids and can be replaced alone
 * (bytes that are not UTF-8, NUL and lone surrogates, control characters, numbers beyond a double, keys that stand
 * twice) is complained about and replaced. ERR_INPUT for the rest, with the line in *line, 0 where there is none. Every
 * number is a JSON_REAL. */
int json_load(struct json_in *in, const char *text, size_t n, struct json_t **root, size_t *line);

/* The member of an object, borrowed; NULL where it or the object is absent or null, and, with a complaint, where its
 * jansson type is another. of is the object's path, for the complaint; "" for the root. */
struct json_t *json_member(struct json_in *in, const struct json_t *object, const char *of, const char *key, int type);

/* The same for strings: copied into the arena, NULL also where it is empty. */
const char *json_text(struct json_in *in, const struct json_t *object, const char *of, const char *key);

/* The same for times: ISO 8601 as it is stated, of at most 31 bytes. */
const char *json_time(struct json_in *in, const struct json_t *object, const char *of, const char *key);

/* Complains that the value is not of the type: "OF.KEY is not a string". */
void json_wrong_type(struct json_in *in, const char *of, const char *key, int type);

/* Versions of CVSS by their keys in CVE records and in NVD's answers, in the order that scores are listed. */
#define JSON_CVSS_KEYS 4
extern const struct json_cvss_key {
	const char *version, *record, *nvd;
} json_cvss_keys[JSON_CVSS_KEYS];

/* A Score with cve_id, vector, version and, for 3.0 and 3.1, the base score; the caller sets the rest. version is the
 * one that is expected, NULL for any. NULL and a complaint where the vector does not parse. */
Score *json_score_of_vector(struct json_in *in, size_t line, const char *cve_id, const char *vector, const char *version);

/* The same from an object with vectorString and baseScore, which counts for 2.0 and 4.0. */
Score *json_score(struct json_in *in, const struct json_t *data, const char *of, const char *cve_id, const char *version);

#endif
