/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract's rules, one function for each kind of argument.
 */
#include "store/store_check.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "store/store.h"

bool store_check_is_dir(const char *key)
{
	return !*key || key[strlen(key) - 1] == '/';
}

int store_check_key(const struct store *s, const char *key)
{
	if (s->broken)
		return s->broken;
	if (!key || !*key)
		return -EINVAL;
	return strlen(key) > STORE_KEY_MAX ? -ENAMETOOLONG : 0;
}

int store_check_name(const struct store *s, const char *key)
{
	return s->limits.files && !*key ? s->broken : store_check_key(s, key);
}

int store_check_prefix(const struct store *s, const char *prefix)
{
	if (s->broken)
		return s->broken;
	if (!prefix)
		return -EINVAL;
	return strlen(prefix) > STORE_KEY_MAX ? -ENAMETOOLONG : 0;
}

int store_check_etag(const char *etag)
{
	if (!etag)
		return 0;
	if (!*etag || strlen(etag) >= STORE_ETAG_SIZE || text_has_control(etag))
		return -EINVAL;
	return 0;
}

int store_check_get(const struct store *s, const struct store_get *get)
{
	int rc = store_check_key(s, get->key);

	if (!rc)
		rc = store_check_etag(get->etag);
	if (!rc && (!get->len || get->offset > INT64_MAX ||
		    get->len > INT64_MAX - get->offset))
		rc = -EINVAL;
	return rc;
}

int store_check_body(const struct store *s, const struct store_body *body)
{
	if (body->len > s->limits.put_max)
		return -EFBIG;
	if (body->len && !body->data && body->fd < 0)
		return -EINVAL;
	if (body->offset > INT64_MAX - body->len)
		return -EINVAL;
	if (body->adopt && (!s->limits.files || body->data || body->offset))
		return -EINVAL;
	return 0;
}

int store_check_meta(const struct store_meta *meta)
{
	if (meta && meta->props && meta->inherit)
		return -EINVAL;
	if (!meta || !meta->content_type)
		return 0;
	if (!*meta->content_type || strlen(meta->content_type) > 255 ||
	    text_has_control(meta->content_type))
		return -EINVAL;
	return 0;
}

int store_check_cond(const struct store_cond *cond)
{
	if (!cond)
		return 0;
	if (cond->if_match && cond->if_absent)
		return -EINVAL;
	return store_check_etag(cond->if_match);
}

int store_check_part(const struct store *s, unsigned number, uint64_t offset,
		     uint64_t len)
{
	if (!number)
		return -EINVAL;
	if (number > s->limits.parts_max || offset > s->limits.object_max ||
	    len > s->limits.object_max - offset)
		return -EFBIG;
	return 0;
}

int store_check_parts(const struct store *s,
		      const struct store_part_done *parts, unsigned n)
{
	if (!n)
		return -EINVAL;
	if (n > s->limits.parts_max)
		return -EFBIG;
	for (unsigned i = 0; i < n; i++) {
		if (!parts[i].number ||
		    (i && parts[i].number <= parts[i - 1].number) ||
		    !parts[i].etag[0])
			return -EINVAL;
	}
	return 0;
}
