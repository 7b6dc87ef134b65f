/* The .*.cmd files of kbuild and of tools/build: what a target was made from. Behind kbuild.h; open to its tests. */
#ifndef TUXTAPE_KBUILD_CMD_H
#define TUXTAPE_KBUILD_CMD_H

#include "lib/base.h"

struct kbuild_cmd {
	void (*source)(void *ctx, const char *path,
		       size_t n); /* called for each file that the target was made from, as written */
	void *ctx;
	bool kernel; /* set before the first call: the command made a part of the kernel, not a program of the build machine */
};

/* Reads the text of one .cmd file. Understands what scripts/basic/fixdep and tools/build/fixdep write and the plain make rules
 * that tools/build keeps where it has no fixdep yet. What else it may hold is passed over, so any bytes will do. Pure. */
void kbuild_cmd_read(struct kbuild_cmd *c, const char *text, size_t n);

/* Takes ".", ".." and doubled slashes out of a relative or absolute path, in place. False where it leads above its beginning. */
bool kbuild_path_tidy(char *path);

#endif
