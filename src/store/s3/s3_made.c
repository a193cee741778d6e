/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was there wins over the settings, which are for new objects; but the
 * settings over the encryption that servers choose by themselves: buckets
 * refuse a write that does not name the one that they demand. What the caller
 * says wins over all.
 *
 * A key of the customer's own (SSE-C) goes with every request that has to do
 * with an object's bytes, also when they are only read.
 */
#include "store/s3/s3_made.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "store/storage_class.h"

#define NEW S3_REQUEST_NEW
#define MAKES (S3_REQUEST_NEW | S3_REQUEST_COPY)
#define ALL \
	(MAKES | S3_REQUEST_PART | S3_REQUEST_COMPLETE | S3_REQUEST_READ | \
	 S3_REQUEST_SOURCE)
#define CUSTOMER "server-side-encryption-customer-"

/* Whose word counts, beside what the caller says. */
enum made_rule {
	MADE_ALWAYS,
	MADE_FIRST, /* not where there was an object */
	MADE_CRYPT, /* not where its encryption is kept, or said */
};

static const struct {
	const char *name;
	unsigned requests;
	enum made_rule rule;
	const char *source; /* its name of what a copy reads */
} table[S3_MADE] = {
	[S3_MADE_CLASS] = { PROP_CLASS, MAKES, MADE_FIRST },
	[S3_MADE_SSE] = { PROP_SSE, MAKES, MADE_CRYPT },
	[S3_MADE_SSE_KEY] = { PROP_SSE_KEY, MAKES, MADE_CRYPT },
	[S3_MADE_SSE_CONTEXT] = { "x-amz-server-side-encryption-context", MAKES,
				  MADE_CRYPT },
	[S3_MADE_ACL] = { "x-amz-acl", MAKES, MADE_ALWAYS },
	/* A copy has its source's by itself. */
	[S3_MADE_TAGGING] = { PROP_TAGGING, NEW, MADE_FIRST },
	[S3_MADE_KEY_ALGORITHM] = { "x-amz-" CUSTOMER "algorithm", ALL,
				    MADE_ALWAYS,
				    "x-amz-copy-source-" CUSTOMER "algorithm" },
	[S3_MADE_KEY] = { "x-amz-" CUSTOMER "key", ALL, MADE_ALWAYS,
			  "x-amz-copy-source-" CUSTOMER "key" },
	[S3_MADE_KEY_MD5] = { "x-amz-" CUSTOMER "key-md5", ALL, MADE_ALWAYS,
			      "x-amz-copy-source-" CUSTOMER "key-md5" },
};

/* ---- the values ---- */

static int made_set(struct s3 *s, enum s3_made which, const char *value)
{
	s->made[which] = strdup(value ? value : "");
	return s->made[which] ? 0 : -ENOMEM;
}

/* What travels as Base64. */
static int made_set_base64(struct s3 *s, enum s3_made which, const void *bytes,
			   size_t n)
{
	BUF_SECRET text = BUF_INIT(BUF_LINE);
	int rc;

	base64_encode(bytes, n, &text);
	rc = buf_err(&text);
	return rc ? rc : made_set(s, which, buf_str(&text));
}

static int made_set_key(struct s3 *s, const char *key)
{
	BUF_SECRET bytes = BUF_INIT(S3_CUSTOMER_KEY);
	unsigned char sum[MD5_SIZE];
	int rc = base64_decode(key, strlen(key), &bytes);

	if (!rc && bytes.len != S3_CUSTOMER_KEY)
		rc = -EINVAL;
	if (!rc)
		rc = made_set(s, S3_MADE_KEY_ALGORITHM, "AES256");
	if (!rc)
		rc = made_set(s, S3_MADE_KEY, key);
	if (!rc) {
		md5(bytes.data, bytes.len, sum);
		rc = made_set_base64(s, S3_MADE_KEY_MD5, sum, sizeof(sum));
	}
	return rc;
}

int s3_made_init(struct s3 *s, const struct s3_settings *set)
{
	const char *context = text_given(set->sse_kms_context);
	int rc = made_set(s, S3_MADE_CLASS, set->storage_class);

	if (!rc)
		rc = made_set(s, S3_MADE_SSE, set->sse);
	if (!rc)
		rc = made_set(s, S3_MADE_SSE_KEY, set->sse_kms_key_id);
	if (!rc && context)
		rc = made_set_base64(s, S3_MADE_SSE_CONTEXT, context,
				     strlen(context));
	if (!rc)
		rc = made_set(s, S3_MADE_ACL, set->acl);
	if (!rc)
		rc = made_set(s, S3_MADE_TAGGING, set->tagging);
	if (!rc && text_given(set->sse_customer_key))
		rc = made_set_key(s, set->sse_customer_key);
	for (int i = 0; !rc && i < S3_MADE; i++)
		if (!s->made[i])
			rc = made_set(s, i, "");
	return rc;
}

void s3_made_clear(struct s3 *s)
{
	for (int i = 0; i < S3_MADE; i++) {
		if (s->made[i])
			wipe(s->made[i], strlen(s->made[i]));
		free(s->made[i]);
		s->made[i] = NULL;
	}
}

uint8_t s3_made_class(const struct s3 *s)
{
	return *s->made[S3_MADE_CLASS] ? storage_class(s->made[S3_MADE_CLASS])
				       : STORAGE_CLASS_STANDARD;
}

bool s3_made_is_private(const struct s3 *s)
{
	return *s->made[S3_MADE_KEY];
}

/* ---- which of them go along ---- */

static bool made_meta_has(const struct store_meta *meta, const char *name)
{
	for (size_t i = 0; meta && i < meta->n_headers; i++)
		if (!strcmp(meta->headers[i].name, name))
			return true;
	return meta && meta->content_type && !strcmp(name, PROP_TYPE);
}

/* An answer has the whole name of a key (an ARN), of which the setting may be
 * the end. */
static bool made_is_key(const char *was, const char *set)
{
	return !strcmp(was, set) || (text_ends_with(was, set) &&
				     was[strlen(was) - strlen(set) - 1] == '/');
}

bool s3_made_encrypts_anew(const struct s3 *s, const struct props *was)
{
	const char *sse = props_get(was, PROP_SSE);
	const char *key = props_get(was, PROP_SSE_KEY);

	if (s3_made_is_private(s))
		return true;
	if (!*s->made[S3_MADE_SSE])
		return false;
	if (!sse || !strcmp(sse, "AES256"))
		return true;
	return !strcmp(sse, s->made[S3_MADE_SSE]) && key &&
	       *s->made[S3_MADE_SSE_KEY] &&
	       made_is_key(key, s->made[S3_MADE_SSE_KEY]);
}

static void made_add_props(struct s3_call *c, const struct store_meta *meta,
			   unsigned kinds)
{
	struct field at = { NULL, NULL };

	while (props_next(meta->props, &at))
		if (props_kind(at.name) & kinds &&
		    !made_meta_has(meta, at.name))
			s3_call_header(c, at.name, at.value);
}

/* kinds: of the headers that are kept of what was there. */
static bool made_goes(const struct s3 *s, enum s3_made which,
		      enum s3_request request, const struct store_meta *meta,
		      unsigned kinds)
{
	if (!*s->made[which] || !(table[which].requests & request) ||
	    made_meta_has(meta, table[which].name))
		return false;
	switch (table[which].rule) {
	case MADE_FIRST:
		return !(meta && meta->props);
	case MADE_CRYPT:
		return !(kinds & PROP_CRYPT) && !made_meta_has(meta, PROP_SSE);
	case MADE_ALWAYS:
		break;
	}
	return true;
}

void s3_made_add(struct s3_call *c, enum s3_request request,
		 const struct store_meta *meta)
{
	const struct s3 *s = c->s3;
	const struct props *was = meta ? meta->props : NULL;
	unsigned kinds = was ? PROP_WRITTEN : 0;

	if (was && s3_made_encrypts_anew(s, was))
		kinds &= ~PROP_CRYPT;
	if (meta && meta->content_type)
		s3_call_header(c, PROP_TYPE, meta->content_type);
	if (was)
		made_add_props(c, meta, kinds);
	for (int i = 0; i < S3_MADE; i++)
		if (made_goes(s, i, request, meta, kinds))
			s3_call_header(c,
				       request == S3_REQUEST_SOURCE
					       ? table[i].source
					       : table[i].name,
				       s->made[i]);
	for (size_t i = 0; meta && i < meta->n_headers; i++)
		s3_call_header(c, meta->headers[i].name,
			       meta->headers[i].value);
}

size_t s3_made_of_url(const struct s3 *s, const struct store_presign *req,
		      struct field *out)
{
	const struct store_meta meta = { .headers = req->headers,
					 .n_headers = req->n_headers };
	size_t n = 0;

	for (int i = 0; i < S3_MADE; i++)
		if (made_goes(s, i, S3_REQUEST_NEW, &meta, 0))
			out[n++] = (struct field){ table[i].name, s->made[i] };
	return n;
}
