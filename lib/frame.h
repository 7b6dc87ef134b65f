/* Frames: u32 length, u32 id, u16 method, u16 status, big-endian, then `length` bytes of message. */
#ifndef TUXTAPE_FRAME_H
#define TUXTAPE_FRAME_H

#include "lib/base.h"
#include "lib/buf.h"

#define FRAME_HEADER 12
#define FRAME_MOST (16u << 20) /* the longest message, in bytes */

/* What a frame's status says; FRAME_ERROR + a kind of enum err is an error whose message is its text. */
enum frame_status { FRAME_REQUEST = 0, FRAME_MORE = 1, FRAME_OK = 2, FRAME_CANCEL = 3, FRAME_ERROR = 16 };

struct frame {
	uint32_t length, id;
	uint16_t method, status;
};

/* Appends header and message; length is taken from n. */
void frame_write(struct buf *out, struct frame f, const void *message, size_t n);

/* Reads a header from FRAME_HEADER bytes. ERR_PEER where the length exceeds most. */
int frame_read_header(struct frame *f, const void *header, size_t most);

/* The next whole frame in a buffer of received bytes: true and its size (header and message) in *size, the message at
 * header + FRAME_HEADER. False where more bytes are needed; *err is ERR_PEER where the length exceeds most, else 0. */
bool frame_next(const struct buf *in, size_t from, size_t most, struct frame *f, size_t *size, int *err);

#endif
