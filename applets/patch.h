/* What the files of the patch applet share, and what lint borrows of them. */
#ifndef TUXTAPE_PATCH_H
#define TUXTAPE_PATCH_H

#include "applets/client.h"
#include "lib/patch_check.h"

struct patch_options {
	struct applet_common common;
	struct client_options client;
	struct opt_list kernels, configs;
	const char *db, *to, *message, *drafts, *linux_repo, *state, *cve, *head;
	uint64_t revision, since;
	bool approve, reject, accept_unchecked, approved, mine, verify, json;
};

/* A run of a verb. */
struct patch_run {
	struct arena *arena;
	const struct patch_options *o;
	struct source source;
	const char *arg; /* behind the verb; NULL */
	uint64_t id;     /* arg as a number; 0 where it is none */
	bool degraded;   /* done, but something could not be looked at */
};

/* The source is opened when a verb wants it. */
int patch_source(struct patch_run *r);

/* A patch that somebody works on: a file of one's own. */
struct draft {
	const char *name, *path;
	const char *text;
	size_t len;
	struct diff diff;
	const char *title; /* of the instance that it was made from; NULL: it does not say */
};

/* Where the draft of that name is, or the file (an operand with a slash, or that ends in .patch or .diff). ERR_USAGE. */
int draft_path(struct patch_run *r, const char *operand, const char **path);

/* Reads it. ERR_NOTFOUND. */
int draft_read(struct patch_run *r, const char *operand, struct draft *out);

/* 0 where it is known which instance it fixes. ERR_INPUT. */
int draft_title(const struct draft *d);

/* The kernels that the options, or else the draft's Target lines, name. ERR_USAGE where they name none. */
int draft_targets(struct patch_run *r, const struct draft *d, size_t *n_configs, const char ***configs, size_t *n_versions,
		  KernelVersion ***versions);

/* Writes a new draft; one that is there is never overwritten. */
int draft_write(struct patch_run *r, const char *name, const struct buf *text, const char **path);

/* The header that a draft begins with. */
struct draft_header {
	ProtobufCBinaryData subject;
	const char *title;
	size_t n_commits;
	const char **commits;
	size_t n_targets;
	const char **targets; /* "version 6.1.3" */
};
void draft_add_header(struct patch_run *r, struct buf *out, const struct draft_header *h);

/* Opens the clone of the kernel that the option names or another applet has; *repo NULL and *why where there is none. */
void patch_clone(struct arena *a, const char *path, struct repo **repo, const char **why);

/* A config, from the database or the server, or a version, as a kernel. */
int patch_kernel_of(struct source *s, struct arena *a, const char *config, const KernelVersion *version,
		    struct patch_kernel *out);

/* "--kernel VERSION" as people write it; a vendor's suffix is ERR_USAGE: livepatches are for exact trees. */
int patch_version(struct arena *a, const char *text, KernelVersion **out);

/* What a check found, to stdout. */
void patch_print_check(struct arena *a, const PatchCheck *c);

/* "clean", ... or "unchecked". */
const char *patch_apply_word(const PatchCheck *c);

/* ERR_INPUT where the patch does not apply or a finding blocks, with the first reason. */
int patch_judge(struct arena *a, const PatchCheck *c);

/* Verbs. */
int patch_new(struct patch_run *r);
int patch_edit(struct patch_run *r);
int patch_check_verb(struct patch_run *r);
int patch_port(struct patch_run *r);
int patch_submit(struct patch_run *r);
int patch_list(struct patch_run *r);
int patch_show(struct patch_run *r);
int patch_diff(struct patch_run *r);
int patch_export(struct patch_run *r);
int patch_review(struct patch_run *r);
int patch_withdraw(struct patch_run *r);
int patch_audit(struct patch_run *r);

/* A record, and one of its revisions (0: the newest) with its body. */
int patch_revision(struct patch_run *r, uint64_t id, uint32_t revision, PatchRecord **p, const PatchRevision **v);

/* Reads a stream of the server into a list. */
int patch_gather(struct patch_run *r, unsigned method, const ProtobufCMessage *q, void ***items, size_t *n);

/* Text made printable: names come from certificates. */
const char *patch_shown(struct arena *a, const char *text);

/* Records by a request, as a list. */
int patch_records(struct patch_run *r, const FetchPatchesRequest *q, PatchList *out);

#endif
