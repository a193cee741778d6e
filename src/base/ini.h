/* SPDX-License-Identifier: Apache-2.0 */
/*
 * INI files, read by inih.
 *
 * Debian's inih cuts lines at 197 bytes. A session token is five times that,
 * so we read lines ourselves, to BUF_LINE, and hand inih short stand-ins
 * through its reader callback. A longer line is an error, as is one that inih
 * cannot parse: nothing is ever cut in silence.
 */
#ifndef BASE_INI_H
#define BASE_INI_H

#include <stdint.h>
#include <sys/stat.h>

struct buf;

#define INI_FILE_MAX (1 << 20) /* bytes of a file */

/* Where a value stands, for messages. */
struct ini_place {
	const char *file;
	unsigned line;
	/*
	 * An indented line below a setting: name is that setting's, value the
	 * whole line (`addressing_style = path` below `s3 =` in AWS' files).
	 */
	int continued;
	int cut; /* a comment follows, which may be none: `key = value ;more` */
	const struct stat *st; /* the file's, taken from the open descriptor */
};

/*
 * One `name = value`. section is "" before the first. A non-zero return ends
 * the reading and becomes ini_read()'s own; the handler then has written why.
 */
typedef int ini_handler(void *arg, const char *section, const char *name,
			const char *value, const struct ini_place *place,
			struct buf *why);

/* A section begins; one without settings is one too. The same. */
typedef int ini_begin(void *arg, const char *section, unsigned line,
		      struct buf *why);

/*
 * Reads the file whole, which may have INI_FILE_MAX bytes. Refused are control
 * bytes other than tabs, and what inih would ignore: text behind a section's
 * `]`, a key or section without a name. 0, or -errno with why as
 * `FILE:LINE: why` (the handler's own words are put behind the place). Blocks
 * on the file.
 */
int ini_read(const char *path, ini_handler *handler, void *arg,
	     struct buf *why);
int ini_read_sections(const char *path, ini_begin *begin, ini_handler *handler,
		      void *arg, struct buf *why);

/*
 * Replaces ${env:NAME} and ${file:PATH} (an absolute path; the file's bytes
 * less one trailing line end); `$${` is a literal `${`. 0, or -errno with why
 * in why: an unset variable, a file that cannot be read, is open to others
 * (ini_file_private()) or is longer than BUF_LINE, an unknown kind.
 */
int ini_expand(const char *value, struct buf *out, struct buf *why);

/* True when ini_expand() would change anything. */
int ini_has_reference(const char *value);

struct option;

/*
 * Stores a setting of a file: references are expanded first (and kept beside
 * the value, option_reference()), and a file that holds a secret itself must be
 * closed to others. 0, or -errno with why set (the key named, a secret
 * masked).
 */
int ini_set(const struct option *row, void *target, const char *name,
	    const char *value, const struct ini_place *place, struct buf *why);

/* A section whose keys are the rows of a table. */
struct ini_section {
	const struct option *table;
	void *target;
	uint32_t *lines; /* of each row, where it was given; 0: nowhere yet */
};

/*
 * One setting of it, by ini_set(): on one line, of a key that there is, once.
 * 0 or -errno, why set.
 */
int ini_take(const struct ini_section *section, const char *name,
	     const char *value, const struct ini_place *place, struct buf *why);

/*
 * May this file hold a secret? It must belong to root or to the caller and be
 * closed to others (mode & 077 == 0; root's may be 0640). 0 or -EPERM with why.
 */
int ini_file_private(const struct stat *st, struct buf *why);

#endif
