/*
 * A vtable of refusals. Nothing is ever opened, so what works on an upload or
 * a listing is not there at all.
 */
#include "store/absent.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "store/store.h"

struct absent {
	struct store store; /* first */
	int err;
	char *url, *why;
};

static int err_of(const struct store *s)
{
	return ((const struct absent *)s)->err;
}

static void absent_free(struct store *s)
{
	struct absent *a = (struct absent *)s;

	store_fini(s);
	free(a->url);
	free(a->why);
	free(a);
}

static int absent_check(struct store *s, const char *prefix, struct buf *err)
{
	buf_adds(err, ((const struct absent *)s)->why);
	return err_of(s);
}

static int absent_stat(struct store *s, const char *key, struct name_info *out)
{
	return err_of(s);
}

static int absent_head(struct store *s, const char *key,
		       struct object_details *out)
{
	return err_of(s);
}

static int absent_list_open(struct store *s, const struct list_query *q,
			    struct store_list **out)
{
	return err_of(s);
}

static void absent_get(struct store *s, struct store_get *get)
{
	static const struct object_info none;

	get->done(get, err_of(s), &none);
}

static void absent_get_cancel(struct store *s, struct store_get *get)
{
}

static int absent_put(struct store *s, const char *key,
		      const struct store_body *body,
		      const struct store_meta *meta,
		      const struct store_cond *cond, struct object_info *out)
{
	return err_of(s);
}

static int absent_upload_open(struct store *s, const char *key,
			      const struct store_meta *meta,
			      struct store_upload **out)
{
	return err_of(s);
}

static int absent_pending(struct store *s, const char *prefix,
			  int (*each)(void *arg, const struct store_pending *p),
			  void *arg)
{
	return err_of(s);
}

static int absent_pending_abort(struct store *s, const struct store_pending *p)
{
	return err_of(s);
}

static int absent_copy(struct store *s, const char *from, const char *etag,
		       const char *to, const struct store_retype *retype,
		       const struct store_cond *cond, struct object_info *out)
{
	return err_of(s);
}

static int absent_remove(struct store *s, const char *key, const char *etag)
{
	return err_of(s);
}

static int absent_remove_many(struct store *s, const char *const *keys,
			      unsigned n, int *results)
{
	for (unsigned i = 0; i < n; i++)
		results[i] = err_of(s);
	return err_of(s);
}

static int absent_presign(struct store *s, const struct store_presign *req,
			  struct store_presigned *out, struct buf *err)
{
	buf_adds(err, ((const struct absent *)s)->why);
	return err_of(s);
}

static void absent_md5(struct store *s, const struct object_info *info,
		       struct buf *out)
{
}

static void absent_locate(struct store *s, const char *key, struct buf *out)
{
	buf_adds(out, ((const struct absent *)s)->url);
	buf_adds(out, key);
}

static int absent_describe(struct store *s, struct buf *out)
{
	return 0;
}

static int absent_open(struct store *s, const char *key, const char *etag,
		       int *fd, struct object_info *out)
{
	return err_of(s);
}

static int absent_scratch(struct store *s, const char *key, int *fd)
{
	return err_of(s);
}

static int absent_set_attr(struct store *s, const char *key,
			   const struct store_attr *a, struct object_info *out)
{
	return err_of(s);
}

static int absent_rename(struct store *s, const char *from, const char *to,
			 bool if_absent, struct object_info *out)
{
	return err_of(s);
}

static int absent_statfs(struct store *s, struct statvfs *out)
{
	return err_of(s);
}

static const struct store_ops absent_ops = {
	.kind = "absent",
	.free = absent_free,
	.check = absent_check,
	.stat = absent_stat,
	.head = absent_head,
	.list_open = absent_list_open,
	.get = absent_get,
	.get_cancel = absent_get_cancel,
	.put = absent_put,
	.upload_open = absent_upload_open,
	.pending = absent_pending,
	.pending_abort = absent_pending_abort,
	.copy = absent_copy,
	.remove = absent_remove,
	.remove_many = absent_remove_many,
	.presign = absent_presign,
	.open = absent_open,
	.scratch = absent_scratch,
	.set_attr = absent_set_attr,
	.rename = absent_rename,
	.statfs = absent_statfs,
	.md5 = absent_md5,
	.locate = absent_locate,
	.describe = absent_describe,
};

int absent_new(const char *name, const char *url, int err, const char *why,
	       struct store **out)
{
	struct absent *a = calloc(1, sizeof(*a));

	*out = NULL;
	if (!a)
		return -ENOMEM;
	if (store_init(&a->store, &absent_ops, name)) {
		free(a);
		return -ENOMEM;
	}
	a->err = err == -ENOENT ? -ENODEV : err;
	a->url = strdup(url);
	a->why = strdup(why);
	/* What a local store would say: nothing is refused for its size. */
	a->store.limits = (struct store_limits){
		.put_max = INT64_MAX,
		.part_min = 1,
		.parts_max = 10000,
		.object_max = INT64_MAX,
		.presign = true,
		.files = true,
	};
	if (!a->url || !a->why) {
		absent_free(&a->store);
		return -ENOMEM;
	}
	*out = &a->store;
	return 0;
}

bool absent_is(const struct store *s)
{
	return s->ops == &absent_ops;
}
