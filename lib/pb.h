/* Generic verbs on protobuf-c messages, driven by their descriptors. */
#ifndef TUXTAPE_PB_H
#define TUXTAPE_PB_H

#include "lib/arena.h"
#include "lib/base.h"
#include "lib/buf.h"

#include "proto/tuxtape.pb-c.h"

#include <protobuf-c/protobuf-c.h>

/* A new, empty message in the arena. NULL only where the arena's ceiling would be passed. */
void *pb_new(struct arena *a, const ProtobufCMessageDescriptor *d);

/* The message that n packed bytes say, wholly in the arena. NULL where they are malformed or the ceiling would be passed. */
void *pb_unpack(struct arena *a, const ProtobufCMessageDescriptor *d, const void *data, size_t n);

/* Appends the packed form. */
void pb_pack(struct buf *out, const ProtobufCMessage *m);

/* Appends a readable form, a field a line, indented by two blanks a level; for tests and logs. */
void pb_print(struct buf *out, const ProtobufCMessage *m);

/* Appends a value of an integer field in decimal. */
void pb_print_integer(struct buf *out, const ProtobufCFieldDescriptor *f, const void *v);

/* True when both have the same type and the same fields, presence included. NULLs are equal to each other. */
bool pb_equal(const ProtobufCMessage *a, const ProtobufCMessage *b);

/* A deep copy in the arena; NULL for NULL. */
void *pb_copy(struct arena *a, const ProtobufCMessage *m);

/* Where field f of m lives, and whether a singular field is present. */
void *pb_field(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f);
bool pb_has(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f);

/* How many values field f of m has (0 or 1 when it is singular), and where the i-th of them lives. */
size_t pb_count(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f);
const void *pb_value(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f, size_t i);

/* Marks a singular scalar field as present. */
void pb_set_has(ProtobufCMessage *m, const ProtobufCFieldDescriptor *f);

/* Sets singular field f of m to what `from`, a message of the same type in which it is present, has. Not a deep copy. */
void pb_set(ProtobufCMessage *m, const ProtobufCFieldDescriptor *f, const ProtobufCMessage *from);

/* A new message appended to a repeated field, its type in lower case: PB_ADD(arena, cve, instances, cve_instance). */
#define PB_ADD(a, m, field, type)                                         \
	(*(void **)arena_grow((a), (void **)&(m)->field, &(m)->n_##field, \
			      sizeof(*(m)->field)) = pb_new((a), &type##__descriptor))

/* A string appended to a repeated string field; the text is copied. */
#define PB_ADD_STR(a, m, field, s)                                                                                       \
	(*(const char **)arena_grow((a), (void **)&(m)->field, &(m)->n_##field, sizeof(*(m)->field)) = arena_strdup((a), \
														    (s)))

/* A message that is there already, appended to a repeated message field (not copied). */
#define PB_ADD_MSG(a, m, field, msg) \
	(*(void **)arena_grow((a), (void **)&(m)->field, &(m)->n_##field, sizeof(*(m)->field)) = (msg))

/* Bytes appended to a repeated bytes field; copied. */
void pb_add_bytes(struct arena *a, size_t *n, ProtobufCBinaryData **field, const void *data, size_t len);

/* A bytes value in the arena, copied. */
ProtobufCBinaryData pb_bytes(struct arena *a, const void *data, size_t len);

/* True when both hold the same bytes. */
bool pb_bytes_equal(ProtobufCBinaryData a, ProtobufCBinaryData b);

#endif
