/* Listings that are shared, outlived and interrupted. */
#include "catalog_fixture.h"

#include <pthread.h>
#include <unistd.h>

#include "base/waiter.h"

/* The first listing of the storage reads its entries, then waits here. */
static struct {
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	bool closed, reached;
	void (*list_close)(struct store_list *l);
	struct store_ops ops;
} gate = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER };

static void close_at_gate(struct store_list *l)
{
	gate.list_close(l);
	pthread_mutex_lock(&gate.mutex);
	if (!gate.reached) {
		gate.reached = true;
		pthread_cond_broadcast(&gate.cond);
		while (gate.closed)
			pthread_cond_wait(&gate.cond, &gate.mutex);
	}
	pthread_mutex_unlock(&gate.mutex);
}

static void gate_close(void)
{
	gate.closed = true;
	gate.reached = false;
	gate.ops = *storage->ops;
	gate.list_close = gate.ops.list_close;
	gate.ops.list_close = close_at_gate;
	storage->ops = &gate.ops;
}

static void gate_await(void)
{
	pthread_mutex_lock(&gate.mutex);
	while (!gate.reached)
		pthread_cond_wait(&gate.cond, &gate.mutex);
	pthread_mutex_unlock(&gate.mutex);
}

static void gate_open(void)
{
	pthread_mutex_lock(&gate.mutex);
	gate.closed = false;
	pthread_cond_broadcast(&gate.cond);
	pthread_mutex_unlock(&gate.mutex);
}

struct lister {
	struct catalog *c;
	pthread_t thread;
	struct waiter *waiter;
	struct stage **list;
	unsigned n;
	int rc, storage_err;
};

static void *list_thread(void *arg)
{
	struct lister *l = arg;

	__atomic_store_n(&l->waiter, waiter_self(), __ATOMIC_RELEASE);
	l->rc = catalog_list(l->c, &l->list, &l->n, &l->storage_err);
	return NULL;
}

static void start(struct lister *l, struct catalog *c)
{
	l->c = c;
	row_number("a thread", pthread_create(&l->thread, NULL, list_thread, l),
		   0);
}

static bool has(const struct lister *l, const char *name)
{
	for (unsigned i = 0; i < l->n; i++)
		if (!strcmp(l->list[i]->name, name))
			return true;
	return false;
}

static void finish(struct lister *l)
{
	pthread_join(l->thread, NULL);
	row_number("listed", l->rc, 0);
}

static void own_changes_outlive_a_listing_under_way(void **state)
{
	struct catalog *c = open_catalog(&storage_conn, 5);
	struct lister l = { 0 };

	poke("root/stage/internal/old/");
	gate_close();
	start(&l, c);
	gate_await();
	row_number("mkdir meanwhile", create(c, "new"), 0);
	row_number("rmdir meanwhile", catalog_drop(c, "old"), 0);
	gate_open();
	finish(&l);
	row_check("what was made is listed", has(&l, "new"));
	row_check("what was dropped is not", !has(&l, "old"));
	row_number("nor found", get(c, "old"), -ENOENT);
	catalog_list_free(l.list, l.n);
	catalog_free(c);
}

static void one_listing_serves_all(void **state)
{
	struct catalog *c = open_catalog(&storage_conn, 5);
	struct lister l[8] = { 0 };

	poke("root/stage/internal/s/");
	gate_close();
	for (size_t i = 0; i < COUNT(l); i++)
		start(&l[i], c);
	gate_await();
	row_number("others are not held up", get(c, "ext"), 0);
	usleep(50000);
	gate_open();
	for (size_t i = 0; i < COUNT(l); i++) {
		finish(&l[i]);
		row_number("the storage", l[i].storage_err, 0);
		row_check("everybody sees the stage", has(&l[i], "s"));
		catalog_list_free(l[i].list, l[i].n);
	}
	row_number("one request", memstore_calls(storage, "list"), 1);
	catalog_free(c);
}

static void who_waits_can_be_interrupted(void **state)
{
	struct catalog *c = open_catalog(&storage_conn, 5);
	struct lister first = { 0 }, second = { 0 };
	struct waiter *w;

	poke("root/stage/internal/s/");
	gate_close();
	start(&first, c);
	gate_await();
	start(&second, c);
	while (!(w = __atomic_load_n(&second.waiter, __ATOMIC_ACQUIRE)))
		usleep(1000);
	waiter_interrupt(w);
	finish(&second);
	row_number("it was interrupted", second.storage_err, -EINTR);
	catalog_list_free(second.list, second.n);
	gate_open();
	finish(&first);
	row_number("the other was not", first.storage_err, 0);
	row_check("and has its list", has(&first, "s"));
	catalog_list_free(first.list, first.n);
	catalog_free(c);
}

SUITE(catalog_threads)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_changes_outlive_a_listing_under_way),
		cmocka_unit_test(one_listing_serves_all),
		cmocka_unit_test(who_waits_can_be_interrupted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
