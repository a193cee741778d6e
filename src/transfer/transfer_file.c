/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What get and put do with local files that has nothing to do with the far
 * side.
 */
#include "transfer/transfer_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/dirs.h"
#include "base/io.h"
#include "base/number.h"
#include "store/parts.h"
#include "transfer/transfer_state.h"

#define COPY_BYTES (1u << 20)

int transfer_file_temporary(void)
{
	const char *dir = getenv("TMPDIR");
	int fd = open(dir && *dir ? dir : "/tmp",
		      O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	FILE *f;

	if (fd >= 0)
		return fd;
	f = tmpfile(); /* a file system without O_TMPFILE */
	if (!f)
		return -errno;
	fd = fcntl(fileno(f), F_DUPFD_CLOEXEC, 0);
	fd = fd < 0 ? -errno : fd;
	fclose(f);
	return fd;
}

int transfer_file_make_dirs(const char *path, bool all)
{
	const char *slash = strrchr(path, '/');
	char *dir =
		all ? strdup(path) : strndup(path, slash ? slash - path : 0);
	struct stat st;
	int rc = dir ? 0 : -ENOMEM;

	if (!rc && *dir)
		rc = dirs_make(dir, 0777, 0777);
	if (!rc && *dir && (stat(dir, &st) || !S_ISDIR(st.st_mode)))
		rc = -ENOTDIR;
	free(dir);
	return rc;
}

int transfer_file_spool(int fd, int *out, uint64_t *size)
{
	char *bytes = malloc(COPY_BYTES);
	int to = bytes ? transfer_file_temporary() : -ENOMEM;
	int rc = to < 0 ? to : 0;
	uint64_t at = 0;

	while (!rc) {
		ssize_t got = io_read(fd, bytes, COPY_BYTES);

		if (!got)
			break;
		rc = got < 0 ? (int)got : io_pwrite(to, bytes, (size_t)got, at);
		at += rc ? 0 : (uint64_t)got;
	}
	free(bytes);
	if (rc && to >= 0)
		close(to);
	*out = rc ? -1 : to;
	*size = at;
	return rc;
}

static int file_add_bytes(void *digest, const void *bytes, size_t n)
{
	digest_add(digest, bytes, n);
	return 0;
}

static int file_range_md5(int fd, uint64_t at, uint64_t len,
			  unsigned char sum[SHA256_SIZE])
{
	struct digest *d = digest_new(DIGEST_MD5);
	int rc = d ? io_each(fd, at, len, file_add_bytes, d) : -ENOMEM;

	if (d)
		digest_end(d, sum);
	return rc;
}

/* The MD5 of all parts' MD5s. */
static int file_parts_md5(int fd, uint64_t size, uint64_t part_size,
			  struct digest *all)
{
	unsigned n = parts_count(part_size, size);
	unsigned char sum[SHA256_SIZE];
	struct part_range part;
	int rc = 0;

	for (unsigned i = 1; !rc && i <= n; i++) {
		rc = parts_numbered(part_size, i, &part);
		if (rc)
			break;
		rc = file_range_md5(fd, part.start,
				    number_min(size - part.start, part.len),
				    sum);
		digest_add(all, sum, MD5_SIZE);
	}
	return rc;
}

/* MD5 of a file, or of its parts' MD5s as S3 makes an ETag of them. */
static int transfer_file_md5(int fd, uint64_t size, uint64_t part_size,
			     bool of_parts, char hex[33])
{
	unsigned char sum[SHA256_SIZE] = { 0 };
	struct digest *all;
	int rc;

	if (of_parts) {
		all = digest_new(DIGEST_MD5);
		rc = all ? file_parts_md5(fd, size, part_size, all) : -ENOMEM;
		if (all)
			digest_end(all, sum);
	} else {
		rc = file_range_md5(fd, 0, size, sum);
	}
	hex_encode(sum, MD5_SIZE, hex);
	return rc;
}

int transfer_file_equal(int fd, uint64_t size, uint64_t part_size,
			const struct object_info *info, bool *equal)
{
	char wanted[33], got[33];
	unsigned parts;
	int rc;

	*equal = false;
	if (size != info->size ||
	    !transfer_state_md5(info->etag, wanted, &parts))
		return 0;
	/* As it is cut, or for a store that wants parts of one length. */
	if (parts && parts != parts_count(part_size, size) &&
	    (parts_plan(part_size, true, size, &part_size) ||
	     parts != parts_count(part_size, size)))
		return 0;
	rc = transfer_file_md5(fd, size, part_size, parts, got);
	*equal = !rc && !strcmp(wanted, got);
	return rc;
}

int transfer_file_part_equal(int fd, uint64_t at, uint64_t len,
			     const char *etag, bool *equal)
{
	unsigned char sum[SHA256_SIZE];
	char wanted[33], got[33];
	unsigned parts;
	int rc;

	*equal = false;
	if (!transfer_state_md5(etag, wanted, &parts) || parts)
		return 0;
	rc = file_range_md5(fd, at, len, sum);
	hex_encode(sum, MD5_SIZE, got);
	*equal = !rc && !strcmp(wanted, got);
	return rc;
}
