/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lesser and the greater of two numbers, and the power of two below one.
 */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include <stdint.h>

/* Of two signed numbers a signed one: C's usual conversions say which. */
#define NUMBER_OF(which_, a_, b_) \
	_Generic((a_) + (b_), int \
		 : number_##which_##_signed, long \
		 : number_##which_##_signed, long long \
		 : number_##which_##_signed, default \
		 : number_##which_##_unsigned)(a_, b_)
#define number_min(a, b) NUMBER_OF(min, a, b)
#define number_max(a, b) NUMBER_OF(max, a, b)

static inline uint64_t number_min_unsigned(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t number_max_unsigned(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static inline int64_t number_min_signed(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static inline int64_t number_max_signed(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* The greatest power of two that is not above n, which is not 0. */
static inline uint64_t number_power_of_2(uint64_t n)
{
	return 1ULL << (63 - __builtin_clzll(n));
}

#endif
