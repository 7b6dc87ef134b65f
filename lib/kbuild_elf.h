/* The GNU build id of a linked kernel. Behind kbuild.h; open to its tests. */
#ifndef TUXTAPE_KBUILD_ELF_H
#define TUXTAPE_KBUILD_ELF_H

#include "lib/base.h"

#define KBUILD_ID_TEXT 129 /* 64 bytes in hex and a NUL; linkers make 20 */

/* Reads the build id of an ELF file, of 32 or 64 bits and either byte order, as lower-case hex; "" where it has none. False where
 * the file is no ELF file or its tables lead nowhere. */
bool kbuild_elf_id(int fd, char id[KBUILD_ID_TEXT]);

#endif
