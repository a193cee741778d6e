/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each file becomes a layer: the values of the one section that is asked for.
 * The layers are then merged as the SDKs do it, which is not key by key: an id
 * of one file never meets the secret or the token of the other.
 *
 * A stamp folds what stat(2) tells of both files: device, inode, size, and
 * times to the nanosecond. The status-change time is among them, because
 * `cp -p` and editors set the other one back.
 */
#include "auth/aws_profile.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/cred_ask.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/hash.h"
#include "base/ini.h"
#include "base/text.h"

/* ---- where the files are ---- */

/* More than any entry of the user database needs. */
#define PASSWD_MAX 65536

static const struct {
	const char *variable, *path;
} profile_files[AWS_FILES] = {
	[AWS_CREDENTIALS] = { "AWS_SHARED_CREDENTIALS_FILE",
			      "~/.aws/credentials" },
	[AWS_CONFIG] = { "AWS_CONFIG_FILE", "~/.aws/config" },
};

static char *profile_home(void)
{
	const char *home = cred_ask_env("HOME");
	struct passwd entry, *found = NULL;
	char *text, *out = NULL;

	if (home)
		return strdup(home);
	text = malloc(PASSWD_MAX);
	if (text && !getpwuid_r(geteuid(), &entry, text, PASSWD_MAX, &found) &&
	    found)
		out = strdup(found->pw_dir);
	free(text);
	return out;
}

char *aws_profile_home(const char *below)
{
	char *home = profile_home(), *out = NULL;

	if (home && asprintf(&out, "%s/%s", home, below) < 0)
		out = NULL;
	free(home);
	return out;
}

char *aws_profile_file(enum aws_file which)
{
	const char *path = cred_ask_env(profile_files[which].variable);

	if (!path)
		path = profile_files[which].path;
	return strncmp(path, "~/", 2) ? strdup(path)
				      : aws_profile_home(path + 2);
}

bool aws_profile_is_named(void)
{
	return cred_ask_env("AWS_PROFILE") ||
	       cred_ask_env("AWS_DEFAULT_PROFILE");
}

/* AWS_PROFILE, AWS_DEFAULT_PROFILE, or "default". */
static const char *aws_profile_default(void)
{
	const char *name = cred_ask_env("AWS_PROFILE");

	if (!name)
		name = cred_ask_env("AWS_DEFAULT_PROFILE");
	return name ? name : "default";
}

int64_t aws_profile_stamp(void)
{
	uint64_t sum = HASH_START;

	for (int i = 0; i < AWS_FILES; i++) {
		char *path = aws_profile_file(i);
		uint64_t seen[7] = { 0 };
		struct stat st;

		if (!path || stat(path, &st)) {
			seen[0] = path ? (uint64_t)errno : 0;
		} else {
			seen[0] = st.st_dev;
			seen[1] = st.st_ino;
			seen[2] = (uint64_t)st.st_size;
			seen[3] = (uint64_t)st.st_mtim.tv_sec;
			seen[4] = (uint64_t)st.st_mtim.tv_nsec;
			seen[5] = (uint64_t)st.st_ctim.tv_sec;
			seen[6] = (uint64_t)st.st_ctim.tv_nsec;
		}
		sum = hash_bytes(sum, seen, sizeof(seen));
		free(path);
	}
	return (int64_t)(sum >> 1 | 1);
}

/* ---- what they say ---- */

static const struct {
	const char *name;
	bool one_word;
} profile_keys[AWS_KEYS] = {
	[AWS_KEY_ID] = { "aws_access_key_id", true },
	[AWS_KEY_SECRET] = { "aws_secret_access_key", true },
	[AWS_KEY_TOKEN] = { "aws_session_token", true },
	[AWS_KEY_REGION] = { "region", true },
	[AWS_KEY_ENDPOINT] = { "endpoint_url", true },
	[AWS_KEY_ROLE] = { "role_arn", true },
	[AWS_KEY_SOURCE_PROFILE] = { "source_profile", false },
	[AWS_KEY_SOURCE] = { "credential_source", true },
	[AWS_KEY_EXTERNAL_ID] = { "external_id", true },
	[AWS_KEY_SESSION_NAME] = { "role_session_name", true },
	[AWS_KEY_DURATION] = { "duration_seconds", true },
	[AWS_KEY_MFA] = { "mfa_serial", false },
	[AWS_KEY_TOKEN_FILE] = { "web_identity_token_file", false },
	[AWS_KEY_PROCESS] = { "credential_process", false },
	[AWS_KEY_LOGIN] = { "login_session", false },
	[AWS_KEY_SSO_SESSION] = { "sso_session", false },
	[AWS_KEY_SSO_START_URL] = { "sso_start_url", true },
	[AWS_KEY_SSO_REGION] = { "sso_region", true },
	[AWS_KEY_SSO_ACCOUNT] = { "sso_account_id", true },
	[AWS_KEY_SSO_ROLE] = { "sso_role_name", true },
};

const char *aws_profile_key(enum aws_key key)
{
	return profile_keys[key].name;
}

struct layer {
	enum aws_file which;
	const char *word; /* before the section's name in the config file */
	const char *name; /* of the section */
	bool found;
	bool open_to_others;
	char *path;
	char *values[AWS_KEYS]; /* NULL: not there */
};

/* Narrows [*s, *s + *n) by the white space at its ends. */
static void profile_trim(const char **s, size_t *n)
{
	while (*n && text_is_blank(**s)) {
		++*s;
		--*n;
	}
	while (*n && text_is_blank((*s)[*n - 1]))
		--*n;
}

/* `WORD NAME`, where NAME may be in quotes: narrows to NAME. */
static bool profile_strip_word(const char *word, const char **s, size_t *n)
{
	size_t len = strlen(word);

	if (*n <= len || memcmp(*s, word, len) || !text_is_blank((*s)[len]))
		return false;
	*s += len;
	*n -= len;
	profile_trim(s, n);
	if (*n >= 2 && (**s == '"' || **s == '\'') && (*s)[*n - 1] == **s) {
		++*s;
		*n -= 2;
	}
	return true;
}

static bool profile_layer_is_section(const struct layer *l, const char *section)
{
	size_t n = strlen(section);

	profile_trim(&section, &n);
	if (l->which == AWS_CONFIG &&
	    !profile_strip_word(l->word, &section, &n) &&
	    (strcmp(l->word, "profile") || n != strlen("default") ||
	     memcmp(section, "default", n)))
		return false;
	return n == strlen(l->name) && !memcmp(section, l->name, n);
}

/* The length of the value less a comment, which white space must precede. */
static size_t profile_value_length(const char *value)
{
	size_t n = strlen(value);

	for (size_t i = 1; i < n; i++) {
		if ((value[i] == '#' || value[i] == ';') &&
		    text_is_blank(value[i - 1])) {
			n = i;
			break;
		}
	}
	profile_trim(&value, &n);
	return n;
}

static bool profile_is_one_word(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] <= ' ' || s[i] == 0x7f)
			return false;
	return true;
}

static int profile_layer_take_value(void *arg, const char *section,
				    const char *name, const char *value,
				    const struct ini_place *place,
				    struct buf *why)
{
	struct layer *l = arg;
	size_t n, i = 0;

	if (!profile_layer_is_section(l, section))
		return 0;
	l->found = true;
	while (i < AWS_KEYS && strcasecmp(name, profile_keys[i].name))
		i++;
	if (i == AWS_KEYS)
		return 0;
	if (l->values[i])
		return buf_fail(why, -EINVAL,
				"%s: given twice, or on more than one line",
				profile_keys[i].name);
	n = profile_value_length(value);
	if (profile_keys[i].one_word && !profile_is_one_word(value, n))
		return buf_fail(why, -EINVAL, "%s: has white space in it",
				profile_keys[i].name);
	l->values[i] = strndup(value, n);
	if (i == AWS_KEY_SECRET && place->st->st_mode & 077)
		l->open_to_others = true;
	return l->values[i] ? 0 : -ENOMEM;
}

static void profile_layer_clear(struct layer *l)
{
	for (size_t i = 0; i < AWS_KEYS; i++)
		wipe_free(l->values[i]);
	free(l->path);
}

/* An absent file is an empty one. */
static int profile_layer_read(struct layer *l, enum aws_file which,
			      const char *word, const char *name,
			      struct buf *why)
{
	BUF_LOCAL detail = BUF_INIT(BUF_MESSAGE);
	int rc;

	l->which = which;
	l->word = word;
	l->name = name;
	l->path = aws_profile_file(which);
	if (!l->path)
		return 0;
	rc = ini_read(l->path, profile_layer_take_value, l, &detail);
	if (rc == -ENOENT || rc == -ENOTDIR)
		rc = 0;
	if (rc && why)
		buf_adds(why, buf_str(&detail));
	for (size_t i = 0; i < AWS_KEYS; i++) {
		if (l->values[i] && !*l->values[i]) {
			free(l->values[i]);
			l->values[i] = NULL;
		}
	}
	return rc;
}

static bool profile_layer_has_keys(const struct layer *l)
{
	return l->values[AWS_KEY_ID] || l->values[AWS_KEY_SECRET];
}

/* Moves the value to out, where there is none yet. */
static void profile_layer_take(struct layer *l, size_t key,
			       struct aws_profile *out)
{
	if (out->values[key])
		return;
	out->values[key] = l->values[key];
	l->values[key] = NULL;
}

static void profile_merge(struct layer *layers, struct aws_profile *out)
{
	for (int i = 0; i < AWS_FILES; i++) {
		struct layer *l = &layers[i];

		if (!out->file && profile_layer_has_keys(l)) {
			for (size_t k = AWS_KEY_ID; k <= AWS_KEY_TOKEN; k++)
				profile_layer_take(l, k, out);
			out->open_to_others = l->open_to_others;
			out->keys_in = l->which;
			out->file = l->path;
			l->path = NULL;
		}
		for (size_t k = AWS_KEY_TOKEN + 1; k < AWS_KEYS; k++)
			profile_layer_take(l, k, out);
	}
}

static const char *profile_layer_path(const struct layer *l)
{
	return l->path ? l->path : "(no home directory)";
}

int aws_profile_read(const char *name, struct aws_profile *out, struct buf *why)
{
	struct layer layers[AWS_FILES] = { 0 };
	int rc = 0;

	*out = (struct aws_profile){ .stamp = aws_profile_stamp() };
	if (!name)
		name = aws_profile_default();
	out->name = strdup(name);
	if (!out->name)
		return -ENOMEM;
	for (int i = 0; i < AWS_FILES && !rc; i++)
		rc = profile_layer_read(&layers[i], i, "profile", name, why);
	if (!rc && !layers[AWS_CREDENTIALS].found &&
	    !layers[AWS_CONFIG].found) {
		if (why)
			buf_addf(why, "there is no profile %s in %s or %s",
				 name,
				 profile_layer_path(&layers[AWS_CREDENTIALS]),
				 profile_layer_path(&layers[AWS_CONFIG]));
		rc = -ENOENT;
	}
	if (!rc)
		profile_merge(layers, out);
	for (int i = 0; i < AWS_FILES; i++)
		profile_layer_clear(&layers[i]);
	return rc;
}

int aws_profile_session_read(const char *name, struct aws_profile *out,
			     struct buf *why)
{
	struct layer l = { 0 };
	int rc = profile_layer_read(&l, AWS_CONFIG, "sso-session", name, why);

	*out = (struct aws_profile){ 0 };
	if (!rc && !l.found) {
		if (why)
			buf_addf(why, "there is no [sso-session %s] in %s",
				 name, profile_layer_path(&l));
		rc = -ENOENT;
	}
	for (size_t k = 0; k < AWS_KEYS && !rc; k++)
		profile_layer_take(&l, k, out);
	profile_layer_clear(&l);
	return rc;
}

void aws_profile_clear(struct aws_profile *p)
{
	for (size_t i = 0; i < AWS_KEYS; i++)
		wipe_free(p->values[i]);
	free(p->file);
	free(p->name);
	*p = (struct aws_profile){ .stamp = p->stamp };
}
