/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The external stages of the configuration and of its folder of drop-ins. The
 * folder is looked at when one is looked up, at most once a second.
 */
#ifndef STAGE_EXTERNAL_FOLDER_H
#define STAGE_EXTERNAL_FOLDER_H

#include <stdint.h>

#include "base/lock.h"
#include "base/waiter.h"
#include "stage/catalog.h"
#include "stage/drop_ins.h"
#include "stage/external.h"

struct external_folder_locked {
	/* Only the thread that has set `looking` changes the set. */
	struct external_set set;
	bool looking;
	struct waiter_list waiters; /* for its end */
	int64_t looked_ms; /* when that was last done */
	struct drop_ins_stamp stamp;
};

struct external_folder {
	struct external_context with; /* storage's conn and keys are owned */
	struct stage **first; /* those at the start */
	unsigned n_first;
	char *dir; /* NULL: none */
	uint64_t deadline_max;
	struct lock lock;
	struct external_folder_locked guarded_;
};

/* Opens the stages that are there at the start. external_folder_close() in
 * either case. 0 or -errno, why set. */
int external_folder_open(struct external_folder *f,
			 const struct catalog_settings *s,
			 struct http_engine *engine, struct buf *why);
void external_folder_close(struct external_folder *f);

/*
 * The set is this thread's to change, until external_folder_end(): once no
 * other has it. 0, or -EBUSY: one has it at that time, by clock_mono_ms().
 */
int external_folder_begin(struct external_folder *f, int64_t until_ms,
			  struct external_set *set);
void external_folder_end(struct external_folder *f);

/* Looks at the folder if the last look is a second old. */
void external_folder_look(struct external_folder *f);
/* Looks at it now, whatever was seen last and when. */
void external_folder_refresh(struct external_folder *f);

/* The stage of that name, with a reference, or NULL. */
struct stage *external_folder_find(struct external_folder *f, const char *name);
/* Is there one? The folder is not looked at. */
bool external_folder_has(struct external_folder *f, const char *name);
/* All of them, with a reference each; *out has room for `more` others. */
int external_folder_list(struct external_folder *f, unsigned more,
			 struct stage ***out, unsigned *n);
/* As catalog_conn() and catalog_check(). */
int external_folder_conn(struct external_folder *f, const char *name,
			 struct conn *out, bool *drop_in);
int external_folder_check(struct external_folder *f, const char *name,
			  const struct conn *conn, struct buf *why);

#endif
