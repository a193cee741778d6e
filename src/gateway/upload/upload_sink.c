/*
 * Where the file goes, and the way that needs no memory: a disk is as fast as
 * memory here, and the kernel frees a file without a name with its descriptor.
 */
#include "gateway/upload/upload_sink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "gateway/upload/intake_parts.h"
#include "store/store.h"

struct upload_sink {
	struct store *store;
	char *key, *content_type;
	int fd; /* -1: parts */
	uint64_t len;
	struct intake_parts *parts;
};

int upload_sink_open(struct budget *budget, const struct upload_sink_file *f,
		     struct upload_sink **out)
{
	struct upload_sink *i = calloc(1, sizeof(*i));
	int rc = 0;

	if (!i)
		return -ENOMEM;
	i->fd = -1;
	i->store = store_ref(f->store);
	if (!f->store->limits.files) {
		rc = intake_parts_new(budget, f, &i->parts);
	} else {
		i->key = strdup(f->key);
		i->content_type =
			f->content_type ? strdup(f->content_type) : NULL;
		rc = i->key && (i->content_type || !f->content_type)
			     ? store_scratch(f->store, f->key, &i->fd)
			     : -ENOMEM;
	}
	if (rc)
		upload_sink_free(i);
	else
		*out = i;
	return rc;
}

int upload_sink_add(struct upload_sink *i, const void *bytes, size_t n)
{
	size_t done;
	int rc;

	if (i->parts)
		return intake_parts_add(i->parts, bytes, n);
	rc = io_pwrite_some(i->fd, bytes, n, i->len, &done);
	i->len += done;
	return rc;
}

int upload_sink_finish(struct upload_sink *i)
{
	const struct store_body body = { .fd = i->fd,
					 .len = i->len,
					 .adopt = true };
	const struct store_meta meta = { .content_type = i->content_type };
	struct object_info info;

	if (i->parts)
		return intake_parts_finish(i->parts);
	return store_put(i->store, i->key, &body, &meta, NULL, &info);
}

void upload_sink_free(struct upload_sink *i)
{
	if (!i)
		return;
	intake_parts_free(i->parts);
	if (i->fd >= 0)
		close(i->fd);
	store_unref(i->store);
	free(i->key);
	free(i->content_type);
	free(i);
}
