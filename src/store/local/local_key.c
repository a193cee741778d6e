/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signing key of a root.
 *
 * `.stagefs/keys` is a file as Amazon's tools read it, so that a person can
 * sign with them too (AWS_SHARED_CREDENTIALS_FILE). A look at the file's
 * inode, size and times tells whether what was read last still holds: a
 * rotation by another process counts from the next signature on.
 */
#include "store/local/local_key.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/lock.h"
#include "base/random.h"
#include "base/text.h"
#include "store/local/local.h"
#include "store/local/local_error.h"
#include "store/local/local_folder.h"
#include "store/local/local_root.h"

#define ID_LEN 20
#define SECRET_LEN 40
#define TRIES 8 /* while others rotate */

/* ---- the key's file ---- */

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
			     "abcdefghijklmnopqrstuvwxyz"
			     "0189+/"; /* 64; the first 32 are an id's */

static void key_random_word(char *out, size_t n, unsigned of)
{
	unsigned char bytes[SECRET_LEN];

	random_bytes(bytes, n);
	for (size_t i = 0; i < n; i++)
		out[i] = digits[bytes[i] % of];
	out[n] = '\0';
	wipe(bytes, sizeof(bytes));
}

int local_key_write(struct local *l, bool replace)
{
	BUF_SECRET text = BUF_INIT(1024);
	struct local_key key;
	int rc;

	key_random_word(key.id, ID_LEN, 32);
	key_random_word(key.secret, SECRET_LEN, 64);
	buf_addf(&text,
		 "# Signs the URLs of this store. `stagefs keys rotate` makes "
		 "another, and they die.\n"
		 "[default]\n"
		 "aws_access_key_id = %s\n"
		 "aws_secret_access_key = %s\n",
		 key.id, key.secret);
	rc = buf_err(&text);
	if (!rc)
		rc = local_folder_write(l, LOCAL_KEYS, &text, replace);
	wipe(&key, sizeof(key));
	return rc;
}

/* Takes `name = value` of a line that begins with name. */
static void key_take_value(const char *line, const char *name, char *out,
			   size_t size)
{
	const char *value;
	size_t n;

	if (!text_starts_with(line, name))
		return;
	value = line + strlen(name);
	value += strspn(value, " \t");
	if (*value++ != '=')
		return;
	value += strspn(value, " \t");
	n = strcspn(value, " \t\r");
	if (n < size)
		snprintf(out, size, "%.*s", (int)n, value);
}

static int key_parse(struct buf *text, struct local_key *out)
{
	char *line, *rest = text->len ? text->data : NULL;

	memset(out, 0, sizeof(*out));
	while ((line = strsep(&rest, "\n"))) {
		key_take_value(line, "aws_access_key_id", out->id,
			       sizeof(out->id));
		key_take_value(line, "aws_secret_access_key", out->secret,
			       sizeof(out->secret));
	}
	return text_is_word(out->id, strlen(out->id), "") &&
			       text_is_word(out->secret, strlen(out->secret),
					    "+/")
		       ? 0
		       : -EINVAL;
}

/* ---- as it was read last ---- */

static void key_keep(struct local *l, const struct local_stamp *stamp,
		     const struct local_key *key)
{
	lock_take(&l->lock);
	local_locked(l)->key = *key;
	local_locked(l)->key_stamp = *stamp;
	lock_drop(&l->lock);
}

static bool key_kept(struct local *l, const struct local_stamp *stamp,
		     struct local_key *out)
{
	bool same;

	lock_take(&l->lock);
	same = local_folder_same(&local_locked(l)->key_stamp, stamp);
	if (same)
		*out = local_locked(l)->key;
	lock_drop(&l->lock);
	return same;
}

static int key_read(struct local *l, struct local_key *out)
{
	BUF_SECRET text = BUF_INIT(LOCAL_FOLDER_FILE_MAX);
	struct local_stamp stamp;
	int rc = local_folder_stamp(l, LOCAL_KEYS, &stamp);

	if (!rc && key_kept(l, &stamp, out))
		return 0;
	if (!rc)
		rc = local_folder_read(l, LOCAL_KEYS, &text, &stamp);
	if (!rc)
		rc = key_parse(&text, out);
	if (!rc)
		key_keep(l, &stamp, out);
	return rc;
}

int local_key(struct store *s, struct local_key *out)
{
	struct local *l = local_of(s);
	const char *why = NULL;
	int rc = key_read(l, out);

	for (int i = 0; rc == -ENOENT && i < TRIES; i++) {
		rc = local_root_writable(l, "make a signing key", NULL);
		if (rc)
			return rc;
		rc = local_key_write(l, false);
		if (!rc || rc == -EEXIST)
			rc = key_read(l, out);
	}
	if (!rc)
		return 0;
	if (rc == -EACCES)
		why = LOCAL_FOLDER "/" LOCAL_KEYS " is open to others, or "
				   "closed to us (it must be ours, mode 0600)";
	else if (rc == -EUCLEAN)
		why = LOCAL_FOLDER "/" LOCAL_KEYS " is no file with one name "
				   "of the owner of " LOCAL_FOLDER;
	else if (rc == -EINVAL)
		why = LOCAL_FOLDER "/" LOCAL_KEYS " has no key id and secret";
	local_error(l, "read the signing key", NULL, rc == -ENOENT ? -EIO : rc,
		    why);
	return rc == -ENOENT ? -EIO : rc;
}
