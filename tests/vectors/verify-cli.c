/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verifies what it reads, for tests/vectors/verify-botocore.py: a line is
 *
 *   method TAB target TAB key-id TAB secret TAB region TAB now TAB
 * name:value...
 *
 * the headers with a tab between them. The answer is the verdict's code, or
 * `valid`.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/text.h"
#include "sign/sigv4_verify.h"

#define COLUMNS 6

static bool answer(char *line)
{
	struct field headers[SIGV4_FIELDS_MAX];
	struct sigv4_received r = { .headers = headers };
	struct sigv4_trust trust = { .service = "s3" };
	struct buf why = BUF_INIT(BUF_MESSAGE);
	enum sigv4_verdict verdict;
	char *f[COLUMNS], *word;
	uint64_t now;

	for (int i = 0; i < COLUMNS; i++) {
		f[i] = strsep(&line, "\t");
		if (!f[i])
			return false;
	}
	while ((word = strsep(&line, "\t")) && r.n_headers < SIGV4_FIELDS_MAX) {
		headers[r.n_headers].name = strsep(&word, ":");
		headers[r.n_headers++].value = word ? word : "";
	}
	if (parse_u64(f[5], INT64_MAX, &now))
		return false;
	r.method = f[0];
	r.target = f[1];
	trust.access_key_id = f[2];
	trust.secret = f[3];
	trust.region = f[4];
	trust.now = (int64_t)now;
	verdict = sigv4_verify(&r, &trust, &why);
	puts(verdict ? sigv4_verify_code(verdict) : "valid");
	buf_clear(&why);
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
		fprintf(stderr, "verify-cli: a case that cannot be read\n");
	free(line);
	return !good;
}
