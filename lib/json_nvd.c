/* Owns NVD's answers: one page becomes scores. Refuses an answer that cannot be a whole page, so that a sync never
 * counts as complete for want of records. Facts: the NVD API 2.0's own documentation,
 * nvd.nist.gov/developers/vulnerabilities. */
#include "lib/json.h"

#include "lib/dyad.h"
#include "lib/err.h"
#include "lib/json_load.h"

#include <jansson.h>

#define COUNT_MOST 1e9

/* A page being read; seen holds the ids that stand on it so far. */
struct page_in {
	struct json_in in;
	json_t *seen;
	NvdPage *page;
};

static void read_metric(struct page_in *p, const json_t *metric, const struct json_cvss_key *key, const char *id,
			const char *as_of)
{
	json_t *data;
	Score *s;

	if (!json_is_object(metric)) {
		json_wrong_type(&p->in, "metrics", key->nvd, JSON_OBJECT);
		return;
	}
	data = json_object_get(metric, "cvssData");
	if (!json_is_object(data)) {
		json_wrong_type(&p->in, key->nvd, "cvssData", JSON_OBJECT);
		return;
	}
	if (!(s = json_score(&p->in, data, key->nvd, id, key->version)))
		return;
	s->origin = "nvd";
	s->source = json_text(&p->in, metric, key->nvd, "source");
	s->type = json_text(&p->in, metric, key->nvd, "type");
	s->as_of = as_of;
	PB_ADD_MSG(p->in.arena, p->page, scores, s);
}

static void read_metrics(struct page_in *p, const json_t *cve, const char *id, const char *as_of)
{
	json_t *metrics = json_member(&p->in, cve, "", "metrics", JSON_OBJECT);

	for (size_t k = 0; metrics && k < JSON_CVSS_KEYS; k++) {
		const struct json_cvss_key *key = &json_cvss_keys[k];
		json_t *list = json_member(&p->in, metrics, "metrics", key->nvd, JSON_ARRAY);

		for (size_t i = 0; i < json_array_size(list); i++)
			read_metric(p, json_array_get(list, i), key, id, as_of);
	}
}

/* The id of a record, NULL and a complaint where it has none or stands on the page already: a CVE's scores must stand
 * together. */
static const char *read_id(struct page_in *p, const json_t *cve)
{
	const char *id = json_text(&p->in, cve, "cve", "id");

	if (!id || cve_key(id, strlen(id)) == 0) {
		json_complain(&p->in, 0, "the record is of no CVE");
		return NULL;
	}
	if (json_object_get(p->seen, id)) {
		json_complain(&p->in, 0, "%s stands twice on one page; the first one counts", id);
		return NULL;
	}
	json_object_set_new(p->seen, id, json_true());
	return id;
}

static void read_record(struct page_in *p, const json_t *record, size_t number)
{
	const char *id, *modified, *published;
	json_t *cve;

	p->in.where = arena_printf(p->in.arena, "NVD record %zu", number);
	if (!json_is_object(record)) {
		json_wrong_type(&p->in, "vulnerabilities", "[]", JSON_OBJECT);
		return;
	}
	cve = json_member(&p->in, record, "", "cve", JSON_OBJECT);
	if (!(id = read_id(p, cve)))
		return;
	p->in.where = arena_printf(p->in.arena, "NVD %s", id);
	published = json_time(&p->in, cve, "", "published");
	PB_ADD_STR(p->in.arena, p->page, cve_ids, id);
	PB_ADD_STR(p->in.arena, p->page, published, published ? published : "");
	modified = json_time(&p->in, cve, "", "lastModified");
	if (modified && (!p->page->newest || strcmp(modified, p->page->newest) > 0))
		p->page->newest = modified;
	read_metrics(p, cve, id, modified);
}

static bool read_count(const json_t *root, const char *key, uint64_t *count)
{
	const json_t *value = json_object_get(root, key);
	double x = json_is_real(value) ? json_real_value(value) : -1;

	if (!(x >= 0 && x <= COUNT_MOST))
		return false;
	*count = (uint64_t)x;
	return true;
}

/* Counts and the list of records must be there and make sense together. */
static int read_frame(const json_t *root, json_t **records, NvdPage *page)
{
	*records = json_object_get(root, "vulnerabilities");
	page->has_start = read_count(root, "startIndex", &page->start);
	page->has_total = read_count(root, "totalResults", &page->total);
	if (!json_is_array(*records) || !page->has_start || !page->has_total)
		return fail(ERR_PEER,
			    "the answer is no page of records: vulnerabilities, startIndex or totalResults is missing");
	page->has_records = true;
	page->records = json_array_size(*records);
	if (page->records == 0 && page->start < page->total)
		return fail(ERR_PEER, "the answer holds no record, %llu of %llu being due",
			    (unsigned long long)(page->total - page->start), (unsigned long long)page->total);
	return 0;
}

int json_nvd_page(struct arena *a, const char *text, size_t n, NvdPage *page)
{
	struct page_in p = { .in = { .arena = a, .where = "NVD" }, .page = page };
	NvdPage frame = *page;
	json_t *root, *records;
	size_t line;
	int err;

	if (json_load(&p.in, text, n, &root, &line))
		return fail(ERR_PEER, "the answer is no JSON of NVD's: %s", err_text());
	if (!(err = read_frame(root, &records, &frame))) {
		*page = frame;
		page->timestamp = json_time(&p.in, root, "", "timestamp");
		p.seen = json_object();
		for (size_t i = 0; i < json_array_size(records); i++)
			read_record(&p, json_array_get(records, i), i + 1);
		json_decref(p.seen);
		page->n_complaints = p.in.n_complaints;
		page->complaints = p.in.complaints;
	}
	json_decref(root);
	return err;
}
