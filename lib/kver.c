/* Owns the text of kernel versions and their order. Refuses what no kernel.org tag could say: leading zeros, lines below 3.0
 * other than 2.4 and 2.6, release candidates of stable releases. */
#include "lib/kver.h"

#include "lib/err.h"

/* Longest number that is read; nine digits fit a uint32_t. */
#define DIGITS_MAX 9
/* uname -r has room for 64 bytes. */
#define SUFFIX_MAX 64
#define SUFFIX_BYTES "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.+~_-"
/* How much of a refused text is quoted. */
#define QUOTE_MAX 80

/* A text being read, and what is wrong with it. */
struct scan {
	const char *at, *end;
	const char *why;
};

static bool refuse(struct scan *s, const char *why)
{
	s->why = why;
	return false;
}

static bool scan_literal(struct scan *s, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(s->end - s->at) < n || memcmp(s->at, word, n) != 0)
		return false;
	s->at += n;
	return true;
}

static bool scan_number(struct scan *s, uint32_t *to)
{
	const char *from = s->at;

	*to = 0;
	for (; s->at < s->end && *s->at >= '0' && *s->at <= '9'; s->at++) {
		if (s->at - from == DIGITS_MAX)
			return refuse(s, "a number is too large");
		*to = *to * 10 + (uint32_t)(*s->at - '0');
	}
	if (s->at == from)
		return refuse(s, "a number is missing");
	if (*from == '0' && s->at - from > 1)
		return refuse(s, "a number has a leading zero");
	return true;
}

/* Up to four numbers with dots between them. */
static bool scan_numbers(struct scan *s, uint32_t numbers[4], size_t *count)
{
	*count = 0;
	do {
		if (*count == 4)
			return refuse(s, "it has too many numbers");
		if (!scan_number(s, &numbers[(*count)++]))
			return false;
	} while (scan_literal(s, "."));
	return true;
}

static bool line_has_three(uint32_t x, uint32_t y)
{
	return x == 2 && (y == 4 || y == 6);
}

static bool set_numbers(struct scan *s, KernelVersion *v, const uint32_t *numbers, size_t count)
{
	bool three = count > 1 && line_has_three(numbers[0], numbers[1]);
	size_t need = three ? 3 : 2;

	if (count < need)
		return refuse(s, "a number is missing");
	if (count > need + 1)
		return refuse(s, "it has too many numbers");
	if (numbers[0] < 3 && !three)
		return refuse(s, "below 3.0 only 2.4 and 2.6 are known");
	v->has_major = v->has_minor = true;
	v->major = numbers[0];
	v->minor = numbers[1];
	v->has_patch = three;
	v->patch = three ? numbers[2] : 0;
	/* uname -r of a mainline kernel says X.Y.0. */
	v->has_stable = count > need && numbers[need] > 0;
	v->stable = v->has_stable ? numbers[need] : 0;
	return true;
}

static bool scan_version(struct scan *s, KernelVersion *v)
{
	uint32_t numbers[4];
	size_t count;

	if (!scan_numbers(s, numbers, &count) || !set_numbers(s, v, numbers, count))
		return false;
	if (!scan_literal(s, "-rc"))
		return true;
	if (!scan_number(s, &v->rc))
		return false;
	if (v->rc == 0)
		return refuse(s, "release candidates count from 1");
	if (v->has_stable)
		return refuse(s, "a stable release has no release candidates");
	v->has_rc = true;
	return true;
}

int kver_parse(KernelVersion *v, const char *s, size_t n)
{
	struct scan scan = { .at = s, .end = s + n };

	kernel_version__init(v);
	if (n == 1 && *s == '0')
		return 0;
	if (scan_version(&scan, v) && scan.at == scan.end)
		return 0;
	kernel_version__init(v);
	return fail(ERR_INPUT, "\"%.*s\" is no kernel version: %s", (int)MIN_OF(n, (size_t)QUOTE_MAX), s,
		    scan.why ? scan.why : "something stands behind it");
}

static bool suffix_is_good(const char *s)
{
	size_t n = strlen(s);

	if (n == 0 || strcmp(s, "+") == 0)
		return true;
	return (*s == '-' || *s == '+') && n > 1 && n <= SUFFIX_MAX && strspn(s, SUFFIX_BYTES) == n;
}

int kver_parse_user(KernelVersion *v, const char *s, const char **suffix)
{
	size_t n = strlen(s);
	struct scan scan = { .at = s + (*s == 'v'), .end = s + n };

	kernel_version__init(v);
	*suffix = s + n;
	if (scan_version(&scan, v)) {
		if (suffix_is_good(scan.at)) {
			*suffix = scan.at;
			return 0;
		}
		scan.why = "what stands behind it is no vendor's suffix";
	}
	kernel_version__init(v);
	return fail(
		ERR_INPUT,
		"\"%.*s\" is no kernel version: %s; give 6.1, 6.1.100, 6.2-rc3, 2.6.32 or 2.6.32.71, with a leading v or a "
		"vendor's suffix such as -generic if you like",
		QUOTE_MAX, s, scan.why);
}

static int cmp_numbers(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static uint64_t number(bool there, uint32_t n)
{
	return there ? n : 0;
}

/* The release line: 6.1 of 6.1.170, 2.6.32 of 2.6.32.71. */
static int cmp_lines(const KernelVersion *a, const KernelVersion *b)
{
	int c;

	if ((c = cmp_numbers(a->major, b->major)) ||
	    (c = cmp_numbers(number(a->has_minor, a->minor), number(b->has_minor, b->minor))))
		return c;
	return cmp_numbers(number(a->has_patch, a->patch), number(b->has_patch, b->patch));
}

/* A release counts as the candidate after all candidates. */
static uint64_t candidate(const KernelVersion *v)
{
	return v->has_rc ? v->rc : UINT64_MAX;
}

int kver_cmp(const KernelVersion *a, const KernelVersion *b)
{
	int c;

	if (!a->has_major || !b->has_major)
		return cmp_numbers(a->has_major, b->has_major);
	if ((c = cmp_lines(a, b)) || (c = cmp_numbers(number(a->has_stable, a->stable), number(b->has_stable, b->stable))))
		return c;
	return cmp_numbers(candidate(a), candidate(b));
}

bool kver_same_line(const KernelVersion *a, const KernelVersion *b)
{
	return a->has_major && b->has_major && cmp_lines(a, b) == 0;
}

bool kver_is_mainline(const KernelVersion *v)
{
	return v->has_major && !(v->has_stable && v->stable > 0);
}

static char *add_number(char *at, const char *before, uint32_t n)
{
	char digits[10], *first = digits + sizeof(digits);

	do
		*--first = (char)('0' + n % 10);
	while (n /= 10);
	at = stpcpy(at, before);
	return mempcpy(at, first, (size_t)(digits + sizeof(digits) - first));
}

char *kver_text(char text[KVER_TEXT_MAX], const KernelVersion *v)
{
	char *at = text;

	if (!v || !v->has_major)
		return memcpy(text, "0", sizeof("0"));
	at = add_number(at, "", v->major);
	at = add_number(at, ".", v->has_minor ? v->minor : 0);
	if (v->has_patch)
		at = add_number(at, ".", v->patch);
	if (v->has_stable && v->stable > 0)
		at = add_number(at, ".", v->stable);
	if (v->has_rc)
		at = add_number(at, "-rc", v->rc);
	*at = '\0';
	return text;
}

void kver_print(struct buf *out, const KernelVersion *v)
{
	char text[KVER_TEXT_MAX];

	buf_adds(out, kver_text(text, v));
}

bool kver_is_valid(const KernelVersion *v)
{
	char text[KVER_TEXT_MAX];
	KernelVersion again;

	kver_text(text, v);
	return kver_parse(&again, text, strlen(text)) == 0 && pb_equal(&again.base, &v->base);
}
