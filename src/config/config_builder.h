/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A configuration while it is read: where each value came from, for messages
 * and for what wins over what.
 */
#ifndef CONFIG_CONFIG_BUILDER_H
#define CONFIG_CONFIG_BUILDER_H

#include "base/ini.h"
#include "config/config.h"

/* Where a value was given: a line of the file, or else. */
#define FROM_NOWHERE 0
#define FROM_COMMAND UINT32_MAX
#define FROM_SOURCE (UINT32_MAX - 1) /* the URL itself */

struct config_origin {
	uint32_t section; /* line; FROM_COMMAND: -o made the section */
	uint32_t keys[OPTION_TABLE_MAX];
};

struct config_builder {
	struct config *config;
	struct config_origin mount, storage;
	struct config_origin *stages; /* beside config->stages */
	struct config_origin *users; /* beside config->users */
	size_t cap_stages, cap_stage_origins, cap_users, cap_user_origins;
	struct ini_section at; /* of the file, where its keys go now */
};

/* A new, empty [stage NAME] or [user NAME]. 0 or -ENOMEM. */
int config_builder_add_stage(struct config_builder *b, const char *name,
			     uint32_t line);
int config_builder_add_user(struct config_builder *b, const char *name,
			    uint32_t line);
/* One for the URL of a place, whose name is made of the bucket's or the
 * directory's: c->url_stage. */
int config_builder_add_url(struct config_builder *b, const char *url);
/* By name, or -1. */
int config_builder_find_stage(const struct config *c, const char *name);
int config_builder_find_user(const struct config *c, const char *name);

/* The drop-ins beside the file, as further stages. c->file is set; place is
 * where a file of ours would be. 0 or -errno, why set. */
int config_builder_drop_ins(struct config_builder *b, const char *place,
			    struct buf *why);

/* ---- what fills it ---- */

/* Reads the file at path into b. 0 or -errno with why as FILE:LINE: why. */
int config_file_read(struct config_builder *b, const char *path,
		     struct buf *why);

/* One `name=value` of -o, or `name` for yes. 0 or -errno, why set. */
int config_command_take(struct config_builder *b,
			const struct config_request *r, const char *text,
			struct buf *why);

/* A key of another program, or of mount(8): what it is called here, perhaps
 * with a value (`credentials = profile:NAME`); NULL: none that is known. */
const char *config_foreign(const char *name);

/* The values of one user: 0 or -EINVAL, why set. */
int config_user_check(const struct config_user *u, struct buf *why);

#endif
