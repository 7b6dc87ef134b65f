/* Owns what protobuf-c's generated code leaves out: arenas, printing, comparing, copying by descriptor. */
#include "lib/pb.h"

#include "lib/err.h"
#include "lib/str.h"

static void *alloc_in_arena(void *arena, size_t n)
{
	return arena_alloc(arena, n);
}

static void free_in_arena(void *arena UNUSED, void *p UNUSED)
{
}

void *pb_new(struct arena *a, const ProtobufCMessageDescriptor *d)
{
	ProtobufCMessage *m = arena_alloc(a, d->sizeof_message);

	if (m)
		d->message_init(m);
	return m;
}

void pb_pack(struct buf *out, const ProtobufCMessage *m)
{
	size_t n = protobuf_c_message_get_packed_size(m);

	protobuf_c_message_pack(m, (uint8_t *)buf_reserve(out, n));
	out->len += n;
	out->data[out->len] = '\0';
}

void *pb_copy(struct arena *a, const ProtobufCMessage *m)
{
	struct buf packed = { 0 };
	void *copy;

	if (!m)
		return NULL;
	pb_pack(&packed, m);
	copy = pb_unpack(a, m->descriptor, packed.data, packed.len);
	buf_free(&packed);
	return copy;
}

void *pb_field(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
	return (char *)m + f->offset;
}

bool pb_has(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
	if (f->label == PROTOBUF_C_LABEL_REPEATED)
		return *(const size_t *)((const char *)m + f->quantifier_offset) > 0;
	if (f->type == PROTOBUF_C_TYPE_STRING || f->type == PROTOBUF_C_TYPE_MESSAGE)
		return *(void *const *)pb_field(m, f) != NULL;
	return *(const protobuf_c_boolean *)((const char *)m + f->quantifier_offset);
}

void pb_set_has(ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
	if (f->type != PROTOBUF_C_TYPE_STRING && f->type != PROTOBUF_C_TYPE_MESSAGE)
		*(protobuf_c_boolean *)((char *)m + f->quantifier_offset) = true;
}

size_t pb_count(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
	if (f->label == PROTOBUF_C_LABEL_REPEATED)
		return *(const size_t *)((const char *)m + f->quantifier_offset);
	return pb_has(m, f) ? 1 : 0;
}

/* Bytes that one value of a field takes in memory, by type; only the types that tuxtape.proto uses. */
static size_t size_of_value(const ProtobufCFieldDescriptor *f)
{
	switch (f->type) {
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_MESSAGE:
		return sizeof(void *);
	case PROTOBUF_C_TYPE_BOOL:
		return sizeof(protobuf_c_boolean);
	case PROTOBUF_C_TYPE_DOUBLE:
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_UINT64:
		return 8;
	default:
		return 4;
	}
}

static bool lists_made_growable(struct arena *a, ProtobufCMessage *m);

/* Moves one list to where arena_grow expects room: the power of two at or above its count, eight at least. */
static bool list_made_growable(struct arena *a, ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
	size_t n = pb_count(m, f), room = 8;
	void **list = pb_field(m, f);
	void *roomy;

	for (size_t i = 0; f->type == PROTOBUF_C_TYPE_MESSAGE && i < n; i++)
		if (!lists_made_growable(a, (*(ProtobufCMessage ***)list)[i]))
			return false;
	while (room < n)
		room *= 2;
	if (n == 0 || n == room)
		return true;
	roomy = arena_alloc(a, room * size_of_value(f));
	if (roomy)
		*list = memcpy(roomy, *list, n * size_of_value(f));
	return roomy != NULL;
}

/* protobuf-c allots a list as long as it is; PB_ADD on such a list would write behind it. No message type contains itself, so
 * the depth is bounded. */
static bool lists_made_growable(struct arena *a, ProtobufCMessage *m)
{
	for (unsigned i = 0; i < m->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &m->descriptor->fields[i];
		bool single = f->label != PROTOBUF_C_LABEL_REPEATED;

		if (!single && !list_made_growable(a, m, f))
			return false;
		if (single && f->type == PROTOBUF_C_TYPE_MESSAGE && pb_has(m, f) &&
		    !lists_made_growable(a, *(ProtobufCMessage **)pb_field(m, f)))
			return false;
	}
	return true;
}

void *pb_unpack(struct arena *a, const ProtobufCMessageDescriptor *d, const void *data, size_t n)
{
	ProtobufCAllocator in_arena = { .alloc = alloc_in_arena, .free = free_in_arena, .allocator_data = a };
	ProtobufCMessage *m = protobuf_c_message_unpack(d, &in_arena, n, n ? data : (const void *)"");

	return m && lists_made_growable(a, m) ? m : NULL;
}

const void *pb_value(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f, size_t i)
{
	const char *base = pb_field(m, f);

	if (f->label == PROTOBUF_C_LABEL_REPEATED)
		base = *(char *const *)base;
	return base + i * size_of_value(f);
}

void pb_print_integer(struct buf *out, const ProtobufCFieldDescriptor *f, const void *v)
{
	switch (f->type) {
	case PROTOBUF_C_TYPE_UINT64:
		buf_printf(out, "%llu", (unsigned long long)*(const uint64_t *)v);
		break;
	case PROTOBUF_C_TYPE_INT64:
		buf_printf(out, "%lld", (long long)*(const int64_t *)v);
		break;
	case PROTOBUF_C_TYPE_INT32:
		buf_printf(out, "%d", *(const int32_t *)v);
		break;
	default:
		buf_printf(out, "%u", *(const uint32_t *)v);
		break;
	}
}

static void print_indented(struct buf *out, const ProtobufCMessage *m, int level);

static void print_value(struct buf *out, const ProtobufCFieldDescriptor *f, const void *v, int level)
{
	const ProtobufCBinaryData *bytes = v;
	const ProtobufCEnumValue *word;

	switch (f->type) {
	case PROTOBUF_C_TYPE_STRING:
		str_printable(out, *(const char *const *)v, strlen(*(const char *const *)v));
		break;
	case PROTOBUF_C_TYPE_BYTES:
		str_printable(out, (const char *)bytes->data, bytes->len);
		break;
	case PROTOBUF_C_TYPE_MESSAGE:
		buf_addc(out, '\n');
		print_indented(out, *(ProtobufCMessage *const *)v, level + 1);
		return;
	case PROTOBUF_C_TYPE_ENUM:
		word = protobuf_c_enum_descriptor_get_value(f->descriptor, *(const int *)v);
		buf_adds(out, word ? word->name : "?");
		break;
	case PROTOBUF_C_TYPE_BOOL:
		buf_adds(out, *(const protobuf_c_boolean *)v ? "true" : "false");
		break;
	case PROTOBUF_C_TYPE_DOUBLE:
		buf_printf(out, "%g", *(const double *)v);
		break;
	default:
		pb_print_integer(out, f, v);
		break;
	}
	buf_addc(out, '\n');
}

static void print_indented(struct buf *out, const ProtobufCMessage *m, int level)
{
	for (unsigned i = 0; i < m->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &m->descriptor->fields[i];

		for (size_t k = 0; k < pb_count(m, f); k++) {
			buf_printf(out, "%*s%s: ", level * 2, "", f->name);
			print_value(out, f, pb_value(m, f, k), level);
		}
	}
}

void pb_print(struct buf *out, const ProtobufCMessage *m)
{
	print_indented(out, m, 0);
}

bool pb_bytes_equal(ProtobufCBinaryData a, ProtobufCBinaryData b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

void pb_set(ProtobufCMessage *m, const ProtobufCFieldDescriptor *f, const ProtobufCMessage *from)
{
	memcpy(pb_field(m, f), pb_field(from, f), size_of_value(f));
	pb_set_has(m, f);
}

static bool values_equal(const ProtobufCFieldDescriptor *f, const void *a, const void *b)
{
	switch (f->type) {
	case PROTOBUF_C_TYPE_STRING:
		return strcmp(*(const char *const *)a, *(const char *const *)b) == 0;
	case PROTOBUF_C_TYPE_BYTES:
		return pb_bytes_equal(*(const ProtobufCBinaryData *)a, *(const ProtobufCBinaryData *)b);
	case PROTOBUF_C_TYPE_MESSAGE:
		return pb_equal(*(ProtobufCMessage *const *)a, *(ProtobufCMessage *const *)b);
	default:
		return memcmp(a, b, size_of_value(f)) == 0;
	}
}

bool pb_equal(const ProtobufCMessage *a, const ProtobufCMessage *b)
{
	if (!a || !b || a->descriptor != b->descriptor)
		return a == b;
	for (unsigned i = 0; i < a->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &a->descriptor->fields[i];
		size_t n = pb_count(a, f);

		if (n != pb_count(b, f))
			return false;
		for (size_t k = 0; k < n; k++)
			if (!values_equal(f, pb_value(a, f, k), pb_value(b, f, k)))
				return false;
	}
	return true;
}

ProtobufCBinaryData pb_bytes(struct arena *a, const void *data, size_t len)
{
	uint8_t *copy = arena_memdup(a, data, len);

	return (ProtobufCBinaryData){ .len = copy ? len : 0, .data = copy };
}

void pb_add_bytes(struct arena *a, size_t *n, ProtobufCBinaryData **field, const void *data, size_t len)
{
	ProtobufCBinaryData *to = arena_grow(a, (void **)field, n, sizeof(**field));

	if (to)
		*to = pb_bytes(a, data, len);
}
