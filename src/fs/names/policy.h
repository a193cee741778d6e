/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What holds for the names of a stage, by the kind of its store. Callers ask
 * for what they mean, not for the kind: a further kind is a further row.
 */
#ifndef FS_NAMES_POLICY_H
#define FS_NAMES_POLICY_H

#include <stdbool.h>

#include "base/number.h"
#include "stage/stage.h"

struct policy {
	/* Names are believed no longer than that, whatever the settings say:
	 * other programs are about, and to look costs little. */
	unsigned ttl_max_ms;
	/* The store is asked by ETag for what is opened; else its file is
	 * looked at when it is opened, and when an open one is asked about, for
	 * other programs may write into it. */
	bool asked_by_etag;
	/* Owner, mode and times are the store's, and set there at once. */
	bool keeps_owner;
	/* They are in the metadata of objects (store/attr_meta.h), which a HEAD
	 * tells and no listing; a change of them is a request of its own, or
	 * goes with the bytes. So do symbolic links. */
	bool in_metadata;
	/* st_ino is the disk's: each publication is another file of it. */
	bool keeps_numbers;
	/* The store renames in one step, before the tree does, and a question
	 * about a name waits for it. */
	bool renames;
	/* A directory is there while there is a key below; else it is made and
	 * removed like a file, and has a time of its own. */
	bool implied_dirs;
	/* What is open when another program replaces it stays what it is, for
	 * handles that have it open or are about to. */
	bool replaced_is_orphan;
	/* Files that are removed in a row are asked of the store together. */
	bool removed_together;
	/* A change may be sent later: the store is far. */
	bool sent_later;
	/* A name is on the disk when it was flushed, not before. */
	bool flushes_names;
};

enum policy_kind { POLICY_OBJECTS, POLICY_POSIX, POLICY_FILES, POLICIES };
extern const struct policy policies[POLICIES];

enum policy_kind policy_kind_of(const struct stage *s);
static inline const struct policy *policy_of(const struct stage *s)
{
	return &policies[policy_kind_of(s)];
}

/* Are owner and mode the store's, wherever it has them? */
static inline bool policy_has_owners(const struct policy *p)
{
	return p->keeps_owner || p->in_metadata;
}

/* How long a name is believed when the settings say ttl_ms. */
static inline unsigned policy_ttl_ms(const struct policy *p, unsigned ttl_ms)
{
	return number_min(ttl_ms, p->ttl_max_ms);
}

#endif
