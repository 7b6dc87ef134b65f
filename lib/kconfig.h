/* A kernel's .config as text: checked, asked, compared. Pure. */
#ifndef TUXTAPE_KCONFIG_H
#define TUXTAPE_KCONFIG_H

#include "lib/arena.h"
#include "lib/base.h"

/* The largest .config that is taken; distributions' have 300 KB. */
#define KCONFIG_MOST (4u << 20)

/* Checks that n bytes are a .config that may be built. kbuild puts strings of it into shell commands and opens files that it
 * names, so a config from elsewhere can run programs. Refused: lines that are neither `CONFIG_X=y|m|n|number|"string"` nor
 * comment nor blank; strings with characters that a shell or make acts on; options naming files that lead out of the tree;
 * texts of more than KCONFIG_MOST bytes or without any option. ERR_INPUT: the text names line and option, and what to do. */
int kconfig_check(const char *text, size_t n);

/* The value of an option ("CONFIG_X") in the arena, a string without its quotes; NULL where it is not set or "n". When it is
 * set twice the last line counts, as for kconfig. The text need not have been checked. */
const char *kconfig_get(struct arena *a, const char *text, size_t n, const char *option);

/* An option that differs. Values are as written, strings in their quotes; NULL: not set. */
struct kconfig_change {
	const char *option;
	const char *before, *after;
};

/* What differs between two configs, sorted by option, in the arena. "n", "is not set" and absent are the same. */
size_t kconfig_diff(struct arena *a, const char *before, size_t before_n, const char *after, size_t after_n,
		    struct kconfig_change **changes);

/* True for a name that a config may have: a letter or digit, then up to 63 letters, digits and . _ + -, without "..". */
bool kconfig_name_ok(const char *name);

#endif
