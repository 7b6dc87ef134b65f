/* Making a new config: what was chosen, and the view in which it happens. */
#ifndef TUXTAPE_DASH_NEW_H
#define TUXTAPE_DASH_NEW_H

#include "applets/dash_pages.h"

/* What to begin with. */
enum new_base { NEW_DEFAULTS, NEW_CONFIG, NEW_FILE, NEW_AS_IS };

struct new_how {
	const char *tag; /* "v6.1.9" */
	enum new_base base;
	const char *from; /* a config's name, or a path */
	const char *name;
	uint32_t replaces; /* revision of the config that has the name already; 0: none */
};

/* how is copied. */
void dash_open_new(struct dash *d, struct dash_data *data, const struct new_how *how);

#endif
