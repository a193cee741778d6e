/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A header, or a parameter of a query or a form.
 */
#ifndef BASE_FIELD_H
#define BASE_FIELD_H

struct field {
	const char *name;
	const char *value; /* not encoded */
};

#endif
