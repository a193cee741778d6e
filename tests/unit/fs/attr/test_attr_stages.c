/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changed attributes of two stages, each on a store of its own.
 *
 * Covers: fs/attr/attr_queue.c
 */
#include "fs_fixture.h"
#include "unit.h"

#include <pthread.h>
#include <semaphore.h>

#include "base/budget.h"
#include "base/buf.h"
#include "base/clock.h"
#include "stage/catalog.h"
#include "store/attr_meta.h"

/* A stage, whose HEADs are held. */
static struct side {
	struct store *store;
	struct store_ops ops;
	const struct store_ops *real;
	bool holds, passed;
	sem_t entered, pass;
} sides[2];

static bool await(sem_t *s)
{
	struct timespec end = clock_now();

	end.tv_sec += 60;
	return !sem_timedwait(s, &end);
}

static int side_head(struct store *s, const char *key,
		     struct object_details *out)
{
	struct side *side = &sides[s == sides[1].store];

	if (__atomic_load_n(&side->holds, __ATOMIC_SEQ_CST)) {
		sem_post(&side->entered);
		await(&side->pass);
		__atomic_store_n(&side->passed, true, __ATOMIC_SEQ_CST);
	}
	return side->real->head(s, key, out);
}

static int side_open(const struct conn *conn, const char *name,
		     struct http_engine *engine, struct store **out,
		     struct buf *why)
{
	struct side *side = &sides[!strcmp(name, "two")];

	*out = side->store = memstore_new(name);
	side->store->attributes = true;
	side->real = side->store->ops;
	side->ops = *side->real;
	side->ops.head = side_head;
	side->store->ops = &side->ops;
	sem_init(&side->entered, 0, 0);
	sem_init(&side->pass, 0, 0);
	side->holds = side->passed = false;
	return 0;
}

static struct catalog *sides_up(struct mount *m)
{
	static const struct conn one = { .url = (char *)"s3://one/" };
	static const struct conn two = { .url = (char *)"s3://two/" };
	static const struct catalog_external externals[] = { { "one", &one },
							     { "two", &two } };
	const struct catalog_settings set = {
		.user = "root",
		.external = externals,
		.n_external = COUNT(externals),
		.open = side_open,
	};
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct catalog *c;

	memset(m, 0, sizeof(*m));
	assert_int_equal(catalog_new(&set, NULL, &c, &why), 0);
	buf_clear(&why);
	m->caller.uid = m->caller.gid = 1000;
	mount_fs(m, c, &mount_settings);
	assert_int_equal(mount_write(m, "one/f", "text"), 0);
	assert_int_equal(mount_write(m, "two/f", "text"), 0);
	return c;
}

static mode_t mode_in(struct side *s)
{
	struct object_details d;
	struct store_attr a;

	assert_int_equal(store_head(s->store, "f", &d), 0);
	attr_meta_read(&d.props, false, &a);
	return a.mode;
}

static void *sync_first(void *m)
{
	assert_int_equal(mount_sync_dir(m, "one"), 0);
	return NULL;
}

/* A sync of one stage does not wait for another's store. */
static void stores_do_not_wait_for_each_other(void **state)
{
	struct catalog *c;
	struct mount m;
	pthread_t t;

	c = sides_up(&m);
	sides[0].holds = true;
	assert_int_equal(mount_chmod(&m, "one/f", 0640), 0);
	pthread_create(&t, NULL, sync_first, &m);
	assert_true(await(&sides[0].entered));
	assert_int_equal(mount_chmod(&m, "two/f", 0640), 0);
	assert_int_equal(mount_sync_dir(&m, "two"), 0);
	assert_int_equal(mode_in(&sides[1]), S_IFREG | 0640);
	assert_false(sides[0].passed);
	__atomic_store_n(&sides[0].holds, false, __ATOMIC_SEQ_CST);
	sem_post(&sides[0].pass);
	pthread_join(t, NULL);
	assert_int_equal(mode_in(&sides[0]), S_IFREG | 0640);
	fs_free(m.fs);
	budget_free(m.budget);
	catalog_free(c);
	for (size_t k = 0; k < COUNT(sides); k++) {
		sem_destroy(&sides[k].entered);
		sem_destroy(&sides[k].pass);
	}
}

SUITE(attr_stages)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stores_do_not_wait_for_each_other),
	};

	return cmocka_run_group_tests_name("attr_stages", tests, NULL, NULL);
}
