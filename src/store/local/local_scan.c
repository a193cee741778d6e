/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A folder's names in order, in bounded memory.
 *
 * One pass over the folder keeps the smallest names that come after the last
 * one given out. When they outgrow the budget they are sorted, the upper half
 * is dropped, and from then on the pass ignores whatever is not below what was
 * kept. Dropped names are found by another pass. So a folder of any size takes
 * as much memory as its budget and (names / budget) passes, a small one takes
 * one. As with pages of a server, a name that comes or goes meanwhile may be
 * seen or not.
 */
#include "store/local/local_scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/text.h"
#include "store/local/local.h"
#include "store/local/local_path.h"

#define NAME_SIZE (LOCAL_NAME_SIZE + 1) /* with the '/' of a folder */

struct local_scan {
	char *match;
	char last[NAME_SIZE]; /* given out */
	char ceiling[NAME_SIZE]; /* "" none: what follows was dropped */
	char **names;
	size_t n, cap, at, bytes, budget;
	bool begun;
};

struct local_scan *local_scan_new(const char *match, size_t budget)
{
	struct local_scan *s = calloc(1, sizeof(*s));

	if (s && !(s->match = strdup(match))) {
		free(s);
		return NULL;
	}
	if (s)
		s->budget = budget;
	return s;
}

static void scan_drop_from(struct local_scan *s, size_t from)
{
	while (s->n > from) {
		s->bytes -= strlen(s->names[--s->n]) + 1 + sizeof(char *);
		free(s->names[s->n]);
	}
}

size_t local_scan_held(const struct local_scan *s)
{
	return s->bytes;
}

void local_scan_free(struct local_scan *s)
{
	if (!s)
		return;
	scan_drop_from(s, 0);
	free(s->names);
	free(s->match);
	free(s);
}

static int scan_by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int scan_add(struct local_scan *s, const char *name)
{
	if (ARRAY_RESERVE(s->names, s->cap, s->n + 1))
		return -ENOMEM;
	s->names[s->n] = strdup(name);
	if (!s->names[s->n])
		return -ENOMEM;
	s->n++;
	s->bytes += strlen(name) + 1 + sizeof(char *);
	if (s->bytes <= s->budget || s->n < 3)
		return 0;
	qsort(s->names, s->n, sizeof(*s->names), scan_by_bytes);
	strcpy(s->ceiling, s->names[s->n / 2]);
	scan_drop_from(s, s->n / 2);
	return 0;
}

/* 'd' a folder, 'f' a file, 0 what is not served. */
static char scan_kind_of(int dir, const struct dirent *e)
{
	struct stat st;

	switch (e->d_type) {
	case DT_DIR:
		return 'd';
	case DT_REG:
		return 'f';
	case DT_UNKNOWN:
		break;
	default:
		return 0;
	}
	if (fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW))
		return 0;
	return S_ISDIR(st.st_mode) ? 'd' : S_ISREG(st.st_mode) ? 'f' : 0;
}

static bool scan_is_hidden(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..") ||
	       local_path_is_folder(name, strlen(name));
}

static int scan_consider(struct local_scan *s, int dir, const struct dirent *e)
{
	char name[NAME_SIZE];
	size_t n = strlen(e->d_name);
	char kind;

	if (scan_is_hidden(e->d_name) || n >= LOCAL_NAME_SIZE)
		return 0;
	kind = scan_kind_of(dir, e);
	if (!kind)
		return 0;
	memcpy(name, e->d_name, n);
	if (kind == 'd')
		name[n++] = '/';
	name[n] = '\0';
	if (!text_starts_with(name, s->match))
		return 0;
	if (s->begun && strcmp(name, s->last) <= 0)
		return 0;
	if (*s->ceiling && strcmp(name, s->ceiling) >= 0)
		return 0;
	return scan_add(s, name);
}

static int scan_pass(struct local_scan *s, int fd)
{
	int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *e;
	int rc = 0;
	DIR *dir;

	if (again < 0)
		return errno == ENOENT ? 0 : -errno;
	dir = fdopendir(again);
	if (!dir) {
		close(again);
		return -ENOMEM;
	}
	scan_drop_from(s, 0);
	s->at = 0;
	s->ceiling[0] = '\0';
	do {
		errno = 0;
		e = readdir(dir);
		if (e)
			rc = scan_consider(s, fd, e);
		else if (errno)
			rc = -errno;
	} while (e && !rc);
	closedir(dir);
	if (s->n)
		qsort(s->names, s->n, sizeof(*s->names), scan_by_bytes);
	return rc;
}

int local_scan_next(struct local_scan *s, int dir, const char **name)
{
	*name = "";
	if (s->at == s->n && (!s->begun || *s->ceiling)) {
		int rc = scan_pass(s, dir);

		if (rc)
			return rc;
	}
	if (s->at == s->n) {
		s->begun = true;
		s->ceiling[0] = '\0';
		return 0;
	}
	*name = s->names[s->at++];
	strcpy(s->last, *name);
	s->begun = true;
	return 0;
}
