/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connection settings of a stage: Databend's keys with all their aliases, and
 * ours, as one option table that serves [storage], [stage NAME] and -o; and
 * the store that they describe.
 */
#ifndef STAGE_CONF_CONN_H
#define STAGE_CONF_CONN_H

#include <stdbool.h>
#include <stdint.h>

#include "auth/cred_cache.h"
#include "base/option.h"
#include "net/http_engine.h"
#include "store/s3/s3.h"

/*
 * Plain values; the strings are owned (option_clear()). What a lane, a signer
 * or a store takes stands in its own settings; what is found out when it is
 * opened (names, buckets, hosts) is not set here.
 */
struct conn {
	char *url; /* s3://bucket/prefix/, or fs:///directory/ */
	struct http_lane_settings lane;
	struct cred_settings creds;
	struct s3_settings s3; /* fs:// has its public_endpoint_url too */
	char *master_key; /* Databend's; nothing here uses it */
	int addressing; /* enum conn_addressing */
	int public_addressing; /* the same, or CONN_SAME */
	bool ro, allow_overlap, upload_api;
	int content_type; /* enum conn_content_type */
	int attributes; /* enum conn_attributes */
	int write_back; /* enum store_write_back */
	uint64_t part_size; /* bytes; 0: auto */
	/* What statements keep with a stage; shown, and otherwise without
	 * effect. */
	char *comment, *file_format, *copy_options, *created_on;
};

/* Of new objects that were given none. */
enum conn_content_type { CONN_TYPE_BY_NAME, CONN_TYPE_OFF };
/* Where mode, owner and times are. */
enum conn_attributes { CONN_ATTRIBUTES_SERVER, CONN_ATTRIBUTES_POSIX };
enum conn_addressing { CONN_PATH, CONN_VIRTUAL, CONN_SAME };

extern const struct option conn_options[];

/* Frees its strings, and wipes secrets: of zeros, defaults or a copy. */
void conn_clear(struct conn *c);
#define CONN_LOCAL __attribute__((cleanup(conn_clear))) struct conn

bool conn_has_scheme(const struct conn *c, const char *scheme);
/* Is the url one of a directory of this machine (fs://)? */
bool conn_is_local(const struct conn *c);
/* Sets a string by its key, unchecked. 0 or -ENOMEM. */
int conn_set(struct conn *c, const char *key, const char *value);

/*
 * Where a stage URL leads: a bucket and a prefix, which ends in '/' or is "";
 * or a directory, absolute and without a '/' at its end, with the prefix "".
 * Owned; the other of bucket and root is NULL.
 */
struct conn_location {
	char *bucket;
	char *root;
	char *prefix;
};
int conn_location(const struct conn *c, struct conn_location *out,
		  struct buf *why);
void conn_location_clear(struct conn_location *p);
#define CONN_LOCATION_LOCAL \
	__attribute__((cleanup(conn_location_clear))) struct conn_location
/* As a person writes it: `s3://bucket/prefix/below`, `fs:///directory/below`.
 * Appends. */
void conn_location_show(const struct conn_location *p, const char *below,
			struct buf *out);

/*
 * Fills what the configuration left out from the environment:
 * AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, AWS_REGION, AWS_DEFAULT_REGION, and
 * from the profile in use (region, endpoint_url). 0 or -ENOMEM.
 */
int conn_env_complete(struct conn *c);

/* Everything that can be found wrong without a network; the place counts as
 * checked too. 0 or -EINVAL, why set: it begins with the key. */
int conn_check(const struct conn *c, struct buf *why);

/* What is in use: the endpoint given or Amazon's, the region given or the one
 * that the endpoint's name tells ("" when neither does). A local directory has
 * neither. Appends. */
void conn_endpoint(const struct conn *c, struct buf *out);
void conn_endpoint_region(const struct conn *c, struct buf *out);

/* The same of what URLs name; nothing where that is the endpoint. Appends. */
void conn_endpoint_public(const struct conn *c, struct buf *out);
/* Does the bucket stand in front of the host, or of the public one? */
bool conn_endpoint_virtual(const struct conn *c, bool public);

/* Of a server, to compare: Amazon's endpoints are many names of one set of
 * buckets. Appends. */
void conn_endpoint_identity(const struct conn *c, struct buf *out);

/* A copy of its own. 0 or -ENOMEM; option_clear() after either. */
int conn_copy(const struct conn *from, struct conn *out);
/* Do they say the same by that row of the table? */
bool conn_row_equal(const struct option *row, const struct conn *a,
		    const struct conn *b);
/* The first row by which they do not, or NULL. */
const struct option *conn_difference(const struct conn *a,
				     const struct conn *b);
/* Would they open the same store, with the same words about it? */
bool conn_equal(const struct conn *a, const struct conn *b);

/*
 * The credentials of a stage that SQL made, where it does not name them: the
 * keys given; with a role_arn alone what the machine has, which goes to STS and
 * not to the stage's server; else none. What the machine has of its own never
 * goes to a server that a statement named.
 */
const char *conn_sql_credentials(const struct conn *c);

/*
 * Which keys a connection holds below its place, as a text to compare: appends
 * it. Of a directory that is where it really lies, through symbolic links and
 * bind mounts, as far as it exists: this looks at the disk. 0, or -EINVAL as
 * conn_location().
 */
int conn_keys(const struct conn *c, const char *below, struct buf *out,
	      struct buf *why);
/* Do two of those hold each other's keys? */
bool conn_keys_overlap(const char *a, const char *b);

/* Do they differ in nothing but the credentials? */
bool conn_only_creds_differ(const struct conn *a, const struct conn *b);
/* Gives a store of conn_open() the credentials of these settings. 0 or
 * -errno. */
int conn_renew(const struct conn *c, struct http_engine *engine,
	       struct store *store);

/*
 * The store behind it; name is for the log, and of a local one the first
 * segment of the path of its pre-signed URLs. No network; a local directory is
 * looked at, and where that fails the store is one whose every call fails and
 * whose check says why (store_broken_new()).
 */
typedef int conn_open_fn(const struct conn *c, const char *name,
			 struct http_engine *engine, struct store **out,
			 struct buf *why);
conn_open_fn conn_open;

#endif
