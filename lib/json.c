/* Owns JSON on the way out: messages as objects by their descriptors, and string literals that are safe on a terminal.
 * Refuses to know any message but KernelVersion, which people read as text. */
#include "lib/json.h"

#include "lib/kver.h"
#include "lib/str.h"

#include <math.h>
#include <stdlib.h>

#define REPLACEMENT "\xef\xbf\xbd"

/* One character as an escape; those above the basic plane take two. */
static void add_escape(struct buf *out, uint32_t rune)
{
	if (rune > 0xffff) {
		buf_printf(out, "\\u%04x", 0xd7c0 + (rune >> 10));
		rune = 0xdc00 | (rune & 0x3ff);
	}
	buf_printf(out, "\\u%04x", rune);
}

static void add_rune(struct buf *out, uint32_t rune, const char *s, size_t len)
{
	static const char named[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
	const char *found = rune && rune < 0x80 ? strchr(named, (int)rune) : NULL;

	if (found) {
		buf_addc(out, '\\');
		buf_addc(out, letters[found - named]);
	} else if (str_rune_is_hostile(rune)) {
		add_escape(out, rune);
	} else {
		buf_add(out, s, len);
	}
}

void json_quote(struct buf *out, const char *s, size_t n)
{
	size_t i = 0;

	buf_addc(out, '"');
	while (i < n) {
		uint32_t rune = 0;
		size_t len = str_utf8_next(s + i, n - i, &rune);

		if (len)
			add_rune(out, rune, s + i, len);
		else
			buf_adds(out, REPLACEMENT);
		i += len ? len : 1;
	}
	buf_addc(out, '"');
}

/* Whole numbers of tenths or thousandths, since printf's decimal point depends on the locale. */
static void add_decimal(struct buf *out, double x, bool score)
{
	long long scale = score ? 10 : 1000, n;

	if (!isfinite(x) || fabs(x) > 1e12) {
		buf_adds(out, "null");
		return;
	}
	n = llround(x * (double)scale);
	buf_printf(out, "%s%lld.%0*lld", n < 0 ? "-" : "", llabs(n) / scale, score ? 1 : 3, llabs(n) % scale);
}

static void add_enum(struct buf *out, const ProtobufCFieldDescriptor *f, int value)
{
	const ProtobufCEnumValue *word = protobuf_c_enum_descriptor_get_value(f->descriptor, value);

	if (!word) {
		buf_printf(out, "%d", value);
		return;
	}
	buf_addc(out, '"');
	for (const char *c = word->name; *c; c++)
		buf_addc(out, *c == '_' ? '-' : *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c);
	buf_addc(out, '"');
}

/* What is a file or a patch keeps every byte of it; other bytes are text that may be broken. */
static bool is_base64(const ProtobufCFieldDescriptor *f)
{
	static const char *const names[] = { "patch", "raw", "deployable", "body" };

	for (size_t i = 0; f->type == PROTOBUF_C_TYPE_BYTES && i < ARRAY_LEN(names); i++)
		if (strcmp(f->name, names[i]) == 0)
			return true;
	return false;
}

static bool is_score(const ProtobufCFieldDescriptor *f)
{
	return strcmp(f->name, "severity") == 0 || strcmp(f->name, "base_score") == 0;
}

static void add_bytes(struct buf *out, const ProtobufCFieldDescriptor *f, const ProtobufCBinaryData *bytes)
{
	if (!is_base64(f)) {
		json_quote(out, (const char *)bytes->data, bytes->len);
		return;
	}
	buf_addc(out, '"');
	str_base64(out, bytes->data, bytes->len);
	buf_addc(out, '"');
}

static void add_object(struct buf *out, const ProtobufCMessage *m, int indent, int level);

static void add_message(struct buf *out, const ProtobufCMessage *m, int indent, int level)
{
	if (m->descriptor != &kernel_version__descriptor) {
		add_object(out, m, indent, level);
		return;
	}
	buf_addc(out, '"');
	kver_print(out, (const KernelVersion *)m);
	buf_addc(out, '"');
}

static void add_value(struct buf *out, const ProtobufCFieldDescriptor *f, const void *v, int indent, int level)
{
	switch (f->type) {
	case PROTOBUF_C_TYPE_STRING:
		json_quote(out, *(const char *const *)v, strlen(*(const char *const *)v));
		break;
	case PROTOBUF_C_TYPE_BYTES:
		add_bytes(out, f, v);
		break;
	case PROTOBUF_C_TYPE_MESSAGE:
		add_message(out, *(ProtobufCMessage *const *)v, indent, level);
		break;
	case PROTOBUF_C_TYPE_ENUM:
		add_enum(out, f, *(const int *)v);
		break;
	case PROTOBUF_C_TYPE_BOOL:
		buf_adds(out, *(const protobuf_c_boolean *)v ? "true" : "false");
		break;
	case PROTOBUF_C_TYPE_DOUBLE:
		add_decimal(out, *(const double *)v, is_score(f));
		break;
	default:
		pb_print_integer(out, f, v);
		break;
	}
}

/* Begins a member or element: the comma before all but the first, and its line. */
static void add_break(struct buf *out, bool first, int indent, int level)
{
	if (!first)
		buf_addc(out, ',');
	if (indent)
		buf_printf(out, "\n%*s", indent * level, "");
}

static void add_list(struct buf *out, const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f, int indent, int level)
{
	size_t n = pb_count(m, f);

	buf_addc(out, '[');
	for (size_t i = 0; i < n; i++) {
		add_break(out, i == 0, indent, level + 1);
		add_value(out, f, pb_value(m, f, i), indent, level + 1);
	}
	if (n)
		add_break(out, true, indent, level);
	buf_addc(out, ']');
}

/* A JobList and its like: scripts go through what it holds without a look whether it is there. */
static bool is_all_lists(const ProtobufCMessageDescriptor *d)
{
	for (unsigned i = 0; i < d->n_fields; i++)
		if (d->fields[i].label != PROTOBUF_C_LABEL_REPEATED)
			return false;
	return true;
}

static void add_object(struct buf *out, const ProtobufCMessage *m, int indent, int level)
{
	bool first = true, lists = is_all_lists(m->descriptor);

	buf_addc(out, '{');
	for (unsigned i = 0; i < m->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &m->descriptor->fields[i];

		if (!pb_has(m, f) && !lists)
			continue;
		add_break(out, first, indent, level + 1);
		first = false;
		buf_printf(out, "\"%s%s\":%s", f->name, is_base64(f) ? "_base64" : "", indent ? " " : "");
		if (f->label == PROTOBUF_C_LABEL_REPEATED)
			add_list(out, m, f, indent, level + 1);
		else
			add_value(out, f, pb_value(m, f, 0), indent, level + 1);
	}
	if (!first)
		add_break(out, true, indent, level);
	buf_addc(out, '}');
}

void json_print(struct buf *out, const ProtobufCMessage *m, int indent)
{
	add_message(out, m, indent, 0);
}
