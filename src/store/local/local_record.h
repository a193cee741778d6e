/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is kept with a file, beside its bytes.
 */
#ifndef STORE_LOCAL_LOCAL_RECORD_H
#define STORE_LOCAL_LOCAL_RECORD_H

#include <stdbool.h>
#include <sys/stat.h>

#include "store/props.h"
#include "store/store.h"

struct local_record {
	bool bound; /* it is of this very content */
	bool implied; /* a folder that is there for keys below it only */
	char etag[STORE_ETAG_SIZE];
	struct props props; /* of PROP_CONTENT */
};

/* What of a store_meta is kept. */
struct local_props {
	struct props props;
	bool has_md5;
	unsigned char md5[16];
};

/* 0, -EINVAL (no MD5) or -E2BIG. */
int local_record_props(struct local_props *k, const struct store_meta *meta);
/* From a record: a copy is what its source is. */
void local_record_props_of(struct local_props *k,
			   const struct local_record *record);

/* What is known of an open file or folder; never fails: what cannot be read is
 * not there. */
void local_record_read(int fd, const struct stat *st, struct local_record *out);
/* The same of a name in a folder, ETag and implied alone. */
void local_record_read_at(int dir, const char *name, const struct stat *st,
			  struct local_record *out);
/* Writes a record with a new ETag, which *st is bound to; implied: of a folder
 * that keys need; how: 0, or XATTR_CREATE (-EEXIST: it has one). */
int local_record_write(int fd, const struct stat *st,
		       const struct local_props *k, bool implied, int how,
		       char etag[STORE_ETAG_SIZE]);
/* Keeps a record while the time changes: bound to st and to mtime alike. */
int local_record_rebind(int fd, const struct stat *st,
			const struct local_record *record,
			struct timespec mtime);
void local_record_info(const struct stat *st, const char *etag,
		       struct object_info *out);

#endif
