/*
 * What is known of internal stages, by short stories: each row is a sequence
 * of steps, and what a look-up says at its end.
 */
#include "unit.h"

#include <errno.h>

#include "stage/known.h"
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
	enum known_answer answer;
} stories[] = {
	{ "nothing was asked", { END }, KNOWN_NOT },
	{ "a listing tells what is there", { ASK, LISTS }, KNOWN_PRESENT },
	{ "and what is not", { ASK, LACKS }, KNOWN_ABSENT },
	{ "a listing grows old", { ASK, LISTS, WAIT }, KNOWN_NOT },
	{ "an answer for one name", { ASK, HAS }, KNOWN_PRESENT },
	{ "it grows old as well", { ASK, HAS, WAIT }, KNOWN_NOT },
	{ "an unknown name that is not there stays unknown",
	  { ASK, HAS_NOT },
	  KNOWN_NOT },
	{ "made here", { MAKE }, KNOWN_PRESENT },
	{ "made here, long ago", { MAKE, WAIT }, KNOWN_NOT },
	{ "made while a listing ran that lacks it",
	  { ASK, MAKE, LACKS },
	  KNOWN_PRESENT },
	{ "dropped while a listing ran that has it",
	  { ASK, MAKE, DROP, LISTS },
	  KNOWN_ABSENT },
	{ "dropped while somebody asked for it",
	  { ASK, MAKE, DROP, HAS },
	  KNOWN_NOT },
	{ "dropped, and a later listing has it again",
	  { MAKE, DROP, ASK, LISTS },
	  KNOWN_PRESENT },
	{ "gone from a later listing", { MAKE, ASK, LACKS }, KNOWN_ABSENT },
	{ "dropped after a fresh listing had it",
	  { ASK, LISTS, DROP },
	  KNOWN_ABSENT },
	{ "made after a fresh listing lacked it",
	  { ASK, LACKS, MAKE },
	  KNOWN_PRESENT },
	{ "a newer answer stands against an older listing",
	  { ASK, ASK2, HAS2, LACKS },
	  KNOWN_PRESENT },
	{ "an older answer does not stand against a newer listing",
	  { ASK, MAKE, ASK2, LACKS2, HAS },
	  KNOWN_ABSENT },
	{ "emptied by this process, it outlives a listing without it",
	  { ASK, LISTS, KEEP, WAIT, ASK, LACKS },
	  KNOWN_PRESENT },
	{ "and an answer without it",
	  { ASK, LISTS, KEEP, WAIT, ASK, HAS_NOT },
	  KNOWN_PRESENT },
	{ "but not its own drop",
	  { ASK, LISTS, KEEP, DROP, WAIT, ASK, LACKS },
	  KNOWN_ABSENT },
	{ "an unknown name is not kept", { KEEP, ASK, LACKS }, KNOWN_ABSENT },
};

static struct stage *make(void *arg, const char *name)
{
	return stage_new(name, STAGE_INTERNAL, arg, "", false, 0);
}

struct teller {
	struct known k;
	int64_t now_ms;
	uint64_t ticket[2];
	int64_t began_ms[2];
	bool out[2];
};

static void ask(struct teller *t, int i)
{
	t->ticket[i] = known_ask(&t->k);
	t->began_ms[i] = t->now_ms;
	t->out[i] = true;
}

static void answered(struct teller *t, int i)
{
	t->out[i] = false;
	known_asked(&t->k);
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
		rc = known_stat(&t->k, t->ticket[i], "a", step != HAS_NOT,
				t->began_ms[i]);
		answered(t, i);
		return rc;
	case LISTS:
	case LACKS:
	case LACKS2:
		rc = known_listing(&t->k, t->ticket[i], names,
				   step == LISTS ? 2 : 1, t->began_ms[i]);
		answered(t, i);
		return rc;
	case MAKE:
	case DROP:
		return known_change(&t->k, "a", step == MAKE, t->now_ms);
	case KEEP:
		known_keep(&t->k, "a");
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

		known_init(&t.k, TTL, make, store);
		for (const enum step_kind *p = stories[i].steps; *p; p++)
			row_number(stories[i].sentence, tell(&t, *p), 0);
		row_number(stories[i].sentence,
			   known_find(&t.k, "a", t.now_ms, &s),
			   stories[i].answer);
		row_check(stories[i].sentence,
			  (s != NULL) == (stories[i].answer == KNOWN_PRESENT));
		n = known_stages(&t.k, list);
		row_number(stories[i].sentence, n, known_count(&t.k));
		while (n)
			stage_unref(list[--n]);
		for (int j = 0; j < 2; j++)
			if (t.out[j])
				answered(&t, j);
		row_number("nothing gone is remembered when nobody asks",
			   t.k.asking || t.k.gone, 0);
		known_clear(&t.k);
	}
	store_unref(store);
}

static void a_stage_keeps_its_identity(void **state)
{
	struct store *store = memstore_new("storage");
	char *names[] = { (char *)"a" };
	struct stage *first, *second;
	struct known k;
	uint64_t ticket;

	known_init(&k, TTL, make, store);
	row_number("made", known_change(&k, "a", true, 0), 0);
	first = stage_ref(known_stage(&k, "a"));
	ticket = known_ask(&k);
	known_listing(&k, ticket, names, 1, 1);
	known_asked(&k);
	row_check("a listing does not replace it",
		  known_stage(&k, "a") == first);
	known_change(&k, "a", false, 2);
	row_check("dropped", !known_stage(&k, "a"));
	known_change(&k, "a", true, 3);
	second = known_stage(&k, "a");
	row_check("a new one of that name is another", second != first);
	stage_unref(first);
	known_clear(&k);
	store_unref(store);
}

static void nothing_is_believed_for_no_time(void **state)
{
	struct store *store = memstore_new("storage");
	struct stage *s;
	struct known k;

	known_init(&k, 0, make, store);
	known_change(&k, "a", true, 7);
	row_number("ttl 0 asks every time", known_find(&k, "a", 7, &s),
		   KNOWN_NOT);
	known_clear(&k);
	store_unref(store);
}

SUITE(known)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stories_end_well),
		cmocka_unit_test(a_stage_keeps_its_identity),
		cmocka_unit_test(nothing_is_believed_for_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
