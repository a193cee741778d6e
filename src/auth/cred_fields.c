/*
 * Everything that becomes a header is looked at here: a line end in a token
 * would otherwise be a header of somebody else's choice. jansson keeps copies
 * of the secrets; they are overwritten before it frees them.
 */
#include "auth/cred_fields.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/cred_ask.h"
#include "auth/creds.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/text.h"

#define VALUE_MAX BUF_LINE
#define MS_MAX INT64_C(253402300799999) /* the year 9999 */
#define SKEW_TOLD_S 120

void cred_wipe_free(char *s)
{
	if (s)
		wipe(s, strlen(s));
	free(s);
}

void cred_fields_clear(struct cred_fields *f)
{
	cred_wipe_free(f->id);
	cred_wipe_free(f->secret);
	cred_wipe_free(f->token);
	cred_wipe_free(f->end);
	*f = (struct cred_fields){ 0 };
}

static bool is_word(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s <= ' ' || *s == 0x7f)
			return false;
	return true;
}

static int parse_end(const char *text, enum cred_end kind, int64_t *out)
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
		if (time_parse_iso8601(text, &t))
			return -EBADMSG;
		*out = t.tv_sec;
	}
	/* 0 means never: an end in 1970 is long past. */
	if (!*out)
		*out = 1;
	return 0;
}

static int complain_expired(struct cred_ask *ask, const char *who, int64_t end)
{
	char text[TIME_RFC3339_SIZE];
	int64_t skew = ask->skew_s;

	time_rfc3339(end, text);
	cred_ask_fail(ask, -EACCES, "the credentials of %s have expired: %s",
		      who, text);
	if (skew > SKEW_TOLD_S || skew < -SKEW_TOLD_S)
		buf_addf(&ask->err,
			 " (this machine's clock is %lld s %s of the server's)",
			 (long long)(skew < 0 ? -skew : skew),
			 skew < 0 ? "behind" : "ahead");
	return -EACCES;
}

int cred_fields_make(struct cred_ask *ask, const struct cred_fields *f,
		     enum cred_end kind, const char *who, const char *source,
		     struct creds **out)
{
	int64_t end;

	if (!f->id || !*f->id || !f->secret || !*f->secret)
		return cred_ask_fail(
			ask, -EBADMSG, "%s answered without %s", who,
			f->id && *f->id ? "a secret key" : "a key id");
	if (!is_word(f->id) || !is_word(f->secret) ||
	    (f->token && !is_word(f->token)))
		return cred_ask_fail(
			ask, -EBADMSG,
			"%s answered keys with white space or control "
			"bytes in them",
			who);
	if (parse_end(f->end, kind, &end))
		return cred_ask_fail(
			ask, -EBADMSG,
			"%s answered an expiration that is no time", who);
	if (end && end <= clock_now_s())
		return complain_expired(ask, who, end);
	*out = creds_new(f->id, f->secret,
			 f->token && *f->token ? f->token : NULL, end, source);
	return *out ? 0 : -ENOMEM;
}

static int take_member(const json_t *value, char **out)
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

static void wipe_members(json_t *object)
{
	const char *name;
	json_t *value;

	json_object_foreach(object, name, value)
	{
		if (json_is_string(value))
			wipe((char *)json_string_value(value),
			     json_string_length(value));
		else if (json_is_object(value))
			wipe_members(value);
	}
}

int cred_fields_json(struct cred_ask *ask, const char *who, const char *bytes,
		     size_t n, const char *root, const char *const *names,
		     char **values, size_t count)
{
	json_t *top = json_loadb(bytes, n, JSON_REJECT_DUPLICATES, NULL);
	json_t *object = top;
	int rc = 0;

	if (top && root)
		object = json_object_get(top, root);
	if (!json_is_object(object))
		rc = cred_ask_fail(ask, -EBADMSG,
				   "%s answered something that is not the JSON "
				   "object of credentials",
				   who);
	for (size_t i = 0; i < count && !rc; i++) {
		rc = take_member(json_object_get(object, names[i]), &values[i]);
		if (rc == -EBADMSG)
			cred_ask_fail(ask, rc,
				      "%s answered a %s that is no text", who,
				      names[i]);
	}
	if (json_is_object(top))
		wipe_members(top);
	json_decref(top);
	return rc;
}
