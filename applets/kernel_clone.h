/* The clones of the kernel that applets keep: 5 GB each, so that one lends it to the others. */
#ifndef TUXTAPE_KERNEL_CLONE_H
#define TUXTAPE_KERNEL_CLONE_H

#include "lib/arena.h"

/* The clone to use: path where it is there; else, where path is one applet's usual place, that of another applet on this machine, which
 * is only read (*lent); else path. */
const char *kernel_clone_find(struct arena *a, const char *path, bool *lent);

#endif
