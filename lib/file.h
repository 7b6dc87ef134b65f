/* Files and directories: the small verbs that several places need. */
#ifndef TUXTAPE_FILE_H
#define TUXTAPE_FILE_H

#include "lib/base.h"

/* Makes the directories above path that are missing, mode 0755. ERR_SYS. */
int file_make_parents(const char *path);

/* Makes what was written to path durable. ERR_SYS. */
int file_sync(const char *path);

/* Puts n bytes in the place of path, durably and all at once: whoever reads sees the old file or the new one. mode is the file's,
 * whatever the umask. ERR_SYS. */
int file_replace(const char *path, const void *p, size_t n, unsigned mode);

#endif
