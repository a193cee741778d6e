/*
 * Listings. An entry is begun by its element, filled by the leaves inside and
 * checked at its end: one without a key, or with numbers that are none, makes
 * the whole page garbage, because a page that lacks a name would make a file
 * vanish.
 *
 * A server that is to encode names and does not may write a name that XML cannot
 * carry, and so a page that is none: it is mended and read again, without the
 * names in question.
 */
#include "base/array.h"
#include "store/s3/s3_doc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/xml.h"

/* What a listing's root is called, and its elements. */
struct shape {
	const char *root;
	const char *entry, *prefix;
	const char *token, *id_token;
};
static const struct shape objects = { "ListBucketResult",
				      "ListBucketResult/Contents",
				      "ListBucketResult/CommonPrefixes",
				      "NextContinuationToken", "" };
static const struct shape uploads = {
	"ListMultipartUploadsResult", "ListMultipartUploadsResult/Upload",
	"ListMultipartUploadsResult/CommonPrefixes", "NextKeyMarker",
	"NextUploadIdMarker"
};

struct lister {
	const struct shape *shape;
	struct s3_page *page;
	bool url; /* the element may stand behind the entries */
};

static int set_string(char **out, const char *text, size_t n)
{
	free(*out);
	*out = NULL;
	if (memchr(text, '\0', n))
		return -EBADMSG;
	*out = strndup(text, n);
	return *out ? 0 : -ENOMEM;
}

static int begin(void *arg, const char *path)
{
	struct lister *l = arg;
	struct s3_page *p = l->page;
	bool is_prefix = !strcmp(path, l->shape->prefix);

	if (!is_prefix && strcmp(path, l->shape->entry))
		return 0;
	if (p->n == S3_PAGE_MAX)
		return -EBADMSG;
	if (ARRAY_RESERVE(p->entries, p->cap, p->n + 1))
		return -ENOMEM;
	memset(&p->entries[p->n], 0, sizeof(*p->entries));
	p->entries[p->n++].is_prefix = is_prefix;
	return 0;
}

static int set_size(struct s3_entry *e, const char *text, size_t n)
{
	return parse_u64n(text, n, INT64_MAX, &e->info.size) ? -EBADMSG : 0;
}

static int in_entry(struct lister *l, const char *name, const char *text,
		    size_t n)
{
	struct s3_entry *e = &l->page->entries[l->page->n - 1];

	if (!strcmp(name, "Key"))
		return set_string(&e->key, text, n);
	if (!strcmp(name, "UploadId"))
		return set_string(&e->id, text, n);
	if (!strcmp(name, "Size"))
		return set_size(e, text, n);
	if (!strcmp(name, "ETag"))
		s3_etag_keep(text, n, e->info.etag);
	if (!strcmp(name, "LastModified"))
		return time_parse_iso8601(text, &e->info.mtime) ? -EBADMSG : 0;
	return 0;
}

/* The rest of path below `above`, or NULL. */
static const char *below(const char *path, const char *above)
{
	size_t n = strlen(above);

	if (strncmp(path, above, n) || path[n] != '/')
		return NULL;
	return path + n + 1;
}

static int end(void *arg, const char *path, const char *text, size_t n)
{
	struct lister *l = arg;
	struct s3_page *p = l->page;
	const char *name;

	if ((name = below(path, l->shape->entry)))
		return in_entry(l, name, text, n);
	if ((name = below(path, l->shape->prefix)))
		return strcmp(name, "Prefix")
			       ? 0
			       : set_string(&p->entries[p->n - 1].key, text, n);
	if (!strcmp(path, l->shape->entry) || !strcmp(path, l->shape->prefix))
		return p->entries[p->n - 1].key ? 0 : -EBADMSG;
	name = below(path, l->shape->root);
	if (!name)
		return 0;
	if (!strcmp(name, "IsTruncated"))
		p->truncated = !strcmp(text, "true");
	else if (!strcmp(name, "EncodingType"))
		l->url = !strcmp(text, "url");
	else if (!strcmp(name, "NextMarker"))
		return set_string(&p->marker, text, n);
	else if (!strcmp(name, l->shape->token))
		return set_string(&p->token, text, n);
	else if (*l->shape->id_token && !strcmp(name, l->shape->id_token))
		return set_string(&p->id_token, text, n);
	return 0;
}

static int by_key(const void *a, const void *b)
{
	const struct s3_entry *x = a, *y = b;

	return strcmp(x->key, y->key);
}

static void sort(struct s3_page *p)
{
	if (p->n)
		qsort(p->entries, p->n, sizeof(*p->entries), by_key);
}

static const char *decoded(const struct s3_entry *e)
{
	return e->other ? e->other : e->key;
}

/* Do the keys of one kind not ascend, whether they are encoded or not? Objects
 * and groups stand apart in a page. */
static bool is_unsorted(const struct s3_page *p)
{
	bool plain = false, other = false;

	for (unsigned i = 1; i < p->n; i++) {
		const struct s3_entry *a = &p->entries[i - 1], *b = a + 1;

		if (a->is_prefix != b->is_prefix)
			continue;
		plain |= strcmp(a->key, b->key) > 0;
		other |= strcmp(decoded(a), decoded(b)) > 0;
	}
	return plain && other;
}

static int parse(struct lister *l, const char *body, size_t n)
{
	struct xml_walk walk = { begin, end, l };

	l->url = false;
	memset(l->page, 0, sizeof(*l->page));
	return xml_parse(body, n, l->shape->root, &walk);
}

static int parse_mended(struct lister *l, const char *body, size_t n)
{
	struct buf mended = BUF_INIT(4 * n + 1);
	int rc = s3_names_mend(body, n, &mended);
	int err = rc < 0 ? rc : -EBADMSG;

	if (rc > 0) {
		s3_page_clear(l->page);
		err = parse(l, buf_str(&mended), mended.len);
	}
	if (rc > 0 && !err)
		s3_names_drop_lost(l->page);
	buf_clear(&mended);
	return err;
}

static int list(const struct shape *shape, const char *body, size_t n,
		const char *prefix, struct s3_page *out)
{
	struct lister l = { shape, out, false };
	int err = parse(&l, body, n);

	if (err == -EBADMSG)
		err = parse_mended(&l, body, n);
	if (!err)
		err = s3_names_decode(out, prefix, l.url);
	for (unsigned i = 0; !err && i < out->n; i++)
		if (!*out->entries[i].key)
			err = -EBADMSG;
	if (!err) {
		out->unsorted = is_unsorted(out);
		sort(out);
	}
	return err;
}

static bool is_empty(const char *s)
{
	return !s || !*s;
}

/* Whoever has a name can ask for what comes after it. */
int s3_page_list(const char *body, size_t n, const char *prefix,
		 struct s3_page *out)
{
	int err = list(&objects, body, n, prefix, out);

	if (!err && out->truncated && is_empty(out->token) &&
	    is_empty(out->marker) && !out->n)
		err = -EBADMSG;
	return err;
}

int s3_page_uploads(const char *body, size_t n, const char *prefix,
		    struct s3_page *out)
{
	int err = list(&uploads, body, n, prefix, out);

	for (unsigned i = 0; !err && i < out->n; i++)
		if (!out->entries[i].is_prefix && is_empty(out->entries[i].id))
			err = -EBADMSG;
	if (!err && out->truncated && is_empty(out->token))
		err = -EBADMSG;
	return err;
}

void s3_page_decoded(struct s3_page *p)
{
	for (unsigned i = 0; i < p->n; i++) {
		if (!p->entries[i].other)
			continue;
		free(p->entries[i].key);
		p->entries[i].key = p->entries[i].other;
		p->entries[i].other = NULL;
	}
	p->unsure = 0;
	sort(p);
}

int s3_page_add(struct s3_page *to, struct s3_page *from)
{
	if (ARRAY_RESERVE(to->entries, to->cap, to->n + from->n))
		return -ENOMEM;
	if (from->n)
		memcpy(&to->entries[to->n], from->entries,
		       from->n * sizeof(*to->entries));
	to->n += from->n;
	from->n = 0;
	return 0;
}

static void clear_entry(struct s3_entry *e)
{
	free(e->key);
	free(e->other);
	free(e->id);
}

void s3_page_sort(struct s3_page *p)
{
	unsigned n = 0;

	sort(p);
	for (unsigned i = 0; i < p->n; i++) {
		if (n && !strcmp(p->entries[n - 1].key, p->entries[i].key))
			clear_entry(&p->entries[i]);
		else
			p->entries[n++] = p->entries[i];
	}
	p->n = n;
}

void s3_page_clear(struct s3_page *p)
{
	for (unsigned i = 0; i < p->n; i++)
		clear_entry(&p->entries[i]);
	free(p->entries);
	free(p->token);
	free(p->id_token);
	free(p->marker);
	memset(p, 0, sizeof(*p));
}
