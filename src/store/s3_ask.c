/*
 * Other ways to learn of one object than its HEAD.
 *
 * A server or proxy that makes its answers as they go tells no length in a
 * HEAD. A GET of the first byte has the size in its Content-Range; where ranges
 * are unknown too, the listing has it.
 *
 * Some stores' listings have ETags of their own. Once that is seen, they are
 * left out of listings: nobody could ask for an object by them.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "store/s3_impl.h"

int s3_ask_listed(struct s3 *s, const char *key, struct object_info *out)
{
	struct s3_page page = { 0 };
	struct http_reply reply;
	struct s3_call c;
	int err;

	s3_list_first(&c, s, key, &page);
	c.quiet = true;
	err = s3_call_perform(&c, &reply);
	if (!err) {
		err = -ENOENT;
		for (unsigned i = 0; i < page.n && err; i++) {
			const struct s3_entry *e = &page.entries[i];

			if (strcmp(e->key, key) &&
			    (!e->other || strcmp(e->other, key)))
				continue;
			*out = page.entries[i].info;
			err = 0;
		}
	}
	http_reply_clear(&reply);
	s3_page_clear(&page);
	s3_call_clear(&c);
	return err;
}

static int enough(struct http_call *http, const struct http_reply *reply,
		  const void *bytes, size_t n)
{
	return -ECANCELED; /* a server that knows no ranges sends it all */
}

/* 0 when the head of an answer came. */
static int ask_first_byte(struct s3 *s, const char *key,
			  struct object_info *out)
{
	static const struct http_call_ops ops = {
		.prepare = s3_call_prepare,
		.data = enough,
		.judge = s3_call_judge,
	};
	struct http_reply reply;
	struct s3_range range;
	struct s3_call c;
	int err;

	s3_call_init(&c, s, HTTP_GET, key, "look up");
	c.http.ops = &ops;
	c.quiet = true;
	s3_call_header(&c, "Range", "bytes=0-0");
	err = s3_call_perform(&c, &reply);
	s3_info_read(&reply, out);
	if (reply.status == 416 && s3_info_range(&reply, &range))
		err = 0; /* there is no first byte */
	else if (err != -EINTR && reply.status / 100 == 2)
		err = 0;
	if (!err && reply.status == 200 && http_reply_recoded(&reply))
		out->size = STORE_SIZE_UNKNOWN;
	http_reply_clear(&reply);
	s3_call_clear(&c);
	return err;
}

static bool same_object(const struct object_info *a,
			const struct object_info *b)
{
	return !*a->etag || !*b->etag || !strcmp(a->etag, b->etag);
}

int s3_ask_size(struct s3 *s, const char *key, bool quiet,
		struct object_info *info)
{
	struct log_where where = { .stage = s->base.name,
				   .key = key,
				   .err = -EIO };
	struct object_info got = { .size = STORE_SIZE_UNKNOWN };
	int err = ask_first_byte(s, key, &got);

	if (err == -EINTR || err == -ENOMEM)
		return err;
	if (!err && got.size != STORE_SIZE_UNKNOWN) {
		if (same_object(&got, info))
			info->size = got.size;
		else
			*info = got; /* replaced meanwhile */
		return 0;
	}
	err = s3_ask_listed(s, key, &got);
	if (err == -EINTR || err == -ENOMEM)
		return err;
	if (!err) {
		info->size = got.size;
		return 0;
	}
	if (!quiet)
		log_at(LOG_LEVEL_ERROR, &where,
		       "cannot look up: neither HEAD nor GET nor LIST tells "
		       "the object's size");
	return -EIO;
}

/* ---- names ---- */

/* Is something there? A name that ends in '/' is a group's. */
static int is_there(struct s3 *s, const char *name)
{
	size_t n = strlen(name);
	struct s3_page page = { 0 };
	struct object_info info;
	struct http_reply reply;
	struct s3_call c;
	int err;

	if (n && name[n - 1] != '/') {
		err = s3_head_reply(s, name, true, &info, &reply);
		http_reply_clear(&reply);
		return err == -EINTR ? err : !err;
	}
	s3_list_first(&c, s, name, &page);
	c.quiet = true;
	err = s3_call_perform(&c, &reply);
	http_reply_clear(&reply);
	n = page.n + page.lost;
	s3_page_clear(&page);
	s3_call_clear(&c);
	return err == -EINTR ? err : !err && n;
}

static int learn(struct s3 *s, const struct s3_entry *e, enum s3_silent *out)
{
	int plain = is_there(s, e->key);
	int decoded = plain < 0 ? plain : is_there(s, e->other);

	if (decoded < 0)
		return decoded;
	if (plain != decoded)
		*out = decoded ? S3_SILENT_ENCODED : S3_SILENT_PLAIN;
	return 0;
}

int s3_ask_names(struct s3 *s, struct s3_page *page)
{
	enum s3_silent silent;
	int err = 0;

	lock_take(&s->lock);
	silent = s3_locked(s)->silent;
	lock_drop(&s->lock);
	for (unsigned i = 0; i < page->n && !err && !silent; i++)
		if (page->entries[i].other)
			err = learn(s, &page->entries[i], &silent);
	lock_take(&s->lock);
	s3_locked(s)->silent = silent;
	lock_drop(&s->lock);
	if (silent == S3_SILENT_ENCODED)
		s3_page_decoded(page);
	return err;
}

/* ---- ETags ---- */

static void learn_etags(struct s3 *s)
{
	struct log_where where = { .stage = s->base.name };
	bool known;

	lock_take(&s->lock);
	known = s3_locked(s)->other_etags;
	s3_locked(s)->other_etags = true;
	lock_drop(&s->lock);
	if (!known)
		log_at(LOG_LEVEL_INFO, &where,
		       "the store's listings have other ETags than its "
		       "objects: they do not count");
}

/* The listing still has its ETag, so nobody has put another object there. */
static bool is_listed_as(struct s3 *s, const char *key, const char *etag,
			 const struct object_info *now)
{
	struct object_info entry;
	int64_t apart;

	if (!*now->etag || s3_ask_listed(s, key, &entry) ||
	    strcmp(entry.etag, etag) || entry.size != now->size)
		return false;
	apart = entry.mtime.tv_sec - now->mtime.tv_sec;
	return apart >= -1 && apart <= 1;
}

int s3_confirm(struct store *store, const char *key, const char *listed,
	       struct object_info *now)
{
	struct s3 *s = s3_of(store);
	struct http_reply reply;
	int err = s3_head_reply(s, key, true, now, &reply);

	http_reply_clear(&reply);
	if (err)
		return err == -ENOENT ? -ESTALE : err;
	if (!strcmp(now->etag, listed))
		return 0;
	if (!is_listed_as(s, key, listed, now))
		return -ESTALE;
	learn_etags(s);
	return 0;
}
