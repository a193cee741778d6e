/*
 * The leaves that matter are found by their own and their parent's name, so
 * that it makes no difference which action was asked.
 */
#include "auth/cred_sts_doc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/xml.h"

#define DOC_MAX (1 << 20)

/* Where the text of an element goes; NULL: nowhere. */
static char **doc_field(struct cred_sts_doc *d, const char *path)
{
	const struct {
		const char *path;
		char **field;
	} leaves[] = {
		{ "/Credentials/AccessKeyId", &d->fields.id },
		{ "/Credentials/SecretAccessKey", &d->fields.secret },
		{ "/Credentials/SessionToken", &d->fields.token },
		{ "/Credentials/Expiration", &d->fields.end },
		{ "/Error/Code", &d->code },
		{ "/Error/Message", &d->message },
	};

	for (size_t i = 0; i < sizeof(leaves) / sizeof(*leaves); i++)
		if (!strcmp(path, leaves[i].path + 1) ||
		    text_ends_with(path, leaves[i].path))
			return leaves[i].field;
	return NULL;
}

static int doc_set(void *arg, const char *path, const char *text, size_t n)
{
	char **field = doc_field(arg, path);

	if (!field)
		return 0;
	if (*field)
		return -EBADMSG;
	*field = strdup(text);
	return *field ? 0 : -ENOMEM;
}

int cred_sts_doc_parse(const char *body, size_t n, struct cred_sts_doc *out)
{
	const struct xml_walk walk = { .end = doc_set, .arg = out };

	*out = (struct cred_sts_doc){ 0 };
	return n > DOC_MAX ? -EBADMSG : xml_parse(body, n, NULL, &walk);
}

void cred_sts_doc_clear(struct cred_sts_doc *d)
{
	cred_fields_clear(&d->fields);
	free(d->code);
	free(d->message);
	*d = (struct cred_sts_doc){ 0 };
}
