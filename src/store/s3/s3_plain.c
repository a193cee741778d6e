/* SPDX-License-Identifier: Apache-2.0 */
#include "store/s3/s3_plain.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "store/attr_meta.h"
#include "store/s3/s3_ops.h"

#define PLACES 8192 /* 192 KiB, from the first one on */
#define BELIEVED_MS 3600000 /* rules of the bucket move objects in days */

struct s3_plain {
	uint64_t hash; /* of key and ETag; 0: none */
	uint64_t size : 63, bare : 1;
	int64_t until_ms;
};

static uint64_t plain_hash(const char *key, const char *etag)
{
	return hash_string(hash_bytes(hash_string(HASH_START, key), "", 1),
			   etag) |
	       1;
}

static struct s3_plain *plain_place_locked(struct s3 *s, uint64_t hash)
	REQUIRES(&s->lock)
{
	struct s3_plain *table = s3_locked(s)->plain;

	return table ? &table[hash / 2 % PLACES] : NULL;
}

void s3_plain_note(struct s3 *s, const char *key,
		   const struct object_info *info)
{
	uint64_t hash = plain_hash(key, info->etag);
	struct s3_plain *place;

	if (!*info->etag)
		return;
	lock_take(&s->lock);
	if (!s3_locked(s)->plain)
		s3_locked(s)->plain = calloc(PLACES, sizeof(*place));
	place = plain_place_locked(s, hash);
	if (place)
		*place = (struct s3_plain){ hash, info->size, false,
					    clock_mono_ms() + BELIEVED_MS };
	lock_drop(&s->lock);
}

void s3_plain_note_bare(struct s3 *s, const char *key,
			const struct object_info *info, bool bare)
{
	uint64_t hash = plain_hash(key, info->etag);
	struct s3_plain *place;

	lock_take(&s->lock);
	place = plain_place_locked(s, hash);
	if (place && place->hash == hash) {
		place->bare = bare;
		if (bare)
			place->until_ms = clock_mono_ms() + BELIEVED_MS;
	}
	lock_drop(&s->lock);
}

bool s3_plain_is_bare(struct s3 *s, const char *key,
		      const struct store_meta *meta)
{
	const char *type = store_type(&s->base, key);

	if (!meta || meta->props || !s->base.attributes)
		return false;
	if (!type || !meta->content_type
		    ? type || meta->content_type
		    : strcmp(type, meta->content_type) != 0)
		return false;
	return attr_meta_is_all(meta->headers, meta->n_headers);
}

static bool plain_find(struct s3 *s, const char *key, const char *etag,
		       bool bare, int64_t age_ms, uint64_t *size)
{
	uint64_t hash = plain_hash(key, etag);
	const struct s3_plain *place;
	bool found;

	lock_take(&s->lock);
	place = plain_place_locked(s, hash);
	found = place && place->hash == hash && (place->bare || !bare) &&
		clock_mono_ms() + BELIEVED_MS - place->until_ms < age_ms;
	if (found)
		*size = place->size;
	lock_drop(&s->lock);
	return found;
}

/* Nothing that the settings say of new objects is to be said of it again. */
static bool plain_is_simple(const struct s3 *s)
{
	for (unsigned k = 0; k < S3_MADE; k++)
		if (*s->made[k])
			return false;
	return true;
}

bool s3_props_known(struct store *store, const char *key, const char *etag,
		    unsigned age_ms, struct object_details *out)
{
	struct s3 *s = s3_of(store);
	const char *type = store_type(store, key);

	memset(out, 0, sizeof(*out));
	if (!plain_is_simple(s) ||
	    !plain_find(s, key, etag, true, age_ms, &out->info.size))
		return false;
	memcpy(out->info.etag, etag, strlen(etag) + 1);
	return !type || !props_set(&out->props, PROP_TYPE, type);
}

bool s3_plain_find(struct s3 *s, const char *key, const char *etag,
		   uint64_t *size)
{
	return plain_find(s, key, etag, false, BELIEVED_MS, size);
}
