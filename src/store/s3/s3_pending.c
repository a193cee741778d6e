/*
 * Uploads that were begun and not ended: ListMultipartUploads, page by page.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/s3/s3_impl.h"

static int parse_uploads(struct s3_call *c, const struct buf *body)
{
	s3_page_clear(c->out);
	return s3_page_uploads(buf_str(body), body->len, s3_call_prefix(c),
			       c->out);
}

/* after: the page before, or NULL. */
static int fetch(struct s3 *s, const char *prefix, const struct s3_page *after,
		 struct s3_page *out)
{
	struct s3_call c;
	struct http_reply reply;
	int err;

	s3_call_init(&c, s, HTTP_GET, NULL, "list uploads");
	s3_call_query(&c, "uploads", "");
	s3_call_query(&c, "prefix", prefix);
	s3_call_query(&c, "encoding-type", "url");
	s3_call_query(&c, "max-uploads", "1000");
	if (after) {
		s3_call_query(&c, "key-marker", after->token);
		if (after->id_token)
			s3_call_query(&c, "upload-id-marker", after->id_token);
	}
	s3_call_parse(&c, parse_uploads, out);
	err = s3_call_perform(&c, &reply);
	http_reply_clear(&reply);
	s3_call_clear(&c);
	return err;
}

static int walk(const struct s3_page *page,
		int (*each)(void *arg, const struct store_pending *p),
		void *arg)
{
	int err = 0;

	for (unsigned i = 0; !err && i < page->n; i++) {
		struct store_pending p = { page->entries[i].key,
					   page->entries[i].id };

		if (!page->entries[i].is_prefix)
			err = each(arg, &p);
	}
	return err;
}

static bool is_same(const char *a, const char *b)
{
	return !strcmp(a ? a : "", b ? b : "");
}

int s3_pending(struct store *store, const char *prefix,
	       int (*each)(void *arg, const struct store_pending *p), void *arg)
{
	struct s3_page page = { 0 }, next = { 0 };
	bool more = true;
	int err = fetch(s3_of(store), prefix, NULL, &page);

	while (!err && more) {
		err = walk(&page, each, arg);
		more = page.truncated;
		if (err || !more)
			break;
		err = fetch(s3_of(store), prefix, &page, &next);
		if (!err && next.truncated && is_same(next.token, page.token) &&
		    is_same(next.id_token, page.id_token))
			err = -EIO;
		s3_page_clear(&page);
		page = next;
		memset(&next, 0, sizeof(next));
	}
	s3_page_clear(&page);
	s3_page_clear(&next);
	return err;
}
