/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signs what it reads by presign(), for tests/vectors/presign-botocore.py and
 * tests/fuzz/curl-line.py.
 *
 *	presign-cli [curl]
 *
 * A case is a line of fields, each in hexadecimal, with a tab between them:
 *
 *   action endpoint bucket style region key-id secret token expire key
 *   options headers
 *
 * where action is one of the names below, style `path` or `virtual`, an empty
 * key id is anonymous, and the last two are `name=value` pairs whose halves are
 * once more hexadecimal, separated by commas; options have the names of struct
 * presign_request. The answer is a line: the URL in hexadecimal, or `error
 * NUMBER why`; with `curl`, the command line in hexadecimal, a tab, the URL in
 * hexadecimal, a tab, and the header lines in hexadecimal.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/cred_cache.h"
#include "auth/signer.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/text.h"
#include "presign/presign.h"
#include "stage/stage.h"
#include "store/s3/s3.h"

enum {
	ACTION,
	ENDPOINT,
	BUCKET,
	STYLE,
	REGION,
	KEY_ID,
	SECRET,
	TOKEN,
	EXPIRE,
	KEY,
	OPTIONS,
	HEADERS,
	FIELDS
};

static const char *const actions[] = {
	[PRESIGN_DOWNLOAD] = "download", [PRESIGN_UPLOAD] = "upload",
	[PRESIGN_HEAD] = "head",         [PRESIGN_DELETE] = "delete",
	[PRESIGN_PART] = "part",         [PRESIGN_COMPLETE] = "complete",
	[PRESIGN_ABORT] = "abort",
};

#define OPTION(name) \
	{ \
#name, offsetof(struct presign_request, name) \
	}
static const struct {
	const char *name;
	size_t offset;
} options[] = {
	OPTION(content_type),     OPTION(content_disposition),
	OPTION(content_encoding), OPTION(content_language),
	OPTION(cache_control),    OPTION(http_expires),
	OPTION(version_id),       OPTION(content_length),
	OPTION(checksum),         OPTION(storage_class),
	OPTION(upload_id),        OPTION(part_number),
};

static int digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Decodes in place. */
static bool unhex(char *s)
{
	char *out = s;

	for (; *s; s += 2) {
		int high = digit(s[0]), low = high < 0 ? -1 : digit(s[1]);

		if (low < 0)
			return false;
		*out++ = (char)(high << 4 | low);
	}
	*out = '\0';
	return true;
}

/* Splits s at the separator, in place; returns how many, or -1. */
static int split(char *s, char separator, char **out, int max)
{
	int n = 0;

	for (char *next = s; next; n++) {
		if (n == max)
			return -1;
		out[n] = next;
		next = strchr(next, separator);
		if (next)
			*next++ = '\0';
	}
	return n;
}

static bool read_pairs(char *s, struct field *out, size_t *n)
{
	char *items[PRESIGN_FIELDS_MAX], *halves[2];
	int found = *s ? split(s, ',', items, PRESIGN_FIELDS_MAX) : 0;

	for (int i = 0; i < found; i++) {
		if (split(items[i], '=', halves, 2) != 2 || !unhex(halves[0]) ||
		    !unhex(halves[1]))
			return false;
		out[i].name = halves[0];
		out[i].value = halves[1];
	}
	*n = found > 0 ? (size_t)found : 0;
	return found >= 0;
}

static bool set_option(struct presign_request *r, const struct field *f)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		if (strcmp(options[i].name, f->name))
			continue;
		memcpy((char *)r + options[i].offset, &f->value,
		       sizeof(f->value));
		return true;
	}
	return false;
}

static bool read_action(const char *name, enum presign_action *out)
{
	for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++) {
		if (!strcmp(actions[i], name)) {
			*out = i;
			return true;
		}
	}
	return false;
}

static struct stage *open_stage(char **f, struct buf *why)
{
	const struct cred_settings creds = {
		.credentials = *f[KEY_ID] ? "static" : "anonymous",
		.access_key_id = f[KEY_ID],
		.secret_access_key = f[SECRET],
		.session_token = *f[TOKEN] ? f[TOKEN] : NULL,
	};
	const struct s3_settings set = {
		.name = "case",
		.endpoint_url = f[ENDPOINT],
		.bucket = f[BUCKET],
		.region = f[REGION],
		.public_virtual_host = !strcmp(f[STYLE], "virtual"),
	};
	struct store *store;
	struct stage *stage;

	if (s3_new(&set, NULL, signer_new(cred_cache_new(&creds), "s3"), &store,
		   why))
		return NULL;
	stage = stage_new("case", STAGE_EXTERNAL, store, "", false, 0);
	store_unref(store);
	return stage;
}

static void put_hex(const char *s, char end)
{
	for (; *s; s++)
		printf("%02x", (unsigned char)*s);
	putchar(end);
}

static void put_answer(const struct store_presigned *p,
		       enum presign_action action, bool curl)
{
	struct buf line = BUF_INIT(8 * BUF_URL);

	if (curl) {
		presign_row_curl(p, action, &line);
		put_hex(buf_str(&line), '\t');
	}
	put_hex(p->url, curl ? '\t' : '\n');
	if (curl)
		put_hex(p->header_lines, '\n');
	buf_clear(&line);
}

static bool answer(char *line, bool curl)
{
	struct field named[PRESIGN_FIELDS_MAX];
	struct field headers[PRESIGN_FIELDS_MAX];
	struct presign_request r = { .headers = headers };
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct store_presigned p;
	struct stage *stage;
	char *f[FIELDS];
	size_t n = 0;
	uint64_t expire;
	int rc;

	if (split(line, '\t', f, FIELDS) != FIELDS)
		return false;
	for (int i = 0; i < FIELDS; i++)
		if (!unhex(f[i]))
			return false;
	if (!read_action(f[ACTION], &r.action) ||
	    parse_u64(f[EXPIRE], INT64_MAX, &expire) ||
	    !read_pairs(f[OPTIONS], named, &n) ||
	    !read_pairs(f[HEADERS], headers, &r.n_headers))
		return false;
	r.expire = (int64_t)expire;
	for (size_t i = 0; i < n; i++)
		if (!set_option(&r, &named[i]))
			return false;
	stage = open_stage(f, &why);
	rc = stage ? presign(stage, f[KEY], &r, &p, &why) : -EINVAL;
	if (rc)
		printf("error %d %s\n", -rc, buf_str(&why));
	else
		put_answer(&p, r.action, curl);
	if (!rc)
		store_presign_clear(&p);
	stage_unref(stage);
	buf_clear(&why);
	return true;
}

int main(int argc, char **argv)
{
	bool curl = argc > 1 && !strcmp(argv[1], "curl");
	char *line = NULL;
	size_t cap = 0;
	bool good = !digest_init();

	while (good && getline(&line, &cap, stdin) > 0) {
		line[strcspn(line, "\n")] = '\0';
		good = answer(line, curl);
	}
	if (!good)
		fprintf(stderr, "presign-cli: a case that cannot be read\n");
	free(line);
	return !good;
}
