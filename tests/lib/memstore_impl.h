/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of the memory store, shared by its files only.
 */
#ifndef TESTS_LIB_MEMSTORE_IMPL_H
#define TESTS_LIB_MEMSTORE_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/lock.h"
#include "base/waiter.h"
#include "memstore.h"

/* Bytes that never change: a reader keeps those it began with. */
struct mem_blob {
	unsigned refs; /* atomic */
	size_t n;
	unsigned char bytes[];
};
struct mem_blob *mem_blob_new(size_t n); /* NULL without memory */
struct mem_blob *mem_blob_ref(struct mem_blob *b);
void mem_blob_unref(struct mem_blob *b);
/* The bytes of a PUT: 0, -ENOMEM, or what pread() said (-EIO: it is short). */
int mem_blob_read(const struct store_body *body, struct mem_blob **out);

/* The headers, in as much memory as they need. */
struct mem_props {
	size_t len;
	char text[];
};

struct mem_object {
	char *key;
	struct mem_blob *blob;
	struct object_info info;
	struct mem_props *props; /* NULL: none */
};

struct mem_part {
	unsigned number;
	struct mem_blob *blob;
	char etag[STORE_ETAG_SIZE];
};

/* An upload that was begun; the store has it until complete or abort. */
struct mem_pending {
	char *key;
	char *id;
	struct mem_props *props;
	struct mem_part *parts; /* by number */
	unsigned n_parts;
	struct mem_pending *next;
};

/* One operation's count and what is to go wrong with it. */
enum mem_op {
	MEM_GET,
	MEM_PUT,
	MEM_PART,
	MEM_PART_COPY,
	MEM_COPY,
	MEM_HEAD,
	MEM_LIST,
	MEM_STAT,
	MEM_REMOVE,
	MEM_OPEN,
	MEM_COMPLETE,
	MEM_ABORT,
	MEM_OPS
};
struct mem_fault {
	unsigned calls;
	unsigned in; /* this many calls from now, 0: each one */
	int rc; /* 0: none is set */
};

/* A get or a part that waits for its time. */
struct mem_job {
	int64_t due_ms;
	bool cancelled;
	int rc; /* the fault that it met when it was started */
	struct store_get *get;
	struct store_part *part;
	struct mem_job *next;
};

struct memstore_locked {
	struct mem_object *objects; /* sorted by key */
	size_t n_objects, cap_objects;
	struct mem_pending *pendings;
	unsigned next_id;
	struct mem_fault faults[MEM_OPS];
	unsigned delay_ms;
	struct mem_job *jobs; /* in the order they came */
	bool running, stop; /* the thread */
	struct waiter *worker;
};

struct memstore {
	struct store base;
	pthread_t thread;
	struct lock lock;
	struct memstore_locked guarded_;
};

LOCK_GUARDS(mem_locked, memstore, memstore_locked);

static inline struct memstore *memstore_of(struct store *s)
{
	return (struct memstore *)s;
}

/* Counts a call of op; the error it is to fail with, or 0. */
int mem_enter(struct memstore *m, enum mem_op op);

/* ---- objects; the lock is held ---- */

/* Where key stands, or would: the index of the first not below it. */
size_t mem_lower_locked(struct memstore *m, const char *key) REQUIRES(&m->lock);
struct mem_object *mem_find_locked(struct memstore *m, const char *key)
	REQUIRES(&m->lock);
/* 0, -EEXIST, -ESTALE, -ENOENT (If-Match on nothing). */
int mem_cond_locked(struct memstore *m, const char *key,
		    const struct store_cond *cond) REQUIRES(&m->lock);
/* Takes over a reference to blob, and props, in success. etag "": the MD5 of
 * the bytes. */
int mem_store_locked(struct memstore *m, const char *key, struct mem_blob *blob,
		     const char *etag, struct mem_props *props,
		     struct object_info *out) REQUIRES(&m->lock);
/* All that a write says, owned, or a copy of what was kept; NULL: none. 0,
 * -ENOMEM or -E2BIG. */
int mem_props_of(const struct store_meta *meta, struct mem_props **out);
int mem_props_keep(const struct props *p, struct mem_props **out);
void mem_props_tell(const struct mem_props *p, struct props *out);
void mem_remove_locked(struct memstore *m, const char *key) REQUIRES(&m->lock);
void mem_etag(const struct mem_blob *blob, char out[STORE_ETAG_SIZE]);

/* ---- memstore_list.c ---- */
store_list_open_fn mem_list_open;
store_list_next_fn mem_list_next;
store_list_close_fn mem_list_close;

/* ---- memstore_data.c: get and part, at once or later ---- */
store_get_fn mem_get;
store_get_cancel_fn mem_get_cancel;
store_part_fn mem_part;
store_part_fn mem_part_cancel;
/* Ends the thread; what still waits is done with -ECANCELED. */
void mem_data_stop(struct memstore *m);

/* ---- memstore_upload.c ---- */
store_upload_open_fn mem_upload_open;
/* Puts the blob in as that part, taking its reference over in success. */
int mem_upload_part(struct store_upload *u, unsigned number,
		    struct mem_blob *blob, char etag[STORE_ETAG_SIZE]);
store_part_copy_fn mem_part_copy;
store_upload_complete_fn mem_upload_complete;
store_upload_abort_fn mem_upload_abort;
store_upload_free_fn mem_upload_free;
store_upload_id_fn mem_upload_id;
store_pending_abort_fn mem_pending_abort;
store_upload_resume_fn mem_upload_resume;
void mem_pending_free(struct mem_pending *p);

#endif
