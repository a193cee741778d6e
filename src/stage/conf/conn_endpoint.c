/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which server answers for a connection. Endpoint and region are computed from
 * the plain values each time they are asked for, so there is no second copy
 * that could disagree.
 */
#include "stage/conf/conn.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "net/url.h"
#include "store/s3/s3_endpoint.h"

#define AMAZON_HOST "s3.amazonaws.com"

/* The value without a scheme in it; false when it is no URL. */
static bool endpoint_parse(const struct conn *c, struct url *out)
{
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);
	const char *text = text_given(c->s3.endpoint_url);
	int rc = url_parse(text ? text : AMAZON_HOST, "https", out, &why);

	return !rc;
}

/* Some servers have S3 below a path. */
static void endpoint_add_path(const struct url *url, struct buf *out)
{
	size_t n = strlen(url->path);

	while (n && url->path[n - 1] == '/')
		n--;
	buf_add(out, url->path, n);
}

void conn_endpoint(const struct conn *c, struct buf *out)
{
	const char *region = text_given(c->s3.region);
	URL_LOCAL url = { 0 };

	if (conn_is_local(c))
		return;
	if (endpoint_parse(c, &url)) {
		if (region && !strcmp(url.host, AMAZON_HOST))
			buf_addf(out, "%s://s3.%s.amazonaws.com%s", url.scheme,
				 region,
				 text_starts_with(region, "cn-") ? ".cn" : "");
		else
			url_origin(&url, out);
		endpoint_add_path(&url, out);
	}
}

void conn_endpoint_public(const struct conn *c, struct buf *out)
{
	const struct conn other = {
		.s3.endpoint_url = c->s3.public_endpoint_url,
		.s3.region = c->s3.region,
	};

	if (text_given(c->s3.public_endpoint_url))
		conn_endpoint(&other, out);
}

bool conn_endpoint_virtual(const struct conn *c, bool public)
{
	if (public && c->public_addressing != CONN_SAME)
		return c->public_addressing == CONN_VIRTUAL;
	return c->s3.virtual_host || c->addressing == CONN_VIRTUAL;
}

void conn_endpoint_region(const struct conn *c, struct buf *out)
{
	char region[S3_REGION_SIZE];
	URL_LOCAL url = { 0 };

	if (conn_is_local(c))
		return;
	if (text_given(c->s3.region)) {
		buf_adds(out, c->s3.region);
		return;
	}
	if (endpoint_parse(c, &url)) {
		s3_endpoint_region_of(url.host, region);
		buf_adds(out, region);
	}
}

/* ---- which server it is ---- */

/* A name's last dot says nothing, and this machine has three names. */
static void endpoint_plain_host(struct url *url)
{
	static const char *const here[] = { "127.0.0.1", "[::1]" };
	size_t len = strlen(url->host);

	if (len && url->host[len - 1] == '.')
		url->host[len - 1] = '\0';
	for (size_t i = 0; i < sizeof(here) / sizeof(*here); i++) {
		char *name = NULL;

		if (!strcmp(url->host, here[i]))
			name = strdup("localhost");
		if (name) {
			free(url->host);
			url->host = name;
		}
	}
}

void conn_endpoint_identity(const struct conn *c, struct buf *out)
{
	URL_LOCAL url = { 0 };

	if (endpoint_parse(c, &url)) {
		endpoint_plain_host(&url);
		if (text_starts_with(url.host, "s3") &&
		    strstr(url.host, ".amazonaws.com"))
			buf_adds(out, AMAZON_HOST);
		else
			url_authority(&url, out);
		endpoint_add_path(&url, out);
	}
}
