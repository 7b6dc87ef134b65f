/* Owns what an author does before others see it: a new draft, editing, checking, porting, and handing it in. */
#include "applets/patch.h"

#include "applets/editor.h"
#include "lib/dyad.h"
#include "lib/err.h"
#include "lib/kver.h"
#include "lib/log.h"
#include "lib/str.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void *grown(struct arena *a, const char ***items, size_t *n)
{
	return arena_grow(a, (void **)items, n, sizeof(**items));
}

/* ---- new */

/* The targets that the options name, as the header has them. */
static int option_targets(struct patch_run *r, struct draft_header *h)
{
	for (size_t i = 0; i < r->o->configs.n; i++)
		*(const char **)grown(r->arena, &h->targets, &h->n_targets) = arena_printf(r->arena, "config %s",
											   r->o->configs.items[i]);
	for (size_t i = 0; i < r->o->kernels.n; i++) {
		char text[KVER_TEXT_MAX];
		KernelVersion *v;
		int err = patch_version(r->arena, r->o->kernels.items[i], &v);

		if (err)
			return err;
		*(const char **)grown(r->arena, &h->targets, &h->n_targets) = arena_printf(r->arena, "version %s",
											   kver_text(text, v));
	}
	return 0;
}

/* All fixes of the branch that a CVE has, or else those of mainline, one after another. */
static int titles_for_kernel(struct patch_run *r, const char *id, size_t *n, const char ***titles)
{
	FetchCveRequest q = FETCH_CVE_REQUEST__INIT;
	const char *config = r->o->configs.n ? r->o->configs.items[0] : NULL;
	const Verdict *v;
	Cve *cve;
	int err;

	if (r->o->configs.n + r->o->kernels.n != 1)
		return fail(ERR_USAGE, "patch new %s: say for which one kernel: --kernel VERSION or --config NAME", id);
	if (!config && (err = patch_version(r->arena, r->o->kernels.items[0], &q.kernel_version)))
		return err;
	q.id = id;
	q.n_configs = config ? 1 : 0;
	q.configs = r->o->configs.items;
	if ((err = source_cve(&r->source, r->arena, &q, &cve)))
		return err;
	v = cve->verdicts[0];
	if (v->verdict == VERDICT_KIND__NOT_AFFECTED)
		return fail(ERR_NOTFOUND, "%s: this kernel is not affected: %s", id, v->reason);
	if (v->n_fix_commits + v->n_mainline_commits == 0)
		return fail(ERR_NOTFOUND, "%s has no fix for this kernel, and none in mainline", id);
	*n = v->n_titles;
	*titles = v->titles;
	return 0;
}

/* Appends the patch of one title; the first gives subject and message. */
static int add_fix(struct patch_run *r, const char *title, struct draft_header *h, struct buf *patches)
{
	Fix *fix;
	int err = source_patch(&r->source, r->arena, title, &fix);

	if (err)
		return err;
	for (size_t i = 0; i < h->n_commits; i++)
		if (strcmp(h->commits[i], fix->fix_commit) == 0)
			return 0;
	*(const char **)grown(r->arena, &h->commits, &h->n_commits) = fix->fix_commit;
	if (!h->subject.len)
		h->subject = fix->subject;
	buf_add(patches, fix->patch.data, fix->patch.len);
	return 0;
}

static int compose(struct patch_run *r, size_t n, const char *const *titles)
{
	struct draft_header h = { .title = titles[0] };
	struct buf patches = { 0 }, text = { 0 };
	const char *path;
	int err = option_targets(r, &h);

	for (size_t i = 0; !err && i < n; i++)
		err = add_fix(r, titles[i], &h, &patches);
	if (!err) {
		draft_add_header(r, &text, &h);
		buf_add(&text, patches.data, patches.len);
		err = draft_write(r, titles[0], &text, &path);
	}
	if (!err)
		printf("%s\n", path);
	if (!err && h.n_commits > 1)
		log_note("the fix is %zu commits: their patches follow one another", h.n_commits);
	buf_free(&patches);
	buf_free(&text);
	return err;
}

int patch_new(struct patch_run *r)
{
	const char **titles = &r->arg, *id, *commit;
	size_t n = 1;
	int err;

	r->arg = cve_id_typed(r->arena, r->arg);
	if (cve_key(r->arg, strlen(r->arg)) == 0 && dyad_split_title(r->arena, r->arg, &id, &commit))
		return fail(ERR_USAGE, "'%s' is neither the title of an instance nor a CVE id", r->arg);
	if ((err = patch_source(r)))
		return err;
	if (cve_key(r->arg, strlen(r->arg)) && (err = titles_for_kernel(r, r->arg, &n, &titles)))
		return err;
	return compose(r, n, titles);
}

/* ---- check */

static int print_checks(struct patch_run *r, const SubmitPatchReply *reply)
{
	int err = 0;

	if (r->o->json)
		applet_print_json(&reply->base);
	for (size_t i = 0; !r->o->json && i < reply->n_checks; i++)
		patch_print_check(r->arena, reply->checks[i]);
	for (size_t i = 0; i < reply->n_checks; i++) {
		int one = patch_judge(r->arena, reply->checks[i]);

		r->degraded |= !reply->checks[i]->commit;
		err = one ? one : err;
	}
	return err;
}

static int check_here(struct patch_run *r, const struct draft *d, struct repo *repo, const char *why, SubmitPatchRequest *q,
		      SubmitPatchReply *reply)
{
	int err = q->n_configs ? patch_source(r) : 0;

	for (size_t i = 0; !err && i < q->n_configs + q->n_versions; i++) {
		bool config = i < q->n_configs;
		struct patch_kernel k;
		PatchCheck *c;

		if ((err = patch_kernel_of(&r->source, r->arena, config ? q->configs[i] : NULL,
					   config ? NULL : q->versions[i - q->n_configs], &k)) ||
		    (err = patch_check(r->arena, &d->diff, &k, repo, why, &c)))
			break;
		PB_ADD_MSG(r->arena, reply, checks, c);
	}
	return err;
}

/* Without a clone here the server that was named is asked to look at its own; nothing is stored. */
static int check_there(struct patch_run *r, const struct draft *d, SubmitPatchRequest *q)
{
	SubmitPatchReply *reply;
	int err;

	if ((err = draft_title(d)))
		return err;
	q->title = d->title;
	q->has_body = q->has_check_only = q->check_only = true;
	q->body = (ProtobufCBinaryData){ .data = (uint8_t *)(uintptr_t)d->text, .len = d->len };
	if ((err = client_ask(&r->o->client, r->arena, RPC_SUBMIT_PATCH, &q->base, &reply)))
		return err;
	return print_checks(r, reply);
}

static int check_draft(struct patch_run *r, const struct draft *d)
{
	SubmitPatchRequest q = SUBMIT_PATCH_REQUEST__INIT;
	SubmitPatchReply reply = SUBMIT_PATCH_REPLY__INIT;
	struct repo *repo = NULL;
	const char *why;
	int err;

	if ((err = draft_targets(r, d, &q.n_configs, &q.configs, &q.n_versions, &q.versions)))
		return err;
	patch_clone(r->arena, r->o->linux_repo, &repo, &why);
	if (!repo && applet_given(&applet_patch, &r->o->common, "server"))
		return check_there(r, d, &q);
	if (!(err = check_here(r, d, repo, why, &q, &reply)))
		err = print_checks(r, &reply);
	repo_close(repo);
	return err;
}

int patch_check_verb(struct patch_run *r)
{
	struct draft d;
	int err = draft_read(r, r->arg, &d);

	return err ? err : check_draft(r, &d);
}

/* ---- edit */

static int run_editor(struct arena *a, const char *path)
{
	const char **argv = editor_argv(a, path);
	int status;
	pid_t pid;

	fflush(NULL);
	if ((pid = fork()) < 0)
		return fail(ERR_SYS, "fork: %s", strerror(errno));
	if (pid == 0) {
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return fail(ERR_SYS, "wait for %s: %s", argv[0], strerror(errno));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return fail(ERR_SYS, "%s: the editor %s cannot be run; set $VISUAL or $EDITOR", path, argv[0]);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return fail(ERR_SYS, "%s: the editor %s ended in failure; the draft is as it left it", path, argv[0]);
	return 0;
}

int patch_edit(struct patch_run *r)
{
	const char *path;
	struct draft d;
	int err;

	if ((err = draft_path(r, r->arg, &path)))
		return err;
	if (access(path, F_OK) < 0)
		return fail(ERR_NOTFOUND, "there is no draft %s; `tuxtape patch new %s` makes it", path, r->arg);
	if ((err = run_editor(r->arena, path)) || (err = draft_read(r, r->arg, &d)))
		return err;
	return check_draft(r, &d);
}

/* ---- port */

/* A patch on its way from one tree to another. */
struct port {
	struct patch_run *run;
	struct repo *repo;
	const char *from, *to; /* commits */
	struct repo_side labels[3];
	struct buf out;
	unsigned conflicts;
};

/* The tag is that of the config, or the version's own where ref is NULL. */
static int commit_of(struct patch_run *r, struct repo *repo, const KernelVersion *v, const char *ref, const char **commit)
{
	char text[KVER_TEXT_MAX], hex[REPO_HEX];
	int err = repo_ref(repo, ref ? ref : arena_printf(r->arena, "v%s", kver_text(text, v)), hex);

	*commit = err ? NULL : arena_strdup(r->arena, hex);
	return err;
}

/* One file: what the patch made of it there is merged into what it is here. */
static int port_file(struct port *p, const struct apply_output *made)
{
	struct repo_tree from = { p->repo, p->from }, to = { p->repo, p->to };
	struct arena *a = p->run->arena;
	struct tree_file base, here;
	struct repo_side sides[3], merged_side;
	struct buf merged = { 0 };
	bool conflicts = false;
	int err;

	if ((err = repo_tree_read(&from, a, made->path, &base)) || (err = repo_tree_read(&to, a, made->path, &here)))
		return err;
	if (base.data && !here.data) {
		p->conflicts++;
		log_note("%s is not in the tree of %s: its hunks are left out", made->path, p->labels[1].label);
		return 0;
	}
	memcpy(sides, p->labels, sizeof(sides));
	sides[0].data = base.data;
	sides[0].n = base.len;
	sides[1].data = here.data;
	sides[1].n = here.len;
	sides[2].data = made->data;
	sides[2].n = made->len;
	if ((err = repo_merge(&merged, &sides[0], &sides[1], &sides[2], &conflicts)))
		return fail_in(err, "%s", made->path);
	merged_side = (struct repo_side){ .data = made->data ? buf_str(&merged) : NULL, .n = merged.len };
	p->conflicts += conflicts;
	if (conflicts)
		log_note("%s: conflicts, marked", made->path);
	err = repo_diff(&p->out, made->path, &sides[1], &merged_side, made->mode);
	buf_free(&merged);
	return err;
}

static int port_files(struct port *p, const struct draft *d)
{
	struct repo_tree from = { p->repo, p->from };
	struct tree_reader reader = { repo_tree_read, &from };
	struct arena *a = p->run->arena;
	ApplyResult *result = pb_new(a, &apply_result__descriptor);
	struct apply_tree after = { 0 };
	int err = apply_check(a, &d->diff, &reader, result, &after);

	if (err)
		return err;
	if (!apply_is_good(result->state))
		return fail(ERR_INPUT, "the patch does not apply to %s, for which it is: %s", p->labels[0].label,
			    result->reason ? result->reason : apply_state_name(result->state));
	for (size_t i = 0; !err && i < after.n_outputs; i++)
		err = port_file(p, &after.outputs[i]);
	return err;
}

/* The record of that number as a draft: its newest revision, or the one that is asked for. */
static int draft_of_record(struct patch_run *r, struct draft *d, KernelVersion **version, const char **ref)
{
	PatchRecord *record;
	const PatchRevision *v;
	int err = patch_revision(r, r->id, (uint32_t)r->o->revision, &record, &v);

	if (err)
		return err;
	*d = (struct draft){ .name = record->title,
			     .path = arena_printf(r->arena, "patch %llu", (unsigned long long)r->id),
			     .text = (const char *)v->body.data,
			     .len = v->body.len,
			     .title = record->title };
	*version = record->version;
	*ref = record->ref;
	return patch_read(r->arena, d->text, d->len, &d->diff);
}

static int source_version(struct patch_run *r, const struct draft *d, KernelVersion **version, const char **ref)
{
	KernelVersion **versions;
	struct patch_kernel k;
	const char **configs;
	size_t nc, nv;
	int err = draft_targets(r, d, &nc, &configs, &nv, &versions);

	if (err || nv) {
		*version = nv ? versions[0] : NULL;
		return err;
	}
	if ((err = patch_source(r)) || (err = patch_kernel_of(&r->source, r->arena, configs[0], NULL, &k)))
		return err;
	*version = pb_copy(r->arena, &k.version->base);
	*ref = k.ref;
	return 0;
}

/* The header stays, but for what told of the old target. */
static void port_header(struct port *p, const struct draft *d, const char *to, const char *module)
{
	struct buf *out = &p->out;
	bool told = false;

	for (size_t i = 0; i < d->diff.n_header; i++) {
		const struct diff_text *l = &d->diff.header[i];
		bool target = l->len >= 7 && strncasecmp(l->text, "Target:", 7) == 0;

		/* Where no line names a target, one is put at the header's end. */
		if (!told && (target || l->len == 0))
			buf_printf(out, "Target: version %s\n", to);
		told |= target || l->len == 0;
		if (target)
			continue;
		if (l->len >= 7 && strncasecmp(l->text, "Module:", 7) == 0)
			buf_printf(out, "Module: %s", module);
		else
			buf_add(out, l->text, l->len);
		buf_addc(out, '\n');
	}
	if (!told)
		buf_printf(out, "Target: version %s\n\n", to);
}

static int write_port(struct port *p, const struct draft *d, const char *to)
{
	struct arena *a = p->run->arena;
	size_t base = strcspn(d->name, "@");
	const char *path;
	int err;

	if (strchr(d->name, '/'))
		err = draft_write(p->run, arena_printf(a, "%s@%s", d->title ? d->title : "draft", to), &p->out, &path);
	else
		err = draft_write(p->run, arena_printf(a, "%.*s@%s", (int)base, d->name, to), &p->out, &path);
	if (err)
		return err;
	printf("%s\n", path);
	if (p->conflicts)
		return fail(ERR_INPUT,
			    "%s: conflicts in %u file%s, between <<<<<<< and >>>>>>>, or left out: `tuxtape patch edit`",
			    path, p->conflicts, p->conflicts == 1 ? "" : "s");
	return 0;
}

static int port_draft(struct port *p, const struct draft *d, const KernelVersion *from, const char *ref)
{
	struct patch_run *r = p->run;
	struct arena *a = r->arena;
	char text[KVER_TEXT_MAX], *module;
	const char *id, *commit, *to;
	KernelVersion *version;
	size_t header;
	int err;

	if ((err = patch_version(a, r->o->to, &version)) || (err = commit_of(r, p->repo, from, ref, &p->from)) ||
	    (err = commit_of(r, p->repo, version, NULL, &p->to)))
		return err;
	p->labels[0].label = arena_strdup(a, kver_text(text, from));
	to = p->labels[1].label = arena_strdup(a, kver_text(text, version));
	p->labels[2].label = "patch";
	if (!d->title || dyad_split_title(a, d->title, &id, &commit))
		id = "port";
	module = arena_printf(a, "livepatch_%s_%s", to, id);
	for (char *c = module; *c; c++)
		*c = strchr("-.+", *c) ? '_' : *c;
	port_header(p, d, to, module);
	header = p->out.len;
	if ((err = port_files(p, d)))
		return err;
	if (p->out.len == header && p->conflicts)
		return fail(ERR_INPUT, "port: no file of the patch is in the tree of %s", to);
	if (p->out.len == header)
		return fail(ERR_NOTFOUND,
			    "port: all that the patch changes is in %s already: good news, there is nothing to do", to);
	return write_port(p, d, to);
}

int patch_port(struct patch_run *r)
{
	struct port p = { .run = r };
	KernelVersion *from = NULL;
	const char *why, *ref = NULL;
	struct draft d;
	int err;

	if (!r->o->to)
		return fail(ERR_USAGE, "port: say to which kernel: --to VERSION");
	if ((err = r->id ? draft_of_record(r, &d, &from, &ref) : draft_read(r, r->arg, &d)) ||
	    (!r->id && (err = source_version(r, &d, &from, &ref))))
		return err;
	patch_clone(r->arena, r->o->linux_repo, &p.repo, &why);
	err = p.repo ? port_draft(&p, &d, from, ref) : fail(ERR_NOTFOUND, "port: %s", why);
	repo_close(p.repo);
	buf_free(&p.out);
	return err;
}

/* ---- submit */

static void print_submitted(struct patch_run *r, const SubmitPatchReply *reply)
{
	for (size_t i = 0; i < reply->n_patches && i < reply->n_checks; i++) {
		const PatchRecord *p = reply->patches[i];

		printf("patch %llu: revision %u, %s\n", (unsigned long long)p->patch, p->revision,
		       patch_apply_word(reply->checks[i]));
		patch_print_check(r->arena, reply->checks[i]);
	}
}

int patch_submit(struct patch_run *r)
{
	SubmitPatchRequest q = SUBMIT_PATCH_REQUEST__INIT;
	SubmitPatchReply *reply;
	struct draft d;
	int err;

	if (!r->o->message)
		return fail(ERR_USAGE, "submit: tell the reviewers what this is: -m TEXT");
	if ((err = draft_read(r, r->arg, &d)) ||
	    (err = draft_targets(r, &d, &q.n_configs, &q.configs, &q.n_versions, &q.versions)))
		return err;
	if ((err = draft_title(&d)))
		return err;
	q.title = d.title;
	q.has_body = q.has_note = true;
	q.body = (ProtobufCBinaryData){ .data = (uint8_t *)(uintptr_t)d.text, .len = d.len };
	q.note = (ProtobufCBinaryData){ .data = (uint8_t *)(uintptr_t)r->o->message, .len = strlen(r->o->message) };
	if ((err = client_ask(&r->o->client, r->arena, RPC_SUBMIT_PATCH, &q.base, &reply)))
		return err;
	if (r->o->json)
		applet_print_json(&reply->base);
	else
		print_submitted(r, reply);
	for (size_t i = 0; i < reply->n_checks && i < reply->n_patches; i++)
		if (!patch_check_is_good(reply->checks[i]))
			log_note("patch %llu cannot be approved as it is", (unsigned long long)reply->patches[i]->patch);
	return 0;
}
