/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as what a request for an object says: lines of target, Range,
 * If-Match, If-None-Match, If-Range, a time, Host, Origin. Nothing that is not
 * signed is valid, what we sign ourselves is, and a range lies within the
 * object. Built for libFuzzer by `make fuzz`; as a unit test it runs over the
 * corpus.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/text.h"
#include "gateway/hosts.h"
#include "gateway/objects/conditions.h"
#include "base/query.h"
#include "sign/sigv4_verify.h"

#define LINES 8
#define NOW 1700000000
#define KEY_ID "AKFUZZ"
#define SECRET "fuzz-secret"
#define REGION "us-east-1"
#define SERVICE "s3"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(int condition)
{
	if (!condition)
		abort();
}

static const struct sigv4_trust trust = {
	.access_key_id = KEY_ID,
	.secret = SECRET,
	.region = REGION,
	.service = SERVICE,
	.now = NOW,
};

static enum sigv4_verdict verify(const char *target, const char *host)
{
	const struct field headers[] = { { "Host", host } };
	const struct sigv4_received r = { .method = "GET",
					  .target = target,
					  .headers = headers,
					  .n_headers = 1 };
	struct buf why = BUF_INIT(BUF_MESSAGE);
	enum sigv4_verdict v = sigv4_verify(&r, &trust, &why);

	must(v == SIGV4_VALID || why.len);
	buf_clear(&why);
	return v;
}

/* What comes is refused; the same, signed by us, is not. */
static void check_signature(const char *key, const char *host)
{
	const struct sigv4_scope scope = { .access_key_id = KEY_ID,
					   .region = REGION,
					   .service = SERVICE,
					   .time = NOW };
	const struct field query[] = { { "response-content-type", host } };
	struct buf path = BUF_INIT(65536), target = BUF_INIT(262144);
	struct sigv4_request request = { .method = "GET",
					 .host = "localhost",
					 .query = query,
					 .n_query = 1 };
	struct sigv4_key derived;

	must(verify(key, host) != SIGV4_VALID);
	buf_addc(&path, '/');
	sigv4_encode_path(&path, key);
	request.path = buf_str(&path);
	buf_addf(&target, "%s?", request.path);
	sigv4_derive(&derived, SECRET, NOW, REGION, SERVICE);
	if (!sigv4_presign(&derived, &scope, &request, 60, &target) &&
	    !buf_err(&target))
		must(verify(buf_str(&target), "localhost") == SIGV4_VALID);
	buf_clear(&path);
	buf_clear(&target);
}

static void check_query(const char *target)
{
	const char *mark = strchr(target, '?');
	struct query q;
	int rc = query_parse(&q, mark ? mark + 1 : NULL);

	must(rc || q.n <= QUERY_FIELDS_MAX);
	must(!rc || !q.n);
	for (size_t i = 0; i < q.n; i++) {
		const char *value = query_get(&q, q.fields[i].name);

		must(q.fields[i].name[0] != '\0' && value != NULL);
	}
	query_clear(&q);
}

static void check_judge(char *const *line, uint64_t size)
{
	const struct conditions c = {
		.range = line[1],
		.if_match = *line[2] ? line[2] : NULL,
		.if_none_match = *line[3] ? line[3] : NULL,
		.if_range = *line[4] ? line[4] : NULL,
		.if_modified_since = *line[5] ? line[5] : NULL,
	};
	uint64_t first, len;

	switch (conditions_judge(&c, "\"abc\"", NOW, size, &first, &len)) {
	case CONDITIONS_WHOLE:
		must(first == 0 && len == size);
		break;
	case CONDITIONS_PART:
		must(len > 0 && len <= size && first <= size - len);
		break;
	case CONDITIONS_NOT_MODIFIED:
	case CONDITIONS_FAILED:
	case CONDITIONS_NO_RANGE:
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct sockaddr_storage local = { .ss_family = AF_INET };
	char *text = calloc(1, len + 1), *line[LINES], *at = text;

	if (!text)
		return -1;
	memcpy(text, data, len);
	for (size_t i = 0; i < LINES; i++)
		line[i] = at ? strsep(&at, "\n") : text + len;
	check_query(line[0]);
	check_signature(line[0], line[6]);
	check_judge(line, 0);
	check_judge(line, 1);
	check_judge(line, 1000);
	check_judge(line, INT64_MAX);
	must(!hosts_allowed(line[6], &local, "", "") ||
	     strspn(line[6], "localhstLOCALHST0123456789.:[]"));
	must(hosts_judge_origin(line[7], NULL, "") == ORIGIN_FOREIGN);
	free(text);
	return 0;
}
