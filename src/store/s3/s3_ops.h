/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the store does, by noun: s3.c puts it into its vtable. Of what goes by
 * pre-signed URLs too, s3_url.c has a vtable of its own.
 */
#ifndef STORE_S3_S3_OPS_H
#define STORE_S3_S3_OPS_H

#include "store/s3/s3_call.h"

store_check_fn s3_check;
store_stat_fn s3_stat;
store_head_fn s3_head;
store_confirm_fn s3_confirm;
store_list_open_fn s3_list_open;
store_list_next_fn s3_list_next;
store_list_close_fn s3_list_close;
store_get_fn s3_get;
store_get_cancel_fn s3_get_cancel;
store_put_fn s3_put;
store_upload_open_fn s3_upload_open;
store_part_fn s3_part;
store_part_fn s3_part_cancel;
store_part_copy_fn s3_part_copy;
store_upload_complete_fn s3_upload_complete;
store_upload_abort_fn s3_upload_abort;
store_upload_free_fn s3_upload_free;
store_upload_id_fn s3_upload_id;
store_pending_abort_fn s3_pending_abort;
store_upload_resume_fn s3_upload_resume;
store_copy_fn s3_copy;
store_set_props_fn s3_set_props;
store_props_known_fn s3_props_known; /* s3_plain.c */
store_copy_from_fn s3_copy_from;
store_is_near_fn s3_copy_is_near;
store_copy_as_fn s3_copy_as;
int s3_tags(struct store *s, const char *key, struct buf *out);
store_remove_fn s3_remove;
store_remove_many_fn s3_remove_many;
store_presign_fn s3_presign;
store_known_fn s3_known; /* s3_lack.c */

/* By URLs. */
void s3_get_by(struct s3 *s, struct s3_by_url *by, struct store_get *get);
int s3_put_by(struct s3 *s, struct s3_by_url *by, const char *key,
	      const struct store_body *body, const struct store_meta *meta,
	      struct object_info *out);

#endif
