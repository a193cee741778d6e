/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mountinfo.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* The options of the file system: `rw,user_id=1000,group_id=1000`. */
static uint64_t mountinfo_user(const char *options)
{
	const char *at = strstr(options, "user_id=");
	uint64_t user = 0;

	if (at && (at == options || at[-1] == ','))
		parse_u64n(at + 8, strcspn(at + 8, ",\n"), UINT32_MAX, &user);
	return user;
}

bool mountinfo_parse(char *line, struct mountinfo_row *row)
{
	/* "36 35 0:42 / /mnt rw,noatime shared:1 - ext4 /dev/sda rw" */
	char *fields[5], *rest = line, *type = strstr(line, " - "), *source;
	char *options;

	for (int i = 0; i < 5; i++) {
		fields[i] = strsep(&rest, " ");
		if (!rest)
			return false;
	}
	if (!type || type < rest || parse_u64(fields[0], UINT64_MAX, &row->id))
		return false;
	type += 3;
	source = type + strcspn(type, " \n");
	if (*source)
		*source++ = '\0';
	options = source + strcspn(source, " \n");
	row->user = mountinfo_user(options + (*options == ' '));
	*options = '\0';
	text_unescape_octal(source);
	text_unescape_octal(fields[3]);
	text_unescape_octal(fields[4]);
	row->device = fields[2];
	row->root = fields[3];
	row->point = fields[4];
	row->type = type;
	row->source = source;
	return true;
}

void mountinfo_open(struct mountinfo *m, const char *process)
{
	char path[300];

	snprintf(path, sizeof(path), "/proc/%s/mountinfo", process);
	*m = (struct mountinfo){ .file = fopen(path, "re") };
}

bool mountinfo_next(struct mountinfo *m, struct mountinfo_row *row)
{
	while (m->file && getline(&m->line, &m->cap, m->file) > 0)
		if (mountinfo_parse(m->line, row))
			return true;
	return false;
}

void mountinfo_close(struct mountinfo *m)
{
	free(m->line);
	if (m->file)
		fclose(m->file);
}

bool mountinfo_at(const char *point, struct mountinfo_place *out)
{
	struct mountinfo_row row;
	MOUNTINFO_LOCAL table = { 0 };
	bool found = false;

	mountinfo_open(&table, "self");
	while (mountinfo_next(&table, &row)) {
		if (strcmp(row.point, point))
			continue;
		out->id = row.id;
		snprintf(out->device, sizeof(out->device), "%s", row.device);
		snprintf(out->type, sizeof(out->type), "%s", row.type);
		out->user = row.user;
		found = true;
	}
	return found;
}
