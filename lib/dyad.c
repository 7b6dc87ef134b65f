/* Owns the dyad format, the titles of instances and the numbers of CVEs. Refuses a pair of which any part is doubtful: the
 * line is complained about and the rest of the CVE is kept. */
#include "lib/dyad.h"

#include "lib/err.h"
#include "lib/kver.h"
#include "lib/str.h"

/* How much of a malformed line is quoted. */
#define QUOTE_MAX 80
#define FIELDS 4
#define SHA_DIGITS 40
#define SHORT_DIGITS 12
#define NO_FIX "nofix"
/* What a title shows for an introduction that nobody knows: the first release in git. */
#define FIRST_RELEASE "2.6.12"

/* A run of bytes inside the text. */
struct piece {
	const char *s;
	size_t n;
};

static bool piece_is(struct piece p, const char *word)
{
	return p.n == strlen(word) && memcmp(p.s, word, p.n) == 0;
}

/* Splits at the colons. Returns how many fields there are; those beyond FIELDS are counted only. */
static size_t split_fields(struct piece line, struct piece fields[FIELDS])
{
	const char *end = line.s + line.n;
	size_t count = 0;

	for (const char *at = line.s;; count++) {
		const char *colon = memchr(at, ':', (size_t)(end - at));

		if (count < FIELDS)
			fields[count] = (struct piece){ at, (size_t)((colon ? colon : end) - at) };
		if (!colon)
			return count + 1;
		at = colon + 1;
	}
}

static bool piece_is_sha(struct piece p)
{
	char digits[SHA_DIGITS + 1] = { 0 };

	if (p.n != SHA_DIGITS)
		return false;
	memcpy(digits, p.s, p.n);
	return str_is_hex(digits, SHA_DIGITS);
}

/* One end of a pair, a version and the commit that came with it; "0" and "0" leave both absent. */
static int read_end(struct arena *a, const char *what, const struct piece end[2], KernelVersion **version,
		    const char **commit)
{
	KernelVersion v;
	int err = kver_parse(&v, end[0].s, end[0].n);

	if (err)
		return fail_in(err, "%s version", what);
	if (piece_is(end[1], "0") && v.has_major)
		return fail(ERR_INPUT, "%s version without its commit", what);
	if (piece_is(end[1], "0"))
		return 0;
	if (!piece_is_sha(end[1]))
		return fail(ERR_INPUT, "%s commit is not %d lower-case hex digits", what, SHA_DIGITS);
	if (!v.has_major)
		return fail(ERR_INPUT, "%s commit without its version", what);
	*version = arena_memdup(a, &v, sizeof(v));
	*commit = arena_memdup(a, end[1].s, end[1].n);
	return 0;
}

static int read_pair(struct arena *a, struct piece line, CveInstance *in)
{
	struct piece fields[FIELDS];
	size_t count;
	int err;

	if (line.n > DYAD_LINE_MAX)
		return fail(ERR_INPUT, "line of %zu bytes, %d are allowed", line.n, DYAD_LINE_MAX);
	count = split_fields(line, fields);
	if (count != FIELDS)
		return fail(ERR_INPUT, "a pair has %d fields, this line %zu", FIELDS, count);
	err = read_end(a, "introduced", fields, &in->introduced, &in->introduced_commit);
	if (!err)
		err = read_end(a, "fixed", fields + 2, &in->fixed, &in->fix_commit);
	return err;
}

/* Quotes the line as it is; only NUL bytes, which a text cannot hold, become question marks. */
static void complain(struct arena *a, const char *where, size_t number, struct piece line, ReadResult *said)
{
	Complaint *c = PB_ADD(a, said, complaints, complaint);
	const char *place = arena_printf(a, "%s:%zu", where, number);
	size_t n = MIN_OF(line.n, (size_t)QUOTE_MAX);
	char *quote = arena_memdup(a, line.s, n);

	for (size_t i = 0; i < n; i++)
		if (!quote[i])
			quote[i] = '?';
	c->has_place = true;
	c->place = pb_bytes(a, place, strlen(place));
	c->what = arena_printf(a, "%s: \"%s\"%s", err_text(), quote, n < line.n ? "..." : "");
}

size_t dyad_parse(struct arena *a, const char *text, size_t n, const char *where, Cve *cve, ReadResult *said)
{
	const char *at = text, *end = text + n;
	size_t valid = 0;

	for (size_t number = 1; at < end; number++) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		struct piece line = { at, (size_t)((newline ? newline : end) - at) };
		CveInstance in = CVE_INSTANCE__INIT;

		at = newline ? newline + 1 : end;
		if (line.n == 0 || *line.s == '#')
			continue;
		if (read_pair(a, line, &in)) {
			complain(a, where, number, line, said);
			continue;
		}
		in.title = dyad_title(a, cve->id, &in);
		PB_ADD_MSG(a, cve, instances, arena_memdup(a, &in, sizeof(in)));
		valid++;
	}
	return valid;
}

const char *dyad_title(struct arena *a, const char *cve_id, const CveInstance *in)
{
	bool known = in->introduced && in->introduced->has_major;
	char version[KVER_TEXT_MAX];

	return arena_printf(a, "%s-%s-%.*s", cve_id, known ? kver_text(version, in->introduced) : FIRST_RELEASE,
			    SHORT_DIGITS, in->fix_commit ? in->fix_commit : NO_FIX);
}

static size_t count_digits(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && s[i] >= '0' && s[i] <= '9')
		i++;
	return i;
}

/* Bytes of the CVE id at the start of a title, before a dash; 0 where there is none. */
static size_t id_length(const char *title)
{
	size_t n = strlen(title), year = strlen("CVE-2024-"), len;

	if (n < year)
		return 0;
	len = year + count_digits(title + year, n - year);
	return title[len] == '-' && cve_key(title, len) ? len : 0;
}

int dyad_split_title(struct arena *a, const char *title, const char **cve_id, const char **commit)
{
	size_t id = id_length(title), n;
	const char *dash = id ? strrchr(title + id, '-') : NULL;

	if (!dash && cve_key(title, strlen(title)))
		return fail(
			ERR_INPUT,
			"\"%s\" is no title but a CVE: a title is CVE-INTRODUCED-COMMIT, and `tuxtape cves show %s` lists "
			"those that it has",
			title, title);
	if (!dash)
		return fail(ERR_INPUT, "\"%.120s\" is no title: it starts with no CVE id", title);
	n = strlen(dash + 1);
	if (strcmp(dash + 1, NO_FIX) != 0 && (n < SHORT_DIGITS || n > SHA_DIGITS || !str_is_hex(dash + 1, n)))
		return fail(ERR_INPUT, "\"%.120s\" is no title: it ends neither in %d to %d hex digits nor in " NO_FIX,
			    title, SHORT_DIGITS, SHA_DIGITS);
	*cve_id = arena_memdup(a, title, id);
	*commit = arena_strdup(a, dash + 1);
	return 0;
}

const char *cve_id_typed(struct arena *a, const char *text)
{
	return strncasecmp(text, "CVE-", 4) == 0 ? arena_printf(a, "CVE-%s", text + 4) : text;
}

/* Room for seven digits of number below the year. */
#define KEY_YEAR 10000000

uint64_t cve_key(const char *id, size_t n)
{
	static const size_t head = 4, year_end = 8;
	uint64_t year = 0, number = 0;

	if (n < 13 || n > 16 || memcmp(id, "CVE-", head) != 0 || id[year_end] != '-' || id[head] == '0')
		return 0;
	if (count_digits(id + head, n - head) != 4 || count_digits(id + year_end + 1, n - year_end - 1) != n - year_end - 1)
		return 0;
	/* Four digits are filled up with zeros; a longer number that starts with one would be a second name of the same CVE. */
	if (n > 13 && id[year_end + 1] == '0')
		return 0;
	for (size_t i = head; i < year_end; i++)
		year = year * 10 + (uint64_t)(id[i] - '0');
	for (size_t i = year_end + 1; i < n; i++)
		number = number * 10 + (uint64_t)(id[i] - '0');
	return year * KEY_YEAR + number;
}

const char *cve_id_of_key(struct arena *a, uint64_t key)
{
	return arena_printf(a, "CVE-%04llu-%04llu", (unsigned long long)(key / KEY_YEAR),
			    (unsigned long long)(key % KEY_YEAR));
}
