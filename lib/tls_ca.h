/* A certificate authority in a directory: what `tuxtape cert` does.
 *
 * The directory holds ca.crt and ca.key, ca.crl (DER; 30 days, written anew at each change), index (what was issued, a line each), and
 * NAME.crt and NAME.key of each certificate. Keys are ECDSA P-256 with mode 0600. One process at a time works in it; others wait. */
#ifndef TUXTAPE_TLS_CA_H
#define TUXTAPE_TLS_CA_H

#include "lib/arena.h"
#include "lib/base.h"
#include "lib/pb.h"

#define CA_DAYS 3650u /* lifetimes where none is said */
#define CA_LEAF_DAYS 397u
#define CA_HOSTS_MOST 32u

/* The roles there are, NULL at the end; "server" is the last. */
extern const char *const ca_roles[];

/* Makes the directory (mode 0700) and a new CA in it. *end is its end, ISO 8601, in the arena. days 0: CA_DAYS. ERR_INPUT where one is
 * there already. ERR_SYS. */
int ca_init(const char *dir, unsigned days, struct arena *a, const char **end);

struct ca_request {
	const char *name; /* [a-z0-9][a-z0-9._-]{0,63}, not "ca" */
	const char *role; /* of ca_roles; NULL: as before, when renewing */
	const char *const *hosts;
	size_t n_hosts; /* servers need at least one, others have none; 0: as before, when renewing */
	unsigned days;  /* 0: CA_LEAF_DAYS */
	bool renew;     /* revoke the one that holds and issue another */
};

/* Issues a certificate: NAME.crt and NAME.key. ERR_USAGE for what cannot be issued; ERR_INPUT where the name has a certificate that
 * holds, or the directory's files are broken; ERR_NOTFOUND where there is no CA, or nothing to renew; ERR_SYS. */
int ca_issue(const char *dir, const struct ca_request *r, struct arena *a, Certificate **made);

/* Revokes the certificate of that name. ERR_NOTFOUND where none holds. */
int ca_revoke(const char *dir, const char *name, struct arena *a, Certificate **revoked);

/* Writes ca.crl anew, for another 30 days. */
int ca_refresh(const char *dir, struct arena *a);

/* All that were issued, in order. */
int ca_list(const char *dir, struct arena *a, Certificate ***all, size_t *n);

#endif
