/* Owns what a patch is checked against, and how what was found is told. */
#include "applets/patch.h"

#include "applets/words.h"
#include "applets/kernel_clone.h"
#include "lib/err.h"
#include "lib/kver.h"
#include "lib/lint.h"
#include "lib/log.h"
#include "lib/str.h"

#include <stdio.h>

#define CACHE (64u << 20)
#define FILES_SHOWN 5

void patch_clone(struct arena *a, const char *path, struct repo **repo, const char **why)
{
	bool lent;

	*why = NULL;
	if (repo_setup(CACHE) || repo_open(repo, kernel_clone_find(a, path, &lent))) {
		*repo = NULL;
		*why = arena_printf(a, "no clone of the kernel: %s; see --linux-repo", err_text());
	}
}

int patch_kernel_of(struct source *s, struct arena *a, const char *config, const KernelVersion *version,
		    struct patch_kernel *out)
{
	ConfigName q = CONFIG_NAME__INIT;
	KernelConfig *k;
	int err;

	if (!config || s->db)
		return patch_kernel_read(s->db, a, config, version, out);
	q.name = config;
	if ((err = rpc_call(s->rpc, RPC_FETCH_KERNEL_CONFIG, &q.base, a, s->timeout_ms, &k)))
		return err;
	*out = (struct patch_kernel){ .config = config,
				      .version = k->version,
				      .ref = k->ref,
				      .body = (const char *)k->body.data,
				      .body_len = k->body.len };
	return 0;
}

int patch_version(struct arena *a, const char *text, KernelVersion **out)
{
	const char *suffix;

	*out = pb_new(a, &kernel_version__descriptor);
	if (kver_parse_user(*out, text, &suffix))
		return ERR_USAGE;
	if (*suffix)
		return fail(
			ERR_USAGE,
			"'%s': a livepatch is for the exact tree of a release; for another tree put a config with its tag",
			text);
	return 0;
}

const char *patch_apply_word(const PatchCheck *c)
{
	return c->apply ? apply_state_name(c->apply->state) : "unchecked";
}

static void add_bytes(struct buf *out, ProtobufCBinaryData b)
{
	str_printable(out, (const char *)b.data, b.len);
}

static void add_text(struct buf *out, const char *s)
{
	str_printable(out, s, strlen(s));
}

/* Of a line of code, whose tabs stay. */
static void add_line(struct buf *out, ProtobufCBinaryData b)
{
	str_printable_lines(out, (const char *)b.data, b.len);
}

static void add_hunk(struct buf *out, const ApplyFile *f, const ApplyHunk *h)
{
	buf_adds(out, "    ");
	add_bytes(out, f->path);
	buf_printf(out, ": hunk %u: %s", h->number, apply_state_name(h->state));
	if (h->has_offset)
		buf_printf(out, " (%+lld lines)", (long long)h->offset);
	if (h->has_patch_line && h->state == APPLY_STATE__APPLY_CONFLICT)
		buf_printf(out, ", line %llu of the patch", (unsigned long long)h->patch_line);
	buf_addc(out, '\n');
	if (h->has_wanted) {
		buf_adds(out, "      wanted: ");
		add_line(out, h->wanted);
		buf_addc(out, '\n');
	}
	if (h->has_found) {
		buf_adds(out, "      found:  ");
		add_line(out, h->found);
		buf_addc(out, '\n');
	}
}

static void add_file(struct buf *out, const ApplyFile *f)
{
	if (f->state == APPLY_STATE__APPLY_CLEAN)
		return;
	buf_adds(out, "    ");
	add_bytes(out, f->path);
	buf_printf(out, ": %s", apply_state_name(f->state));
	if (f->reason) {
		buf_adds(out, ": ");
		add_text(out, f->reason);
	}
	buf_addc(out, '\n');
	for (size_t i = 0; i < f->n_hunks; i++)
		if (f->hunks[i]->state != APPLY_STATE__APPLY_CLEAN)
			add_hunk(out, f, f->hunks[i]);
}

/* A few of the files that a finding concerns; --json has them all. */
static void add_files(struct buf *out, const LintFinding *f)
{
	for (size_t i = 0; i < f->n_files && i < FILES_SHOWN; i++) {
		buf_adds(out, "      ");
		add_bytes(out, f->files[i]);
		buf_addc(out, '\n');
	}
	if (f->n_files > FILES_SHOWN)
		buf_printf(out, "      and others: --json names them\n");
}

static void add_finding(struct buf *out, const LintFinding *f)
{
	buf_printf(out, "  %s %s", f->id, finding_word(f));
	if (f->has_file) {
		buf_addc(out, ' ');
		add_bytes(out, f->file);
	}
	if (f->has_line)
		buf_printf(out, ":%llu", (unsigned long long)f->line);
	buf_adds(out, "\n    ");
	add_text(out, f->why);
	buf_addc(out, '\n');
	add_files(out, f);
	buf_adds(out, "    ");
	if (f->has_suppressed) {
		buf_adds(out, "Lint-ok: ");
		add_bytes(out, f->suppressed);
	} else {
		add_text(out, f->todo);
	}
	buf_addc(out, '\n');
}

void patch_print_check(struct arena *a, const PatchCheck *c)
{
	struct buf out = { 0 };

	buf_printf(&out, "%s: %s", target_word(a, c->config, c->version), patch_apply_word(c));
	if (c->unchecked) {
		buf_adds(&out, ": ");
		add_text(&out, c->unchecked);
	} else if (c->apply && c->apply->state == APPLY_STATE__APPLY_ALREADY) {
		buf_adds(&out, ": good news: the fix is in this tree already");
	}
	buf_addc(&out, '\n');
	for (size_t i = 0; c->apply && i < c->apply->n_files; i++)
		add_file(&out, c->apply->files[i]);
	for (size_t i = 0; i < c->lint->n_findings; i++)
		add_finding(&out, c->lint->findings[i]);
	for (size_t i = 0; i < c->lint->n_skipped; i++)
		buf_printf(&out, "  %s not run: %s\n", c->lint->skipped[i]->id, c->lint->skipped[i]->why);
	buf_printf(&out, "  findings: %u block, %u warn, %u ask the reviewer, %u accepted\n", c->lint->blocks,
		   c->lint->warns, c->lint->reviews, c->lint->suppressed);
	fwrite(out.data, 1, out.len, stdout);
	buf_free(&out);
}

int patch_judge(struct arena *a, const PatchCheck *c)
{
	if (c->apply && !apply_is_good(c->apply->state))
		return fail(ERR_INPUT, "%s: the patch does not apply: %s", target_word(a, c->config, c->version),
			    c->apply->reason ? c->apply->reason : apply_state_name(c->apply->state));
	if (c->lint->blocks)
		return fail(ERR_INPUT, "%s: findings that block: %u", target_word(a, c->config, c->version),
			    c->lint->blocks);
	return 0;
}
