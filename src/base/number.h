/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lesser and the greater of two numbers, and the power of two below one.
 */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include <stdint.h>

static inline uint64_t number_min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t number_max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* The greatest power of two that is not above n, which is not 0. */
static inline uint64_t number_power_of_2(uint64_t n)
{
	return 1ULL << (63 - __builtin_clzll(n));
}

#endif
