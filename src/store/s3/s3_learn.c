/*
 * What a store's answers leave open of it, and is found out once: how its
 * listings write names, and whether their ETags are those of its objects.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "store/s3/s3_impl.h"

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
	s3_ask_first(&c, s, name, &page);
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

int s3_learn_names(struct s3 *s, struct s3_page *page)
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
