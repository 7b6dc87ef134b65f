/* Owns the way to the build id: ELF header, program headers, notes. Refuses every offset and length that it has not bounded. */
#include "lib/kbuild_elf.h"

#include <elf.h>
#include <stdio.h>
#include <unistd.h>

#define SEGMENTS_MOST 256
#define SEGMENT_HEADER_MOST 256
#define NOTES_MOST 65536 /* bytes of a segment's notes that are looked at */

/* Where the fields stand: what <elf.h> calls e_phoff, e_phentsize, e_phnum, p_offset and p_filesz. */
struct elf_shape {
	size_t word; /* bytes of an offset */
	size_t segments_at, segment_size_at, segments_n_at;
	size_t offset_at, length_at, segment_least;
};

static const struct elf_shape shapes[] = {
	[ELFCLASS32] = { 4, 28, 42, 44, 4, 16, 32 },
	[ELFCLASS64] = { 8, 32, 54, 56, 8, 32, 56 },
};

struct elf {
	int fd;
	const struct elf_shape *shape;
	bool big;
};

static uint64_t number(const struct elf *e, const unsigned char *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[e->big ? i : n - 1 - i];
	return v;
}

static bool read_at(int fd, uint64_t offset, void *to, size_t n)
{
	return offset <= INT64_MAX - n && pread(fd, to, n, (off_t)offset) == (ssize_t)n;
}

static void print_id(const unsigned char *p, size_t n, char id[KBUILD_ID_TEXT])
{
	for (size_t i = 0; i < n && 2 * i + 2 < KBUILD_ID_TEXT; i++)
		snprintf(id + 2 * i, 3, "%02x", p[i]);
}

/* A note is three lengths of 4 bytes (name, contents, type), then name and contents, each filled up to 4. */
static bool find_id(const struct elf *e, const unsigned char *p, size_t n, char id[KBUILD_ID_TEXT])
{
	while (n >= 12) {
		size_t name = number(e, p, 4), body = number(e, p + 4, 4), type = number(e, p + 8, 4);
		size_t name_room = (name + 3) & ~(size_t)3, body_room = (body + 3) & ~(size_t)3;

		if (name > n || body > n || 12 + name_room + body > n)
			return false;
		if (type == NT_GNU_BUILD_ID && name == 4 && memcmp(p + 12, "GNU", 4) == 0) {
			print_id(p + 12 + name_room, body, id);
			return true;
		}
		name_room += 12 + body_room;
		p += MIN_OF(name_room, n);
		n -= MIN_OF(name_room, n);
	}
	return false;
}

/* False where the segment cannot be read; one that is no note or holds no id changes nothing. */
static bool look_into_segment(const struct elf *e, const unsigned char *header, char id[KBUILD_ID_TEXT])
{
	unsigned char notes[NOTES_MOST];
	uint64_t length = number(e, header + e->shape->length_at, e->shape->word);

	if (number(e, header, 4) != PT_NOTE || *id)
		return true;
	length = MIN_OF(length, (uint64_t)NOTES_MOST);
	if (!read_at(e->fd, number(e, header + e->shape->offset_at, e->shape->word), notes, (size_t)length))
		return false;
	find_id(e, notes, (size_t)length, id);
	return true;
}

bool kbuild_elf_id(int fd, char id[KBUILD_ID_TEXT])
{
	unsigned char head[64] = { 0 }, segment[SEGMENT_HEADER_MOST];
	struct elf e = { .fd = fd };
	uint64_t at, size, n;

	*id = '\0';
	if (!read_at(fd, 0, head, 52) || memcmp(head, ELFMAG, SELFMAG) != 0)
		return false;
	if (head[EI_CLASS] != ELFCLASS32 && (head[EI_CLASS] != ELFCLASS64 || !read_at(fd, 0, head, 64)))
		return false;
	e.shape = &shapes[head[EI_CLASS]];
	e.big = head[EI_DATA] == ELFDATA2MSB;
	at = number(&e, head + e.shape->segments_at, e.shape->word);
	size = number(&e, head + e.shape->segment_size_at, 2);
	n = number(&e, head + e.shape->segments_n_at, 2);
	if (n > SEGMENTS_MOST || (n && (size < e.shape->segment_least || size > sizeof(segment))))
		return false;
	for (uint64_t i = 0; i < n; i++)
		if (at > INT64_MAX / 2 || !read_at(fd, at + i * size, segment, (size_t)size) ||
		    !look_into_segment(&e, segment, id))
			return false;
	return true;
}
