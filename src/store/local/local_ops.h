/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calls of the store, for its table (local.c).
 */
#ifndef STORE_LOCAL_LOCAL_OPS_H
#define STORE_LOCAL_LOCAL_OPS_H

#include "store/store.h"

struct local;

store_stat_fn local_read_stat;
store_head_fn local_read_head;
store_open_fn local_read_open;
store_same_fn local_read_same;
store_get_fn local_read_get;
store_get_cancel_fn local_read_get_cancel;

/* The content type that a key stands for; NULL: none. */
const char *local_read_type(const struct local *l, const char *key);

store_put_fn local_put;
store_copy_fn local_put_copy;
store_scratch_fn local_put_scratch;

store_upload_open_fn local_upload_open;
store_part_fn local_upload_part;
store_part_fn local_upload_part_cancel;
store_part_copy_fn local_upload_part_copy;
store_upload_complete_fn local_upload_complete;
store_upload_abort_fn local_upload_abort;
store_upload_free_fn local_upload_free;
store_upload_id_fn local_upload_id;
store_pending_abort_fn local_upload_pending_abort;

store_remove_fn local_names_remove;
store_remove_many_fn local_names_remove_many;
store_rename_fn local_names_rename;
store_exchange_fn local_names_exchange;
store_sync_fn local_names_sync;

store_set_attr_fn local_attr_set;
store_set_props_fn local_attr_set_props;

store_list_open_fn local_list_open;
store_list_next_fn local_list_next;
store_list_close_fn local_list_close;

store_md5_fn local_record_md5;

store_presign_fn local_presign;

#endif
