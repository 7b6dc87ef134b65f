/* Owns the grammar of .cmd files. Refuses nothing: what is not understood names no file. */
#include "lib/kbuild_cmd.h"

#include <string.h>

struct span {
	const char *s;
	size_t n;
};

/* Whatever is compiled for the kernel has one of these in its command. */
static const char *const kernel_marks[] = {
	"-D__KERNEL__",  /* C and assembler, linker scripts, boot code, vdso */
	"-nostdinc",     /* boot wrappers of some architectures, which are no part of the kernel proper */
	"-D__UM_HOST__", /* the half of user-mode Linux that talks to the C library */
	"-D__DTS__",     /* device trees */
	"rustc_cfg",     /* Rust; procedural macros have it, too, and run on the build machine */
};

static const char macro_mark[] = "proc-macro";

static bool span_holds(struct span p, const char *s)
{
	return memmem(p.s, p.n, s, strlen(s)) != NULL;
}

static bool span_starts(struct span p, const char *s)
{
	return p.n >= strlen(s) && memcmp(p.s, s, strlen(s)) == 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\\';
}

/* Takes the next logical line, with the backslashes and newlines that continue it, off the text. */
static bool next_line(struct span *text, struct span *line)
{
	size_t i = 0;

	if (!text->n)
		return false;
	while (i < text->n && (text->s[i] != '\n' || (i > 0 && text->s[i - 1] == '\\')))
		i++;
	*line = (struct span){ text->s, i };
	text->s += i + (i < text->n);
	text->n -= i + (i < text->n);
	return true;
}

/* What stands behind the first " := " of an assignment. */
static bool assigned(struct span line, const char *name, struct span *value)
{
	const char *sign = span_starts(line, name) ? memmem(line.s, line.n, " :=", 3) : NULL;

	if (!sign)
		return false;
	*value = (struct span){ sign + 3, (size_t)(line.s + line.n - sign) - 3 };
	return true;
}

static bool is_kernel_command(struct span command)
{
	if (span_holds(command, macro_mark))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(kernel_marks); i++)
		if (span_holds(command, kernel_marks[i]))
			return true;
	return false;
}

/* Bytes of the word at the front; a "$(wildcard include/config/X)" is one, blanks and all. */
static size_t word_length(struct span p)
{
	const char *bracket;
	size_t i = 0;

	if (span_starts(p, "$(")) {
		bracket = memchr(p.s, ')', p.n);
		return bracket ? (size_t)(bracket - p.s) + 1 : p.n;
	}
	while (i < p.n && !is_blank(p.s[i]))
		i++;
	return i;
}

static void give_words(const struct kbuild_cmd *c, struct span p)
{
	while (p.n) {
		size_t n = word_length(p);

		if (n && !memchr(p.s, '$', n) && !memchr(p.s, '\0', n))
			c->source(c->ctx, p.s, n);
		n = MAX_OF(n, (size_t)1);
		p.s += n;
		p.n -= n;
	}
}

/* "target: files", where neither side is the "$(deps_target)" of fixdep's own two rules. */
static void give_rule(const struct kbuild_cmd *c, struct span line)
{
	const char *colon = line.n && *line.s != '#' ? memchr(line.s, ':', line.n) : NULL;

	if (colon && !memchr(line.s, '$', (size_t)(colon - line.s)))
		give_words(c, (struct span){ colon + 1, (size_t)(line.s + line.n - colon) - 1 });
}

static void give_sources(const struct kbuild_cmd *c, struct span line)
{
	struct span value;

	if (assigned(line, "savedcmd_", &value) || assigned(line, "cmd_", &value))
		return;
	if (assigned(line, "source_", &value) || assigned(line, "deps_", &value))
		give_words(c, value);
	else
		give_rule(c, line);
}

void kbuild_cmd_read(struct kbuild_cmd *c, const char *text, size_t n)
{
	struct span rest = { text, n }, line, command;

	c->kernel = false;
	/* tools/build puts the command behind the files, so it is looked for first. */
	while (next_line(&rest, &line))
		if (assigned(line, "savedcmd_", &command) || assigned(line, "cmd_", &command))
			c->kernel |= is_kernel_command(command);
	rest = (struct span){ text, n };
	while (next_line(&rest, &line))
		give_sources(c, line);
}

bool kbuild_path_tidy(char *path)
{
	char *base = path + (*path == '/'), *to = base;
	const char *at = base;

	while (*at) {
		size_t n = strcspn(at, "/");
		const char *next = at + n + (at[n] == '/');

		if (n == 2 && memcmp(at, "..", 2) == 0) {
			if (to == base)
				return false;
			while (to > base && *--to != '/')
				;
		} else if (n && (n != 1 || *at != '.')) {
			if (to > base)
				*to++ = '/';
			memmove(to, at, n);
			to += n;
		}
		at = next;
	}
	*to = '\0';
	return true;
}
