/* SPDX-License-Identifier: Apache-2.0 */
#include "store/props.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "store/store_meta.h"

static const struct row {
	const char *name;
	unsigned kind;
} table[] = {
	{ PROP_TYPE, PROP_CONTENT },
	{ PROP_ENCODING, PROP_CONTENT },
	{ PROP_DISPOSITION, PROP_CONTENT },
	{ PROP_LANGUAGE, PROP_CONTENT },
	{ PROP_CACHE, PROP_CONTENT },
	{ PROP_EXPIRES, PROP_CONTENT },
	{ PROP_CLASS, PROP_SERVER },
	{ "x-amz-website-redirect-location", PROP_SERVER },
	{ PROP_SSE, PROP_CRYPT },
	{ PROP_SSE_KEY, PROP_CRYPT },
	{ "x-amz-server-side-encryption-bucket-key-enabled", PROP_CRYPT },
	{ PROP_TAGGING, PROP_TAGS },
	{ PROP_TAG_COUNT, PROP_ANSWER_ONLY },
};
#define ROWS (sizeof(table) / sizeof(*table))

/* What servers say of an object for which no type was chosen. */
static const char *const defaults[] = { "binary/octet-stream",
					"application/octet-stream" };

static bool props_is_meta(const char *name)
{
	return !strncasecmp(name, PROP_META, strlen(PROP_META)) &&
	       name[strlen(PROP_META)];
}

unsigned props_kind(const char *name)
{
	for (size_t i = 0; i < ROWS; i++)
		if (!strcasecmp(table[i].name, name))
			return table[i].kind;
	return props_is_meta(name) ? PROP_CONTENT : 0;
}

const char *props_name(unsigned kinds, size_t *i)
{
	while (*i < ROWS) {
		const struct row *row = &table[(*i)++];

		if (row->kind & kinds)
			return row->name;
	}
	return NULL;
}

bool props_next(const struct props *p, struct field *at)
{
	const char *next =
		at->name ? at->value + strlen(at->value) + 1 : p->text;

	if (next == p->text + p->len)
		return false;
	at->name = next;
	at->value = next + strlen(next) + 1;
	return true;
}

const char *props_get(const struct props *p, const char *name)
{
	struct field at = { NULL, NULL };

	while (props_next(p, &at))
		if (!strcasecmp(at.name, name))
			return at.value;
	return NULL;
}

static void props_drop(struct props *p, const char *name)
{
	struct field at = { NULL, NULL };
	size_t from, end;

	while (props_next(p, &at)) {
		if (strcasecmp(at.name, name) != 0)
			continue;
		from = (size_t)(at.name - p->text);
		end = (size_t)(at.value - p->text) + strlen(at.value) + 1;
		memmove(p->text + from, p->text + end, p->len - end);
		p->len -= end - from;
		return;
	}
}

int props_set(struct props *p, const char *name, const char *value)
{
	size_t n = strlen(name) + 1, v = value ? strlen(value) + 1 : 0;
	char *to;

	if (!props_kind(name) || text_has_control(name) ||
	    (value && text_has_control(value)))
		return -EINVAL;
	props_drop(p, name);
	if (!value)
		return 0;
	if (n > PROPS_BYTES - p->len || v > PROPS_BYTES - p->len - n)
		return -E2BIG;
	to = p->text + p->len;
	for (size_t i = 0; i < n; i++)
		to[i] = text_lower(name[i]);
	memcpy(to + n, value, v);
	p->len += n + v;
	return 0;
}

int props_add(struct props *to, const struct props *from, unsigned kinds)
{
	struct field at = { NULL, NULL };
	int rc = 0;

	while (!rc && props_next(from, &at))
		if (props_kind(at.name) & kinds)
			rc = props_set(to, at.name, at.value);
	return rc;
}

int props_of_meta(struct props *p, const struct store_meta *meta)
{
	int rc = 0;

	p->len = 0;
	if (meta && meta->props)
		rc = props_add(p, meta->props, PROP_WRITTEN);
	if (!rc && meta && meta->content_type)
		rc = props_set(p, PROP_TYPE, meta->content_type);
	for (size_t i = 0; meta && i < meta->n_headers && !rc; i++) {
		const struct field *h = &meta->headers[i];

		if (props_kind(h->name) & PROP_WRITTEN &&
		    !text_has_control(h->value))
			rc = props_set(p, h->name, h->value);
	}
	return rc;
}

static bool props_is_chosen(const char *type)
{
	for (size_t i = 0; i < sizeof(defaults) / sizeof(*defaults); i++)
		if (!strcasecmp(defaults[i], type))
			return false;
	return true;
}

bool props_retype(struct props *p, const struct store_retype *r)
{
	const char *type = props_get(p, PROP_TYPE);
	bool chosen = type && props_is_chosen(type);

	if (!r || (chosen && (!r->was || strcasecmp(r->was, type) != 0)))
		return false;
	/* Nothing is there to be changed, or it is so already. */
	if (r->now ? type && !strcasecmp(type, r->now) : !chosen)
		return false;
	return !props_set(p, PROP_TYPE, r->now);
}
