/* SPDX-License-Identifier: Apache-2.0 */
/* A short GET says nothing of the speed: its bytes come all at once. */
#include "fs/cache/wire.h"

#include "base/number.h"

#define SPEED_MIN ((uint64_t)1 << 20) /* bytes of a GET that count */
#define SECOND_US 1000000ULL

void wire_saw_first(struct wire *w, uint64_t first_us)
{
	first_us = number_max(first_us, 1);
	if (!w->rtt_us || first_us < w->rtt_us)
		w->rtt_us = first_us;
}

void wire_saw(struct wire *w, uint64_t first_us, uint64_t whole_us,
	      uint64_t bytes)
{
	uint64_t moving_us = number_max(whole_us - first_us, 1);

	wire_saw_first(w, first_us);
	if (bytes >= SPEED_MIN)
		w->speed = number_max(w->speed, bytes * SECOND_US / moving_us);
}

uint64_t wire_takes_us(const struct wire *w, uint64_t bytes)
{
	return w->rtt_us + (w->speed ? bytes * SECOND_US / w->speed : 0);
}
