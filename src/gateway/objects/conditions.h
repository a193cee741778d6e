/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP's small grammars: conditions, ranges, times. Pure.
 */
#ifndef GATEWAY_OBJECTS_CONDITIONS_H
#define GATEWAY_OBJECTS_CONDITIONS_H

#include <stdint.h>

/* What a request asks for; NULL: the header did not come. */
struct conditions {
	const char *if_match, *if_none_match;
	const char *if_modified_since, *if_unmodified_since;
	const char *if_range, *range;
};

enum conditions_outcome {
	CONDITIONS_WHOLE, /* 200 */
	CONDITIONS_PART, /* 206: first and len */
	CONDITIONS_NOT_MODIFIED, /* 304 */
	CONDITIONS_FAILED, /* 412 */
	CONDITIONS_NO_RANGE, /* 416 */
};

/*
 * RFC 9110, 13.2.2, for GET and HEAD of an object that is there. A range that
 * is no `bytes=` range, or more than one, is as if it had not come.
 */
enum conditions_outcome conditions_judge(const struct conditions *c,
					 const char *etag, int64_t mtime,
					 uint64_t size, uint64_t *first,
					 uint64_t *len);

#endif
