/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The headers that a publication gives its object. A new one gets the content
 * type of its name, and what else the store is set to. One that replaces an
 * object is another version of it and keeps all that it had: its first
 * publication asks for that once, those that follow know it.
 *
 * The headers are of the version (ETag) that is edited. When another one stands
 * there by now, its headers say nothing about bytes of the old one.
 */
#include "fs/content/file_props.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "fs/names/inode_meta.h"

/* What is asked about. */
struct props_base {
	bool used; /* some of its bytes are in what one reads now */
	char etag[STORE_ETAG_SIZE];
	char *key;
};

static int props_look(struct file *f, struct props_base *b)
{
	const struct file_locked *g;
	int rc = 0;

	lock_take(&f->lock);
	g = file_locked(f);
	b->used = content_locked(f)->base_limit > 0;
	memcpy(b->etag, g->base.etag, sizeof(b->etag));
	b->key = g->base_key ? strdup(g->base_key) : NULL;
	if (g->base_key && !b->key)
		rc = -ENOMEM;
	lock_drop(&f->lock);
	return rc;
}

bool file_props_known(struct file *f)
{
	const struct file_locked *g;
	bool known;

	lock_take(&f->lock);
	g = file_locked(f);
	known = !content_locked(f)->has_base || g->grafted ||
		(g->props_known && !strcmp(g->props_etag, g->base.etag));
	lock_drop(&f->lock);
	return known;
}

/* Props for a base of that ETag, taken over. The old ones, to be freed. */
static struct props *props_set_locked(struct file *f, struct props *props,
				      const char *etag) REQUIRES(&f->lock)
{
	struct file_locked *g = file_locked(f);
	struct props *old = g->props;

	g->props = props;
	free(g->given);
	g->given = NULL;
	g->props_known = true;
	snprintf(g->props_etag, sizeof(g->props_etag), "%s", etag);
	return old;
}

/* Tags are asked for when they are needed. The turn's owner may be using what
 * is known. */
void file_props_refresh(struct file *f, const struct object_details *d)
{
	const char *tags = props_get(&d->props, PROP_TAG_COUNT);
	struct file_locked *g;
	MEM_LOCAL struct props *props = NULL;

	if (file_props_known(f) || (tags && strcmp(tags, "0") != 0))
		return;
	props = malloc(sizeof(*props));
	if (!props)
		return;
	*props = d->props;
	lock_take(&f->lock);
	g = file_locked(f);
	if (g->state == FILE_CLEAN && content_locked(f)->has_base &&
	    !strcmp(g->base.etag, d->info.etag))
		props = props_set_locked(f, props, d->info.etag);
	lock_drop(&f->lock);
}

/* 0 and the headers of what stands there, NULL when it is as if new. */
static int props_ask(struct file *f, const struct props_base *b,
		     struct props **out)
{
	struct object_details *d = malloc(sizeof(*d));
	bool other;
	int rc = d ? store_props(file_store(f), b->key, d) : -ENOMEM;

	other = !rc && *b->etag && strcmp(d->info.etag, b->etag) != 0;
	*out = NULL;
	if (!rc && !(other && b->used)) {
		*out = malloc(sizeof(**out));
		rc = *out ? 0 : -ENOMEM;
		if (!rc)
			**out = d->props;
	}
	free(d);
	if (rc == -EACCES)
		file_log(f, LOG_LEVEL_WARN, rc,
			 "the headers of the object cannot be read, so its "
			 "next version has none of them");
	return rc == -EACCES || rc == -ENOENT ? 0 : rc;
}

int file_props_learn(struct file *f)
{
	MEM_LOCAL struct props *props = NULL;
	struct props_base b;
	int rc;

	if (file_props_known(f))
		return 0;
	rc = props_look(f, &b);
	if (!rc)
		rc = props_ask(f, &b, &props);
	if (!rc)
		props = LOCK_UNDER(&f->lock,
				   props_set_locked(f, props, b.etag));
	free(b.key);
	return rc;
}

/*
 * What was sent so far of a file that is being written to says nothing of its
 * times, which move with the bytes to come: those are the store's then, unless
 * a caller sets others.
 */
static int props_attributes(struct file *f, struct store_meta *out)
{
	struct field *all =
		calloc(out->n_headers + ATTR_META_FIELDS, sizeof(*all));
	struct file_locked *g;
	struct store_attr a;

	if (!all)
		return -ENOMEM;
	inode_meta_take(f->env->tree, f->inode, &a);
	lock_take(&f->lock);
	g = file_locked(f);
	if (g->state != FILE_PUBLISHING) {
		a.which &= ~ATTR_META_TIMES;
		if (g->props)
			attr_meta_drop_times(g->props);
	}
	attr_meta_write(&a, &g->attributes);
	for (size_t i = 0; i < out->n_headers; i++)
		all[i] = out->headers[i];
	for (unsigned i = 0; i < g->attributes.n; i++)
		all[out->n_headers + i] = g->attributes.fields[i];
	free(g->headers);
	g->headers = all;
	out->headers = all;
	out->n_headers += g->attributes.n;
	lock_drop(&f->lock);
	return 0;
}

int file_props(struct file *f, const char *key, struct store_meta *out)
{
	const struct file_locked *g;
	int rc = file_props_learn(f);

	*out = (struct store_meta){ .props = NULL };
	lock_take(&f->lock);
	g = file_locked(f);
	/* They stay as long as the turn does. */
	if (!rc && g->given) {
		out->headers = g->given;
		out->n_headers = g->n_given;
	} else if (!rc) {
		out->props = g->props;
	}
	if (!out->props && !(g->given && props_get(g->props, PROP_TYPE)))
		out->content_type = store_type(file_store(f), key);
	lock_drop(&f->lock);
	if (!rc && file_store(f)->attributes)
		rc = props_attributes(f, out);
	return rc;
}

void file_props_local(struct file *f, struct store_meta *out)
{
	const struct file_locked *g;

	*out = (struct store_meta){ .inherit = true };
	lock_take(&f->lock);
	g = file_locked(f);
	if (g->given) {
		out->headers = g->given;
		out->n_headers = g->n_given;
	} else if (g->props) {
		out->props = g->props;
		out->inherit = false;
	}
	lock_drop(&f->lock);
}

void file_props_published(struct file *f, const struct object_info *now)
{
	struct file_locked *g;

	lock_take(&f->lock);
	g = file_locked(f);
	/* What was new is so for as long as it is open. */
	g->props_known = now->etag[0] != '\0';
	memcpy(g->props_etag, now->etag, sizeof(g->props_etag));
	lock_drop(&f->lock);
}

/* ---- what callers set (file_edit.h) ---- */

static int props_fields(const struct props *p, struct field **out, size_t *n)
{
	struct field at = { NULL, NULL };
	struct field *fields = NULL;
	size_t cap = 0;
	int rc = 0;

	*n = 0;
	while (!rc && props_next(p, &at)) {
		rc = ARRAY_RESERVE(fields, cap, *n + 1);
		if (!rc)
			fields[(*n)++] = at;
	}
	*out = fields;
	return rc;
}

int file_props_give(struct file *f, struct props *p, bool beside)
{
	struct field *fields = NULL;
	struct file_locked *g;
	size_t n = 0;
	int rc = beside ? props_fields(p, &fields, &n) : 0;

	if (rc) {
		free(fields);
		free(p);
		return rc;
	}
	lock_take(&f->lock);
	g = file_locked(f);
	free(g->props);
	free(g->given);
	g->props = p;
	g->given = fields;
	g->n_given = n;
	g->sealed = false;
	lock_drop(&f->lock);
	return 0;
}

bool file_props_current(struct file *f, struct props *out)
{
	const struct file_locked *g;
	bool beside;

	lock_take(&f->lock);
	g = file_locked(f);
	beside = g->given || !g->props;
	out->len = 0;
	if (g->props)
		*out = *g->props;
	lock_drop(&f->lock);
	return beside;
}

void file_props_stored(struct file *f, struct props *p, const char *etag)
{
	free(LOCK_UNDER(&f->lock, props_set_locked(f, p, etag)));
}

bool file_props_pending(struct file *f, struct props *out)
{
	const struct file_locked *g;
	const char *type = NULL;
	bool pending, is_new;

	lock_take(&f->lock);
	g = file_locked(f);
	is_new = !content_locked(f)->has_base;
	pending = g->state != FILE_CLEAN &&
		  (is_new || g->given || (g->props_known && g->props));
	out->len = 0;
	if (pending && (g->given || !g->props))
		type = store_type(file_store(f), g->base_key);
	if (type)
		props_set(out, PROP_TYPE, type);
	if (pending && g->props)
		props_add(out, g->props, PROP_WRITTEN);
	lock_drop(&f->lock);
	return pending;
}

/* ---- over a crash ---- */

bool file_props_chosen(struct file *f, struct props *out, bool *beside)
{
	const struct file_locked *g;
	bool are;

	lock_take(&f->lock);
	g = file_locked(f);
	are = g->props &&
	      (!content_locked(f)->has_base ||
	       (g->props_known && !strcmp(g->props_etag, g->base.etag)));
	if (are)
		*out = *g->props;
	*beside = g->given;
	lock_drop(&f->lock);
	return are;
}

int file_props_restore(struct file *f, const char *text, size_t len,
		       bool beside)
{
	struct props *p = len < PROPS_BYTES ? malloc(sizeof(*p)) : NULL;
	int rc;

	if (!p)
		return -ENOMEM;
	p->len = len;
	memcpy(p->text, text, len);
	rc = file_props_give(f, p, beside);
	if (rc)
		return rc;
	lock_take(&f->lock);
	file_locked(f)->props_known = true;
	memcpy(file_locked(f)->props_etag, file_locked(f)->base.etag,
	       STORE_ETAG_SIZE);
	lock_drop(&f->lock);
	return 0;
}
