/*
 * The request line of a pre-signed request: the query's pairs, decoded, and
 * among them the six parameters of the signature, once each. An empty pair
 * (`&&`) would not be part of what is signed and so is refused.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "sign/sigv4_verify_impl.h"

static const char *const parameters[P_COUNT] = {
	"X-Amz-Algorithm", "X-Amz-Credential",    "X-Amz-Date",
	"X-Amz-Expires",   "X-Amz-SignedHeaders", "X-Amz-Signature",
};

/* One pair to the arena: offsets at first, for the arena moves. */
static int add_pair(struct sigv4_verify *v, const char *s, size_t n,
		    size_t at[SIGV4_VERIFY_FIELDS_MAX][2])
{
	const char *equals = memchr(s, '=', n);
	size_t name_len = equals ? (size_t)(equals - s) : n;
	int err;

	if (!name_len || v->n_fields == SIGV4_VERIFY_FIELDS_MAX)
		return -EINVAL;
	at[v->n_fields][0] = v->arena.len;
	err = text_percent_decode(&v->arena, s, name_len);
	buf_addc(&v->arena, '\0');
	at[v->n_fields][1] = v->arena.len;
	if (!err && equals)
		err = text_percent_decode(&v->arena, equals + 1,
					  n - name_len - 1);
	buf_addc(&v->arena, '\0');
	v->n_fields++;
	return err ? err : buf_err(&v->arena);
}

static int split_query(struct sigv4_verify *v, const char *query)
{
	size_t at[SIGV4_VERIFY_FIELDS_MAX][2];
	int err = 0;

	while (!err && query) {
		size_t n = strcspn(query, "&");

		err = add_pair(v, query, n, at);
		query = query[n] ? query + n + 1 : NULL;
	}
	for (size_t i = 0; !err && i < v->n_fields; i++)
		v->fields[i] = (struct field){
			v->arena.data + at[i][0],
			v->arena.data + at[i][1],
		};
	return err;
}

static int find_parameter(const char *name)
{
	for (int i = 0; i < P_COUNT; i++)
		if (!strcasecmp(name, parameters[i]))
			return i;
	return -1;
}

/* Finds the six, and takes the signature out of what is signed. */
static enum sigv4_verdict take_parameters(struct sigv4_verify *v)
{
	size_t kept = 0;

	for (size_t i = 0; i < v->n_fields; i++) {
		int p = find_parameter(v->fields[i].name);

		if (p >= 0 && v->value[p])
			return sigv4_refuse_named(v, SIGV4_MALFORMED,
						  parameters[p],
						  " is there twice");
		if (p >= 0 && strcmp(v->fields[i].name, parameters[p]) != 0)
			return sigv4_refuse_named(v, SIGV4_MALFORMED,
						  v->fields[i].name,
						  " is written another way");
		if (p >= 0)
			v->value[p] = v->fields[i].value;
		if (p != P_SIGNATURE)
			v->fields[kept++] = v->fields[i];
	}
	v->n_fields = kept;
	for (int p = 0; p < P_COUNT; p++)
		if (!v->value[p])
			return sigv4_refuse_named(v, SIGV4_MALFORMED,
						  parameters[p], " is missing");
	return SIGV4_VALID;
}

static bool any_signature(const char *query)
{
	for (const char *p = query; p; p = strchr(p, '&')) {
		p += *p == '&';
		if (!strncasecmp(p, "x-amz-", 6))
			return true;
	}
	return false;
}

enum sigv4_verdict sigv4_read_target(struct sigv4_verify *v)
{
	const char *target = v->r->target, *mark = strchr(target, '?');
	size_t path_len = mark ? (size_t)(mark - target) : strlen(target);
	struct buf decoded = BUF_INIT(CANONICAL_MAX);
	int err;

	if (!mark || !any_signature(mark + 1))
		return sigv4_refuse(v, SIGV4_NO_SIGNATURE,
				    "the request is not signed");
	if (text_has_control(target) || !text_is_ascii(target))
		return sigv4_refuse(v, SIGV4_MALFORMED,
				    "the request line has bytes that must be "
				    "percent-encoded");
	buf_add(&v->path, target, path_len);
	err = text_percent_decode(&decoded, target, path_len);
	buf_clear(&decoded);
	if (!err)
		err = split_query(v, mark + 1);
	if (err)
		return sigv4_refuse(v, SIGV4_MALFORMED,
				    "the query or the path is not well-formed");
	return take_parameters(v);
}
