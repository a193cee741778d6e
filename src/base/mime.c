/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mime.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/io.h"
#include "base/text.h"

#define SYSTEM_TABLE "/etc/mime.types"
#define TABLE_MAX (1u << 20) /* Debian's has 70 kB */
#define TYPE_MAX 255
#define BLANKS " \t\r"

struct row {
	const char *suffix, *type; /* in text */
};

struct mime_table {
	char *text;
	struct row *rows; /* by suffix */
	size_t n, cap;
};

void mime_free(struct mime_table *t)
{
	if (!t)
		return;
	free(t->text);
	free(t->rows);
	free(t);
}

static int mime_read_text(const char *path, char **out)
{
	FD_LOCAL fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	BUF_LOCAL text = BUF_INIT(TABLE_MAX);
	int rc = fd < 0 ? -errno : io_read_all(fd, &text);

	*out = rc ? NULL : buf_detach(&text);
	if (!rc && !*out)
		rc = -ENOMEM;
	return rc == -EMSGSIZE ? -EFBIG : rc;
}

static int mime_add_row(struct mime_table *t, const char *suffix,
			const char *type)
{
	if (ARRAY_RESERVE(t->rows, t->cap, t->n + 1))
		return -ENOMEM;
	t->rows[t->n++] = (struct row){ suffix, type };
	return 0;
}

/* A value that a header can have. */
static bool mime_is_type(const char *s)
{
	return strchr(s, '/') && strlen(s) <= TYPE_MAX && text_is_ascii(s) &&
	       !text_has_control(s);
}

static int mime_add_line(struct mime_table *t, char *line)
{
	char *rest, *type, *suffix;
	int rc = 0;

	line[strcspn(line, "#")] = '\0';
	type = strtok_r(line, BLANKS, &rest);
	if (!type || !mime_is_type(type))
		return 0;
	while (!rc && (suffix = strtok_r(NULL, BLANKS, &rest)))
		rc = mime_add_row(t, suffix, type);
	return rc;
}

/* Of two rows for a suffix the first of the file counts: it has the lower
 * address. */
static int mime_by_suffix(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int order = strcasecmp(x->suffix, y->suffix);

	return order ? order
		     : (x->suffix > y->suffix) - (x->suffix < y->suffix);
}

int mime_read(const char *path, struct mime_table **out)
{
	struct mime_table *t = calloc(1, sizeof(*t));
	char *line, *rest;
	int rc = t ? mime_read_text(path, &t->text) : -ENOMEM;

	if (!rc)
		for (line = strtok_r(t->text, "\n", &rest); line && !rc;
		     line = strtok_r(NULL, "\n", &rest))
			rc = mime_add_line(t, line);
	if (rc) {
		mime_free(t);
		return rc;
	}
	if (t->n)
		qsort(t->rows, t->n, sizeof(*t->rows), mime_by_suffix);
	*out = t;
	return 0;
}

const char *mime_find(const struct mime_table *t, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	const char *dot = strrchr(name, '.');
	size_t low = 0, high = t->n;

	/* `.profile` is a name, not a suffix. */
	if (!dot || dot == name)
		return NULL;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (strcasecmp(t->rows[mid].suffix, dot + 1) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == t->n || strcasecmp(t->rows[low].suffix, dot + 1))
		return NULL;
	return t->rows[low].type;
}

static struct mime_table *table_of_system;

static void mime_read_system(void)
{
	if (mime_read(SYSTEM_TABLE, &table_of_system))
		table_of_system = NULL;
}

const char *mime_type(const char *path)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, mime_read_system);
	return table_of_system ? mime_find(table_of_system, path) : NULL;
}
