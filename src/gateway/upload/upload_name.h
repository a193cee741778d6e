/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From what an upload calls its files to paths in a stage. Pure.
 */
#ifndef GATEWAY_UPLOAD_UPLOAD_NAME_H
#define GATEWAY_UPLOAD_UPLOAD_NAME_H

struct buf;

/*
 * Appends `folder/filename` as a path in the stage, slashes at the beginning
 * of either and at the end of folder left out; folder may be NULL. 0, or why
 * not in why: -EPERM it leads out of where it stands, -EINVAL.
 */
int upload_name(const char *folder, const char *filename, struct buf *out,
		struct buf *why);

#endif
