/* Owns the graph of includes and the list of exports in namespaces, read from the text of the compiled files. Knows no preprocessor: what
 * stands under an #if counts, and an #include of a macro does not. */
#include "lib/build_scan.h"

#include "lib/bound.h"
#include "lib/err.h"
#include "lib/str.h"

#include <stdio.h>
#include <stdlib.h>

#define NAME_MOST 256

/* File `from` includes file `to`; both by place in the sorted list. */
struct edge {
	uint32_t to, from;
};

struct export
{
	const char *symbol, *space;
};

/* A file by the last part of its path: .c files are included, too. */
struct base_name {
	const char *name;
	uint32_t file;
};

struct build_scan {
	struct arena *arena;
	size_t n_files, n_bases, n_edges, n_exports;
	const char **files; /* sorted, each once */
	struct base_name *bases;
	struct edge *edges;  /* in the order in which they were read */
	uint32_t *includers; /* of file 0, of file 1, ...: those of file i are at [starts[i], starts[i + 1]) */
	uint32_t *starts;
	struct export *exports;
};

/* A piece of a file's text. */
struct piece {
	const char *s;
	size_t n;
};

/* ---- The list of files */

static int compare_texts(const void *p, const void *q)
{
	return strcmp(*(const char *const *)p, *(const char *const *)q);
}

static int compare_bases(const void *p, const void *q)
{
	const struct base_name *x = p, *y = q;
	int way = strcmp(x->name, y->name);

	return way ? way : (x->file > y->file) - (x->file < y->file);
}

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void list_files(struct build_scan *s, const struct build_scan_input *in)
{
	size_t n = 0;

	s->files = arena_alloc(s->arena, (in->n_files + in->n_headers + 1) * sizeof(*s->files));
	for (size_t i = 0; i < in->n_files; i++)
		s->files[n++] = in->files[i];
	for (size_t i = 0; i < in->n_headers; i++)
		s->files[n++] = in->headers[i];
	if (n)
		qsort(s->files, n, sizeof(*s->files), compare_texts);
	for (size_t i = 0; i < n; i++)
		if (s->n_files == 0 || strcmp(s->files[s->n_files - 1], s->files[i]) != 0)
			s->files[s->n_files++] = s->files[i];
	s->bases = arena_alloc(s->arena, (s->n_files + 1) * sizeof(*s->bases));
	for (size_t i = 0; i < s->n_files; i++)
		s->bases[s->n_bases++] = (struct base_name){ base_of(s->files[i]), (uint32_t)i };
	if (s->n_bases)
		qsort(s->bases, s->n_bases, sizeof(*s->bases), compare_bases);
}

/* The place of a file; n_files where it is not in the list. */
static size_t place_of(const struct build_scan *s, const char *path)
{
	const char **found = s->n_files ? bsearch(&path, s->files, s->n_files, sizeof(*s->files), compare_texts) : NULL;

	return found ? (size_t)(found - s->files) : s->n_files;
}

/* ---- Includes */

/* True when `spelled`, in that file, is the header: beside the file, or below some folder "include" or "uapi". */
static bool is_header(const char *header, const char *file, struct piece spelled)
{
	size_t len = strlen(header), dir = (size_t)(base_of(file) - file), rest;

	while (spelled.n > 3 && memcmp(spelled.s, "../", 3) == 0 && dir) {
		for (dir--; dir && file[dir - 1] != '/';)
			dir--;
		spelled = (struct piece){ spelled.s + 3, spelled.n - 3 };
	}
	if (spelled.n > len || memcmp(header + len - spelled.n, spelled.s, spelled.n) != 0)
		return false;
	rest = len - spelled.n;
	if (rest == dir && memcmp(header, file, dir) == 0)
		return true;
	return (rest >= 8 && memcmp(header + rest - 8, "include/", 8) == 0) ||
	       (rest >= 5 && memcmp(header + rest - 5, "uapi/", 5) == 0);
}

/* A makefile's -I may lead anywhere; what ends like it in the same corner of the tree is taken for it. */
static bool is_near(const char *header, const char *file, struct piece spelled)
{
	size_t len = strlen(header), corner = 0;

	for (int slashes = 0; header[corner] && header[corner] == file[corner]; corner++)
		if (file[corner] == '/' && ++slashes == 2)
			return len > spelled.n && header[len - spelled.n - 1] == '/' &&
			       memcmp(header + len - spelled.n, spelled.s, spelled.n) == 0;
	return false;
}

static bool is_base_before(const void *base, const void *name)
{
	return strcmp(((const struct base_name *)base)->name, name) < 0;
}

/* Adds the headers that fit; false where none does. */
static bool resolve(struct build_scan *s, size_t from, struct piece spelled,
		    bool (*fits)(const char *header, const char *file, struct piece spelled))
{
	size_t base = spelled.n, i, before = s->n_edges;
	char name[NAME_MOST];

	while (base && spelled.s[base - 1] != '/')
		base--;
	memcpy(name, spelled.s + base, spelled.n - base);
	name[spelled.n - base] = '\0';
	i = bound(s->bases, s->n_bases, sizeof(*s->bases), name, is_base_before);
	for (; i < s->n_bases && strcmp(s->bases[i].name, name) == 0; i++)
		if (fits(s->files[s->bases[i].file], s->files[from], spelled))
			*(struct edge *)arena_grow(s->arena, (void **)&s->edges, &s->n_edges,
						   sizeof(*s->edges)) = (struct edge){ s->bases[i].file, (uint32_t)from };
	return s->n_edges > before;
}

/* What a build makes for an architecture without a header asm/NAME of its own includes the generic one, and is in no tree. */
static bool take_generic(struct build_scan *s, size_t from, struct piece name)
{
	char generic[NAME_MOST];
	int n = snprintf(generic, sizeof(generic), "asm-generic/%.*s", (int)name.n, name.s);

	return n < NAME_MOST && resolve(s, from, (struct piece){ generic, (size_t)n }, is_header);
}

static void take_include(struct build_scan *s, size_t from, struct piece spelled)
{
	if (resolve(s, from, spelled, is_header))
		return;
	if (spelled.n > 4 && memcmp(spelled.s, "asm/", 4) == 0 &&
	    take_generic(s, from, (struct piece){ spelled.s + 4, spelled.n - 4 }))
		return;
	resolve(s, from, spelled, is_near);
}

/* A file that the tree does not have. */
static void take_made(struct build_scan *s, size_t from)
{
	const char *name = strstr(s->files[from], "generated/");

	if (name && (name = strstr(name, "/asm/")) && strlen(name + 5) < NAME_MOST)
		take_generic(s, from, (struct piece){ name + 5, strlen(name + 5) });
}

static const char *past_blanks(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	return p;
}

static bool begins_line(const char *text, const char *p)
{
	while (p > text && (p[-1] == ' ' || p[-1] == '\t'))
		p--;
	return p == text || p[-1] == '\n';
}

/* The next #include at or behind *p, which moves behind it; an empty piece at the end. */
static struct piece next_include(const char *text, const char **at, const char *end)
{
	const char *p = *at, *begin;

	while (p < end && (p = memchr(p, '#', (size_t)(end - p)))) {
		const char *mark = p++;

		p = past_blanks(p, end);
		if (end - p < 9 || memcmp(p, "include", 7) != 0 || !begins_line(text, mark))
			continue;
		p = past_blanks(p + 7, end);
		if (p == end || (*p != '<' && *p != '"'))
			continue;
		for (begin = ++p; p < end && *p != '>' && *p != '"' && *p != '\n';)
			p++;
		if (p == end || *p == '\n' || p == begin || p - begin >= NAME_MOST)
			continue;
		*at = p;
		return (struct piece){ begin, (size_t)(p - begin) };
	}
	return (struct piece){ NULL, 0 };
}

static void read_includes(struct build_scan *s, size_t from, const char *text, const char *end)
{
	const char *p = text;
	struct piece spelled;

	while ((spelled = next_include(text, &p, end)).n)
		take_include(s, from, spelled);
}

/* ---- Exports */

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Blanks and a word, with quotes about it or without. */
static struct piece take_word(const char **p, const char *end)
{
	struct piece word;

	*p = past_blanks(*p, end);
	*p += *p < end && **p == '"';
	for (word.s = *p; *p < end && is_word(**p);)
		++*p;
	word.n = (size_t)(*p - word.s);
	*p += *p < end && **p == '"';
	*p = past_blanks(*p, end);
	return word;
}

static const char export_macro[] = "EXPORT_SYMBOL";
#define EXPORT_MACRO_LEN (sizeof(export_macro) - 1)

/* The namespace that a #define gives all exports of a file. */
static struct piece default_space(const char *text, const char *end)
{
	static const char macro[] = "#define DEFAULT_SYMBOL_NAMESPACE";
	const char *p = memmem(text, (size_t)(end - text), macro, sizeof(macro) - 1);

	if (!p)
		return (struct piece){ NULL, 0 };
	p += sizeof(macro) - 1;
	return take_word(&p, end);
}

/* Where the text is read, and the namespace of exports that name none. */
struct export_reader {
	const char *text, *p, *end;
	struct piece all;
};

static void begin_exports(struct export_reader *r, const char *text, const char *end)
{
	*r = (struct export_reader){ .text = text,
				     .p = memmem(text, (size_t)(end - text), export_macro, EXPORT_MACRO_LEN),
				     .end = end };
	if (r->p)
		r->all = default_space(text, end);
}

/* The next export in a namespace; false at the end. */
static bool next_export(struct export_reader *r, struct piece *symbol, struct piece *space)
{
	while (r->p && (r->p = memmem(r->p, (size_t)(r->end - r->p), export_macro, EXPORT_MACRO_LEN))) {
		const char *begin = r->p;
		bool spaced;

		r->p += EXPORT_MACRO_LEN;
		spaced = r->end - r->p > 3 && memcmp(r->p, "_NS", 3) == 0;
		while (r->p < r->end && is_word(*r->p))
			r->p++;
		if (r->p == r->end || *r->p != '(' || !begins_line(r->text, begin))
			continue;
		r->p++;
		*symbol = take_word(&r->p, r->end);
		if (spaced && (r->p == r->end || *r->p++ != ','))
			continue;
		*space = spaced ? take_word(&r->p, r->end) : r->all;
		if (symbol->n && space->n)
			return true;
	}
	return false;
}

static void read_exports(struct build_scan *s, const char *text, const char *end)
{
	struct piece symbol, space;
	struct export_reader r;

	begin_exports(&r, text, end);
	while (next_export(&r, &symbol, &space))
		*(struct export *)arena_grow(s->arena, (void **)&s->exports, &s->n_exports,
					     sizeof(*s->exports)) = (struct export){
			arena_memdup(s->arena, symbol.s, symbol.n), arena_memdup(s->arena, space.s, space.n)
		};
}

static int compare_exports(const void *p, const void *q)
{
	return strcmp(((const struct export *)p)->symbol, ((const struct export *)q)->symbol);
}

const char *build_scan_space(const struct build_scan *s, const char *symbol)
{
	const struct export key = { symbol, NULL }, *found = NULL;

	if (s->n_exports)
		found = bsearch(&key, s->exports, s->n_exports, sizeof(*s->exports), compare_exports);
	return found ? found->space : NULL;
}

/* ---- What is worth keeping of a text */

static void add_piece(struct buf *out, const char *before, struct piece piece)
{
	buf_adds(out, before);
	buf_add(out, piece.s, piece.n);
}

void build_scan_reduce(struct buf *out, const char *text, size_t n)
{
	const char *p = text, *end = text + n;
	struct piece symbol, space, spelled;
	struct export_reader r;

	while ((spelled = next_include(text, &p, end)).n) {
		add_piece(out, "#include <", spelled);
		buf_adds(out, ">\n");
	}
	begin_exports(&r, text, end);
	while (next_export(&r, &symbol, &space)) {
		add_piece(out, "EXPORT_SYMBOL_NS(", symbol);
		add_piece(out, ", ", space);
		buf_adds(out, ")\n");
	}
}

/* ---- The scan */

/* There are ten edges and more a file: they are counted into their places. */
static void sort_edges(struct build_scan *s)
{
	uint32_t *next = arena_alloc(s->arena, (s->n_files + 1) * sizeof(*next));

	s->starts = arena_alloc(s->arena, (s->n_files + 1) * sizeof(*s->starts));
	s->includers = arena_alloc(s->arena, (s->n_edges + 1) * sizeof(*s->includers));
	for (size_t i = 0; i < s->n_edges; i++)
		s->starts[s->edges[i].to + 1]++;
	for (size_t i = 0; i < s->n_files; i++) {
		s->starts[i + 1] += s->starts[i];
		next[i] = s->starts[i];
	}
	for (size_t i = 0; i < s->n_edges; i++)
		s->includers[next[s->edges[i].to]++] = s->edges[i].from;
}

static int read_file(struct build_scan *s, const struct build_scan_input *in, size_t file, struct buf *text)
{
	int err;

	buf_reset(text);
	if ((err = in->read(in->ctx, s->files[file], text)) == ERR_NOTFOUND)
		take_made(s, file);
	if (err)
		return err == ERR_NOTFOUND || err == ERR_INPUT ? 0 : err;
	read_includes(s, file, buf_str(text), buf_str(text) + text->len);
	if (!str_ends(s->files[file], ".h"))
		read_exports(s, buf_str(text), buf_str(text) + text->len);
	return 0;
}

int build_scan_run(struct arena *a, const struct build_scan_input *in, struct build_scan **out)
{
	struct build_scan *s = *out = arena_alloc(a, sizeof(*s));
	struct buf text = { 0 };
	int err = 0;

	s->arena = a;
	list_files(s, in);
	for (size_t i = 0; !err && i < s->n_files; i++)
		err = read_file(s, in, i, &text);
	sort_edges(s);
	if (s->n_exports)
		qsort(s->exports, s->n_exports, sizeof(*s->exports), compare_exports);
	buf_free(&text);
	return err;
}

/* Marks who includes that header and is not marked, and puts them into the queue. */
static void mark_includers(const struct build_scan *s, uint32_t header, bool *met, uint32_t *queue, size_t *n)
{
	for (size_t i = s->starts[header]; i < s->starts[header + 1]; i++) {
		uint32_t from = s->includers[i];

		if (!met[from])
			queue[(*n)++] = from;
		met[from] = true;
	}
}

void build_scan_includers(const struct build_scan *s, struct arena *a, const char *header, size_t *n, const char ***files)
{
	bool *met = arena_alloc(a, s->n_files + 1);
	uint32_t *queue = arena_alloc(a, (s->n_files + 1) * sizeof(*queue));
	size_t start = place_of(s, header), queued = 0;

	*n = 0;
	*files = NULL;
	if (start == s->n_files)
		return;
	met[start] = true;
	queue[queued++] = (uint32_t)start;
	for (size_t i = 0; i < queued; i++)
		mark_includers(s, queue[i], met, queue, &queued);
	for (size_t i = 0; i < s->n_files; i++)
		if (met[i] && !str_ends(s->files[i], ".h"))
			*(const char **)arena_grow(a, (void **)files, n, sizeof(**files)) = s->files[i];
}
