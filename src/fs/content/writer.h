/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing to content that is kept remotely. With the turn.
 */
#ifndef FS_CONTENT_WRITER_H
#define FS_CONTENT_WRITER_H

#include "fs/content/turn.h"

/* As struct content_ops has them. */
int writer_write(struct file *f, uint64_t offset, const char *bytes, size_t len)
	RELEASE(f->turn);
int writer_resize(struct file *f, uint64_t size) REQUIRES(f->turn);

/*
 * What the content is cut into, for a size that it is to have. Where that is
 * not what was begun with, all is to be sent anew. whole: it is to be
 * published, so that a store that wants all parts but the last of one length
 * gets them so. -EFBIG: no parts reach that, or what was sent is not here any
 * more.
 */
int writer_plan(struct file *f, uint64_t size, bool whole) REQUIRES(f->turn);
/* The spill file, made at the first need; lives as long as the turn does. */
int writer_need_spill(struct file *f, struct spill **out) REQUIRES(f->turn);
/* Bytes that must be kept, in the spill file; they are local from then on. */
int writer_keep(struct file *f, uint64_t offset, const void *bytes, size_t len)
	REQUIRES(f->turn);
/* The tail's bytes go to the spill file, if there is one. */
int writer_unload_tail(struct file *f) REQUIRES(f->turn);
/* The tail, which there is, has no more memory than its bytes need. -ENOMEM. */
int writer_shrink_tail(struct file *f) REQUIRES(f->turn);
/* A tail's memory goes back; mem NULL is fine. */
void writer_free_tail(struct file *f, const struct tail *t);

#endif
