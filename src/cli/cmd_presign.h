/*
 * The inside of `stagefs presign`, shared by its files only.
 */
#ifndef CLI_CMD_PRESIGN_H
#define CLI_CMD_PRESIGN_H

#include "cli/cmd.h"
#include "stage/location.h"
#include "presign/presign.h"
#include "client/statement.h"

struct presign_options {
	char *config, *expire;
	char *content_type, *content_disposition, *content_encoding;
	char *content_language, *cache_control, *http_expires;
	char *content_length, *checksum, *storage_class, *version_id;
	char *meta, *headers; /* lines */
	int method; /* enum presign_verb */
	int format;
	uint64_t parts;
	bool strict, recursive, nul, verbose, header, compat_host;
};

/* --method's choices. */
enum presign_verb { VERB_GET, VERB_PUT, VERB_HEAD, VERB_DELETE, VERB_ANY };

extern const struct option presign_options[];

#define LOCATION_IS_STAGE \
	"which file? a whole stage has no URL: name it as @stage/path"

/* What the words say. */
struct presign_words {
	bool input; /* `-`: locations come on standard input */
	bool on_mount; /* text is a path */
	struct location location;
	const char *text; /* the location as given */
};

/* --meta and --header, as the signer takes them. Owned. */
struct presign_headers {
	struct field list[PRESIGN_FIELDS_MAX];
	size_t n;
};
/* 0, or -EINVAL with why in err. Clear in either case. */
int cmd_presign_headers_read(const struct presign_options *o,
			     struct presign_headers *out, struct buf *err);
void cmd_presign_headers_clear(struct presign_headers *h);

/* One for each kind of source. An enum cmd_status; the message was said. */
int cmd_presign_mount(const struct presign_options *o, const char *path,
		      const struct presign_request *request);
int cmd_presign_input(struct session *s, const struct presign_options *o,
		      const struct presign_request *request);

#endif
