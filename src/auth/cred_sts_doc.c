/*
 * The leaves that matter are found by their own and their parent's name, so
 * that it makes no difference which action was asked. A document type is
 * refused, hence there are no entities to expand.
 */
#include "auth/cred_sts_doc.h"

#include <errno.h>
#include <expat.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

#define DEPTH_MAX 16
#define NAME_MAX_BYTES 64

struct walk {
	XML_Parser parser;
	struct cred_sts_doc *doc;
	char names[DEPTH_MAX][NAME_MAX_BYTES];
	unsigned depth;
	struct buf text;
	int err;
};

static void stop(struct walk *w, int err)
{
	if (!w->err)
		w->err = err;
	XML_StopParser(w->parser, XML_FALSE);
}

static void on_start(void *arg, const char *name, const char **attributes)
{
	struct walk *w = arg;
	const char *colon = strrchr(name, ':');

	if (w->err)
		return;
	if (w->depth == DEPTH_MAX) {
		stop(w, -EBADMSG);
		return;
	}
	strncpy(w->names[w->depth], colon ? colon + 1 : name,
		NAME_MAX_BYTES - 1);
	w->names[w->depth++][NAME_MAX_BYTES - 1] = '\0';
	buf_wipe(&w->text);
}

/* Where the innermost open element's text goes; NULL: nowhere. */
static char **find_place(struct walk *w)
{
	struct cred_sts_doc *d = w->doc;
	const struct {
		const char *parent, *name;
		char **place;
	} leaves[] = {
		{ "Credentials", "AccessKeyId", &d->fields.id },
		{ "Credentials", "SecretAccessKey", &d->fields.secret },
		{ "Credentials", "SessionToken", &d->fields.token },
		{ "Credentials", "Expiration", &d->fields.end },
		{ "Error", "Code", &d->code },
		{ "Error", "Message", &d->message },
	};

	for (size_t i = 0; w->depth > 1 && i < sizeof(leaves) / sizeof(*leaves);
	     i++)
		if (!strcmp(w->names[w->depth - 1], leaves[i].name) &&
		    !strcmp(w->names[w->depth - 2], leaves[i].parent))
			return leaves[i].place;
	return NULL;
}

static void on_end(void *arg, const char *name)
{
	struct walk *w = arg;
	char **place;

	if (w->err)
		return;
	place = find_place(w);
	if (place && *place) {
		stop(w, -EBADMSG);
	} else if (place && buf_err(&w->text)) {
		stop(w, buf_err(&w->text) == -ENOMEM ? -ENOMEM : -EBADMSG);
	} else if (place) {
		*place = strdup(buf_str(&w->text));
		if (!*place)
			stop(w, -ENOMEM);
	}
	w->depth--;
	buf_wipe(&w->text);
}

static void on_text(void *arg, const char *s, int n)
{
	struct walk *w = arg;

	if (!w->err)
		buf_add(&w->text, s, (size_t)n);
}

static void on_doctype(void *arg, const char *name, const char *sysid,
		       const char *pubid, int has_internal)
{
	stop(arg, -EBADMSG);
}

int cred_sts_doc_parse(const char *body, size_t n, struct cred_sts_doc *out)
{
	struct walk w = { .doc = out, .text = BUF_INIT(BUF_LINE) };

	*out = (struct cred_sts_doc){ 0 };
	if (n > 1 << 20)
		return -EBADMSG;
	w.parser = XML_ParserCreate("UTF-8");
	if (!w.parser)
		return -ENOMEM;
	XML_SetUserData(w.parser, &w);
	XML_SetElementHandler(w.parser, on_start, on_end);
	XML_SetCharacterDataHandler(w.parser, on_text);
	XML_SetStartDoctypeDeclHandler(w.parser, on_doctype);
	if (XML_Parse(w.parser, body, (int)n, 1) != XML_STATUS_OK && !w.err)
		w.err = XML_GetErrorCode(w.parser) == XML_ERROR_NO_MEMORY
				? -ENOMEM
				: -EBADMSG;
	XML_ParserFree(w.parser);
	buf_wipe(&w.text);
	return w.err;
}

void cred_sts_doc_clear(struct cred_sts_doc *d)
{
	cred_fields_clear(&d->fields);
	free(d->code);
	free(d->message);
	*d = (struct cred_sts_doc){ 0 };
}
