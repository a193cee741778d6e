/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a form: it ends, within its bounds, and says the same however
 * they were cut. The first line is the Content-Type, the rest the body. Built
 * for libFuzzer by `make fuzz`; as a unit test it runs over the corpus.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "gateway/upload/form.h"
#include "form_text.h"

#define TEXT_MAX (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(int condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const uint8_t *end = len ? memchr(data, '\n', len) : NULL;
	struct buf type = BUF_INIT(TEXT_MAX), why = BUF_INIT(BUF_MESSAGE);
	struct buf whole = BUF_INIT(TEXT_MAX), pieces = BUF_INIT(TEXT_MAX);
	char boundary[FORM_BOUNDARY_MAX + 1] = "b";
	size_t n = end ? len - (end + 1 - data) : 0;
	/* A copy of its own size, so that a sanitizer sees its end. */
	char *body = malloc(n ? n : 1);

	must(body != NULL);
	if (end) {
		buf_add(&type, data, end - data);
		memcpy(body, end + 1, n);
	}
	if (form_boundary(buf_str(&type), boundary, &why))
		must(why.len);
	else
		must(*boundary && strlen(boundary) <= FORM_BOUNDARY_MAX);
	form_text(boundary, body, n, n, n, &whole);
	form_text(boundary, body, n, 1, 1, &pieces);
	must(whole.len == pieces.len);
	must(!memcmp(buf_str(&whole), buf_str(&pieces), whole.len));
	buf_reset(&pieces);
	form_text(boundary, body, n, len % 7, 5, &pieces);
	must(whole.len == pieces.len);
	must(!memcmp(buf_str(&whole), buf_str(&pieces), whole.len));
	buf_clear(&type);
	buf_clear(&why);
	buf_clear(&whole);
	buf_clear(&pieces);
	free(body);
	return 0;
}
