/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is said of an object that is made: its owner and its headers.
 */
#ifndef STORE_STORE_META_H
#define STORE_STORE_META_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/field.h"

struct props;

/* Whose a new object is, and its permission bits, in a store that keeps that;
 * the directories that it needs get its owner too. */
struct store_owner {
	uint32_t uid, gid, mode;
};

/* What goes with an object. */
struct store_meta {
	/* NULL: an object that is replaced keeps owner and mode; a new one is
	 * the process's, by its umask. */
	const struct store_owner *owner;
	/*
	 * The headers of the object that this one is an edit of, as
	 * store_props() told them: they win over what the store is set to make
	 * new objects with. NULL: it is a new object.
	 */
	const struct props *props;
	/* A store of files: what is replaced keeps its headers, if no others
	 * are given here. */
	bool inherit;
	const char *content_type; /* NULL: the store's default */
	/* More headers, names in lower case, which win over the others. A
	 * server gets all; another store keeps those of PROP_CONTENT, and takes
	 * a content-md5. */
	const struct field *headers;
	size_t n_headers;
	/* Parts come from elsewhere: no checksums of the store's choice. */
	bool foreign_parts;
};

#endif
