/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that becomes a header is looked at here: a line end in a token
 * would otherwise add a header of its writer's choice. jansson keeps copies of
 * the secrets; they are overwritten before it frees them.
 */
#include "auth/cred_fields.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "auth/cred_ask.h"
#include "auth/creds.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/text.h"

#define VALUE_MAX BUF_LINE
#define MS_MAX INT64_C(253402300799999) /* the year 9999 */
#define SKEW_REPORTED_S 120

void cred_fields_clear(struct cred_fields *f)
{
	wipe_free(f->id);
	wipe_free(f->secret);
	wipe_free(f->token);
	wipe_free(f->end);
	wipe_free(f->extra);
	*f = (struct cred_fields){ 0 };
}

static bool fields_is_word(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s <= ' ' || *s == 0x7f)
			return false;
	return true;
}

static int fields_parse_end(const char *text, enum cred_end kind, int64_t *out)
{
	struct timespec t;
	uint64_t ms;

	*out = 0;
	if (!text)
		return 0;
	if (kind == CRED_END_MS) {
		if (parse_u64(text, MS_MAX, &ms))
			return -EBADMSG;
		*out = (int64_t)(ms / 1000);
	} else {
		if (clock_parse_iso8601(text, &t))
			return -EBADMSG;
		*out = t.tv_sec;
	}
	/* 0 means never: an end in 1970 is long past. */
	if (!*out)
		*out = 1;
	return 0;
}

static int fields_expired(struct cred_ask *ask, const char *provider,
			  int64_t end)
{
	char text[TIME_RFC3339_SIZE];
	int64_t skew = ask->skew_s;

	clock_rfc3339(end, text);
	cred_ask_fail(ask, -EACCES, "the credentials of %s have expired: %s",
		      provider, text);
	if (skew > SKEW_REPORTED_S || skew < -SKEW_REPORTED_S)
		buf_addf(&ask->why,
			 " (this machine's clock is %lld s %s of the server's)",
			 (long long)(skew < 0 ? -skew : skew),
			 skew < 0 ? "behind" : "ahead");
	return -EACCES;
}

int cred_fields_make(struct cred_ask *ask, const struct cred_fields *f,
		     enum cred_end kind, const char *provider,
		     const char *source, struct creds **out)
{
	int64_t end;

	if (!f->id || !*f->id || !f->secret || !*f->secret)
		return cred_ask_fail(
			ask, -EBADMSG, "%s answered without %s", provider,
			f->id && *f->id ? "a secret key" : "a key id");
	if (!fields_is_word(f->id) || !fields_is_word(f->secret) ||
	    (f->token && !fields_is_word(f->token)))
		return cred_ask_fail(
			ask, -EBADMSG,
			"%s answered keys with white space or control "
			"bytes in them",
			provider);
	if (fields_parse_end(f->end, kind, &end))
		return cred_ask_fail(
			ask, -EBADMSG,
			"%s answered an expiration that is no time", provider);
	if (end && end <= clock_now_s())
		return fields_expired(ask, provider, end);
	*out = creds_new(f->id, f->secret,
			 f->token && *f->token ? f->token : NULL, end, source);
	return *out ? 0 : -ENOMEM;
}

static int fields_take_member(const json_t *value, char **out)
{
	if (!value || json_is_null(value))
		return 0;
	if (json_is_string(value)) {
		/* An embedded NUL was refused by json_loadb(). */
		if (json_string_length(value) > VALUE_MAX)
			return -EBADMSG;
		*out = strdup(json_string_value(value));
	} else if (json_is_integer(value)) {
		if (asprintf(out, "%lld",
			     (long long)json_integer_value(value)) < 0)
			*out = NULL;
	} else {
		return -EBADMSG;
	}
	return *out ? 0 : -ENOMEM;
}

static void fields_wipe_members(json_t *object)
{
	const char *name;
	json_t *value;

	json_object_foreach(object, name, value)
	{
		if (json_is_string(value))
			wipe((char *)json_string_value(value),
			     json_string_length(value));
		else if (json_is_object(value))
			fields_wipe_members(value);
	}
}

static int fields_take_all(struct cred_ask *ask, const char *provider,
			   const struct cred_json *names, const json_t *object,
			   struct cred_fields *out)
{
	const struct {
		const char *name;
		char **to;
	} members[] = {
		{ names->id, &out->id },       { names->secret, &out->secret },
		{ names->token, &out->token }, { names->end, &out->end },
		{ names->extra, &out->extra },
	};
	int rc = 0;

	for (size_t i = 0; i < sizeof(members) / sizeof(*members) && !rc; i++) {
		const char *name = members[i].name;

		if (name)
			rc = fields_take_member(json_object_get(object, name),
						members[i].to);
		if (rc == -EBADMSG)
			cred_ask_fail(ask, rc,
				      "%s answered a %s that is no text",
				      provider, name);
	}
	return rc;
}

int cred_fields_json(struct cred_ask *ask, const char *provider,
		     const struct cred_json *names, const struct buf *text,
		     struct cred_fields *out)
{
	json_t *top = json_loadb(buf_str(text), text->len,
				 JSON_REJECT_DUPLICATES, NULL);
	json_t *object = top;
	int rc;

	*out = (struct cred_fields){ 0 };
	if (top && names->root)
		object = json_object_get(top, names->root);
	if (json_is_object(object))
		rc = fields_take_all(ask, provider, names, object, out);
	else
		rc = cred_ask_fail(ask, -EBADMSG,
				   "%s answered something that is not the JSON "
				   "object of credentials",
				   provider);
	if (json_is_object(top))
		fields_wipe_members(top);
	json_decref(top);
	return rc;
}
