/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The content type that a file's name stands for, by a table in the form of
 * /etc/mime.types: a type, then the suffixes of its names.
 */
#ifndef BASE_MIME_H
#define BASE_MIME_H

struct mime_table;

/* Reads a table; what is no line of one is passed over. 0, -EFBIG (more than
 * any system's), or why it cannot be read. */
int mime_read(const char *path, struct mime_table **out);
void mime_free(struct mime_table *t); /* NULL is fine */
/* The type of a path by its last segment's suffix, in any case of its letters;
 * NULL: none. Lives as long as the table. */
const char *mime_find(const struct mime_table *t, const char *path);

/* The same by the system's table, which is read at the first call and kept; a
 * system without one knows no types. Any thread. */
const char *mime_type(const char *path);

#endif
