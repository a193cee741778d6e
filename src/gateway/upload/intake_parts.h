/*
 * A file in parts in memory; as intake.h has it, but for the store of files.
 */
#ifndef GATEWAY_UPLOAD_INTAKE_PARTS_H
#define GATEWAY_UPLOAD_INTAKE_PARTS_H

#include "gateway/upload/upload_sink.h"

struct intake_parts;

int intake_parts_new(struct budget *budget, const struct upload_sink_file *f,
		     struct intake_parts **out);
int intake_parts_add(struct intake_parts *p, const void *bytes, size_t n);
int intake_parts_finish(struct intake_parts *p);
void intake_parts_free(struct intake_parts *p);

/* How large its parts are (store/parts.h), for a file of at most `most` bytes.
 * Pure. -EFBIG. */
int intake_part_size(uint64_t wish, uint64_t most, uint64_t memory,
		     uint64_t *out);

#endif
