/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration: [stagefs], [storage], [stage NAME] and [user NAME], from
 * the file, the environment and -o. Plain data once it is read; nothing here
 * does network I/O. Errors name file, line and key, and change nothing.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/option.h"
#include "stage/catalog.h"
#include "stage/conf/conn.h"

enum config_presign {
	CONFIG_PRESIGN_OFF,
	CONFIG_PRESIGN_DOWNLOAD,
	CONFIG_PRESIGN_UPLOAD,
	CONFIG_PRESIGN_BOTH
};
enum config_list_xattrs { CONFIG_LIST_NO, CONFIG_LIST_STAGE, CONFIG_LIST_URLS };
enum config_check { CONFIG_CHECK_ALL, CONFIG_CHECK_STORAGE, CONFIG_CHECK_NONE };

/* [stagefs]; the strings are owned. */
struct config_mount {
	char *user; /* whose stage `~` is */
	uint64_t metadata_ttl; /* s */
	uint64_t memory; /* bytes */
	char *spill_dir;
	char *cache_dir; /* NULL or "": none */
	uint64_t cache_size; /* bytes */
	uint64_t write_back_size; /* bytes */
	unsigned uid, gid;
	unsigned file_mode, dir_mode, umask; /* umask not applied to them */
	/* Those that were given: they win over what a store of files keeps. */
	bool uid_given, gid_given, file_mode_given, dir_mode_given;
	bool allow_other, allow_suid, ro;
	int list_xattrs; /* enum config_list_xattrs */
	int presign; /* enum config_presign */
	uint64_t presign_expire, presign_expire_max; /* s */
	char *log; /* NULL: stderr, syslog once in the background */
	int log_level; /* enum log_level's order */
	int log_format; /* enum log_format's order */
	int check; /* enum config_check */
	uint64_t mount_wait, stop_timeout; /* s */
	bool nonempty;
	/* The gateway; NULL or "": see gateway/settings.h. */
	char *listen, *tls_certificate, *tls_key;
	char *allowed_hosts, *cors_origins;
	bool allow_plain_http;
};

struct config_stage {
	char *name;
	struct conn conn;
	bool drop_in; /* of stages.d */
	/* Why it cannot be used, and conn is empty then; owned. Else NULL. */
	char *fault;
};

/* [user NAME]: config_user.c. */
struct config_user {
	char *name;
	char *password_hash;
	char *read, *write; /* lists of stages, by spaces or commas */
};

struct config {
	char *file; /* where it was read; NULL: no file */
	struct config_mount mount;
	bool has_storage;
	/* Nothing was configured: [storage] is this directory, the user's own;
	 * else NULL. */
	char *embedded;
	/* The stage that the request's url made; borrowed from stages; or
	 * NULL. */
	const char *url_stage;
	struct conn storage;
	struct config_stage *stages;
	unsigned n_stages;
	struct config_user *users;
	unsigned n_users;
	/* Where statements keep external stages: stages.d beside the file, or
	 * where a file would be; absolute. */
	char *drop_ins;
	struct drop_ins_stamp stamp; /* of it, from before it was read */
	/* Files of it that no stage came of, a line each; NULL: none. */
	char *left_out;
	uint64_t deadline_max; /* s; for stages that come later; 0: none */
};

extern const struct option config_mount_options[];
extern const struct option config_user_options[];

/* May a user be called so? It is a segment of keys, and what stands before
 * the colon of a login. */
bool config_user_name_valid(const char *name);

/* What a command line says about the configuration. Borrowed. */
struct config_request {
	const char *file; /* --config, -o config=; NULL: the search order */
	/* The name in a SOURCE of `@name`; NULL: none. Stage keys in -o are for
	 * it, else [storage]. */
	const char *stage;
	/* A SOURCE of `s3://bucket/path`: a stage beside those of the file,
	 * which is read only when it is named; drop-ins are not. Stage keys in
	 * -o are for it. NULL: none. */
	const char *url;
	const char *const *settings; /* -o: `name=value`, or `name` = yes */
	unsigned n_settings;
};

/*
 * Reads, completes from the environment (conn_env_complete()), applies
 * the settings, checks everything that needs no network. 0, or -errno with
 * one line in why: -ENOENT (a file that was named is not there), -EINVAL,
 * -EPERM (a secret that others can read). A drop-in that is wrong is no error:
 * its stage has a fault. config_clear() also after a failure; it wipes secrets.
 */
int config_read(const struct config_request *r, struct config *out,
		struct buf *why);
void config_clear(struct config *c);

/* Where a new file would be found: the caller's to free; NULL without
 * memory. */
char *config_new_file(void);

/* $NAME/below, or ~/fallback/below; the same. */
char *config_xdg_path(const char *name, const char *fallback,
		      const char *below);
/* Where ids of open uploads are kept, for the process that finds them left; the
 * same. */
char *config_uploads_dir(void);

/* A name for a stage of that URL (which has a `://`), that no other has. */
void config_url_name(const struct config *c, const char *url, struct buf *out);

/* The catalog that it describes: no I/O. As catalog_new(). */
int config_catalog(const struct config *c, struct http_engine *engine,
		   struct catalog **out, struct buf *why);

/*
 * The catalog of `was`, read again as `now`: as catalog_configure(). What a
 * catalog cannot change is the caller's to tell.
 */
int config_reload(const struct config *was, const struct config *now,
		  struct catalog *catalog, bool keys_only, struct buf *said,
		  struct buf *why);

/* The settings' part of --help. */
void config_options_help(FILE *out);

#endif
