/*
 * Each file becomes a layer: the values of the one profile that is asked for.
 * The layers are then merged as the SDKs do it, which is not key by key: an id
 * of one file never meets the secret or the token of the other.
 *
 * A profile may ask for a provider instead of holding keys (a role, single
 * sign-on, a program). The SDKs have an order between those and keys, and
 * `rank` is it: whoever would come before the keys that we found makes the
 * profile one that we cannot use. To take the keys all the same would be to
 * sign as somebody else than `aws` does.
 */
#include "auth/cred_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "auth/aws_files.h"
#include "auth/creds.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/ini.h"
#include "base/log.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Before which keys does a provider come? */
enum rank {
	RANK_VALUE, /* it is none: a value of ours */
	RANK_BEFORE_ALL, /* any keys */
	RANK_BEFORE_CONFIG, /* those of ~/.aws/config */
	RANK_WITHOUT_KEYS, /* none: it counts when there are no keys */
};

enum key {
	KEY_ID,
	KEY_SECRET,
	KEY_TOKEN,
	KEY_REGION,
	KEY_ENDPOINT,
	KEY_PROVIDERS, /* the first that asks for a provider */
	KEYS_MAX = 16,
};

static const struct {
	const char *name;
	enum rank rank;
	bool one_word;
} keys[] = {
	[KEY_ID] = { "aws_access_key_id", RANK_VALUE, true },
	[KEY_SECRET] = { "aws_secret_access_key", RANK_VALUE, true },
	[KEY_TOKEN] = { "aws_session_token", RANK_VALUE, true },
	[KEY_REGION] = { "region", RANK_VALUE, true },
	[KEY_ENDPOINT] = { "endpoint_url", RANK_VALUE, true },
	[KEY_PROVIDERS] = { "role_arn", RANK_BEFORE_ALL, false },
	{ "web_identity_token_file", RANK_BEFORE_ALL, false },
	{ "sso_account_id", RANK_BEFORE_ALL, false },
	{ "sso_role_name", RANK_BEFORE_ALL, false },
	{ "credential_process", RANK_BEFORE_CONFIG, false },
	{ "login_session", RANK_BEFORE_CONFIG, false },
	{ "sso_session", RANK_WITHOUT_KEYS, false },
	{ "sso_start_url", RANK_WITHOUT_KEYS, false },
};

_Static_assert(LEN(keys) <= KEYS_MAX, "a layer has room for every key");

struct layer {
	enum aws_file which;
	const char *profile;
	bool found;
	bool open_to_others;
	char *path;
	char *values[KEYS_MAX]; /* NULL: not there */
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Narrows [*s, *s + *n) by the white space at its ends. */
static void trim(const char **s, size_t *n)
{
	while (*n && is_blank(**s)) {
		++*s;
		--*n;
	}
	while (*n && is_blank((*s)[*n - 1]))
		--*n;
}

/* `profile NAME`, where NAME may be in quotes: narrows to NAME. */
static bool strip_profile(const char **s, size_t *n)
{
	static const char word[] = "profile";
	size_t len = strlen(word);

	if (*n <= len || memcmp(*s, word, len) || !is_blank((*s)[len]))
		return false;
	*s += len;
	*n -= len;
	trim(s, n);
	if (*n >= 2 && (**s == '"' || **s == '\'') && (*s)[*n - 1] == **s) {
		++*s;
		*n -= 2;
	}
	return true;
}

static bool is_section(const struct layer *l, const char *section)
{
	size_t n = strlen(section);

	trim(&section, &n);
	if (l->which == AWS_CONFIG && !strip_profile(&section, &n) &&
	    (n != strlen("default") || memcmp(section, "default", n)))
		return false;
	return n == strlen(l->profile) && !memcmp(section, l->profile, n);
}

/* The length of the value less a comment, which white space must precede. */
static size_t value_length(const char *value)
{
	size_t n = strlen(value);

	for (size_t i = 1; i < n; i++) {
		if ((value[i] == '#' || value[i] == ';') &&
		    is_blank(value[i - 1])) {
			n = i;
			break;
		}
	}
	trim(&value, &n);
	return n;
}

static bool is_one_word(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] <= ' ' || s[i] == 0x7f)
			return false;
	return true;
}

static int take_value(void *arg, const char *section, const char *name,
		      const char *value, const struct ini_place *place,
		      struct buf *err)
{
	struct layer *l = arg;
	size_t n, i = 0;

	if (!is_section(l, section))
		return 0;
	l->found = true;
	while (i < LEN(keys) && strcasecmp(name, keys[i].name))
		i++;
	if (i == LEN(keys))
		return 0;
	if (l->values[i]) {
		buf_addf(err, "%s: given twice, or on more than one line",
			 keys[i].name);
		return -EINVAL;
	}
	n = value_length(value);
	if (keys[i].one_word && !is_one_word(value, n)) {
		buf_addf(err, "%s: has white space in it", keys[i].name);
		return -EINVAL;
	}
	l->values[i] = strndup(value, n);
	if (i == KEY_SECRET && place->st->st_mode & 077)
		l->open_to_others = true;
	return l->values[i] ? 0 : -ENOMEM;
}

static void wipe_free(char *s)
{
	if (s)
		wipe(s, strlen(s));
	free(s);
}

static void layer_clear(struct layer *l)
{
	for (size_t i = 0; i < KEYS_MAX; i++)
		wipe_free(l->values[i]);
	free(l->path);
}

/* An absent file is an empty one. */
static int layer_read(struct layer *l, enum aws_file which, const char *profile,
		      struct buf *err)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
	int rc;

	l->which = which;
	l->profile = profile;
	l->path = aws_file_path(which);
	if (!l->path)
		return 0;
	rc = ini_read(l->path, take_value, l, &why);
	if (rc == -ENOENT || rc == -ENOTDIR)
		rc = 0;
	if (rc && err)
		buf_adds(err, buf_str(&why));
	buf_clear(&why);
	for (size_t i = 0; i < LEN(keys); i++) {
		if (l->values[i] && !*l->values[i]) {
			free(l->values[i]);
			l->values[i] = NULL;
		}
	}
	return rc;
}

/* Moves the value to *out, from the first layer that has it. */
static void merge_value(struct layer *layers, enum key key, char **out)
{
	for (int i = 0; i < AWS_FILES && !*out; i++) {
		*out = layers[i].values[key];
		layers[i].values[key] = NULL;
	}
}

static bool has_keys(const struct layer *l)
{
	return l->values[KEY_ID] || l->values[KEY_SECRET];
}

static const char *find_provider(const struct layer *layers,
				 const struct layer *with_keys)
{
	for (size_t k = KEY_PROVIDERS; k < LEN(keys); k++) {
		if (!layers[AWS_CREDENTIALS].values[k] &&
		    !layers[AWS_CONFIG].values[k])
			continue;
		if (!with_keys || keys[k].rank == RANK_BEFORE_ALL ||
		    (keys[k].rank == RANK_BEFORE_CONFIG &&
		     with_keys->which == AWS_CONFIG))
			return keys[k].name;
	}
	return NULL;
}

static void merge(struct layer *layers, struct aws_profile *out)
{
	struct layer *with_keys = NULL;

	for (int i = AWS_FILES - 1; i >= 0; i--)
		if (has_keys(&layers[i]))
			with_keys = &layers[i];
	out->needs = find_provider(layers, with_keys);
	merge_value(layers, KEY_REGION, &out->region);
	merge_value(layers, KEY_ENDPOINT, &out->endpoint_url);
	if (!with_keys)
		return;
	out->open_to_others = with_keys->open_to_others;
	out->file = with_keys->path;
	with_keys->path = NULL;
	out->access_key_id = with_keys->values[KEY_ID];
	out->secret_access_key = with_keys->values[KEY_SECRET];
	out->session_token = with_keys->values[KEY_TOKEN];
	with_keys->values[KEY_ID] = NULL;
	with_keys->values[KEY_SECRET] = NULL;
	with_keys->values[KEY_TOKEN] = NULL;
}

static const char *shown(const struct layer *l)
{
	return l->path ? l->path : "(no home directory)";
}

int aws_profile_read(const char *name, struct aws_profile *out, struct buf *err)
{
	struct layer layers[AWS_FILES] = { 0 };
	int rc = 0;

	*out = (struct aws_profile){ .stamp = aws_files_stamp() };
	if (!name)
		name = aws_profile_name();
	for (int i = 0; i < AWS_FILES && !rc; i++)
		rc = layer_read(&layers[i], i, name, err);
	if (!rc && !layers[AWS_CREDENTIALS].found &&
	    !layers[AWS_CONFIG].found) {
		if (err)
			buf_addf(err, "there is no profile %s in %s or %s",
				 name, shown(&layers[AWS_CREDENTIALS]),
				 shown(&layers[AWS_CONFIG]));
		rc = -ENOENT;
	}
	if (!rc)
		merge(layers, out);
	for (int i = 0; i < AWS_FILES; i++)
		layer_clear(&layers[i]);
	return rc;
}

void aws_profile_clear(struct aws_profile *p)
{
	wipe_free(p->access_key_id);
	wipe_free(p->secret_access_key);
	wipe_free(p->session_token);
	free(p->region);
	free(p->endpoint_url);
	free(p->file);
	*p = (struct aws_profile){ 0 };
}

int64_t aws_profile_stamp(void)
{
	return aws_files_stamp();
}

static int complain(struct buf *err, int rc, const char *name, const char *key,
		    const char *why)
{
	if (err)
		buf_addf(err, "profile %s: %s %s", name, key, why);
	return rc;
}

static int make_creds(const struct aws_profile *p, const char *name,
		      struct creds **out, struct buf *err)
{
	struct buf source = BUF_INIT(BUF_MESSAGE);

	if (p->needs)
		return complain(err, -EINVAL, name, p->needs,
				"is not supported by this version");
	if (!p->file)
		return complain(err, -ENOENT, name, "aws_access_key_id",
				"is missing");
	if (!p->access_key_id)
		return complain(err, -EINVAL, name, "aws_access_key_id",
				"is missing beside aws_secret_access_key");
	if (!p->secret_access_key)
		return complain(err, -EINVAL, name, "aws_secret_access_key",
				"is missing beside aws_access_key_id");
	if (p->open_to_others)
		log_warn("%s holds a secret and is open to others: chmod 600",
			 p->file);
	buf_addf(&source, "profile %s (%s)", name, p->file);
	*out = creds_new(p->access_key_id, p->secret_access_key,
			 p->session_token, 0, buf_str(&source));
	buf_clear(&source);
	return *out ? 0 : -ENOMEM;
}

int cred_file_read(const char *name, struct creds **out, int64_t *stamp,
		   struct buf *err)
{
	struct aws_profile p;
	int rc;

	if (!name)
		name = aws_profile_name();
	rc = aws_profile_read(name, &p, err);
	*stamp = p.stamp;
	if (!rc)
		rc = make_creds(&p, name, out, err);
	aws_profile_clear(&p);
	return rc;
}
