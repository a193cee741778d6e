/* SPDX-License-Identifier: Apache-2.0 */
#include "base/random.h"

#include <sys/random.h>

#include "base/digest.h"

void random_bytes(void *out, size_t n)
{
	/* Never short for so few bytes, and cannot fail once seeded. */
	while (getrandom(out, n, 0) != (ssize_t)n)
		;
}

void random_hex(char *out, size_t n)
{
	unsigned char bytes[32];

	random_bytes(bytes, n);
	hex_encode(bytes, n, out);
}
