/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The types of option.h, as option.c sees them: one row of functions each.
 */
#ifndef BASE_OPTION_TYPE_H
#define BASE_OPTION_TYPE_H

struct buf;
struct option;

struct option_ops {
	/* Checks and stores. 0, -EINVAL, -ERANGE or -ENOMEM. */
	int (*set)(const struct option *row, void *to, const char *value);
	/* Writes what is stored. */
	void (*show)(const struct option *row, const void *from,
		     struct buf *out);
	/* What a value should have been; NULL, or what adds to it by the
	 * row. */
	const char *what;
	void (*want)(const struct option *row, struct buf *out);
};

extern const struct option_ops option_ops[]; /* by enum option_type */

/* Frees and forgets; overwrites a secret first. */
void option_type_free(const struct option *row, char **s);

#endif
