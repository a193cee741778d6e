/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configured stages of a set of external ones, once the configuration was
 * read again.
 */
#ifndef STAGE_EXTERNAL_CONFIGURE_H
#define STAGE_EXTERNAL_CONFIGURE_H

#include <stdbool.h>

struct buf;
struct catalog_external;
struct external_folder;

/*
 * keys_only: stages whose credentials alone
 * differ have the new ones, and nothing else changes. Else the configured
 * stages are these from here on: others are new ones (what is open keeps its
 * own), and all of them are opened before the first is seen. said: a line for
 * each change. 0, or -errno with why, and nothing has changed.
 */
int external_configure(struct external_folder *f,
		       const struct catalog_external *list, unsigned n,
		       bool keys_only, struct buf *said, struct buf *why);

#endif
