/*
 * The wrapper round what only stores of files can do. The same rules as in
 * store.c: checked before a store sees it, announced once after success.
 */
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "store/store.h"
#include "store/store_check.h"
#include "store/store_watch.h"

int store_open(struct store *s, const char *key, const char *etag, int *fd,
	       struct object_info *info)
{
	struct object_info found = { 0 };
	int err = store_check_key(key);

	*fd = -1;
	err = err ? err : store_check_etag(etag);
	if (!err && !s->ops->open)
		err = -EOPNOTSUPP;
	err = err ? err : s->ops->open(s, key, etag, fd, &found);
	if (!err && info)
		*info = found;
	return err;
}

int store_same(struct store *s, int fd, const char *etag)
{
	return s->ops->same ? s->ops->same(s, fd, etag) : -EOPNOTSUPP;
}

int store_scratch(struct store *s, const char *key, int *fd)
{
	int err = store_check_key(key);

	*fd = -1;
	if (!err && !s->ops->scratch)
		err = -EOPNOTSUPP;
	return err ? err : s->ops->scratch(s, key, fd);
}

int store_set_attr(struct store *s, const char *key, const struct store_attr *a,
		   struct object_info *out)
{
	struct object_info info = { 0 };
	int err = s->limits.files && !*key ? 0 : store_check_key(key);

	if (!err && !s->ops->set_attr)
		err = -EOPNOTSUPP;
	err = err ? err : s->ops->set_attr(s, key, a, &info);
	if (err)
		return err;
	store_announce(s, key, &info);
	if (out)
		*out = info;
	return 0;
}

int store_rename(struct store *s, const char *from, const char *to,
		 bool if_absent)
{
	struct object_info info = { 0 };
	int err = store_check_key(from);

	err = err ? err : store_check_key(to);
	if (!err && store_key_is_dir(from) != store_key_is_dir(to))
		err = -EINVAL;
	if (!err && !s->ops->rename)
		err = -EOPNOTSUPP;
	err = err ? err : s->ops->rename(s, from, to, if_absent, &info);
	if (err)
		return err;
	store_announce(s, from, NULL);
	store_announce(s, to, &info);
	return 0;
}

int store_sync(struct store *s, const char *key)
{
	int err = *key ? store_check_key(key) : 0;

	return err || !s->ops->sync ? err : s->ops->sync(s, key);
}

int store_statfs(struct store *s, struct statvfs *out)
{
	return s->ops->statfs ? s->ops->statfs(s, out) : -EOPNOTSUPP;
}

void store_md5(struct store *s, const struct object_info *info, struct buf *out)
{
	if (s->ops->md5)
		s->ops->md5(s, info, out);
	else
		buf_adds(out, info->etag);
}
