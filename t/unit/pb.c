/* Generic verbs on messages: new, pack and unpack, print, compare, copy, and lists that grow. */
#include "lib/pb.h"
#include "tap.h"

static struct arena *arena;

static Cve *full_cve(void)
{
	Cve *cve = pb_new(arena, &cve__descriptor);

	cve->id = "CVE-2024-1234";
	cve->has_severity = true;
	cve->severity = 0.0;
	for (uint32_t i = 0; i < 3; i++) {
		CveInstance *in = PB_ADD(arena, cve, instances, cve_instance);

		in->introduced = pb_new(arena, &kernel_version__descriptor);
		in->introduced->has_major = in->introduced->has_minor = true;
		in->introduced->major = 6;
		in->introduced->minor = i;
		pb_add_bytes(arena, &in->n_affected_files, &in->affected_files, "a\0\xe9", 3);
	}
	return cve;
}

static void *through_the_wire(const ProtobufCMessage *m)
{
	struct buf b = { 0 };
	void *back;

	pb_pack(&b, m);
	back = pb_unpack(arena, m->descriptor, b.data, b.len);
	buf_free(&b);
	return back;
}

static void test_round_trip(void)
{
	Cve *cve = full_cve(), *back = through_the_wire(&cve->base), *empty = pb_new(arena, &cve__descriptor);

	ok(back && pb_equal(&cve->base, &back->base), "what was packed is unpacked");
	ok(back->has_severity && back->severity == 0, "0.0 is present");
	ok(back->instances[2]->affected_files[0].len == 3 &&
		   memcmp(back->instances[2]->affected_files[0].data, "a\0\xe9", 3) == 0,
	   "bytes survive");
	ok(pb_equal(&empty->base, through_the_wire(&empty->base)), "an empty message packs to nothing and back");
	ok(pb_unpack(arena, &cve__descriptor, NULL, 0) != NULL, "no bytes are an empty message");
	ok(!pb_unpack(arena, &cve__descriptor, "\x0a\x7f", 2), "a length beyond the end is refused");
	ok(!pb_unpack(arena, &cve__descriptor, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11),
	   "a tag without end is refused");
}

static void test_pack_appends(void)
{
	KernelVersion v = KERNEL_VERSION__INIT;
	struct buf b = { 0 };

	v.has_major = true;
	v.major = 6;
	buf_adds(&b, "head");
	pb_pack(&b, &v.base);
	ok(b.len == 6 && memcmp(b.data, "head\x08\x06", 7) == 0, "packing appends, and a NUL stands behind the end");
	buf_free(&b);
}

static void test_ceiling(void)
{
	struct arena *small = arena_new(4096);
	struct buf b = { 0 };

	for (int i = 0; i < 1000; i++)
		buf_add(&b, "\x92\x01\x00", 3); /* field 18, an empty instance */
	ok(pb_unpack(arena, &cve__descriptor, b.data, b.len) != NULL, "a thousand empty instances are a message");
	ok(!pb_unpack(small, &cve__descriptor, b.data, b.len), "but not below a ceiling of 4 KiB");
	ok(arena_used(small) <= 4096, "which holds");
	arena_reset_ceiling(small, 16);
	ok(!pb_new(small, &cve__descriptor), "nor is there room for a new one below 16 bytes");
	arena_free(small);
	buf_free(&b);
}

static void add_instance(Cve *cve, const char *title)
{
	CveInstance *in = PB_ADD(arena, cve, instances, cve_instance);

	in->title = title;
}

/* Appending to a list that protobuf-c has allotted must not run into what lies behind it. */
static void test_unpacked_lists_grow(void)
{
	for (int had = 0; had <= 20; had++) {
		Cve *cve = pb_new(arena, &cve__descriptor), *back;
		struct buf before = { 0 }, after = { 0 };
		bool kept = true;
		uint8_t *beside;

		for (int i = 0; i < had; i++)
			add_instance(cve, "old");
		for (int i = 0; i < had; i++)
			pb_add_bytes(arena, &cve->n_program_files, &cve->program_files, "file", 4);
		back = through_the_wire(&cve->base);
		beside = arena_alloc(arena, 256);
		for (int i = 0; i < 20; i++) {
			add_instance(back, "new");
			pb_add_bytes(arena, &back->n_program_files, &back->program_files, "more", 4);
		}
		for (int i = 0; i < 256; i++)
			kept = kept && beside[i] == 0;
		back->n_instances = back->n_program_files = (size_t)had;
		pb_print(&before, &cve->base);
		pb_print(&after, &back->base);
		ok(kept && strcmp(buf_str(&before), buf_str(&after)) == 0, "a list of %d grows after unpacking", had);
		buf_free(&before);
		buf_free(&after);
	}
}

static void test_nested_lists_grow(void)
{
	Cve *cve = full_cve(), *back = pb_copy(arena, &cve->base);
	CveInstance *in = back->instances[0];

	for (int i = 0; i < 6; i++)
		pb_add_bytes(arena, &in->n_affected_files, &in->affected_files, "x", 1);
	in->n_affected_files = 1;
	ok(pb_equal(&cve->base, &back->base), "the lists of a list's messages grow, too, in a copy as well");
}

static void test_equal(void)
{
	Cve *a = full_cve(), *b = full_cve();
	KernelVersion v = KERNEL_VERSION__INIT, w = KERNEL_VERSION__INIT;

	ok(pb_equal(&a->base, &b->base) && pb_equal(NULL, NULL), "equal messages, and NULLs");
	ok(!pb_equal(&a->base, NULL) && !pb_equal(NULL, &a->base), "a message is not NULL");
	ok(!pb_equal(&a->base, &v.base), "types differ");
	b->has_severity = false;
	ok(!pb_equal(&a->base, &b->base), "0.0 is not absent");
	b = full_cve();
	b->id = "CVE-2024-1235";
	ok(!pb_equal(&a->base, &b->base), "a text differs");
	b = full_cve();
	b->n_instances = 2;
	ok(!pb_equal(&a->base, &b->base), "a list is shorter");
	b = full_cve();
	b->instances[1]->introduced->minor = 7;
	ok(!pb_equal(&a->base, &b->base), "a number deep inside differs");
	b = full_cve();
	b->instances[1]->affected_files[0].data[2] = 'e';
	ok(!pb_equal(&a->base, &b->base), "a byte behind a NUL differs");
	v.major = 5;
	ok(pb_equal(&v.base, &w.base), "what an absent field holds does not count");
	ok(pb_bytes_equal(pb_bytes(arena, NULL, 0), (ProtobufCBinaryData){ 0 }), "no bytes equal no bytes");
}

static void test_copy(void)
{
	Cve *cve = full_cve(), *copy = pb_copy(arena, &cve->base);

	ok(pb_equal(&cve->base, &copy->base), "a copy is equal");
	cve->instances[0]->affected_files[0].data[0] = 'z';
	ok(copy->instances[0]->affected_files[0].data[0] == 'a', "and shares nothing");
	ok(!pb_copy(arena, NULL), "NULL copies to NULL");
}

static void test_print(void)
{
	struct buf b = { 0 };
	Cve *cve = pb_new(arena, &cve__descriptor);
	Verdict *verdict = PB_ADD(arena, cve, verdicts, verdict);
	ListResult list = LIST_RESULT__INIT;

	cve->id = "\x1b[31m";
	cve->has_severity = true;
	cve->severity = 7.8;
	verdict->has_verdict = true;
	verdict->verdict = VERDICT_KIND__NOT_COMPILED;
	PB_ADD_STR(arena, verdict, titles, "one");
	PB_ADD_STR(arena, verdict, titles, "two");
	pb_add_bytes(arena, &cve->n_program_files, &cve->program_files, "\xe9.c", 3);
	pb_print(&b, &cve->base);
	is_str(b.data,
	       "id: \\x1b[31m\nseverity: 7.8\nprogram_files: \\xe9.c\nverdicts: \n  verdict: NOT_COMPILED\n  titles: one\n  "
	       "titles: "
	       "two\n",
	       "fields in order, printable, lists repeated, messages indented, absent ones left out");
	buf_reset(&b);
	list.has_rebuild = list.has_kernel_print = true;
	list.rebuild = true;
	list.kernel_print = UINT64_MAX;
	pb_print(&b, &list.base);
	is_str(b.data, "rebuild: true\nkernel_print: 18446744073709551615\n", "truth and large numbers");
	buf_free(&b);
}

static const ProtobufCFieldDescriptor *field(const ProtobufCMessageDescriptor *d, const char *name)
{
	return protobuf_c_message_descriptor_get_field_by_name(d, name);
}

static void test_fields(void)
{
	Cve cve = CVE__INIT;
	const ProtobufCFieldDescriptor *severity = field(&cve__descriptor, "severity"), *id = field(&cve__descriptor, "id");
	const ProtobufCFieldDescriptor *instances = field(&cve__descriptor, "instances");

	ok(!pb_has(&cve.base, severity) && !pb_has(&cve.base, id) && !pb_has(&cve.base, instances),
	   "nothing is present at first");
	*(double *)pb_field(&cve.base, severity) = 5.5;
	ok(!pb_has(&cve.base, severity), "a value alone is not present");
	pb_set_has(&cve.base, severity);
	ok(pb_has(&cve.base, severity) && cve.has_severity && cve.severity == 5.5, "until it is marked");
	*(const char **)pb_field(&cve.base, id) = "";
	pb_set_has(&cve.base, id);
	ok(pb_has(&cve.base, id) && cve.id, "an empty text is present");
	PB_ADD_MSG(arena, &cve, instances, pb_new(arena, &cve_instance__descriptor));
	ok(pb_has(&cve.base, instances) && cve.n_instances == 1, "a list with an item is present");
}

int main(void)
{
	arena = arena_new(0);
	test_round_trip();
	test_pack_appends();
	test_ceiling();
	test_unpacked_lists_grow();
	test_nested_lists_grow();
	test_equal();
	test_copy();
	test_print();
	test_fields();
	arena_free(arena);
	return done();
}
