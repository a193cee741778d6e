/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the contract of store.h asks of arguments. Pure: 0, or the -errno that
 * the call returns instead of being made.
 */
#ifndef STORE_STORE_CHECK_H
#define STORE_STORE_CHECK_H

#include <stdbool.h>
#include <stdint.h>

struct store;
struct store_body;
struct store_cond;
struct store_get;
struct store_meta;
struct store_part_done;

/* Does a key end in '/': is it a marker's? Or is it "", a store's root? */
bool store_check_is_dir(const char *key);
/* -EINVAL, -ENAMETOOLONG, or what the store is broken by. */
int store_check_key(const struct store *s, const char *key);
/* "" too, which is the root of a store of files. */
int store_check_name(const struct store *s, const char *key);
int store_check_prefix(const struct store *s, const char *prefix);
int store_check_etag(const char *etag); /* NULL is fine; -EINVAL */
int store_check_get(const struct store *s, const struct store_get *get);
int store_check_body(const struct store *s, const struct store_body *body);
int store_check_meta(const struct store_meta *meta);
int store_check_cond(const struct store_cond *cond);
int store_check_part(const struct store *s, unsigned number, uint64_t offset,
		     uint64_t len);
int store_check_parts(const struct store *s,
		      const struct store_part_done *parts, unsigned n);

#endif
