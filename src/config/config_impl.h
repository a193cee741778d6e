/*
 * A configuration while it is read: where each value came from, for messages
 * and for what wins over what.
 */
#ifndef CONFIG_CONFIG_IMPL_H
#define CONFIG_CONFIG_IMPL_H

#include "config/config.h"

/* Where a value was given: a line of the file, or else. */
#define FROM_NOWHERE 0
#define FROM_COMMAND UINT32_MAX

struct config_origin {
	uint32_t section; /* line; FROM_COMMAND: -o made the section */
	uint32_t keys[OPTION_TABLE_MAX];
};

struct config_builder {
	struct config *config;
	struct config_origin mount, storage;
	struct config_origin *stages; /* beside config->stages */
	struct config_origin *users; /* beside config->users */
};

/* A new, empty [stage NAME]. 0 or -ENOMEM. */
int config_builder_add_stage(struct config_builder *b, const char *name,
			     uint32_t line);
/* By name, or -1. */
int config_builder_find_stage(const struct config *c, const char *name);

/* A new, empty [user NAME]: 0 or -errno, why in err. By name, or -1. */
int config_user_add(struct config_builder *b, const char *name, uint32_t line,
		    struct buf *err);
int config_user_find(const struct config *c, const char *name);
/* Its values: 0 or -EINVAL, why in err. */
int config_user_check(const struct config_user *u, struct buf *err);
void config_user_clear_all(struct config *c);

/* Adds what a wrong key is told: `unknown key ...; did you mean ...`. */
void config_builder_unknown(const struct option *table, const char *name,
			    struct buf *err);

/* Reads the file at path into b. 0 or -errno with err as FILE:LINE: why. */
int config_file_read(struct config_builder *b, const char *path,
		     struct buf *err);

/* The drop-ins beside the file, as further stages. c->file is set; place is
 * where a file of ours would be. 0 or -errno, why in err. */
int config_drop_ins_read(struct config_builder *b, const char *place,
			 struct buf *err);

/* One `name=value` of -o, or `name` for yes. 0 or -errno, why in err. */
int config_command_take(struct config_builder *b,
			const struct config_request *r, const char *text,
			struct buf *err);

#endif
