/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Storage classes as small numbers, so that each name that is known of can have
 * its own. Pure.
 */
#ifndef STORE_STORAGE_CLASS_H
#define STORE_STORAGE_CLASS_H

#include <stdint.h>

/* What an object has of which no class is told. */
#define STORAGE_CLASS_STANDARD 1

/* 0: none of those that have a number. */
uint8_t storage_class(const char *name);
/* NULL for 0. Not to be freed. */
const char *storage_class_name(uint8_t class);

#endif
