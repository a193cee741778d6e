/* SPDX-License-Identifier: Apache-2.0 */
#include "base/array.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAP 8

int array_reserve(void *address_of_list, size_t *cap, size_t need, size_t size)
{
	size_t room = *cap ? *cap : FIRST_CAP;
	void *list;

	if (need <= *cap)
		return 0;
	while (room < need)
		room = room > SIZE_MAX / 2 ? need : 2 * room;
	memcpy(&list, address_of_list, sizeof(list)); /* of any type */
	/* Sanitizers end a program that asks for more than there can be. */
	if (room > PTRDIFF_MAX / size)
		return -ENOMEM;
	list = realloc(list, room * size);
	if (!list)
		return -ENOMEM;
	memset((char *)list + *cap * size, 0, (room - *cap) * size);
	memcpy(address_of_list, &list, sizeof(list));
	*cap = room;
	return 0;
}
