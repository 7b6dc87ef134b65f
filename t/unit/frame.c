/* Frames: their bytes are those of the protocol, and a length over the limit is refused before its message is waited for. */
#include "lib/frame.h"
#include "lib/err.h"
#include "tap.h"

static void test_bytes(void)
{
	static const char want[] = "\0\0\0\x03\x01\x02\x03\x04\x05\x06\0\x11"
				   "abc";
	struct frame in = { .length = 99, .id = 0x01020304, .method = 0x0506, .status = 0x11 }, out;
	struct buf b = { 0 };

	frame_write(&b, in, "abc", 3);
	ok(b.len == FRAME_HEADER + 3 && memcmp(b.data, want, b.len) == 0, "big-endian, the length that of the message");
	is_int(frame_read_header(&out, b.data, FRAME_MOST), 0, "read again");
	ok(out.length == 3 && out.id == in.id && out.method == in.method && out.status == in.status, "all are the same");
	buf_reset(&b);
	frame_write(&b, (struct frame){ .id = UINT32_MAX, .method = UINT16_MAX, .status = UINT16_MAX }, NULL, 0);
	is_int((long long)b.len, FRAME_HEADER, "an empty message");
	is_int(frame_read_header(&out, b.data, 0), 0, "is within any limit");
	ok(out.length == 0 && out.id == UINT32_MAX && out.method == UINT16_MAX && out.status == UINT16_MAX,
	   "with the largest numbers");
	buf_free(&b);
}

static void test_limit(void)
{
	static const char header[FRAME_HEADER] = "\x01\0\0\0";
	struct frame f;

	is_int(frame_read_header(&f, header, FRAME_MOST), 0, "16 MiB are taken");
	is_int(frame_read_header(&f, header, FRAME_MOST - 1), ERR_PEER, "a byte more is not");
	is_str(err_text(), "a frame of 16777216 bytes, at most 16777215 are taken", "which says both");
	is_int(frame_read_header(&f, "\xff\xff\xff\xff\0\0\0\0\0\0\0", FRAME_MOST), ERR_PEER, "nor the largest");
}

static void test_next(void)
{
	struct buf b = { 0 }, part = { 0 };
	size_t size = 0, early = 0;
	struct frame f;
	int err = 1;

	ok(!frame_next(&b, 0, FRAME_MOST, &f, &size, &err) && err == 0, "nothing has come");
	frame_write(&b, (struct frame){ .id = 1 }, "first", 5);
	frame_write(&b, (struct frame){ .id = 2 }, "", 0);
	for (size_t n = 0; n < FRAME_HEADER + 5; n++) {
		buf_reset(&part);
		buf_add(&part, b.data, n);
		early += frame_next(&part, 0, FRAME_MOST, &f, &size, &err) || err;
	}
	is_int((long long)early, 0, "a frame is none before its last byte");
	ok(frame_next(&b, 0, FRAME_MOST, &f, &size, &err) && f.id == 1 && size == FRAME_HEADER + 5 && !err,
	   "then it is one");
	ok(frame_next(&b, size, FRAME_MOST, &f, &size, &err) && f.id == 2 && size == FRAME_HEADER,
	   "the next stands behind it");
	ok(!frame_next(&b, b.len, FRAME_MOST, &f, &size, &err) && !err, "and no third");
	buf_reset(&part);
	buf_add(&part, b.data, FRAME_HEADER);
	ok(!frame_next(&part, 0, 4, &f, &size, &err) && err == ERR_PEER, "too long is refused by the header alone");
	buf_free(&part);
	buf_free(&b);
}

int main(void)
{
	test_bytes();
	test_limit();
	test_next();
	return done();
}
