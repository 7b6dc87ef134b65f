/* The dashboard's pages. */
#ifndef TUXTAPE_DASH_PAGES_H
#define TUXTAPE_DASH_PAGES_H

#include "applets/dash_data.h"

extern const struct dash_page dash_cves_page, dash_configs_page, dash_builds_page, dash_patches_page;

/* Data of the tabs; released by the pages when they are closed. config NULL: all that the server has; version (may be NULL) comes before. */
void *dash_cves_new(struct dash_data *data, const char *config, const KernelVersion *version);
void *dash_configs_new(struct dash_data *data);
void *dash_builds_new(struct dash_data *data);
void *dash_patches_new(struct dash_data *data);

/* ---- Views that pages open */

/* The instances of a CVE with their diffs, the cursor on the one with that title (NULL: on the first); kernel is the verdict, one of its own,
 * for whose kernel patches are made (NULL: none). With `edit`, its patch is edited as soon as it is there. */
void dash_open_instances(struct dash *d, struct dash_data *data, const Cve *cve, const char *title, const Verdict *kernel,
			 bool edit);

/* A livepatch, to be read and decided on. */
void dash_open_review(struct dash *d, struct dash_data *data, uint64_t patch);

/* The log of a job, followed. */
void dash_open_job(struct dash *d, uint64_t job);

/* Kernel versions, to make a new config from; known are the configs that the server has. */
void dash_open_versions(struct dash *d, struct dash_data *data, const ConfigList *known);

/* ---- Their texts */

/* Everything known of a CVE; subject (may be NULL) is its fix commit's. */
void dash_cve_text(const struct dash_data *data, const Cve *cve, const char *subject, struct dash_text *out);

/* ---- What they do with files */

/* Gives the file at path another name, "path.bak" or, where that is there, "path.bak2" and so on, which is printed into `to`. ERR_SYS;
 * ERR_NOTFOUND where there is none. */
#define DASH_BACKUP 4200
int dash_set_aside(const char *path, char to[DASH_BACKUP]);

/* A path as a person types it: a leading ~/ is the home directory. In the arena, or path itself. */
const char *dash_in_home(struct arena *a, const char *path);

/* Writes a file that is not there yet, whole or not at all. ERR_DENIED where it is there, ERR_SYS. */
int dash_write_new(const char *path, const void *p, size_t n);

#endif
