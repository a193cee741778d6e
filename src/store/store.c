/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wrapper round the vtable. Every call of a caller comes through here:
 * what the contract forbids is refused before a store sees it, so that no
 * store has to check again.
 *
 * The model is nbdkit's backend.c.
 */
#include "store/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mime.h"
#include "store/store_check.h"

int store_init(struct store *s, const struct store_ops *ops, const char *name)
{
	s->ops = ops;
	s->refs = 1;
	s->name = strdup(name ? name : ops->kind);
	return s->name ? 0 : -ENOMEM;
}

void store_fini(struct store *s)
{
	free(s->name);
	free(s->identity);
	s->name = s->identity = NULL;
}

struct store *store_ref(struct store *s)
{
	__atomic_add_fetch(&s->refs, 1, __ATOMIC_RELAXED);
	return s;
}

void store_unref(struct store *s)
{
	if (s && __atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL) == 0)
		s->ops->free(s);
}

int store_check(struct store *s, const char *prefix, struct buf *why)
{
	return s->ops->check(s, prefix, why);
}

const char *store_type(const struct store *s, const char *key)
{
	return s->types && !s->limits.files ? mime_type(key) : NULL;
}

int store_stat(struct store *s, const char *key, struct name_info *out)
{
	int rc = store_check_name(s, key);

	memset(out, 0, sizeof(*out));
	return rc ? rc : s->ops->stat(s, key, out);
}

int store_head(struct store *s, const char *key, struct object_details *out)
{
	int rc = store_check_key(s, key);

	memset(out, 0, sizeof(*out));
	return rc ? rc : s->ops->head(s, key, out);
}

static bool store_props_have_tags(const struct object_details *d)
{
	const char *count = props_get(&d->props, PROP_TAG_COUNT);

	return count && strcmp(count, "0") != 0;
}

/* The tags, beside what HEAD told. */
static int store_props_add_tags(struct store *s, const char *key,
				struct object_details *out)
{
	BUF_LOCAL tags = BUF_INIT(PROPS_BYTES);
	int rc = s->ops->tags(s, key, &tags);

	if (!rc)
		rc = props_set(&out->props, PROP_TAGGING, buf_str(&tags));
	if (rc != -EACCES && rc != -ENOTSUP && rc != -E2BIG)
		return rc;
	log_at(LOG_LEVEL_WARN,
	       &(struct log_where){ .stage = s->name, .key = key, .rc = rc },
	       "the object's tags cannot be read, so its next version has "
	       "none");
	return 0;
}

int store_props(struct store *s, const char *key, struct object_details *out)
{
	int rc = store_head(s, key, out);

	if (!rc && s->ops->tags && store_props_have_tags(out))
		rc = store_props_add_tags(s, key, out);
	return rc;
}

int store_confirm(struct store *s, const char *key, const char *listed,
		  struct object_info *now)
{
	int rc = store_check_key(s, key);

	if (!rc)
		rc = store_check_etag(listed);
	memset(now, 0, sizeof(*now));
	if (rc)
		return rc;
	return s->ops->confirm ? s->ops->confirm(s, key, listed, now) : -ESTALE;
}

void store_get(struct store *s, struct store_get *get)
{
	static const struct object_info none;
	int rc = store_check_get(s, get);

	get->state = NULL;
	get->whole = get->unverified = get->has_props = false;
	if (rc)
		get->done(get, rc, &none);
	else
		s->ops->get(s, get);
}

void store_get_cancel(struct store *s, struct store_get *get)
{
	if (!s->broken)
		s->ops->get_cancel(s, get);
}

int store_put(struct store *s, const char *key, const struct store_body *body,
	      const struct store_meta *meta, const struct store_cond *cond,
	      struct object_info *out)
{
	struct object_info info = { 0 };
	int rc = store_check_key(s, key);

	if (!rc)
		rc = store_check_body(s, body);
	if (!rc)
		rc = store_check_meta(meta);
	if (!rc)
		rc = store_check_cond(cond);
	if (!rc)
		rc = s->ops->put(s, key, body, meta, cond, &info);
	if (!rc && out)
		*out = info;
	return rc;
}

int store_upload_open(struct store *s, const char *key,
		      const struct store_meta *meta, struct store_upload **out)
{
	int rc = store_check_key(s, key);

	*out = NULL;
	if (!rc)
		rc = store_check_meta(meta);
	return rc ? rc : s->ops->upload_open(s, key, meta, out);
}

void store_part(struct store_part *part)
{
	struct store *s = part->upload->store;
	int rc =
		store_check_part(s, part->number, part->offset, part->body.len);

	part->state = NULL;
	part->etag[0] = '\0';
	if (!rc)
		rc = store_check_body(s, &part->body);
	if (rc)
		part->done(part, rc);
	else
		s->ops->part(part);
}

void store_part_cancel(struct store_part *part)
{
	part->upload->store->ops->part_cancel(part);
}

int store_part_copy(struct store_upload *u, unsigned number, uint64_t at,
		    const struct store_range *from, struct store_part_done *out)
{
	struct store *s = u->store;
	int rc = store_check_key(s, from->key);

	if (!rc)
		rc = store_check_etag(from->etag);
	if (!rc)
		rc = store_check_part(s, number, at, from->len);
	if (!rc)
		rc = store_check_part(s, number, from->offset, from->len);
	if (!rc && from->len == 0)
		rc = -EINVAL;
	if (!rc && from->len > s->limits.put_max)
		rc = -EFBIG;
	memset(out, 0, sizeof(*out));
	out->number = number;
	return rc ? rc : s->ops->part_copy(u, number, at, from, out);
}

int store_upload_complete(struct store_upload *u,
			  const struct store_part_done *parts, unsigned n,
			  const struct store_cond *cond,
			  struct object_info *out)
{
	struct store *s = u->store;
	struct object_info info = { 0 };
	int rc = store_check_parts(s, parts, n);

	if (!rc)
		rc = store_check_cond(cond);
	if (!rc)
		rc = s->ops->upload_complete(u, parts, n, cond, &info);
	if (!rc && out)
		*out = info;
	return rc;
}

int store_upload_abort(struct store_upload *u)
{
	return u->store->ops->upload_abort(u);
}

void store_upload_free(struct store_upload *u)
{
	if (u)
		u->store->ops->upload_free(u);
}

const char *store_upload_id(struct store_upload *u)
{
	return u->store->ops->upload_id(u);
}

static int store_check_pending(struct store *s, const struct store_pending *p)
{
	int rc = store_check_key(s, p->key);

	return rc || (p->id && *p->id) ? rc : -EINVAL;
}

int store_pending_abort(struct store *s, const struct store_pending *p)
{
	int rc = store_check_pending(s, p);

	return rc ? rc : s->ops->pending_abort(s, p);
}

int store_upload_resume(struct store *s, const struct store_pending *p,
			store_part_there_fn *there, void *arg,
			struct store_upload **out)
{
	int rc = store_check_pending(s, p);

	*out = NULL;
	if (!rc && !s->ops->upload_resume)
		rc = -EOPNOTSUPP;
	return rc ? rc : s->ops->upload_resume(s, p, there, arg, out);
}

int store_copy(struct store *s, const char *from, const char *etag,
	       const char *to, const struct store_cond *cond,
	       struct object_info *out)
{
	struct object_info known = { .size = STORE_SIZE_UNKNOWN };
	int rc = store_check_etag(etag);

	if (etag && !rc)
		strcpy(known.etag, etag);
	return rc ? rc : store_copy_named(s, from, &known, to, NULL, cond, out);
}

static int store_check_known(const struct object_info *known)
{
	return known && *known->etag ? store_check_etag(known->etag) : 0;
}

int store_copy_named(struct store *s, const char *from,
		     const struct object_info *known, const char *to,
		     const struct store_retype *retype,
		     const struct store_cond *cond, struct object_info *out)
{
	struct object_info info = { 0 };
	int rc = store_check_key(s, from);

	if (!rc)
		rc = store_check_key(s, to);
	if (!rc)
		rc = store_check_known(known);
	if (!rc)
		rc = store_check_cond(cond);
	if (!rc)
		rc = s->ops->copy(s, from, known, to, retype, cond, &info);
	if (!rc && out)
		*out = info;
	return rc;
}

int store_set_props(struct store *s, const char *key,
		    const struct object_details *now, struct object_info *out)
{
	struct object_info info = { 0 };
	int rc = store_check_key(s, key);

	if (!rc)
		rc = store_check_etag(now->info.etag);
	if (!rc && !s->ops->set_props)
		rc = -EOPNOTSUPP;
	if (!rc)
		rc = s->ops->set_props(s, key, now, &info);
	if (!rc && out)
		*out = info;
	return rc;
}

bool store_props_known(struct store *s, const char *key, const char *etag,
		       unsigned age_ms, struct object_details *out)
{
	return *etag && s->ops->props_known &&
	       s->ops->props_known(s, key, etag, age_ms, out);
}

bool store_is_near(const struct store *s, const struct store *other)
{
	if (s->broken || other->broken || s->limits.files)
		return false;
	return s == other || (s->ops == other->ops && s->ops->is_near &&
			      s->ops->is_near(s, other));
}

int store_copy_from(struct store *s, struct store *source, const char *from,
		    const struct object_info *known, const char *to,
		    const struct store_retype *retype,
		    const struct store_cond *cond, struct object_info *out)
{
	struct object_info info = { 0 };
	int rc;

	if (s == source)
		return store_copy_named(s, from, known, to, retype, cond, out);
	rc = store_is_near(s, source) ? store_check_key(source, from) : -EXDEV;
	if (!rc)
		rc = store_check_key(s, to);
	if (!rc)
		rc = store_check_known(known);
	if (!rc)
		rc = store_check_cond(cond);
	if (!rc)
		rc = s->ops->copy_from(s, source, from, known, to, retype, cond,
				       &info);
	if (!rc && out)
		*out = info;
	return rc;
}

int store_copy_as(struct store *s, const struct store_range *from,
		  const char *to, const struct store_meta *meta,
		  struct object_info *out)
{
	int rc = store_check_key(s, from->key);

	if (!rc)
		rc = store_check_key(s, to);
	if (!rc)
		rc = store_check_etag(from->etag);
	if (!rc && (!s->ops->copy_as || !from->etag || from->offset ||
		    !strcmp(from->key, to)))
		rc = -ENOTSUP;
	memset(out, 0, sizeof(*out));
	return rc ? rc : s->ops->copy_as(s, from, to, meta, out);
}

static int store_remove_any(struct store *s, const char *key,
			    const struct store_cond *cond)
{
	int rc = store_check_key(s, key);

	if (!rc && cond)
		rc = cond->if_match ? store_check_etag(cond->if_match)
				    : -EINVAL;
	return rc ? rc : s->ops->remove(s, key, cond);
}

bool store_maybe_done(int rc)
{
	return rc == -EINTR || rc == -EIO || rc == -ENOMEM || rc == -ETIMEDOUT;
}

int store_remove(struct store *s, const char *key)
{
	return store_remove_any(s, key, NULL);
}

int store_remove_same(struct store *s, const char *key, const char *etag)
{
	const struct store_cond cond = { .if_match = etag };

	return store_remove_any(s, key, &cond);
}

int store_remove_seen(struct store *s, const char *key, const char *etag)
{
	const struct store_cond cond = { .if_match = etag, .looked = true };

	return store_remove_any(s, key, &cond);
}

int store_remove_many(struct store *s, const char *const *keys, unsigned n,
		      int *results)
{
	int rc = 0;

	for (unsigned i = 0; i < n; i++) {
		results[i] = store_check_key(s, keys[i]);
		if (!rc)
			rc = results[i];
	}
	if (rc || !n) {
		/* A key that cannot be: nothing is removed. */
		for (unsigned i = 0; i < n; i++)
			results[i] = results[i] ? results[i] : -ECANCELED;
		return rc;
	}
	return s->ops->remove_many(s, keys, n, results);
}

void store_locate(struct store *s, const char *key, struct buf *out)
{
	s->ops->locate(s, key, out);
}

const char *store_error_words(const struct store *s, int rc)
{
	const char *words =
		s->ops->error_words ? s->ops->error_words(rc) : NULL;

	return words ? words : strerror(-rc);
}

enum log_level store_error_level(int rc)
{
	switch (-rc) {
	case ENOENT:
	case EINTR:
	case ECANCELED:
		return LOG_LEVEL_DEBUG;
	case EEXIST: /* what the condition was for */
	case ESTALE:
	case ENOTEMPTY:
		return LOG_LEVEL_INFO;
	default:
		return LOG_LEVEL_ERROR;
	}
}

int64_t store_credentials_end(struct store *s)
{
	return s->broken || !s->ops->credentials_end
		       ? 0
		       : s->ops->credentials_end(s);
}

int store_describe(struct store *s, struct buf *out)
{
	return s->broken ? 0 : s->ops->describe(s, out);
}

void store_warn(struct store *s, struct buf *out)
{
	if (!s->broken && s->ops->warn)
		s->ops->warn(s, out);
}

void store_known(struct store *s, unsigned ignores, struct buf *out)
{
	if (!s->broken && s->ops->known)
		s->ops->known(s, ignores, out);
}

void store_md5(struct store *s, const struct object_info *info, struct buf *out)
{
	if (s->ops->md5)
		s->ops->md5(s, info, out);
	else
		buf_adds(out, info->etag);
}

/* ---- stores of files ---- */

int store_open(struct store *s, const char *key, const char *etag, int *fd,
	       struct object_info *info)
{
	struct object_info found = { 0 };
	int rc = store_check_key(s, key);

	*fd = -1;
	if (!rc)
		rc = store_check_etag(etag);
	if (!rc && !s->ops->open)
		rc = -EOPNOTSUPP;
	if (!rc)
		rc = s->ops->open(s, key, etag, fd, &found);
	if (!rc && info)
		*info = found;
	return rc;
}

int store_same(struct store *s, int fd, const char *etag)
{
	return s->ops->same ? s->ops->same(s, fd, etag) : -EOPNOTSUPP;
}

int store_scratch(struct store *s, const char *key, int *fd)
{
	int rc = store_check_key(s, key);

	*fd = -1;
	if (!rc && !s->ops->scratch)
		rc = -EOPNOTSUPP;
	return rc ? rc : s->ops->scratch(s, key, fd);
}

int store_set_attr(struct store *s, const char *key, const struct store_attr *a,
		   struct object_info *out)
{
	struct object_info info = { 0 };
	int rc = store_check_name(s, key);

	if (!rc && !s->ops->set_attr)
		rc = -EOPNOTSUPP;
	if (!rc)
		rc = s->ops->set_attr(s, key, a, &info);
	if (!rc && out)
		*out = info;
	return rc;
}

int store_rename(struct store *s, const char *from, const char *to,
		 bool if_absent)
{
	int rc = store_check_key(s, from);

	if (!rc)
		rc = store_check_key(s, to);
	if (!rc && store_check_is_dir(from) != store_check_is_dir(to))
		rc = -EINVAL;
	if (!rc && !s->ops->rename)
		rc = -EOPNOTSUPP;
	return rc ? rc : s->ops->rename(s, from, to, if_absent);
}

int store_exchange(struct store *s, const char *one, const char *other)
{
	int rc = store_check_key(s, one);

	if (!rc)
		rc = store_check_key(s, other);
	if (!rc && !s->ops->exchange)
		rc = -ENOTSUP;
	return rc ? rc : s->ops->exchange(s, one, other);
}

int store_sync(struct store *s, const char *key)
{
	int rc = s->ops->sync ? store_check_name(s, key) : 0;

	return rc || !s->ops->sync ? rc : s->ops->sync(s, key);
}

int store_statfs(struct store *s, struct statvfs *out)
{
	if (s->broken)
		return s->broken;
	return s->ops->statfs ? s->ops->statfs(s, out) : -EOPNOTSUPP;
}
