/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Do two names look as if what they name were of one sort? Pure.
 *
 *   f0001.jpg, cat.jpg      one extension
 *   app.log.7, app.log.12   one but for its number
 *   part7, img12            none: words and numbers in one order, or
 *   9a3f, c04d              as many bytes, and numbers among them
 */
#ifndef FS_NAMES_LIKENESS_H
#define FS_NAMES_LIKENESS_H

#include <stdbool.h>

bool likeness_of_names(const char *a, const char *b);

#endif
