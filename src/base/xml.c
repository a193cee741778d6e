/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expat, with everything off that a server's answers do not need. The path of
 * the open element is kept as one string; the text of the innermost one in a
 * buffer with a limit, which is enough because only leaves have text that is
 * read.
 */
#include "base/xml.h"

#include <errno.h>
#include <expat.h>
#include <string.h>

#include "base/buf.h"

#define PATH_MAX_BYTES 1024
#define CHUNK_MAX (1 << 20)

struct walk {
	const struct xml_walk *w;
	const char *root;
	XML_Parser parser;
	struct buf path, text;
	unsigned depth;
	int rc;
};

static void xml_walk_stop(struct walk *x, int rc)
{
	if (!x->rc)
		x->rc = rc;
	XML_StopParser(x->parser, XML_FALSE);
}

static void xml_walk_wipe(struct walk *x)
{
	if (x->text.data)
		explicit_bzero(x->text.data, x->text.len);
	buf_reset(&x->text);
}

static const char *xml_local_name(const char *name)
{
	const char *colon = strrchr(name, ':');

	return colon ? colon + 1 : name;
}

static void xml_walk_start(void *arg, const char *name, const char **attributes)
{
	struct walk *x = arg;
	int rc = 0;

	name = xml_local_name(name);
	if (x->rc)
		return;
	if (++x->depth > XML_DEPTH) {
		xml_walk_stop(x, -EBADMSG);
		return;
	}
	if (x->depth == 1 && x->root && strcmp(name, x->root)) {
		xml_walk_stop(x, strcmp(name, "Error") ? -EBADMSG : -EREMOTEIO);
		return;
	}
	if (x->depth > 1)
		buf_addc(&x->path, '/');
	buf_adds(&x->path, name);
	xml_walk_wipe(x);
	if (buf_err(&x->path))
		xml_walk_stop(x, -EBADMSG);
	else if (x->w->begin)
		rc = x->w->begin(x->w->arg, buf_str(&x->path));
	if (rc)
		xml_walk_stop(x, rc);
}

static void xml_walk_end(void *arg, const char *name)
{
	struct walk *x = arg;
	const char *path = buf_str(&x->path), *slash;
	int rc;

	if (x->rc)
		return;
	if (buf_err(&x->text)) {
		xml_walk_stop(x, buf_err(&x->text) == -ENOMEM ? -ENOMEM
							      : -EBADMSG);
		return;
	}
	rc = x->w->end(x->w->arg, path, buf_str(&x->text), x->text.len);
	if (rc)
		xml_walk_stop(x, rc);
	x->depth--;
	slash = strrchr(path, '/');
	buf_truncate(&x->path, slash ? (size_t)(slash - path) : 0);
	xml_walk_wipe(x);
}

static void xml_walk_text(void *arg, const char *s, int n)
{
	struct walk *x = arg;

	if (!x->rc)
		buf_add(&x->text, s, n);
}

static void xml_walk_doctype(void *arg, const char *name, const char *sysid,
			     const char *pubid, int has_internal)
{
	xml_walk_stop(arg, -EBADMSG);
}

static int xml_walk_feed(struct walk *x, const char *body, size_t n)
{
	do {
		int part = n > CHUNK_MAX ? CHUNK_MAX : (int)n;
		int last = (size_t)part == n;

		if (XML_Parse(x->parser, body, part, last) != XML_STATUS_OK)
			return x->rc ? x->rc
			       : XML_GetErrorCode(x->parser) ==
					       XML_ERROR_NO_MEMORY
				       ? -ENOMEM
				       : -EBADMSG;
		body += part;
		n -= part;
	} while (n);
	return 0;
}

int xml_parse(const char *body, size_t n, const char *root,
	      const struct xml_walk *walk)
{
	struct walk x = {
		.w = walk,
		.root = root,
		.path = BUF_INIT(PATH_MAX_BYTES),
		.text = BUF_INIT(XML_TEXT),
	};
	int rc;

	x.parser = XML_ParserCreate("UTF-8");
	if (!x.parser)
		return -ENOMEM;
	XML_SetUserData(x.parser, &x);
	XML_SetElementHandler(x.parser, xml_walk_start, xml_walk_end);
	XML_SetCharacterDataHandler(x.parser, xml_walk_text);
	XML_SetStartDoctypeDeclHandler(x.parser, xml_walk_doctype);
	rc = xml_walk_feed(&x, body, n);
	XML_ParserFree(x.parser);
	buf_clear(&x.path);
	buf_wipe(&x.text);
	return rc;
}
