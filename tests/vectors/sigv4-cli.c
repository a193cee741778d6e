/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signs what it reads, for tests/vectors/sigv4-botocore.py.
 *
 * A case is a line of fields, each in hexadecimal, with a tab between them:
 *
 *   form method host path key-id secret token region time expires payload-hash
 *   parameters headers
 *
 * where form is `header` or `query`, path is raw (it is encoded here), an
 * empty token or hash is none, and the last two are `name=value` pairs whose
 * halves are once more hexadecimal, separated by commas. The answer is a line
 * of `path TAB Authorization` or `path TAB query`, or `error NUMBER`.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/text.h"
#include "sign/sigv4.h"

enum {
	FORM,
	METHOD,
	HOST,
	PATH,
	KEY_ID,
	SECRET,
	TOKEN,
	REGION,
	TIME,
	EXPIRES,
	HASH,
	QUERY,
	HEADERS,
	FIELDS
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
	char *items[SIGV4_FIELDS_MAX], *halves[2];
	int found = *s ? split(s, ',', items, SIGV4_FIELDS_MAX) : 0;

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

static int sign_case(char **f, const struct sigv4_request *request,
		     struct buf *out)
{
	struct sigv4_scope scope = {
		.access_key_id = f[KEY_ID],
		.session_token = *f[TOKEN] ? f[TOKEN] : NULL,
		.region = f[REGION],
		.service = "s3",
	};
	struct sigv4_key key;
	uint64_t time, expires;

	if (parse_u64(f[TIME], INT64_MAX, &time) ||
	    parse_u64(f[EXPIRES], INT64_MAX, &expires))
		return -ERANGE;
	scope.time = (int64_t)time;
	sigv4_derive(&key, f[SECRET], scope.time, f[REGION], "s3");
	if (!strcmp(f[FORM], "header"))
		return sigv4_authorize(&key, &scope, request, out);
	return sigv4_presign(&key, &scope, request, (int64_t)expires, out);
}

static bool answer(char *line)
{
	struct field query[SIGV4_FIELDS_MAX], headers[SIGV4_FIELDS_MAX];
	struct sigv4_request request = { .query = query, .headers = headers };
	struct buf path = BUF_INIT(BUF_URL), out = BUF_INIT(1 << 20);
	char *f[FIELDS];
	int rc;

	if (split(line, '\t', f, FIELDS) != FIELDS)
		return false;
	for (int i = 0; i < FIELDS; i++)
		if (!unhex(f[i]))
			return false;
	if (!read_pairs(f[QUERY], query, &request.n_query) ||
	    !read_pairs(f[HEADERS], headers, &request.n_headers))
		return false;
	sigv4_encode_path(&path, f[PATH]);
	request.method = f[METHOD];
	request.host = f[HOST];
	request.path = buf_str(&path);
	request.payload_hash = *f[HASH] ? f[HASH] : NULL;
	rc = sign_case(f, &request, &out);
	if (rc)
		printf("error %d\n", -rc);
	else
		printf("%s\t%s\n", buf_str(&path), buf_str(&out));
	buf_clear(&path);
	buf_clear(&out);
	return true;
}

int main(void)
{
	char *line = NULL;
	size_t cap = 0;
	bool good = !digest_init();

	while (good && getline(&line, &cap, stdin) > 0) {
		line[strcspn(line, "\n")] = '\0';
		good = answer(line);
	}
	if (!good)
		fprintf(stderr, "sigv4-cli: a case that cannot be read\n");
	free(line);
	return !good;
}
