/* Owns the byte order of frames. Refuses a length over the limit before anybody allocates for it. */
#include "lib/frame.h"

#include "lib/err.h"

static void put(unsigned char *to, uint32_t v, int bytes)
{
	for (int i = bytes - 1; i >= 0; i--, v >>= 8)
		to[i] = (unsigned char)v;
}

static uint32_t get(const unsigned char *from, int bytes)
{
	uint32_t v = 0;

	for (int i = 0; i < bytes; i++)
		v = v << 8 | from[i];
	return v;
}

void frame_write(struct buf *out, struct frame f, const void *message, size_t n)
{
	unsigned char header[FRAME_HEADER];

	put(header, (uint32_t)n, 4);
	put(header + 4, f.id, 4);
	put(header + 8, f.method, 2);
	put(header + 10, f.status, 2);
	buf_add(out, header, sizeof(header));
	buf_add(out, message, n);
}

int frame_read_header(struct frame *f, const void *header, size_t most)
{
	const unsigned char *h = header;

	f->length = get(h, 4);
	f->id = get(h + 4, 4);
	f->method = (uint16_t)get(h + 8, 2);
	f->status = (uint16_t)get(h + 10, 2);
	if (f->length > most)
		return fail(ERR_PEER, "a frame of %u bytes, at most %zu are taken", f->length, most);
	return 0;
}

bool frame_next(const struct buf *in, size_t from, size_t most, struct frame *f, size_t *size, int *err)
{
	*err = 0;
	if (in->len - from < FRAME_HEADER)
		return false;
	if ((*err = frame_read_header(f, in->data + from, most)))
		return false;
	*size = FRAME_HEADER + (size_t)f->length;
	return in->len - from >= *size;
}
