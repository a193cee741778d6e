/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A page of links (HTML): a row for each URL, with its name, size and end.
 * Pure; everything from outside is escaped.
 */
#ifndef CLIENT_PRESIGN_PAGE_H
#define CLIENT_PRESIGN_PAGE_H

#include <stdint.h>

struct buf;

#define PRESIGN_PAGE_UNKNOWN UINT64_MAX /* a size */

void presign_page_begin(struct buf *out, const char *title);
/* until: Unix seconds, 0 none. */
void presign_page_row(struct buf *out, const char *name, uint64_t size,
		      const char *url, int64_t until);
void presign_page_end(struct buf *out);

#endif
