/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store on a local disk: an object is a plain file at its key, a directory
 * marker a directory, so that a person sees their files. See local.c for
 * what lies in `.stagefs` at its root and why a power cut loses nothing.
 *
 * Its limits have `files`; keys are any bytes that a file system can hold:
 * a segment of over 255 bytes is -ENAMETOOLONG, an empty one, `.` and `..` are
 * -EINVAL, `.stagefs` is -EPERM at any depth, `a` beside `a/b` -EISDIR or
 * -ENOTDIR. Nothing outside the root is ever reached, by symlink or otherwise:
 * -EXDEV or -ELOOP become -EACCES. What is no regular file does not exist.
 */
#ifndef STORE_LOCAL_LOCAL_H
#define STORE_LOCAL_LOCAL_H

#include <stdbool.h>
#include <stddef.h>

#include "store/store.h"

struct buf;

/* The folder of ours at a store's root, 0700. */
#define LOCAL_FOLDER ".stagefs"
/* May a name of n bytes be that folder, on any disk (local_path.c)? Such a
 * name is in no key: another store may begin at any depth. */
bool local_path_is_folder(const char *name, size_t n);

struct local_settings {
	const char *name; /* for the log: the stage's */
	const char *root; /* absolute; made, with parents, when it is not there
			     and the stage's own part can be made */
	/* First segment of the path of its URLs: the configuration's section,
	 * `storage` or the stage's name. */
	const char *url_name;
	/* The host that pre-signed URLs name; NULL: the gateway that answers
	 * for this root (local_address()), else http://127.0.0.1:8000. */
	const char *public_endpoint_url;
	bool types; /* as struct store's */
};

/*
 * Opens the root and looks whether its disk can hold what we keep (user
 * xattrs, unnamed files). No network, no thread. 0, or -errno with the reason
 * in why: -EOPNOTSUPP a disk without user xattrs.
 */
int local_new(const struct local_settings *set, struct store **out,
	      struct buf *why);
/* Is it one of these? */
bool local_is(const struct store *s);

/* ---- the signing key of a root: .stagefs/keys, 0600 ---- */

struct local_key {
	char id[32]; /* letters and digits */
	char secret[64];
};
/* Made at the first need; read again when the file has changed. -EACCES ... */
int local_key(struct store *s, struct local_key *out);
/* Another one, written aside and renamed: URLs of the old one die. root: of a
 * store. */
int local_key_rotate(const char *root, struct buf *why);

/* ---- the gateway of a root: .stagefs/gateway ---- */

/* `http://127.0.0.1:8000` as the gateway wrote it; "" if none ever has. Read
 * again when it has changed. */
int local_address(struct store *s, struct buf *out);
int local_address_set(struct store *s, const char *origin);

#endif
