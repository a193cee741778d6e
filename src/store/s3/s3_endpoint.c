/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Amazon's endpoints have the region in their name, so a bucket that turns
 * out to be in another region has another host. Every other server's name stays
 * as it was configured.
 */
#include "store/s3/s3_endpoint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "sign/sigv4.h"

static int endpoint_bucket_check(const struct s3_endpoint *p, struct buf *why)
{
	const char *b = p->bucket;

	if (!*b || strlen(b) > 255 || text_has_control(b) ||
	    strpbrk(b, "/?#% \\") || !strcmp(b, ".") || !strcmp(b, "..")) {
		buf_adds(why, "`");
		text_printable(why, b);
		buf_adds(why, "` is no name of a bucket");
		return -EINVAL;
	}
	if (p->virtual_host &&
	    (p->url.host[0] == '[' ||
	     !strpbrk(p->url.host, "abcdefghijklmnopqrstuvwxyz"))) {
		buf_adds(why, "a bucket cannot stand in front of an address: "
			      "set addressing = path");
		return -EINVAL;
	}
	return 0;
}

int s3_endpoint_init(struct s3_endpoint *p, const char *endpoint,
		     const char *bucket, bool virtual_host, struct buf *why)
{
	size_t n;
	int rc;

	memset(p, 0, sizeof(*p));
	rc = url_parse(endpoint, "https", &p->url, why);
	if (rc)
		return rc;
	if (strcmp(p->url.scheme, "http") && strcmp(p->url.scheme, "https")) {
		buf_addf(why, "an endpoint is http or https, not %s",
			 p->url.scheme);
		return -EINVAL;
	}
	for (n = strlen(p->url.path); n && p->url.path[n - 1] == '/'; n--)
		p->url.path[n - 1] = '\0';
	p->virtual_host = virtual_host;
	p->bucket = strdup(bucket);
	if (!p->bucket)
		return -ENOMEM;
	return endpoint_bucket_check(p, why);
}

void s3_endpoint_clear(struct s3_endpoint *p)
{
	url_clear(&p->url);
	free(p->bucket);
	memset(p, 0, sizeof(*p));
}

bool s3_endpoint_is_region(const char *region)
{
	return *region && strlen(region) < S3_REGION_SIZE &&
	       !text_has_control(region) && !strpbrk(region, "/ ");
}

/* ---- what a host's name tells ---- */

/* A piece of a host's name. */
struct piece {
	const char *at;
	size_t n;
};

/* Its bytes without a dot at the end, which says nothing. */
static size_t endpoint_host_len(const char *host)
{
	size_t n = strlen(host);

	return n && host[n - 1] == '.' ? n - 1 : n;
}

/* What stands before the suffix; false when it does not end so. */
static bool endpoint_host_before(const char *host, const char *suffix,
				 struct piece *out)
{
	size_t n = endpoint_host_len(host), tail = strlen(suffix);

	if (n <= tail || memcmp(host + n - tail, suffix, tail))
		return false;
	*out = (struct piece){ host, n - tail };
	return true;
}

static struct piece endpoint_host_last_label(struct piece p)
{
	struct piece label = { p.at + p.n, 0 };

	while (label.at > p.at && label.at[-1] != '.') {
		label.at--;
		label.n++;
	}
	return label;
}

/* us-east-1, us-gov-west-1, ap-southeast-3: words and a number. */
static bool endpoint_region_is_likely(struct piece p)
{
	unsigned dashes = 0;

	if (p.n < 6 || p.n >= S3_REGION_SIZE || p.at[0] == '-')
		return false;
	for (size_t i = 0; i < p.n; i++) {
		dashes += p.at[i] == '-';
		if (!text_is_digit(p.at[i]) && p.at[i] != '-' &&
		    (p.at[i] < 'a' || p.at[i] > 'z'))
			return false;
	}
	return dashes >= 2 && text_is_digit(p.at[p.n - 1]);
}

static bool endpoint_host_skip(struct piece *p, const char *start)
{
	size_t n = strlen(start);

	if (p->n < n || memcmp(p->at, start, n))
		return false;
	p->at += n;
	p->n -= n;
	return true;
}

static bool endpoint_region_is_word(struct piece p, const char *word)
{
	return p.n == strlen(word) && !memcmp(p.at, word, p.n);
}

/*
 * An endpoint of Amazon's: where its region stands (n 0: nowhere), and what
 * may be done with it.
 */
struct amazon {
	struct piece region;
	const char *domain;
	bool east; /* a name of us-east-1's that has no region in it */
	bool global; /* s3.amazonaws.com */
	bool alone; /* s3-REGION: one label, not to be put together anew */
	bool fixed; /* an interface of a network: of one region for good */
};

/* s3, s3-us-west-2, s3-external-1: one label before the domain. */
static void endpoint_host_single(struct piece label, struct amazon *out)
{
	struct piece rest = label;

	out->global = endpoint_region_is_word(label, "s3");
	out->east = endpoint_region_is_word(label, "s3-external-1") ||
		    endpoint_region_is_word(label, "s3-1");
	if (out->global || out->east ||
	    (!endpoint_host_skip(&rest, "s3-fips-") &&
	     !endpoint_host_skip(&rest, "s3-")))
		return;
	out->alone = true;
	if (endpoint_region_is_likely(rest))
		out->region = rest;
}

static bool endpoint_host_is_amazon(const char *host, struct amazon *out)
{
	static const char *const domains[] = { ".amazonaws.com",
					       ".amazonaws.com.cn" };
	struct piece p = { 0 }, label;
	size_t i = 0;

	*out = (struct amazon){ 0 };
	while (i < 2 && !endpoint_host_before(host, domains[i], &p))
		i++;
	if (i == 2)
		return false;
	out->domain = domains[i];
	label = endpoint_host_last_label(p);
	if (endpoint_region_is_word(label, "vpce") && label.at > p.at) {
		out->fixed = true;
		p.n = label.at - p.at - 1;
		label = endpoint_host_last_label(p);
	}
	if (label.at == p.at)
		endpoint_host_single(label, out);
	else if (endpoint_region_is_likely(label))
		out->region = label;
	return true;
}

/* Others whose hosts tell it. */
static const struct {
	const char *suffix;
	const char *start; /* what the label with the region begins with */
	const char *fixed; /* or the region itself */
} providers[] = {
	{ ".r2.cloudflarestorage.com", NULL, "auto" },
	{ ".aliyuncs.com", "oss-", NULL },
	{ ".backblazeb2.com", "", NULL },
	{ ".wasabisys.com", "", NULL },
};

static void endpoint_region_copy(struct piece p, char out[S3_REGION_SIZE])
{
	if (!p.n || p.n >= S3_REGION_SIZE)
		return;
	memcpy(out, p.at, p.n);
	out[p.n] = '\0';
}

void s3_endpoint_region_of(const char *host, char out[S3_REGION_SIZE])
{
	struct amazon a;
	struct piece p, label;

	out[0] = '\0';
	if (endpoint_host_is_amazon(host, &a)) {
		if (a.east)
			strcpy(out, "us-east-1");
		else
			endpoint_region_copy(a.region, out);
		return;
	}
	for (size_t i = 0; i < sizeof(providers) / sizeof(*providers); i++) {
		if (!endpoint_host_before(host, providers[i].suffix, &p))
			continue;
		label = endpoint_host_last_label(p);
		if (providers[i].fixed)
			strcpy(out, providers[i].fixed);
		else if (*providers[i].start
				 ? text_starts_with(label.at,
						    providers[i].start)
				 : label.at > p.at)
			endpoint_region_copy(label, out);
		return;
	}
}

void s3_endpoint_region(const struct s3_endpoint *p, char out[S3_REGION_SIZE])
{
	s3_endpoint_region_of(p->url.host, out);
}

bool s3_endpoint_is_amazon(const struct s3_endpoint *p)
{
	struct amazon a;

	return endpoint_host_is_amazon(p->url.host, &a);
}

/* Cloudflare's. */
bool s3_endpoint_is_even(const struct s3_endpoint *p)
{
	struct piece account;

	return endpoint_host_before(p->url.host, ".r2.cloudflarestorage.com",
				    &account);
}

/* The endpoint's host for a region: another one's where its name tells. */
static void endpoint_add_host(const char *host, const char *region,
			      struct buf *out)
{
	struct amazon a;
	bool moves;

	moves = endpoint_host_is_amazon(host, &a) && *region && !a.fixed;
	if (moves && (a.global || a.east))
		moves = strcmp(region, "us-east-1") != 0;
	else if (moves)
		moves = a.region.n &&
			!endpoint_region_is_word(a.region, region);
	if (!moves) {
		buf_adds(out, host);
	} else if (a.global || a.east || a.alone) {
		buf_addf(out, "s3.%s%s", region, a.domain);
	} else {
		buf_add(out, host, a.region.at - host);
		buf_adds(out, region);
		buf_adds(out, a.domain);
	}
}

void s3_endpoint_host(const struct s3_endpoint *p, const char *region,
		      struct buf *out)
{
	struct url u = p->url;
	char room[256];
	struct buf host;

	buf_init_on(&host, room, sizeof(room), 1024);
	if (p->virtual_host) {
		buf_adds(&host, p->bucket);
		buf_addc(&host, '.');
	}
	endpoint_add_host(p->url.host, region, &host);
	u.host = host.data;
	if (buf_err(&host))
		out->rc = out->rc ? out->rc : buf_err(&host);
	else
		url_authority(&u, out);
	buf_clear(&host);
}

void s3_endpoint_path(const struct s3_endpoint *p, const char *key,
		      struct buf *out)
{
	buf_adds(out, p->url.path);
	if (!p->virtual_host) {
		buf_addc(out, '/');
		sigv4_encode_path(out, p->bucket);
	}
	buf_addc(out, '/');
	if (key)
		sigv4_encode_path(out, key);
}

bool s3_endpoint_is_https(const struct s3_endpoint *p)
{
	return !strcmp(p->url.scheme, "https");
}

bool s3_endpoint_is_here(const struct s3_endpoint *p)
{
	const char *host = p->url.host;

	return !strcmp(host, "localhost") || !strcmp(host, "[::1]") ||
	       text_starts_with(host, "127.");
}

const char *s3_endpoint_hint(const struct s3_endpoint *p, int rc)
{
	if (rc == -EKEYREJECTED && p->virtual_host && s3_endpoint_is_https(p) &&
	    strchr(p->bucket, '.'))
		return "a certificate for *.HOST does not hold for a bucket "
		       "with dots in its name: set addressing = path";
	if (rc == -EPROTO && s3_endpoint_is_https(p))
		return "if it speaks no TLS, write endpoint_url = http://...";
	if (rc == -ECONNRESET && !s3_endpoint_is_https(p))
		return "if it speaks TLS, write endpoint_url = https://...";
	return NULL;
}
