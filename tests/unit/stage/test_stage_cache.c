/*
 * What is known of internal stages, by short stories: each row is a sequence
 * of steps, and what a look-up says at its end.
 */
#include "unit.h"

#include <errno.h>

#include "stage/stage_cache.h"
#include "stage/stage.h"
#include "memstore.h"

#define TTL 5000

enum step_kind {
	END,
	ASK, /* take a ticket (the only one, or the second as ASK2) */
	ASK2,
	HAS, /* the ticket's answer for `a`: there */
	HAS_NOT,
	HAS2,
	LISTS, /* the ticket's listing has `a` (and always `b`) */
	LACKS, /* ... has `b` only */
	LACKS2,
	MAKE, /* this process made `a` */
	DROP,
	KEEP, /* this process removed a file in it */
	WAIT, /* the time-to-live passes */
};

static const struct {
	const char *sentence;
	enum step_kind steps[8];
	enum stage_cache_answer answer;
} stories[] = {
	{ "nothing was asked", { END }, STAGE_CACHE_UNKNOWN },
	{ "a listing tells what is there",
	  { ASK, LISTS },
	  STAGE_CACHE_PRESENT },
	{ "and what is not", { ASK, LACKS }, STAGE_CACHE_ABSENT },
	{ "a listing grows old", { ASK, LISTS, WAIT }, STAGE_CACHE_UNKNOWN },
	{ "an answer for one name", { ASK, HAS }, STAGE_CACHE_PRESENT },
	{ "it grows old as well", { ASK, HAS, WAIT }, STAGE_CACHE_UNKNOWN },
	{ "an unknown name that is not there stays unknown",
	  { ASK, HAS_NOT },
	  STAGE_CACHE_UNKNOWN },
	{ "made here", { MAKE }, STAGE_CACHE_PRESENT },
	{ "made here, long ago", { MAKE, WAIT }, STAGE_CACHE_UNKNOWN },
	{ "made while a listing ran that lacks it",
	  { ASK, MAKE, LACKS },
	  STAGE_CACHE_PRESENT },
	{ "dropped while a listing ran that has it",
	  { ASK, MAKE, DROP, LISTS },
	  STAGE_CACHE_ABSENT },
	{ "dropped while somebody asked for it",
	  { ASK, MAKE, DROP, HAS },
	  STAGE_CACHE_UNKNOWN },
	{ "dropped, and a later listing has it again",
	  { MAKE, DROP, ASK, LISTS },
	  STAGE_CACHE_PRESENT },
	{ "gone from a later listing",
	  { MAKE, ASK, LACKS },
	  STAGE_CACHE_ABSENT },
	{ "dropped after a fresh listing had it",
	  { ASK, LISTS, DROP },
	  STAGE_CACHE_ABSENT },
	{ "made after a fresh listing lacked it",
	  { ASK, LACKS, MAKE },
	  STAGE_CACHE_PRESENT },
	{ "a newer answer stands against an older listing",
	  { ASK, ASK2, HAS2, LACKS },
	  STAGE_CACHE_PRESENT },
	{ "an older answer does not stand against a newer listing",
	  { ASK, MAKE, ASK2, LACKS2, HAS },
	  STAGE_CACHE_ABSENT },
	{ "emptied by this process, it outlives a listing without it",
	  { ASK, LISTS, KEEP, WAIT, ASK, LACKS },
	  STAGE_CACHE_PRESENT },
	{ "and an answer without it",
	  { ASK, LISTS, KEEP, WAIT, ASK, HAS_NOT },
	  STAGE_CACHE_PRESENT },
	{ "but not its own drop",
	  { ASK, LISTS, KEEP, DROP, WAIT, ASK, LACKS },
	  STAGE_CACHE_ABSENT },
	{ "an unknown name is not kept",
	  { KEEP, ASK, LACKS },
	  STAGE_CACHE_ABSENT },
};

static struct stage *make(void *arg, const char *name)
{
	return stage_new(name, STAGE_INTERNAL, arg, "", false, 0);
}

struct teller {
	struct stage_cache k;
	int64_t now_ms;
	uint64_t ticket[2];
	int64_t began_ms[2];
	bool out[2];
};

static void ask(struct teller *t, int i)
{
	t->ticket[i] = stage_cache_ask(&t->k);
	t->began_ms[i] = t->now_ms;
	t->out[i] = true;
}

static void answered(struct teller *t, int i)
{
	t->out[i] = false;
	stage_cache_asked(&t->k);
}

static int tell(struct teller *t, enum step_kind step)
{
	char *names[] = { (char *)"b", (char *)"a" };
	int i = step == ASK2 || step == HAS2 || step == LACKS2, rc = 0;

	t->now_ms++;
	switch (step) {
	case ASK:
	case ASK2:
		ask(t, i);
		return 0;
	case HAS:
	case HAS2:
	case HAS_NOT:
		rc = stage_cache_stat(&t->k, t->ticket[i], "a", step != HAS_NOT,
				      t->began_ms[i]);
		answered(t, i);
		return rc;
	case LISTS:
	case LACKS:
	case LACKS2:
		rc = stage_cache_listing(&t->k, t->ticket[i], names,
					 step == LISTS ? 2 : 1, t->began_ms[i]);
		answered(t, i);
		return rc;
	case MAKE:
	case DROP:
		return stage_cache_change(&t->k, "a", step == MAKE, t->now_ms);
	case KEEP:
		stage_cache_keep(&t->k, "a");
		return 0;
	case WAIT:
		t->now_ms += TTL;
		return 0;
	case END:
		break;
	}
	return 0;
}

static void stories_end_well(void **state)
{
	struct store *store = memstore_new("storage");

	for (size_t i = 0; i < COUNT(stories); i++) {
		struct teller t = { .now_ms = 1000 };
		struct stage *s = NULL, *list[3];
		unsigned n;

		stage_cache_init(&t.k, TTL, make, store);
		for (const enum step_kind *p = stories[i].steps; *p; p++)
			row_number(stories[i].sentence, tell(&t, *p), 0);
		row_number(stories[i].sentence,
			   stage_cache_find(&t.k, "a", t.now_ms, &s),
			   stories[i].answer);
		row_check(stories[i].sentence,
			  (s != NULL) ==
				  (stories[i].answer == STAGE_CACHE_PRESENT));
		n = stage_cache_stages(&t.k, list);
		row_number(stories[i].sentence, n, stage_cache_count(&t.k));
		while (n)
			stage_unref(list[--n]);
		for (int j = 0; j < 2; j++)
			if (t.out[j])
				answered(&t, j);
		row_number("nothing gone is remembered when nobody asks",
			   t.k.asking || t.k.gone, 0);
		stage_cache_clear(&t.k);
	}
	store_unref(store);
}

static void a_stage_keeps_its_identity(void **state)
{
	struct store *store = memstore_new("storage");
	char *names[] = { (char *)"a" };
	struct stage *first, *second;
	struct stage_cache k;
	uint64_t ticket;

	stage_cache_init(&k, TTL, make, store);
	row_number("made", stage_cache_change(&k, "a", true, 0), 0);
	first = stage_ref(stage_cache_stage(&k, "a"));
	ticket = stage_cache_ask(&k);
	stage_cache_listing(&k, ticket, names, 1, 1);
	stage_cache_asked(&k);
	row_check("a listing does not replace it",
		  stage_cache_stage(&k, "a") == first);
	stage_cache_change(&k, "a", false, 2);
	row_check("dropped", !stage_cache_stage(&k, "a"));
	stage_cache_change(&k, "a", true, 3);
	second = stage_cache_stage(&k, "a");
	row_check("a new one of that name is another", second != first);
	stage_unref(first);
	stage_cache_clear(&k);
	store_unref(store);
}

static void nothing_is_believed_for_no_time(void **state)
{
	struct store *store = memstore_new("storage");
	struct stage *s;
	struct stage_cache k;

	stage_cache_init(&k, 0, make, store);
	stage_cache_change(&k, "a", true, 7);
	row_number("ttl 0 asks every time", stage_cache_find(&k, "a", 7, &s),
		   STAGE_CACHE_UNKNOWN);
	stage_cache_clear(&k);
	store_unref(store);
}

SUITE(stage_cache)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stories_end_well),
		cmocka_unit_test(a_stage_keeps_its_identity),
		cmocka_unit_test(nothing_is_believed_for_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
