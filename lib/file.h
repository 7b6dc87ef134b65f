/* Files and directories: the small verbs that several places need. */
#ifndef TUXTAPE_FILE_H
#define TUXTAPE_FILE_H

#include "lib/arena.h"
#include "lib/base.h"

/* Makes the directories above path that are missing, mode 0755. ERR_SYS. */
int file_make_parents(const char *path);

/* The path itself or the nearest directory above it that is there. Release with free. */
char *file_nearest(const char *path);

/* Makes what was written to path durable. ERR_SYS. */
int file_sync(const char *path);

/* What root makes among another user's files is given to that user: the file open at fd gets owner and group of `like` or, where that
 * is missing, of the directory that it would stand in. Does nothing for anybody but root. ERR_SYS. */
int file_give(int fd, const char *like);

/* Puts n bytes in the place of path, durably and all at once: whoever reads sees the old file or the new one. mode is the file's,
 * whatever the umask. ERR_SYS. */
int file_replace(const char *path, const void *p, size_t n, unsigned mode);

/* Where a file of that name belongs among what this user can lose: below $XDG_CACHE_HOME, or ~/.cache. NULL where the environment names
 * neither by an absolute path. Nothing is made. */
const char *file_cache_path(struct arena *a, const char *name);

#endif
