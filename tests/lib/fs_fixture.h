/* SPDX-License-Identifier: Apache-2.0 */
/* A mount without a kernel: one stage on a store in memory, and what a test
 * does with it in a line each. */
#ifndef TESTS_LIB_FS_FIXTURE_H
#define TESTS_LIB_FS_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>

#include "fs/fs.h"
#include "stage/stage.h"
#include "memstore.h"

struct mount {
	struct store *store;
	struct stage *stage;
	struct fs *fs;
	struct fs_caller caller;
	struct budget *budget; /* NULL: the test's own */
};

/* prefix: the stage's; ttl_s: metadata_ttl. */
void mount_up(struct mount *m, const char *prefix, unsigned ttl_s, bool ro);
/* The same with settings of one's own. */
void mount_with(struct mount *m, const char *prefix, bool ro,
		const struct fs_settings *s);
/* On another store than one in memory; takes the reference. */
void mount_on(struct mount *m, struct store *store, const char *prefix, bool ro,
	      const struct fs_settings *s);
/* The file system alone; its budget is 64 MiB unless s has one. */
void mount_fs(struct mount *m, struct catalog *catalog,
	      const struct fs_settings *s);
extern const struct fs_settings mount_settings;
/* What waits in the journal comes into the tree. */
void mount_restore(struct mount *m);
void mount_down(struct mount *m);

/* The inode of a path, with a lookup that mount_forget() takes back; NULL:
 * absent, and *failure (may be NULL) why. */
struct inode *mount_find(struct mount *m, const char *path, int *failure);
void mount_forget(struct mount *m, struct inode *i);

/* By path; the results are those of the fs_*() behind. */
int mount_write(struct mount *m, const char *path, const char *text);
int mount_mkdir(struct mount *m, const char *path);
int mount_unlink(struct mount *m, const char *path);
int mount_rmdir(struct mount *m, const char *path);
/* chmod(2), and fsync(2) of a directory. */
int mount_chmod(struct mount *m, const char *path, mode_t mode);
int mount_sync_dir(struct mount *m, const char *path);
/* All that is known of names was found out so much earlier; ten minutes. */
void mount_age(struct mount *m, int64_t ms);
void mount_grow_old(struct mount *m);
/* No name was asked for in the root or in a directory there, if not all names
 * are known. */
void mount_forget_asked(struct mount *m);
int mount_rename(struct mount *m, const char *from, const char *to,
		 unsigned flags);
int mount_stat(struct mount *m, const char *path, struct stat *st);
int mount_open(struct mount *m, const char *path, int flags, struct handle **h);
/* A new file, open; its inode is mount_find()'s. */
int mount_create(struct mount *m, const char *path, struct handle **h);
/* All of it as a string in out (size bytes); the length or -errno. */
int mount_read(struct mount *m, struct handle *h, char *out, size_t size);
int mount_cat(struct mount *m, const char *path, char *out, size_t size);
/* Names of a directory, '/' behind those of directories, a space behind each.
 * 0 or -errno. */
int mount_ls(struct mount *m, const char *path, char *out, size_t size);

/* Until what was removed has gone from the store. */
void mount_settle(struct mount *m);

/* As the gateway of this process: the mount is told. */
void gateway_put(struct mount *m, const char *key, const char *text);
/* The store itself, settled: as another machine would. */
void store_has(struct mount *m, const char *key, const char *text);
bool store_holds(struct mount *m, const char *key);
/* All keys, a space behind each. */
void store_keys(struct mount *m, char *out, size_t size);

#endif
