/* SPDX-License-Identifier: Apache-2.0 */
#include "store/s3/s3_plain.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"

#define PLACES 8192 /* 192 KiB, from the first one on */
#define BELIEVED_MS 3600000 /* rules of the bucket move objects in days */

struct s3_plain {
	uint64_t hash; /* of key and ETag; 0: none */
	uint64_t size;
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
		*place = (struct s3_plain){ hash, info->size,
					    clock_mono_ms() + BELIEVED_MS };
	lock_drop(&s->lock);
}

bool s3_plain_find(struct s3 *s, const char *key, const char *etag,
		   uint64_t *size)
{
	uint64_t hash = plain_hash(key, etag);
	const struct s3_plain *place;
	bool found;

	lock_take(&s->lock);
	place = plain_place_locked(s, hash);
	found = place && place->hash == hash &&
		clock_mono_ms() < place->until_ms;
	if (found)
		*size = place->size;
	lock_drop(&s->lock);
	return found;
}
