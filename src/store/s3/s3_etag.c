/* SPDX-License-Identifier: Apache-2.0 */
#include "store/s3/s3_etag.h"

#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/text.h"

#define HASHED "\"sha256-"

bool s3_etag_is_hash(const char *etag)
{
	return text_starts_with(etag, HASHED) &&
	       strlen(etag) == strlen(HASHED) + SHA256_HEX_SIZE;
}

static void s3_etag_hash(const char *text, size_t n, char out[STORE_ETAG_SIZE])
{
	char hex[SHA256_HEX_SIZE];

	sha256_hex(text, n, hex);
	snprintf(out, STORE_ETAG_SIZE, HASHED "%s\"", hex);
}

bool s3_etag_keep(const char *text, size_t n, char out[STORE_ETAG_SIZE])
{
	out[0] = '\0';
	if (n > 2 && !strncmp(text, "W/\"", 3)) {
		text += 2;
		n -= 2;
	}
	if (n >= 2 && text[0] == '"' && text[n - 1] == '"') {
		text++;
		n -= 2;
	}
	if (!n)
		return true;
	if (n > STORE_ETAG_SIZE - 3 || memchr(text, '\0', n)) {
		s3_etag_hash(text, n, out);
		return false;
	}
	out[0] = '"';
	memcpy(out + 1, text, n);
	memcpy(out + n + 1, "\"", 2);
	if (!text_has_control(out))
		return true;
	s3_etag_hash(text, n, out);
	return false;
}

bool s3_etag_is_md5(const char *etag)
{
	return strlen(etag) == 34 && strspn(etag + 1, "0123456789abcdef") == 32;
}
