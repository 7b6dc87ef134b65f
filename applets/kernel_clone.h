/* The clones of the kernel that applets keep: 5 GB each, so that one lends it to the others. */
#ifndef TUXTAPE_KERNEL_CLONE_H
#define TUXTAPE_KERNEL_CLONE_H

#include "lib/arena.h"

/* The clone to use: path where it is there; else, where path is one applet's usual place, that of another applet on this machine, which
 * is only read (*lent); else path. */
const char *kernel_clone_find(struct arena *a, const char *path, bool *lent);

/* 0 where this user can read the clone. ERR_NOTFOUND where there is none; ERR_DENIED, with the file that may not be read and what to do. */
int kernel_clone_check(struct arena *a, const char *path);

/* 0 where a clone could be made at path: the directory that it would be made in can be written. ERR_SYS. */
int kernel_clone_check_place(const char *path);

#endif
