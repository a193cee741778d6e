/*
 * One file on its way from a request into its store, as it arrives: whole or
 * not at all. All of it on one thread; every call may block.
 *
 * In a store of files it is written to a file without a name, which the store
 * then takes over. Elsewhere bytes gather in parts, in memory of the budget:
 * a file of one part is one PUT, else parts leave while the next are filled.
 */
#ifndef GATEWAY_UPLOAD_UPLOAD_SINK_H
#define GATEWAY_UPLOAD_UPLOAD_SINK_H

#include <stddef.h>
#include <stdint.h>

struct budget;
struct upload_sink;
struct store;

#define UPLOAD_SINK_UNKNOWN UINT64_MAX

struct upload_sink_file {
	struct store *store; /* borrowed */
	const char *key;
	const char *content_type; /* NULL: the store's default */
	uint64_t most; /* bytes that it can have; UPLOAD_SINK_UNKNOWN */
	uint64_t part_size; /* the stage's wish; 0: none */
	int64_t patience_ms; /* with a sender, beyond the slowest rate */
};

/*
 * 0, or -errno of the store; of our own -EBUSY (no memory came free in time),
 * -EFBIG (larger than its parts in memory can be), -ETIME (bytes come too
 * slowly for the memory that they hold), -EINTR. After an error there is only
 * upload_sink_free().
 */
int upload_sink_open(struct budget *budget, const struct upload_sink_file *f,
		     struct upload_sink **out);
int upload_sink_add(struct upload_sink *i, const void *bytes, size_t n);
/* It is whole: now it is in the store. */
int upload_sink_finish(struct upload_sink *i);
/* What was not finished leaves nothing behind. NULL is fine. */
void upload_sink_free(struct upload_sink *i);

#endif
