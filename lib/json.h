/* JSON by jansson: CVE records and NVD answers into the fields of a Cve, and every --json on the way out. */
#ifndef TUXTAPE_JSON_H
#define TUXTAPE_JSON_H

#include "lib/arena.h"
#include "lib/base.h"
#include "lib/buf.h"
#include "lib/pb.h"

/* Reads a CVE 5.1 record of the kernel's CNA: title, the English description, program_files, and each of
 * metrics[].cvssV* as a Score with `origin`. cve->id is set already and must match cveMetadata.cveId or cveID. Fields
 * that are missing stay absent; wrong types are Complaints (place: where). What is no JSON but can be replaced (bytes
 * that are not UTF-8, NUL, lone surrogates, numbers beyond a double, doubled keys) is, with a Complaint. Returns false
 * where the record as a whole is no use (no JSON, too deep, other id): a Complaint says why and cve is untouched. Pure. */
bool json_cve_record(struct arena *a, const char *text, size_t n, const char *where, const char *origin, Cve *cve,
		     ReadResult *said);

/* Reads a .cvss file: header lines "UUID VECTOR", then the reasoning. Appends a Score a header line (base score
 * computed). A score that is there already from the JSON record with the same source and vector is completed with the
 * reasoning instead of doubled. Malformed lines are Complaints (where:LINE). Pure. */
void json_cvss_file(struct arena *a, const char *text, size_t n, const char *where, const char *origin, Cve *cve,
		    ReadResult *said);

/* Reads one page of NVD's answer into page: start, total, newest, cve_ids, scores (origin "nvd"), complaints for bad records
 * (the rest goes in). ERR_PEER, and page as it was, where the answer as a whole is none, or holds no record though some are
 * due. Pure. */
int json_nvd_page(struct arena *a, const char *text, size_t n, NvdPage *page);

/* Appends a message as one JSON object: keys are the field names, enums their names in lower case with '-', absent
 * fields left out, repeated fields arrays (left out when empty, but for messages that are nothing but lists), strings and bytes with U+FFFD for what is not UTF-8,
 * KernelVersion as its text ("6.1.55"), numbers as numbers (one decimal for scores, three for other fractions). Bytes
 * fields named `patch`, `raw`, `deployable` or `body` become "NAME_base64" instead. indent 0: one line. */
void json_print(struct buf *out, const ProtobufCMessage *m, int indent);

/* Appends one JSON string literal, with quotes. What would act on a terminal is escaped; it reads back as it was. */
void json_quote(struct buf *out, const char *s, size_t n);

#endif
