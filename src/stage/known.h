/*
 * What is known of the internal stages, and since when: pure bookkeeping
 * without locks, I/O or a clock. The catalog keeps one under its lock.
 *
 * Whoever asks the store takes a ticket first and hands the answer in with it.
 * What this process changed after the ticket was taken is newer than the
 * answer, and stands.
 */
#ifndef STAGE_KNOWN_H
#define STAGE_KNOWN_H

#include <stdbool.h>
#include <stdint.h>

struct known_name;
struct stage;

struct known {
	struct known_name *names; /* uthash */
	struct stage *(*make)(void *arg, const char *name);
	void *arg;
	int64_t ttl_ms;
	uint64_t clock; /* of tickets and changes */
	unsigned asking; /* tickets out */
	unsigned gone; /* names kept only to say that they are not */
	uint64_t listed; /* ticket of the newest listing; 0: none */
	int64_t listed_ms; /* when it began */
};

enum known_answer { KNOWN_NOT, KNOWN_ABSENT, KNOWN_PRESENT };

/* make() gives a stage of that name with one reference, or NULL. */
void known_init(struct known *k, int64_t ttl_ms,
		struct stage *(*make)(void *arg, const char *name), void *arg);
void known_clear(struct known *k);

/* A present one's stage is borrowed. */
enum known_answer known_find(struct known *k, const char *name, int64_t now_ms,
			     struct stage **out);
/* Whatever its age: borrowed, or NULL. */
struct stage *known_stage(struct known *k, const char *name);
bool known_list_fresh(const struct known *k, int64_t now_ms);

uint64_t known_ask(struct known *k);
void known_asked(struct known *k); /* the answer is in, or there is none */

/* Answers; 0 or -ENOMEM. began_ms: when the ticket was taken. */
int known_stat(struct known *k, uint64_t ticket, const char *name, bool present,
	       int64_t began_ms);
int known_listing(struct known *k, uint64_t ticket, char *const *names,
		  unsigned n, int64_t began_ms);

/* This process made or dropped it. */
int known_change(struct known *k, const char *name, bool present,
		 int64_t now_ms);
/* This process removed a file in it: it stays though it may be empty. */
void known_keep(struct known *k, const char *name);
bool known_kept(struct known *k, const char *name);

/* How many are present, and their stages with a reference each. */
unsigned known_count(struct known *k);
unsigned known_stages(struct known *k, struct stage **out);

#endif
