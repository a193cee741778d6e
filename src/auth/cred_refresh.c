/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A life of an hour or more has botocore's periods: the last 15 minutes to
 * look for others, the last 10 to insist. A shorter one has a quarter and a
 * sixth of itself.
 *
 * A URL that shall outlive its credentials is worth a fetch when that wins at
 * least a tenth of a life; so a URL of a week costs one fetch in six minutes
 * where credentials live an hour, and not one for each.
 */
#include "auth/cred_refresh.h"

#include "base/number.h"

#define BACKOFF_MIN_MS 1000
#define BACKOFF_MAX_MS 60000
#define PAUSE_MIN_MS 1000
#define PAUSE_MAX_MS 60000
#define PAUSE_ENDLESS_MS 5000 /* of credentials without an end */

enum cred_need cred_refresh_need(const struct cred_life *l)
{
	int64_t left = l->expires_s - l->now_s;
	int64_t life = l->expires_s - l->obtained_s;
	int64_t used = l->now_s - l->obtained_s;

	if (!l->expires_s)
		return CRED_FINE;
	if (left <= 0)
		return CRED_DEAD;
	if (left <= number_min(CRED_MANDATORY_S, life / 6))
		return CRED_NOW;
	if (l->until_s > l->expires_s && used > life / 10)
		return CRED_NOW;
	return left <= number_min(CRED_ADVISORY_S, life / 4) ? CRED_SOON
							     : CRED_FINE;
}

int64_t cred_refresh_backoff(unsigned failures, uint32_t random)
{
	int64_t most = BACKOFF_MIN_MS;

	while (failures-- > 1 && most < BACKOFF_MAX_MS)
		most *= 2;
	most = number_min(most, BACKOFF_MAX_MS);
	return most / 2 + (int64_t)(random % (uint32_t)(most / 2 + 1));
}

int64_t cred_refresh_pause(int64_t now_s, int64_t expires_s)
{
	int64_t pause = PAUSE_ENDLESS_MS;

	if (expires_s)
		pause = (expires_s - now_s) * 1000 / 8;
	return number_max(PAUSE_MIN_MS, number_min(pause, PAUSE_MAX_MS));
}
