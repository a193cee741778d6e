/*
 * What is known of the internal stages, and since when: pure bookkeeping
 * without locks, I/O or a clock. The catalog keeps one under its lock.
 *
 * A caller that asks the store takes a ticket first and hands the answer in
 * with it. What this process changed after the ticket was taken is newer than
 * the answer, and stands.
 */
#ifndef STAGE_STAGE_CACHE_H
#define STAGE_STAGE_CACHE_H

#include <stdbool.h>
#include <stdint.h>

struct stage_cache_name;
struct stage;

struct stage_cache {
	struct stage_cache_name *names; /* uthash */
	struct stage *(*make)(void *arg, const char *name);
	void *arg;
	int64_t ttl_ms;
	uint64_t clock; /* of tickets and changes */
	unsigned asking; /* tickets out */
	unsigned gone; /* names kept only to say that they are not */
	uint64_t listed; /* ticket of the newest listing; 0: none */
	int64_t listed_ms; /* when it began */
};

enum stage_cache_answer {
	STAGE_CACHE_UNKNOWN,
	STAGE_CACHE_ABSENT,
	STAGE_CACHE_PRESENT
};

/* make() gives a stage of that name with one reference, or NULL. */
void stage_cache_init(struct stage_cache *k, int64_t ttl_ms,
		      struct stage *(*make)(void *arg, const char *name),
		      void *arg);
void stage_cache_clear(struct stage_cache *k);

/* A present one's stage is borrowed. */
enum stage_cache_answer stage_cache_find(struct stage_cache *k,
					 const char *name, int64_t now_ms,
					 struct stage **out);
/* Whatever its age: borrowed, or NULL. */
struct stage *stage_cache_stage(struct stage_cache *k, const char *name);
bool stage_cache_list_fresh(const struct stage_cache *k, int64_t now_ms);

uint64_t stage_cache_ask(struct stage_cache *k);
void stage_cache_asked(
	struct stage_cache *k); /* the answer is in, or there is none */

/* Answers; 0 or -ENOMEM. began_ms: when the ticket was taken. */
int stage_cache_stat(struct stage_cache *k, uint64_t ticket, const char *name,
		     bool present, int64_t began_ms);
int stage_cache_listing(struct stage_cache *k, uint64_t ticket,
			char *const *names, unsigned n, int64_t began_ms);

/* This process made or dropped it. */
int stage_cache_change(struct stage_cache *k, const char *name, bool present,
		       int64_t now_ms);
/* This process removed a file in it: it stays though it may be empty. */
void stage_cache_keep(struct stage_cache *k, const char *name);
bool stage_cache_kept(struct stage_cache *k, const char *name);

/* How many are present, and their stages with a reference each. */
unsigned stage_cache_count(struct stage_cache *k);
unsigned stage_cache_stages(struct stage_cache *k, struct stage **out);

#endif
