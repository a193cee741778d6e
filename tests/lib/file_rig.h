/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tests of file content stand on: one stage of a memory store, a tree, a
 * budget and a spill directory.
 */
#ifndef TESTS_LIB_FILE_RIG_H
#define TESTS_LIB_FILE_RIG_H

#include "unit.h"

#include "fs/content/file.h"
#include "fs/content/reader.h"
#include "local_rig.h"

#define KIB (1ULL << 10)
#define MIB (1ULL << 20)

struct rig {
	struct store *store;
	struct stage *stage;
	struct file_env env;
	char dir[64]; /* the spill directory */
	struct local_rig disk; /* zeroed: the store is one of memory */
};

/* part_size 0: the automatic schedule; parts may be as small as they like. */
void file_rig_open(struct rig *r, uint64_t part_size, size_t memory);
/* Over a store of files. */
void file_rig_open_local(struct rig *r);
/* Nothing may be left: no memory taken, no upload open. */
void file_rig_close(struct rig *r);

/* The content of a name: of a new one, or of the object that is there. */
struct file *file_rig_create(struct rig *r, const char *name);
struct file *file_rig_find(struct rig *r, const char *name);
/* An object that another machine made. */
void file_rig_poke(struct rig *r, const char *name, const void *bytes,
		   size_t n);

/* Bytes that differ from place to place. */
void file_rig_pattern(void *bytes, size_t n, unsigned seed);

/* A read through a fresh reader: what came, or -errno. */
long file_rig_read(struct file *f, uint64_t offset, void *bytes, size_t len);
/* The store's object, whole: its size, or -errno. */
long file_rig_object(struct rig *r, const char *name, void *bytes, size_t max);
/* 4 MiB that most tests write, in pieces of 10,000 bytes from [from, to). */
extern char rig_bytes[4 * MIB];
int file_rig_write(struct file *f, uint64_t from, uint64_t to);
/* What is there is rig_bytes. */
void file_rig_check_object(struct rig *r, const char *name, size_t size);
void file_rig_check_read(struct file *f, uint64_t from, size_t n);

/* Segments of a read, in one piece. */
size_t file_rig_gather(const struct fs_data *d, void *bytes);

#endif
