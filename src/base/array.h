/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arrays that grow by doubling. The list, how many are in use and how many
 * there is room for stay plain members of the caller's structure.
 */
#ifndef BASE_ARRAY_H
#define BASE_ARRAY_H

#include <stddef.h>

/*
 * Room for `need` elements in the list of *cap, whose address is given. New
 * ones are zeroed. 0 or -ENOMEM; the list is as it was then.
 */
int array_reserve(void *address_of_list, size_t *cap, size_t need, size_t size);

#define ARRAY_RESERVE(list, cap, need) \
	array_reserve(&(list), &(cap), (need), sizeof(*(list)))

#endif
