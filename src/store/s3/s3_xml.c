/*
 * expat, with everything off that a store's answers do not need. The path of
 * the open element is kept as one string; the text of the innermost one in a
 * buffer with a limit, which is enough because only leaves have text that
 * anybody reads.
 */
#include "store/s3/s3_xml.h"

#include <errno.h>
#include <expat.h>
#include <string.h>

#include "base/buf.h"

#define PATH_MAX_BYTES 1024
#define CHUNK_MAX (1 << 20)

struct walk {
	const struct s3_xml_walk *w;
	const char *root;
	XML_Parser parser;
	struct buf path, text;
	unsigned depth;
	int err;
};

static void stop(struct walk *x, int err)
{
	if (!x->err)
		x->err = err;
	XML_StopParser(x->parser, XML_FALSE);
}

static const char *local_name(const char *name)
{
	const char *colon = strrchr(name, ':');

	return colon ? colon + 1 : name;
}

static void on_start(void *arg, const char *name, const char **attributes)
{
	struct walk *x = arg;
	int err = 0;

	name = local_name(name);
	if (x->err)
		return;
	if (++x->depth > S3_XML_DEPTH_MAX) {
		stop(x, -EBADMSG);
		return;
	}
	if (x->depth == 1 && x->root && strcmp(name, x->root)) {
		stop(x, strcmp(name, "Error") ? -EBADMSG : -EREMOTEIO);
		return;
	}
	if (x->depth > 1)
		buf_addc(&x->path, '/');
	buf_adds(&x->path, name);
	buf_reset(&x->text);
	if (buf_err(&x->path))
		stop(x, -EBADMSG);
	else if (x->w->begin)
		err = x->w->begin(x->w->arg, buf_str(&x->path));
	if (err)
		stop(x, err);
}

static void on_end(void *arg, const char *name)
{
	struct walk *x = arg;
	const char *path = buf_str(&x->path), *slash;
	int err;

	if (x->err)
		return;
	if (buf_err(&x->text)) {
		stop(x, buf_err(&x->text) == -ENOMEM ? -ENOMEM : -EBADMSG);
		return;
	}
	err = x->w->end(x->w->arg, path, buf_str(&x->text), x->text.len);
	if (err)
		stop(x, err);
	x->depth--;
	slash = strrchr(path, '/');
	buf_truncate(&x->path, slash ? (size_t)(slash - path) : 0);
	buf_reset(&x->text);
}

static void on_text(void *arg, const char *s, int n)
{
	struct walk *x = arg;

	if (!x->err)
		buf_add(&x->text, s, n);
}

static void on_doctype(void *arg, const char *name, const char *sysid,
		       const char *pubid, int has_internal)
{
	stop(arg, -EBADMSG);
}

static int feed(struct walk *x, const char *body, size_t n)
{
	do {
		int part = n > CHUNK_MAX ? CHUNK_MAX : (int)n;
		int last = (size_t)part == n;

		if (XML_Parse(x->parser, body, part, last) != XML_STATUS_OK)
			return x->err ? x->err
			       : XML_GetErrorCode(x->parser) ==
					       XML_ERROR_NO_MEMORY
				       ? -ENOMEM
				       : -EBADMSG;
		body += part;
		n -= part;
	} while (n);
	return 0;
}

int s3_xml_parse(const char *body, size_t n, const char *root,
		 const struct s3_xml_walk *walk)
{
	struct walk x = {
		.w = walk,
		.root = root,
		.path = BUF_INIT(PATH_MAX_BYTES),
		.text = BUF_INIT(S3_XML_TEXT_MAX),
	};
	int err;

	x.parser = XML_ParserCreate("UTF-8");
	if (!x.parser)
		return -ENOMEM;
	XML_SetUserData(x.parser, &x);
	XML_SetElementHandler(x.parser, on_start, on_end);
	XML_SetCharacterDataHandler(x.parser, on_text);
	XML_SetStartDoctypeDeclHandler(x.parser, on_doctype);
	err = feed(&x, body, n);
	XML_ParserFree(x.parser);
	buf_clear(&x.path);
	buf_clear(&x.text);
	return err;
}
