/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The objects of the memory store: blobs, and the array sorted by key.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/text.h"
#include "memstore_impl.h"

struct mem_blob *mem_blob_new(size_t n)
{
	struct mem_blob *b = malloc(sizeof(*b) + n);

	if (b) {
		b->refs = 1;
		b->n = n;
	}
	return b;
}

struct mem_blob *mem_blob_ref(struct mem_blob *b)
{
	__atomic_add_fetch(&b->refs, 1, __ATOMIC_RELAXED);
	return b;
}

void mem_blob_unref(struct mem_blob *b)
{
	if (b && __atomic_sub_fetch(&b->refs, 1, __ATOMIC_ACQ_REL) == 0)
		free(b);
}

int mem_blob_read(const struct store_body *body, struct mem_blob **out)
{
	struct mem_blob *b = mem_blob_new(body->len);
	size_t done = 0;
	int rc = 0;

	if (!b)
		return -ENOMEM;
	if (body->data && body->len) {
		memcpy(b->bytes, body->data, body->len);
		done = body->len;
	}
	while (!rc && done < body->len) {
		ssize_t n = pread(body->fd, b->bytes + done, body->len - done,
				  body->offset + done);

		if (n < 0)
			rc = -errno;
		else if (n == 0)
			rc = -EIO;
		else
			done += n;
	}
	if (rc) {
		mem_blob_unref(b);
		return rc;
	}
	*out = b;
	return 0;
}

void mem_etag(const struct mem_blob *blob, char out[STORE_ETAG_SIZE])
{
	unsigned char sum[MD5_SIZE];
	char hex[2 * MD5_SIZE + 1];

	md5(blob->bytes, blob->n, sum);
	hex_encode(sum, sizeof(sum), hex);
	snprintf(out, STORE_ETAG_SIZE, "\"%s\"", hex);
}

size_t mem_lower_locked(struct memstore *m, const char *key)
{
	size_t low = 0, high = mem_locked(m)->n_objects;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (strcmp(mem_locked(m)->objects[mid].key, key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct mem_object *mem_find_locked(struct memstore *m, const char *key)
{
	size_t i = mem_lower_locked(m, key);

	if (i == mem_locked(m)->n_objects ||
	    strcmp(mem_locked(m)->objects[i].key, key))
		return NULL;
	return &mem_locked(m)->objects[i];
}

int mem_cond_locked(struct memstore *m, const char *key,
		    const struct store_cond *cond)
{
	const struct mem_object *o = mem_find_locked(m, key);

	if (!cond)
		return 0;
	if (cond->if_absent)
		return o ? -EEXIST : 0;
	if (cond->if_match && !o)
		return -ENOENT;
	if (cond->if_match && strcmp(cond->if_match, o->info.etag))
		return -ESTALE;
	return 0;
}

/* Room for a new object of that key; NULL without memory. */
static struct mem_object *insert_locked(struct memstore *m, const char *key)
	REQUIRES(&m->lock)
{
	struct memstore_locked *g = mem_locked(m);
	size_t i = mem_lower_locked(m, key);
	char *copy = strdup(key);

	if (copy && g->n_objects == g->cap_objects) {
		size_t cap = g->cap_objects ? 2 * g->cap_objects : 64;
		struct mem_object *o = realloc(g->objects, cap * sizeof(*o));

		if (!o) {
			free(copy);
			return NULL;
		}
		g->objects = o;
		g->cap_objects = cap;
	}
	if (!copy)
		return NULL;
	memmove(g->objects + i + 1, g->objects + i,
		(g->n_objects - i) * sizeof(*g->objects));
	memset(&g->objects[i], 0, sizeof(g->objects[i]));
	g->objects[i].key = copy;
	g->n_objects++;
	return &g->objects[i];
}

int mem_props_keep(const struct props *p, struct mem_props **out)
{
	*out = NULL;
	if (!p->len)
		return 0;
	*out = malloc(sizeof(**out) + p->len);
	if (!*out)
		return -ENOMEM;
	(*out)->len = p->len;
	memcpy((*out)->text, p->text, p->len);
	return 0;
}

int mem_props_of(const struct store_meta *meta, struct mem_props **out)
{
	struct props all;
	int rc = props_of_meta(&all, meta);

	*out = NULL;
	return rc ? rc : mem_props_keep(&all, out);
}

void mem_props_tell(const struct mem_props *p, struct props *out)
{
	out->len = 0;
	if (p) {
		out->len = p->len;
		memcpy(out->text, p->text, p->len);
	}
	if (!props_get(out, PROP_TYPE))
		props_set(out, PROP_TYPE, "binary/octet-stream");
}

int mem_store_locked(struct memstore *m, const char *key, struct mem_blob *blob,
		     const char *etag, struct mem_props *props,
		     struct object_info *out)
{
	struct mem_object *o = mem_find_locked(m, key);

	if (!o)
		o = insert_locked(m, key);
	if (!o)
		return -ENOMEM;
	mem_blob_unref(o->blob);
	o->blob = blob;
	free(o->props);
	o->props = props;
	o->info.size = blob->n;
	o->info.mtime = clock_now();
	if (*etag)
		snprintf(o->info.etag, sizeof(o->info.etag), "%s", etag);
	else
		mem_etag(blob, o->info.etag);
	*out = o->info;
	return 0;
}

void mem_remove_locked(struct memstore *m, const char *key)
{
	struct memstore_locked *g = mem_locked(m);
	struct mem_object *o = mem_find_locked(m, key);
	size_t i;

	if (!o)
		return;
	i = o - g->objects;
	free(o->key);
	free(o->props);
	mem_blob_unref(o->blob);
	memmove(o, o + 1, (g->n_objects - i - 1) * sizeof(*o));
	g->n_objects--;
}

int memstore_poke(struct store *s, const char *key, const void *bytes, size_t n)
{
	struct memstore *m = memstore_of(s);
	struct store_body body = { .data = bytes, .fd = -1, .len = n };
	struct mem_blob *blob = NULL;
	struct object_info info;
	int rc = mem_blob_read(&body, &blob);

	if (rc)
		return rc;
	lock_take(&m->lock);
	rc = mem_store_locked(m, key, blob, "", NULL, &info);
	lock_drop(&m->lock);
	if (rc)
		mem_blob_unref(blob);
	return rc;
}

int memstore_poke_remove(struct store *s, const char *key)
{
	struct memstore *m = memstore_of(s);

	lock_take(&m->lock);
	mem_remove_locked(m, key);
	lock_drop(&m->lock);
	return 0;
}
