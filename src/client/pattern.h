/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PATTERN of LIST: a regular expression for whole names, as Databend takes it:
 * `^` and `$` are put around it, without a group, so `a|b` is `^a|b$`.
 */
#ifndef CLIENT_PATTERN_H
#define CLIENT_PATTERN_H

struct buf;
struct pattern;

/* 0, -EINVAL with why in why, or -ENOMEM. */
int pattern_new(const char *text, struct pattern **out, struct buf *why);
void pattern_free(struct pattern *p); /* NULL is fine */

/* 1 or 0; -E2BIG: the pattern backtracks beyond all measure on that name. */
int pattern_match(struct pattern *p, const char *name);

#endif
