/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In which order files are opened: each program that goes through files in the
 * order of a listing leaves a trail of its own, and its proof is how many it
 * has opened one right behind the other, in one directory and on into the next.
 *
 * What is learnt at one place goes along to the next one: where files are
 * opened in no order, or with gaps, or a directory is left amid its files, it
 * takes a longer row to be believed, until a directory was opened whole.
 *
 * Not locked: the caller's. The tree's lock is taken. No I/O.
 */
#ifndef FS_NAMES_TRAIL_H
#define FS_NAMES_TRAIL_H

#include <stdbool.h>
#include <stdint.h>

#define TRAILS_MAX 8
#define TRAIL_ROW 3U /* files in a row that are an order */
#define TRAIL_NEEDS_MAX 96U

struct inode;
struct tree;

struct trail {
	struct inode *last; /* referenced; NULL: it is free */
	const struct inode *latest; /* that, or one before it: an address */
	unsigned row; /* files opened one right behind the other */
	uint64_t bytes; /* in them */
	/* Of the last few files which were opened; bit 0: the last one. */
	uint32_t opened;
	unsigned span; /* files since its first; of those passed over, few */
	unsigned here; /* files of the row in this directory */
	bool whole; /* from its first on */
	unsigned begun; /* the row when files behind it were fetched; 0: none */
	unsigned needs; /* files in a row that are believed */
	bool timid; /* a directory was left amid its files */
	struct trail *heir; /* has learnt that from this one; NULL: none */
	uint64_t used;
};

struct trails {
	struct trail at[TRAILS_MAX];
	uint64_t uses;
};

/* File i is opened. The directory in which files are opened in no order by
 * that, an address; or NULL. */
const struct inode *trails_step(struct trails *t, struct tree *tree,
				struct inode *i);
/* The trail that i, which was opened just now, belongs to, if it is an order in
 * which files behind its last one may be fetched that are not yet; NULL: it is
 * not. */
const struct trail *trails_ready(struct trails *t, const struct inode *i);
/* They are. */
void trails_begun(struct trails *t, const struct inode *i);
/* What was fetched so, for a trail that i may be a new beginning of, was not
 * opened. */
void trails_in_vain(struct trails *t, const struct inode *i);
/* All of them are given up: as many references, the caller's. */
unsigned trails_clear(struct trails *t, struct inode *lasts[TRAILS_MAX]);

#endif
