/*
 * The XML that STS answers, good or bad. Pure.
 */
#ifndef AUTH_CRED_STS_DOC_H
#define AUTH_CRED_STS_DOC_H

#include <stddef.h>

#include "auth/cred_fields.h"

/* Owned; NULL where there is none. */
struct cred_sts_doc {
	struct cred_fields fields;
	char *code, *message; /* of an error */
};

/* 0, -EBADMSG (no XML, or XML that has what is refused) or -ENOMEM. */
int cred_sts_doc_parse(const char *body, size_t n, struct cred_sts_doc *out);
void cred_sts_doc_clear(struct cred_sts_doc *d);

#endif
