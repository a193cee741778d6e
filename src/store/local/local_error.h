/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is said when a call of a store fails.
 */
#ifndef STORE_LOCAL_LOCAL_ERROR_H
#define STORE_LOCAL_LOCAL_ERROR_H

struct local;

/* Logs unless the failure is an answer (-ENOENT ...). what: "write", for
 * "cannot write"; why NULL: errno's words. Returns rc. */
int local_error(struct local *l, const char *what, const char *key, int rc,
		const char *why);

#endif
