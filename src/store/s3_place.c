/*
 * Amazon's endpoints have the region in their name, so a bucket that turns
 * out to be in another region has another host. Everybody else's name stays
 * as it was configured.
 */
#include "store/s3_place.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "sign/sigv4.h"

static int check_bucket(const struct s3_place *p, struct buf *err)
{
	const char *b = p->bucket;

	if (!*b || strlen(b) > 255 || text_has_control(b) ||
	    strpbrk(b, "/?#% \\") || !strcmp(b, ".") || !strcmp(b, "..")) {
		buf_adds(err, "`");
		text_printable(err, b);
		buf_adds(err, "` is no name of a bucket");
		return -EINVAL;
	}
	if (p->virtual_host &&
	    (p->url.host[0] == '[' ||
	     !strpbrk(p->url.host, "abcdefghijklmnopqrstuvwxyz"))) {
		buf_adds(err, "a bucket cannot stand in front of an address: "
			      "set addressing = path");
		return -EINVAL;
	}
	return 0;
}

int s3_place_init(struct s3_place *p, const char *endpoint, const char *bucket,
		  bool virtual_host, struct buf *err)
{
	size_t n;
	int e;

	memset(p, 0, sizeof(*p));
	e = url_parse(endpoint, "https", &p->url, err);
	if (e)
		return e;
	if (strcmp(p->url.scheme, "http") && strcmp(p->url.scheme, "https")) {
		buf_addf(err, "an endpoint is http or https, not %s",
			 p->url.scheme);
		return -EINVAL;
	}
	for (n = strlen(p->url.path); n && p->url.path[n - 1] == '/'; n--)
		p->url.path[n - 1] = '\0';
	p->virtual_host = virtual_host;
	p->bucket = strdup(bucket);
	if (!p->bucket)
		return -ENOMEM;
	return check_bucket(p, err);
}

void s3_place_clear(struct s3_place *p)
{
	url_clear(&p->url);
	free(p->bucket);
	memset(p, 0, sizeof(*p));
}

bool s3_region_valid(const char *region)
{
	return *region && strlen(region) < S3_REGION_SIZE &&
	       !text_has_control(region) && !strpbrk(region, "/ ");
}

/*
 * The parts of s3.REGION.amazonaws.com[.cn] and of s3.amazonaws.com: true
 * when host is one of them; the region is the n bytes at *region.
 */
static bool split_amazon(const char *host, const char **region, size_t *n,
			 const char **domain)
{
	const char *tail;

	if (!text_starts_with(host, "s3.") && !text_starts_with(host, "s3-"))
		return false;
	tail = strstr(host, ".amazonaws.com");
	if (!tail || (strcmp(tail, ".amazonaws.com") &&
		      strcmp(tail, ".amazonaws.com.cn")))
		return false;
	*domain = tail;
	*region = host + 3;
	*n = tail > host + 3 ? (size_t)(tail - *region) : 0;
	return !memchr(*region, '.', *n);
}

void s3_place_region(const struct s3_place *p, char out[S3_REGION_SIZE])
{
	const char *region, *domain;
	size_t n;

	out[0] = '\0';
	if (!split_amazon(p->url.host, &region, &n, &domain) ||
	    n >= S3_REGION_SIZE)
		return;
	memcpy(out, region, n);
	out[n] = '\0';
}

void s3_place_host(const struct s3_place *p, const char *region,
		   struct buf *out)
{
	struct url u = p->url;
	char room[256];
	struct buf host;
	const char *old, *domain;
	size_t n;

	buf_init_on(&host, room, sizeof(room), 1024);
	if (p->virtual_host) {
		buf_adds(&host, p->bucket);
		buf_addc(&host, '.');
	}
	if (split_amazon(p->url.host, &old, &n, &domain) && *region &&
	    (n || strcmp(region, "us-east-1"))) {
		buf_adds(&host, "s3.");
		buf_adds(&host, region);
		buf_adds(&host, domain);
	} else {
		buf_adds(&host, p->url.host);
	}
	u.host = host.data;
	if (buf_err(&host))
		out->err = out->err ? out->err : buf_err(&host);
	else
		url_authority(&u, out);
	buf_clear(&host);
}

void s3_place_path(const struct s3_place *p, const char *key, struct buf *out)
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

bool s3_place_is_https(const struct s3_place *p)
{
	return !strcmp(p->url.scheme, "https");
}
