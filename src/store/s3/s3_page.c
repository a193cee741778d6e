/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listings. An entry is begun by its element, filled by the leaves inside and
 * checked at its end: one without a key, or with numbers that are none, makes
 * the whole page garbage, because a page that lacks a name would make a file
 * vanish.
 *
 * A server that is to encode names and does not may write a name that XML
 * cannot carry, and so a page that is none: it is mended and read again,
 * without the names in question.
 */
#include "store/s3/s3_page.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/xml.h"
#include "store/s3/s3_etag.h"
#include "store/storage_class.h"

static void page_entry_clear(struct s3_entry *e)
{
	free(e->key);
	free(e->other);
}

/* ---- names that XML cannot carry ---- */

#define MARK "\xf4\x8f\xbf\xbd" /* U+10FFFD, which no name has */

static bool page_names_may_have(uint32_t c)
{
	return c == '\t' || c == '\n' || c == '\r' ||
	       (c >= 0x20 && c < 0xd800) || (c > 0xdfff && c < 0xfffe) ||
	       (c > 0xffff && c <= 0x10ffff);
}

/* The reference at s: its length, or 0. */
static size_t page_names_reference(const char *s, size_t n, uint32_t *code)
{
	static const char digits[] = "0123456789abcdef";
	bool hex = n > 3 && s[2] == 'x';
	size_t i = hex ? 3 : 2, first = i;

	if (n < 4 || s[0] != '&' || s[1] != '#')
		return 0;
	for (*code = 0; i < n && *code <= 0x10ffff; i++) {
		const char *d = s[i] ? strchr(digits, s[i] | 0x20) : NULL;

		if (s[i] == ';')
			return i > first ? i + 1 : 0;
		if (!d || (!hex && d - digits > 9))
			return 0;
		*code = *code * (hex ? 16 : 10) + (uint32_t)(d - digits);
	}
	return 0;
}

/* What stands at s: its length, and whether XML may have it. */
static size_t page_names_look(const char *s, size_t n, bool *fits)
{
	uint32_t code;
	size_t len = page_names_reference(s, n, &code);

	if (!len)
		len = text_utf8_char(s, n, &code);
	*fits = len && page_names_may_have(code);
	return len ? len : 1;
}

/*
 * The page again, where it is no XML because of bytes in a name: each of them
 * (or its reference) becomes a mark. 1, 0: there are none, or -ENOMEM.
 */
static int page_names_mend(const char *body, size_t n, struct buf *out)
{
	bool mended = false, fits;
	size_t len;

	for (size_t i = 0; i < n; i += len) {
		len = page_names_look(body + i, n - i, &fits);
		if (fits)
			buf_add(out, body + i, len);
		else
			buf_adds(out, MARK);
		mended |= !fits;
	}
	return buf_err(out) ? -ENOMEM : mended;
}

/* Leaves out entries with a mark; counts them. */
static void page_names_drop_lost(struct s3_page *p)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < p->n; i++) {
		struct s3_entry *e = &p->entries[i];

		if (strstr(e->key, MARK)) {
			page_entry_clear(e);
			p->lost++;
		} else {
			p->entries[kept++] = *e;
		}
	}
	p->n = kept;
}

/* ---- how names are written ----
 *
 * Percent-encoding is asked for, because XML 1.0 cannot carry most control
 * bytes, nor bytes that are no UTF-8. With <EncodingType>url</EncodingType>
 * names are encoded, and a space may be a '+' (Amazon). Others say so and
 * leave some names as they are (Ceph), or leave them all; others encode and do
 * not say so. So each name is judged, by what is certain:
 *
 *  - one that cannot be decoded is none that was encoded
 *  - a name begins with the prefix that was asked for
 *  - no encoder leaves a blank, a bracket or a byte beyond ASCII: where one
 *    stands, names of that kind (objects, groups) are as they are
 *
 * and else by what the page says. Where it says nothing, both are kept, for
 * the caller to ask.
 */

static bool page_name_is_plain(const char *name)
{
	for (const char *c = name; *c; c++)
		if (*c <= ' ' || *c >= 0x7f || strchr("\"#<>?[\\]^`{|}", *c))
			return true;
	return false;
}

/* NULL: it cannot be decoded, or is the same. */
static int page_name_decode(const char *name, char **out)
{
	BUF_LOCAL decoded = BUF_INIT(XML_TEXT);
	char *c;
	int rc;

	*out = NULL;
	if (!strpbrk(name, "%+"))
		return 0;
	c = strdup(name);
	if (!c)
		return -ENOMEM;
	for (char *p = c; *p; p++)
		if (*p == '+')
			*p = ' ';
	rc = text_percent_decode(&decoded, c, strlen(c));
	free(c);
	if (!rc && decoded.len && strlen(buf_str(&decoded)) == decoded.len &&
	    strcmp(buf_str(&decoded), name)) {
		*out = buf_detach(&decoded);
		rc = *out ? 0 : -ENOMEM;
	}
	return rc == -ENOMEM ? rc : 0;
}

enum reading { AS_IT_IS, DECODED, AMBIGUOUS };

static enum reading page_name_judge(const char *name, const char *decoded,
				    const char *prefix, bool said, bool plain)
{
	bool fits = text_starts_with(name, prefix);
	bool decoded_fits = text_starts_with(decoded, prefix);

	if (fits != decoded_fits)
		return decoded_fits ? DECODED : AS_IT_IS;
	if (plain)
		return AS_IT_IS;
	return said ? DECODED : AMBIGUOUS;
}

static int page_entry_decode(struct s3_page *p, struct s3_entry *e,
			     const char *prefix, bool said, bool plain)
{
	char *decoded;
	int rc = page_name_decode(e->key, &decoded);

	if (rc || !decoded)
		return rc;
	switch (page_name_judge(e->key, decoded, prefix, said, plain)) {
	case DECODED:
		free(e->key);
		e->key = decoded;
		return 0;
	case AMBIGUOUS:
		e->other = decoded;
		p->ambiguous++;
		return 0;
	case AS_IT_IS:
		break;
	}
	free(decoded);
	return 0;
}

/* Where to go on: as the page says, for nothing else is known of it. */
static int page_marker_decode(char **marker)
{
	char *decoded = NULL;
	int rc = *marker ? page_name_decode(*marker, &decoded) : 0;

	if (decoded) {
		free(*marker);
		*marker = decoded;
	}
	return rc;
}

/* said: the page says that its names are percent-encoded. */
static int page_names_decode(struct s3_page *p, const char *prefix, bool said)
{
	bool plain[2] = { false, false };
	int rc = 0;

	for (unsigned i = 0; i < p->n; i++)
		plain[p->entries[i].is_prefix] |=
			page_name_is_plain(p->entries[i].key);
	for (unsigned i = 0; !rc && i < p->n; i++)
		rc = page_entry_decode(p, &p->entries[i], prefix, said,
				       plain[p->entries[i].is_prefix]);
	if (!rc && said)
		rc = page_marker_decode(&p->marker);
	return rc;
}

/* ---- a page ---- */

#define PAGE_ROOT "ListBucketResult"
#define PAGE_ENTRY PAGE_ROOT "/Contents"
#define PAGE_PREFIX PAGE_ROOT "/CommonPrefixes"

#define NO_SIZE UINT64_MAX

struct lister {
	struct s3_page *page;
	bool url; /* the element may stand behind the entries */
};

static int page_set(char **out, const char *text, size_t n)
{
	free(*out);
	*out = NULL;
	if (memchr(text, '\0', n))
		return -EBADMSG;
	*out = strndup(text, n);
	return *out ? 0 : -ENOMEM;
}

static int page_begin(void *arg, const char *path)
{
	struct lister *l = arg;
	struct s3_page *p = l->page;
	bool is_prefix = !strcmp(path, PAGE_PREFIX);

	if (!is_prefix && strcmp(path, PAGE_ENTRY))
		return 0;
	if (p->n == S3_PAGE_MAX)
		return -EBADMSG;
	if (ARRAY_RESERVE(p->entries, p->cap, p->n + 1))
		return -ENOMEM;
	memset(&p->entries[p->n], 0, sizeof(*p->entries));
	p->entries[p->n].info.size = is_prefix ? 0 : NO_SIZE;
	p->entries[p->n++].is_prefix = is_prefix;
	return 0;
}

/* An object without a length is no empty one. */
static int page_entry_end(const struct s3_entry *e)
{
	return e->key && e->info.size != NO_SIZE ? 0 : -EBADMSG;
}

static int page_entry_set_size(struct s3_entry *e, const char *text, size_t n)
{
	return parse_u64n(text, n, INT64_MAX, &e->info.size) ? -EBADMSG : 0;
}

static int page_entry_set(struct lister *l, const char *name, const char *text,
			  size_t n)
{
	struct s3_entry *e = &l->page->entries[l->page->n - 1];

	if (!strcmp(name, "Key"))
		return page_set(&e->key, text, n);
	if (!strcmp(name, "Size"))
		return page_entry_set_size(e, text, n);
	if (!strcmp(name, "ETag"))
		s3_etag_keep(text, n, e->info.etag);
	if (!strcmp(name, "StorageClass"))
		e->info.class = storage_class(text);
	if (!strcmp(name, "LastModified"))
		return clock_parse_iso8601(text, &e->info.mtime) ? -EBADMSG : 0;
	return 0;
}

/* The rest of path below `above`, or NULL. */
static const char *page_path_below(const char *path, const char *above)
{
	size_t n = strlen(above);

	if (strncmp(path, above, n) || path[n] != '/')
		return NULL;
	return path + n + 1;
}

static int page_end(void *arg, const char *path, const char *text, size_t n)
{
	struct lister *l = arg;
	struct s3_page *p = l->page;
	const char *name;

	if ((name = page_path_below(path, PAGE_ENTRY)))
		return page_entry_set(l, name, text, n);
	if ((name = page_path_below(path, PAGE_PREFIX)))
		return strcmp(name, "Prefix")
			       ? 0
			       : page_set(&p->entries[p->n - 1].key, text, n);
	if (!strcmp(path, PAGE_ENTRY) || !strcmp(path, PAGE_PREFIX))
		return page_entry_end(&p->entries[p->n - 1]);
	name = page_path_below(path, PAGE_ROOT);
	if (!name)
		return 0;
	if (!strcmp(name, "IsTruncated"))
		p->truncated = !strcmp(text, "true");
	else if (!strcmp(name, "EncodingType"))
		l->url = !strcmp(text, "url");
	else if (!strcmp(name, "NextMarker"))
		return page_set(&p->marker, text, n);
	else if (!strcmp(name, "NextContinuationToken"))
		return page_set(&p->token, text, n);
	return 0;
}

static int page_entry_compare(const void *a, const void *b)
{
	const struct s3_entry *x = a, *y = b;

	return strcmp(x->key, y->key);
}

static void page_sort_entries(struct s3_page *p)
{
	if (p->n)
		qsort(p->entries, p->n, sizeof(*p->entries),
		      page_entry_compare);
}

static const char *page_entry_name(const struct s3_entry *e)
{
	return e->other ? e->other : e->key;
}

/* Do the keys of one kind not ascend, whether they are encoded or not? Objects
 * and groups stand apart in a page. */
static bool page_is_unsorted(const struct s3_page *p)
{
	bool plain = false, other = false;

	for (unsigned i = 1; i < p->n; i++) {
		const struct s3_entry *a = &p->entries[i - 1], *b = a + 1;

		if (a->is_prefix != b->is_prefix)
			continue;
		plain |= strcmp(a->key, b->key) > 0;
		other |= strcmp(page_entry_name(a), page_entry_name(b)) > 0;
	}
	return plain && other;
}

static int page_parse(struct lister *l, const char *body, size_t n)
{
	struct xml_walk walk = { page_begin, page_end, l };

	l->url = false;
	memset(l->page, 0, sizeof(*l->page));
	return xml_parse(body, n, PAGE_ROOT, &walk);
}

static int page_parse_mended(struct lister *l, const char *body, size_t n)
{
	BUF_LOCAL mended = BUF_INIT(4 * n + 1);
	int mends = page_names_mend(body, n, &mended);
	int rc = mends < 0 ? mends : -EBADMSG;

	if (mends > 0) {
		s3_page_clear(l->page);
		rc = page_parse(l, buf_str(&mended), mended.len);
	}
	if (mends > 0 && !rc)
		page_names_drop_lost(l->page);
	return rc;
}

static int page_read(const char *body, size_t n, const char *prefix,
		     struct s3_page *out)
{
	struct lister l = { out, false };
	int rc = page_parse(&l, body, n);

	if (rc == -EBADMSG)
		rc = page_parse_mended(&l, body, n);
	if (!rc)
		rc = page_names_decode(out, prefix, l.url);
	for (unsigned i = 0; !rc && i < out->n; i++)
		if (!*out->entries[i].key)
			rc = -EBADMSG;
	if (!rc) {
		out->unsorted = page_is_unsorted(out);
		page_sort_entries(out);
	}
	return rc;
}

static bool page_text_is_empty(const char *s)
{
	return !s || !*s;
}

/* A caller that has a name can ask for what comes after it. */
int s3_page_list(const char *body, size_t n, const char *prefix,
		 struct s3_page *out)
{
	int rc = page_read(body, n, prefix, out);

	if (!rc && out->truncated && page_text_is_empty(out->token) &&
	    page_text_is_empty(out->marker) && !out->n)
		rc = -EBADMSG;
	return rc;
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
	p->ambiguous = 0;
	page_sort_entries(p);
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

void s3_page_sort(struct s3_page *p)
{
	unsigned n = 0;

	page_sort_entries(p);
	for (unsigned i = 0; i < p->n; i++) {
		if (n && !strcmp(p->entries[n - 1].key, p->entries[i].key))
			page_entry_clear(&p->entries[i]);
		else
			p->entries[n++] = p->entries[i];
	}
	p->n = n;
}

void s3_page_clear(struct s3_page *p)
{
	for (unsigned i = 0; i < p->n; i++)
		page_entry_clear(&p->entries[i]);
	free(p->entries);
	free(p->token);
	free(p->marker);
	memset(p, 0, sizeof(*p));
}
