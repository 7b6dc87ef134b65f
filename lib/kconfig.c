/* Owns the reading of kernel configs. Refuses what would run a command or read a file beyond the tree when make meets it. */
#include "lib/kconfig.h"

#include "lib/err.h"

#include <ctype.h>
#include <stdlib.h>

#define NAME_MOST 64
#define QUOTE_MOST 80 /* bytes of a bad line that an error shows */

/* A run of bytes of the text. */
struct span {
	const char *s;
	size_t n;
};

struct line {
	enum line_kind { LINE_BAD, LINE_BLANK, LINE_COMMENT, LINE_SET, LINE_NOT_SET } kind;
	struct span all, option, value;
	size_t number;
};

static bool span_is(struct span p, const char *s)
{
	return p.n == strlen(s) && memcmp(p.s, s, p.n) == 0;
}

static bool span_starts(struct span p, const char *s)
{
	return p.n >= strlen(s) && memcmp(p.s, s, strlen(s)) == 0;
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* Bytes of the option name at s: CONFIG_ and at least one more; 0 where there is none. */
static size_t option_length(struct span p)
{
	size_t i = strlen("CONFIG_");

	if (!span_starts(p, "CONFIG_"))
		return 0;
	while (i < p.n && is_word(p.s[i]))
		i++;
	return i > strlen("CONFIG_") ? i : 0;
}

/* ---- Lines */

/* `# CONFIG_X is not set`; other comments say nothing. */
static void read_comment(struct line *l)
{
	struct span rest = { l->all.s + 2, l->all.n - MIN_OF(l->all.n, (size_t)2) };
	size_t n;

	l->kind = LINE_COMMENT;
	if (!span_starts(l->all, "# CONFIG_"))
		return;
	n = option_length(rest);
	if (n && span_is((struct span){ rest.s + n, rest.n - n }, " is not set")) {
		l->kind = LINE_NOT_SET;
		l->option = (struct span){ rest.s, n };
	}
}

static void read_line(struct line *l)
{
	size_t n = option_length(l->all), blanks = 0;

	l->kind = LINE_BAD;
	if (l->all.n && *l->all.s == '#') {
		read_comment(l);
	} else if (n && n < l->all.n && l->all.s[n] == '=') {
		l->kind = LINE_SET;
		l->option = (struct span){ l->all.s, n };
		l->value = (struct span){ l->all.s + n + 1, l->all.n - n - 1 };
	} else {
		while (blanks < l->all.n && (l->all.s[blanks] == ' ' || l->all.s[blanks] == '\t'))
			blanks++;
		l->kind = blanks == l->all.n ? LINE_BLANK : LINE_BAD;
	}
}

/* Takes the next line off the text. False at its end. */
static bool next_line(struct span *text, struct line *l)
{
	const char *newline;

	if (!text->n)
		return false;
	newline = memchr(text->s, '\n', text->n);
	l->all = (struct span){ text->s, newline ? (size_t)(newline - text->s) : text->n };
	l->option = l->value = (struct span){ 0 };
	l->number++;
	text->s += l->all.n + (newline != NULL);
	text->n -= l->all.n + (newline != NULL);
	read_line(l);
	return true;
}

/* ---- Values */

static bool all_of(struct span p, const char *allowed)
{
	for (size_t i = 0; i < p.n; i++)
		if (!p.s[i] || !strchr(allowed, p.s[i]))
			return false;
	return p.n > 0;
}

static bool is_tristate(struct span v)
{
	return v.n == 1 && all_of(v, "ymn");
}

/* kconfig takes hexadecimal digits without 0x, too, and Linux has a default of that kind (RADIO_GEMTEK_PORT=34c). */
static bool is_number(struct span v)
{
	static const char digits[] = "0123456789abcdefABCDEF";

	if (span_starts(v, "0x") || span_starts(v, "0X"))
		return all_of((struct span){ v.s + 2, v.n - 2 }, digits);
	if (span_starts(v, "-"))
		return all_of((struct span){ v.s + 1, v.n - 1 }, "0123456789");
	return all_of(v, digits) && isdigit((unsigned char)*v.s);
}

static bool is_string(struct span v)
{
	return v.n >= 2 && v.s[0] == '"' && v.s[v.n - 1] == '"';
}

static struct span unquoted(struct span v)
{
	return is_string(v) ? (struct span){ v.s + 1, v.n - 2 } : v;
}

static int refuse(const struct line *l, const char *what)
{
	return fail(ERR_INPUT, "line %zu: %.*s: %s", l->number, (int)MIN_OF(l->option.n, (size_t)QUOTE_MOST), l->option.s,
		    what);
}

/* Double and single quotes, because kbuild puts values between either. */
static int check_characters(const struct line *l, struct span v)
{
	static const char acted_on[] = "$`\\\"';|&<>";
	char what[96];

	for (size_t i = 0; i < v.n; i++) {
		unsigned char c = (unsigned char)v.s[i];

		if (c < 0x20 || c == 0x7f)
			return refuse(l, "the string holds a control character, take it out");
		if (!strchr(acted_on, c))
			continue;
		strcpy(what, "the string holds ?, on which a shell may act, take it out");
		*strchr(what, '?') = (char)c;
		return refuse(l, what);
	}
	return 0;
}

/* Options whose value is opened as a file, or run, by a build. Each of their blank-separated parts must stay in the tree.
 * Collected from the Makefiles and Kconfig files of Linux 4.14 to 6.16; options that name files of the running system
 * (MODPROBE_PATH, IMA_X509_PATH, ...) are not among them. */
static const char *const file_options[] = {
	"CONFIG_ACPI_CUSTOM_DSDT_FILE",
	"CONFIG_ARC_BUILTIN_DTB_NAME",
	"CONFIG_BOOT_CONFIG_EMBED_FILE",
	"CONFIG_BUILTIN_DTB_NAME",
	"CONFIG_BUILTIN_DTB_SOURCE",
	"CONFIG_CFG80211_EXTRA_REGDB_KEYDIR",
	"CONFIG_CROSS_COMPILE", /* up to 4.19 the first half of the compiler's name */
	"CONFIG_EFI_SBAT_FILE",
	"CONFIG_EXTRA_FIRMWARE",
	"CONFIG_EXTRA_FIRMWARE_DIR",
	"CONFIG_EXTRA_TARGETS",
	"CONFIG_INITRAMFS_SOURCE",
	"CONFIG_MODULE_SIG_KEY",
	"CONFIG_NIOS2_DTB_SOURCE",
	"CONFIG_OPENRISC_BUILTIN_DTB",
	"CONFIG_SOC_CANAAN_K210_DTB_SOURCE",
	"CONFIG_SYSTEM_BLACKLIST_HASH_LIST",
	"CONFIG_SYSTEM_REVOCATION_KEYS",
	"CONFIG_SYSTEM_TRUSTED_KEYS",
	"CONFIG_UNUSED_KSYMS_WHITELIST",
};

static const char *file_part_fault(struct span part)
{
	if (*part.s == '/' || *part.s == '~')
		return "the path is absolute, only files of the kernel tree can be named";
	if (memmem(part.s, part.n, "..", 2))
		return "the path holds .., only files of the kernel tree can be named";
	/* "pkcs11:...?module-path=" makes openssl load a library. */
	if (memchr(part.s, ':', part.n))
		return "the value is a URI, only files of the kernel tree can be named";
	if (*part.s == '-')
		return "the path begins with -, which a program takes for an option";
	return NULL;
}

static int check_files(const struct line *l, struct span v)
{
	while (v.n) {
		struct span part = v;
		const char *fault;

		part.n = 0;
		while (part.n < v.n && v.s[part.n] != ' ')
			part.n++;
		fault = part.n ? file_part_fault(part) : NULL;
		if (fault)
			return refuse(l, fault);
		v.s += part.n + (part.n < v.n);
		v.n -= part.n + (part.n < v.n);
	}
	return 0;
}

static int check_value(const struct line *l)
{
	struct span v = unquoted(l->value);
	int err;

	if (is_tristate(l->value) || is_number(l->value))
		return 0;
	if (!is_string(l->value))
		return refuse(l, "the value is neither y, m, n, a number nor a string in double quotes");
	if ((err = check_characters(l, v)))
		return err;
	for (size_t i = 0; i < ARRAY_LEN(file_options); i++)
		if (span_is(l->option, file_options[i]))
			return check_files(l, v);
	return 0;
}

static int refuse_line(const struct line *l)
{
	if (l->all.n && l->all.s[l->all.n - 1] == '\r')
		return fail(ERR_INPUT, "line %zu ends with a carriage return, convert the file to Unix line ends",
			    l->number);
	return fail(ERR_INPUT, "line %zu is neither CONFIG_X=value nor a comment: %.*s", l->number,
		    (int)MIN_OF(l->all.n, (size_t)QUOTE_MOST), l->all.s);
}

int kconfig_check(const char *text, size_t n)
{
	struct span rest = { text, n };
	struct line l = { 0 };
	size_t options = 0;
	int err;

	if (n > KCONFIG_MOST)
		return fail(ERR_INPUT, "a config of %zu bytes, %u are allowed", n, KCONFIG_MOST);
	while (next_line(&rest, &l)) {
		if (memchr(l.all.s, '\0', l.all.n))
			return fail(ERR_INPUT, "line %zu holds a NUL byte: this is no text", l.number);
		if (l.kind == LINE_BAD || (l.all.n && l.all.s[l.all.n - 1] == '\r'))
			return refuse_line(&l);
		if (l.kind == LINE_SET && (err = check_value(&l)))
			return err;
		options += l.kind == LINE_SET;
	}
	return options ? 0 : fail(ERR_INPUT, "no option is set: this is no kernel config");
}

const char *kconfig_get(struct arena *a, const char *text, size_t n, const char *option)
{
	struct span rest = { text, n }, found = { 0 };
	struct line l = { 0 };

	while (next_line(&rest, &l))
		if (span_is(l.option, option))
			found = l.value;
	if (!found.s || span_is(found, "n"))
		return NULL;
	found = unquoted(found);
	return arena_memdup(a, found.s, found.n);
}

/* ---- Differences */

struct setting {
	struct span option, value; /* value.s is NULL: not set */
	size_t number;
};

static int compare_spans(struct span a, struct span b)
{
	int c = memcmp(a.s, b.s, MIN_OF(a.n, b.n));

	return c ? c : a.n < b.n ? -1 : a.n > b.n;
}

static int by_option(const void *a, const void *b)
{
	const struct setting *x = a, *y = b;
	int c = compare_spans(x->option, y->option);

	return c ? c : x->number < y->number ? -1 : x->number > y->number;
}

/* The settings of a text, sorted, the last line of each option alone. */
static size_t read_settings(struct arena *a, const char *text, size_t n, struct setting **out)
{
	struct span rest = { text, n };
	struct setting *all = NULL;
	struct line l = { 0 };
	size_t count = 0, kept = 0;

	while (next_line(&rest, &l)) {
		if (l.kind != LINE_SET && l.kind != LINE_NOT_SET)
			continue;
		if (span_is(l.value, "n"))
			l.value = (struct span){ 0 };
		*(struct setting *)arena_grow(a, (void **)&all, &count, sizeof(*all)) = (struct setting){ l.option, l.value,
													  l.number };
	}
	if (count)
		qsort(all, count, sizeof(*all), by_option);
	for (size_t i = 0; i < count; i++)
		if (i + 1 == count || compare_spans(all[i].option, all[i + 1].option) != 0)
			all[kept++] = all[i];
	*out = all;
	return kept;
}

static const char *copy_value(struct arena *a, struct span v)
{
	return v.s ? arena_memdup(a, v.s, v.n) : NULL;
}

static void add_change(struct arena *a, struct kconfig_change **changes, size_t *n, struct span option, struct span before,
		       struct span after)
{
	struct kconfig_change *c;

	if (before.s && after.s ? compare_spans(before, after) == 0 : before.s == after.s)
		return;
	c = arena_grow(a, (void **)changes, n, sizeof(*c));
	*c = (struct kconfig_change){ copy_value(a, option), copy_value(a, before), copy_value(a, after) };
}

size_t kconfig_diff(struct arena *a, const char *before, size_t before_n, const char *after, size_t after_n,
		    struct kconfig_change **changes)
{
	struct setting *x, *y;
	struct span none = { 0 };
	size_t nx = read_settings(a, before, before_n, &x), ny = read_settings(a, after, after_n, &y);
	size_t i = 0, k = 0, n = 0;

	*changes = NULL;
	while (i < nx || k < ny) {
		int c = i == nx ? 1 : k == ny ? -1 : compare_spans(x[i].option, y[k].option);

		add_change(a, changes, &n, c <= 0 ? x[i].option : y[k].option, c <= 0 ? x[i].value : none,
			   c >= 0 ? y[k].value : none);
		i += c <= 0;
		k += c >= 0;
	}
	return n;
}

bool kconfig_name_ok(const char *name)
{
	size_t n = strlen(name);

	if (n == 0 || n > NAME_MOST || !isalnum((unsigned char)*name) || strstr(name, ".."))
		return false;
	for (size_t i = 1; i < n; i++)
		if (!is_word(name[i]) && !strchr(".+-", name[i]))
			return false;
	return true;
}
