/*
 * How a page of a listing writes names.
 *
 * Percent-encoding is asked for, because XML 1.0 cannot carry most control
 * bytes, nor bytes that are no UTF-8. With <EncodingType>url</EncodingType> names
 * are encoded, and a space may be a '+' (Amazon). Others say so and leave some
 * names as they are (Ceph), or leave them all; others encode and do not say so.
 * So each name is judged, by what is certain:
 *
 *  - one that cannot be decoded is none that was encoded
 *  - a name begins with the prefix that was asked for
 *  - no encoder leaves a blank, a bracket or a byte beyond ASCII: where one
 *    stands, names of that kind (objects, groups) are as they are
 *
 * and else by what the page says. Where it says nothing, both are kept, for
 * the caller to ask.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "store/s3/s3_doc.h"
#include "base/xml.h"

/* ---- what XML cannot carry ---- */

#define MARK "\xf4\x8f\xbf\xbd" /* U+10FFFD, which no name has */

static bool is_xml_char(uint32_t c)
{
	return c == '\t' || c == '\n' || c == '\r' ||
	       (c >= 0x20 && c < 0xd800) || (c > 0xdfff && c < 0xfffe) ||
	       (c > 0xffff && c <= 0x10ffff);
}

/* The reference at s: its length, or 0. */
static size_t reference(const char *s, size_t n, uint32_t *code)
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
static size_t look(const char *s, size_t n, bool *fits)
{
	uint32_t code;
	size_t len = reference(s, n, &code);

	if (!len && (unsigned char)*s < 0x80) {
		code = (unsigned char)*s;
		len = 1;
	}
	if (!len)
		len = text_utf8_char(s, n, &code);
	*fits = len && is_xml_char(code);
	return len ? len : 1;
}

int s3_names_mend(const char *body, size_t n, struct buf *out)
{
	bool mended = false, fits;
	size_t len;

	for (size_t i = 0; i < n; i += len) {
		len = look(body + i, n - i, &fits);
		if (fits)
			buf_add(out, body + i, len);
		else
			buf_adds(out, MARK);
		mended |= !fits;
	}
	return buf_err(out) ? -ENOMEM : mended;
}

void s3_names_drop_lost(struct s3_page *p)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < p->n; i++) {
		struct s3_entry *e = &p->entries[i];

		if (strstr(e->key, MARK)) {
			free(e->key);
			free(e->id);
			p->lost++;
		} else {
			p->entries[kept++] = *e;
		}
	}
	p->n = kept;
}

/* ---- percent-encoding ---- */

static bool is_left_alone(const char *name)
{
	for (const char *c = name; *c; c++)
		if (*c <= ' ' || *c >= 0x7f || strchr("\"#<>?[\\]^`{|}", *c))
			return true;
	return false;
}

/* NULL: it cannot be decoded, or is the same. */
static int decode(const char *name, char **out)
{
	struct buf decoded = BUF_INIT(XML_TEXT);
	char *c;
	int err;

	*out = NULL;
	if (!strpbrk(name, "%+"))
		return 0;
	c = strdup(name);
	if (!c)
		return -ENOMEM;
	for (char *p = c; *p; p++)
		if (*p == '+')
			*p = ' ';
	err = text_percent_decode(&decoded, c, strlen(c));
	free(c);
	if (!err && decoded.len && strlen(buf_str(&decoded)) == decoded.len &&
	    strcmp(buf_str(&decoded), name)) {
		*out = buf_detach(&decoded);
		err = *out ? 0 : -ENOMEM;
	}
	buf_clear(&decoded);
	return err == -ENOMEM ? err : 0;
}

enum reading { AS_IT_IS, DECODED, UNSURE };

static enum reading judge(const char *name, const char *decoded,
			  const char *prefix, bool said, bool plain)
{
	bool fits = text_starts_with(name, prefix);
	bool decoded_fits = text_starts_with(decoded, prefix);

	if (fits != decoded_fits)
		return decoded_fits ? DECODED : AS_IT_IS;
	if (plain)
		return AS_IT_IS;
	return said ? DECODED : UNSURE;
}

static int decode_entry(struct s3_page *p, struct s3_entry *e,
			const char *prefix, bool said, bool plain)
{
	char *decoded;
	int err = decode(e->key, &decoded);

	if (err || !decoded)
		return err;
	switch (judge(e->key, decoded, prefix, said, plain)) {
	case DECODED:
		free(e->key);
		e->key = decoded;
		return 0;
	case UNSURE:
		e->other = decoded;
		p->unsure++;
		return 0;
	case AS_IT_IS:
		break;
	}
	free(decoded);
	return 0;
}

/* Where to go on: as the page says, for nothing else is known of it. */
static int decode_marker(char **marker)
{
	char *decoded = NULL;
	int err = *marker ? decode(*marker, &decoded) : 0;

	if (decoded) {
		free(*marker);
		*marker = decoded;
	}
	return err;
}

int s3_names_decode(struct s3_page *p, const char *prefix, bool said)
{
	bool plain[2] = { false, false };
	int err = 0;

	for (unsigned i = 0; i < p->n; i++)
		plain[p->entries[i].is_prefix] |=
			is_left_alone(p->entries[i].key);
	for (unsigned i = 0; !err && i < p->n; i++)
		err = decode_entry(p, &p->entries[i], prefix, said,
				   plain[p->entries[i].is_prefix]);
	if (!err && said && p->id_token)
		err = decode_marker(&p->token);
	if (!err && said)
		err = decode_marker(&p->marker);
	return err;
}
