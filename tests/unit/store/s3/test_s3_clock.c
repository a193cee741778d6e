/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a store's clock, while this machine's is set: by table. */
#include "unit.h"

#include "store/s3/s3_clock.h"

enum deed { NOTHING, HEAR, REFUSED };

/* A day in the life of one clock, a row after the other. */
static void a_day(void **state)
{
	static const struct {
		const char *sentence;
		enum deed deed;
		int64_t uptime_s, wall_s, theirs_s;
		bool asks, says, fixes;
		int64_t off_s;
	} rows[] = {
		{ "nothing is known at first", NOTHING, 100, 5000, 0, true,
		  false, false, 0 },
		{ "a clock that is right is no news", HEAR, 100, 5000, 5001,
		  true, false, false, 0 },
		{ "its date is not read again at once", NOTHING, 110, 5010, 0,
		  false, false, false, 0 },
		{ "this machine's clock jumps an hour ahead", NOTHING, 120,
		  8620, 0, true, false, false, -3599 },
		{ "the next answer says so", HEAR, 121, 8621, 5022, true, true,
		  false, -3599 },
		{ "once", HEAR, 122, 8622, 5023, false, false, false, -3599 },
		{ "a refusal is put right", REFUSED, 123, 8623, 5024, false,
		  false, true, -3599 },
		{ "... unless it was right already", REFUSED, 124, 8624, 5025,
		  false, false, false, -3599 },
		{ "the clock is set right", NOTHING, 130, 5031, 0, true, false,
		  false, 0 },
		{ "which is no news either", HEAR, 131, 5032, 5032, true, false,
		  false, 0 },
		{ "a minute later it is looked at", NOTHING, 191, 5092, 0, true,
		  false, false, 0 },
		{ "a minute is nothing", HEAR, 192, 5093, 5033, true, false,
		  false, 0 },
		{ "ten are said", HEAR, 252, 5153, 5753, true, true, false,
		  600 },
	};
	struct s3_clock c = { 0 };

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct s3_moment now = { rows[i].wall_s,
					       rows[i].uptime_s };
		bool says = false, fixes = false;

		row_number(rows[i].sentence, s3_clock_asks(&c, &now),
			   rows[i].asks);
		if (rows[i].deed == HEAR)
			says = s3_clock_hear(&c, &now, rows[i].theirs_s);
		else if (rows[i].deed == REFUSED)
			fixes = s3_clock_follow(&c, &now, rows[i].theirs_s,
						&says);
		row_number(rows[i].sentence, says, rows[i].says);
		row_number(rows[i].sentence, fixes, rows[i].fixes);
		row_number(rows[i].sentence, s3_clock_off(&c, &now),
			   rows[i].off_s);
	}
}

SUITE(s3_clock)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_day),
	};

	return cmocka_run_group_tests_name("s3_clock", tests, NULL, NULL);
}
