/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Defaults, then the file, then -o, then what the environment fills in; then
 * everything is checked at once. A failure leaves an empty configuration.
 *
 * Each value remembers where it came from while it is read (struct
 * config_builder), so that a message about it can name the line, though the
 * check comes later and does not know of files.
 */
#include "config/config.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/text.h"
#include "config/config_builder.h"
#include "stage/location.h"

#define SYSTEM_FILE "/etc/stagefs/stagefs.conf"

/* ---- the file ---- */

static char *config_join(const char *a, const char *b)
{
	struct buf path = BUF_INIT(4096);

	buf_adds(&path, a);
	buf_adds(&path, b);
	return buf_detach(&path);
}

static const char *config_home(void)
{
	const char *dir = getenv("HOME");
	const struct passwd *pw;

	if (dir && *dir == '/')
		return dir;
	pw = getpwuid(getuid());
	return pw && pw->pw_dir ? pw->pw_dir : "/";
}

char *config_xdg_path(const char *name, const char *fallback, const char *below)
{
	const char *dir = getenv(name);
	char *base, *path;

	if (dir && *dir == '/')
		return config_join(dir, below);
	base = config_join(config_home(), fallback);
	path = base ? config_join(base, below) : NULL;
	free(base);
	return path;
}

static char *config_user_file(void)
{
	return config_xdg_path("XDG_CONFIG_HOME", "/.config",
			       "/stagefs/stagefs.conf");
}

/* The file to read: what was named must be there, the others may be. *out
 * NULL: none. */
static int config_find_file(const struct config_request *r, char **out)
{
	const char *named = r->file ? r->file : getenv("STAGEFS_CONFIG");
	char *path;

	*out = NULL;
	if (r->url && !r->file)
		return 0;
	if (named && *named) {
		*out = strdup(named);
		return *out ? 0 : -ENOMEM;
	}
	path = config_user_file();
	if (!path)
		return -ENOMEM;
	if (!access(path, F_OK)) {
		*out = path;
		return 0;
	}
	free(path);
	if (!access(SYSTEM_FILE, F_OK)) {
		*out = strdup(SYSTEM_FILE);
		return *out ? 0 : -ENOMEM;
	}
	return 0;
}

char *config_new_file(void)
{
	const char *named = getenv("STAGEFS_CONFIG");

	if (text_given(named))
		return strdup(named);
	return geteuid() || text_given(getenv("XDG_CONFIG_HOME"))
		       ? config_user_file()
		       : strdup(SYSTEM_FILE);
}

/* ---- what is left open ---- */

static int config_fill_user(struct config_mount *m)
{
	const struct passwd *pw;
	char number[24];

	if (m->user && *m->user)
		return 0;
	free(m->user);
	pw = getpwuid(getuid());
	snprintf(number, sizeof(number), "%u", (unsigned)getuid());
	m->user = strdup(pw ? pw->pw_name : number);
	return m->user ? 0 : -ENOMEM;
}

/*
 * Nothing says where stages live: in plain files of the user's own. True as
 * well when -o only said how (`-o public_endpoint_url=...`).
 */
static bool config_is_embedded(const struct config *c)
{
	if (c->file || (c->storage.url && *c->storage.url))
		return false;
	for (unsigned i = 0; i < c->n_stages; i++)
		if (!c->stages[i].drop_in)
			return false;
	return true;
}

/* Root's is the machine's, unless it has set one of its own. */
static char *config_data_path(const char *xdg, const char *fallback,
			      const char *system, const char *below)
{
	const char *own = getenv(xdg);

	return !geteuid() && !(own && *own == '/')
		       ? strdup(system)
		       : config_xdg_path(xdg, fallback, below);
}

char *config_uploads_dir(void)
{
	return config_data_path("XDG_STATE_HOME", "/.local/state",
				"/var/lib/stagefs/uploads", "/stagefs/uploads");
}

static int config_embed(struct config *c)
{
	char *dir = config_data_path("XDG_DATA_HOME", "/.local/share",
				     "/var/lib/stagefs/", "/stagefs/");
	struct buf url = BUF_INIT(BUF_URL);

	if (!dir)
		return -ENOMEM;
	buf_adds(&url, "fs://");
	text_percent_encode(&url, dir, strlen(dir), true);
	free(c->storage.url);
	c->storage.url = buf_detach(&url);
	c->embedded = dir;
	c->has_storage = true;
	return c->storage.url ? 0 : -ENOMEM;
}

static int config_fill_spill_dir(struct config_mount *m)
{
	if (m->spill_dir && *m->spill_dir)
		return 0;
	free(m->spill_dir);
	m->spill_dir = geteuid() ? config_xdg_path("XDG_CACHE_HOME", "/.cache",
						   "/stagefs")
				 : strdup("/var/cache/stagefs");
	return m->spill_dir ? 0 : -ENOMEM;
}

static bool config_fill_was_given(const struct config_builder *b,
				  const char *name)
{
	const struct option *row = option_find(config_mount_options, name);

	return b->mount.keys[option_index(config_mount_options, row)];
}

static int config_fill(struct config_builder *b)
{
	struct config_mount *m = &b->config->mount;
	int rc = config_fill_user(m);

	if (!rc)
		rc = config_fill_spill_dir(m);
	m->uid_given = config_fill_was_given(b, "uid");
	if (!m->uid_given)
		m->uid = getuid();
	m->gid_given = config_fill_was_given(b, "gid");
	if (!m->gid_given)
		m->gid = getgid();
	m->file_mode_given = config_fill_was_given(b, "file_mode") ||
			     config_fill_was_given(b, "umask");
	m->dir_mode_given = config_fill_was_given(b, "dir_mode") ||
			    config_fill_was_given(b, "umask");
	if (!config_fill_was_given(b, "presign_expire") &&
	    m->presign_expire > m->presign_expire_max)
		m->presign_expire = m->presign_expire_max;
	if (!rc && b->config->has_storage)
		rc = conn_env_complete(&b->config->storage);
	for (unsigned i = 0; i < b->config->n_stages && !rc; i++)
		if (!b->config->stages[i].fault)
			rc = conn_env_complete(&b->config->stages[i].conn);
	return rc;
}

/* ---- checks ---- */

/* `FILE:LINE: ` of the key that why begins with, or of the section. */
static void config_check_add_location(const struct config_builder *b,
				      const struct option *table,
				      const struct config_origin *o,
				      const char *reason, struct buf *why)
{
	char key[64] = "";
	size_t n = strcspn(reason, " :");
	const struct option *row = NULL;
	uint32_t line = o->section;

	if (n < sizeof(key)) {
		memcpy(key, reason, n);
		row = option_find(table, key);
	}
	if (row)
		line = o->keys[option_index(table, row)];
	if (line == FROM_COMMAND) {
		buf_adds(why, "-o: ");
	} else if (line == FROM_SOURCE) {
		; /* it is in the message */
	} else if (line) {
		text_printable(why, b->config->file);
		buf_addf(why, ":%u: ", line);
	} else if (row) {
		buf_adds(why, "from the environment: ");
	}
}

static int config_check_conn(const struct config_builder *b, const char *stage,
			     const struct conn *c,
			     const struct config_origin *o, struct buf *why)
{
	BUF_LOCAL detail = BUF_INIT(BUF_MESSAGE);
	int rc = conn_check(c, &detail);

	if (rc) {
		config_check_add_location(b, conn_options, o, buf_str(&detail),
					  why);
		if (!stage)
			buf_adds(why, "[storage]: ");
		else if (stage != b->config->url_stage)
			buf_addf(why, "[stage %s]: ", stage);
		buf_adds(why, detail.len ? buf_str(&detail) : strerror(-rc));
	}
	return rc;
}

static int config_check_user(const struct config_builder *b, unsigned i,
			     struct buf *why)
{
	const struct config_user *u = &b->config->users[i];
	BUF_LOCAL detail = BUF_INIT(BUF_MESSAGE);
	int rc = config_user_check(u, &detail);

	if (rc) {
		config_check_add_location(b, config_user_options, &b->users[i],
					  buf_str(&detail), why);
		buf_addf(why, "[user %s]: %s", u->name, buf_str(&detail));
	}
	return rc;
}

static bool config_check_log(const char *log)
{
	return !log || *log == '/' || !strcmp(log, "stderr") ||
	       !strcmp(log, "syslog");
}

static int config_check_mount(const struct config_builder *b, struct buf *why)
{
	const struct config_mount *m = &b->config->mount;
	BUF_LOCAL detail = BUF_INIT(BUF_MESSAGE);
	int rc = 0;

	if (!location_name_visible(m->user, strlen(m->user)))
		buf_adds(&detail, "user: a name without slashes, not . or ..");
	else if (*m->spill_dir != '/')
		buf_adds(&detail, "spill_dir: the path must begin with /");
	else if (text_given(m->cache_dir) && *m->cache_dir != '/')
		buf_adds(&detail, "cache_dir: the path must begin with /");
	else if (!config_check_log(m->log))
		buf_adds(&detail, "log: stderr, syslog or a path that begins "
				  "with /");
	else if (!text_given(m->tls_certificate) != !text_given(m->tls_key))
		buf_addf(&detail, "%s: tls_certificate and tls_key go together",
			 text_given(m->tls_key) ? "tls_key"
						: "tls_certificate");
	else if (m->presign_expire > m->presign_expire_max)
		buf_addf(&detail,
			 "presign_expire = %llu: more than "
			 "presign_expire_max = %llu",
			 (unsigned long long)m->presign_expire,
			 (unsigned long long)m->presign_expire_max);
	if (detail.len) {
		config_check_add_location(b, config_mount_options, &b->mount,
					  buf_str(&detail), why);
		rc = buf_fail(why, -EINVAL, "%s", buf_str(&detail));
	}
	return rc;
}

static int config_check(const struct config_builder *b, struct buf *why)
{
	const struct config *c = b->config;
	int rc = config_check_mount(b, why);

	if (!rc && !c->has_storage && !c->n_stages) {
		text_printable(why, c->file ? c->file : "the configuration");
		rc = buf_fail(
			why, -EINVAL,
			": there is neither [storage] nor a [stage NAME]");
	}
	if (!rc && c->has_storage)
		rc = config_check_conn(b, NULL, &c->storage, &b->storage, why);
	for (unsigned i = 0; i < c->n_stages && !rc; i++)
		if (!c->stages[i].fault)
			rc = config_check_conn(b, c->stages[i].name,
					       &c->stages[i].conn,
					       &b->stages[i], why);
	for (unsigned i = 0; i < c->n_users && !rc; i++)
		rc = config_check_user(b, i, why);
	return rc;
}

/* ---- all together ---- */

static int config_read_drop_ins(struct config_builder *b, struct buf *why)
{
	char *place =
		b->config->file ? strdup(b->config->file) : config_user_file();
	int rc = place ? config_builder_drop_ins(b, place, why) : -ENOMEM;

	free(place);
	return rc;
}

static int config_build(struct config_builder *b,
			const struct config_request *r, struct buf *why)
{
	struct config *c = b->config;
	int rc = config_find_file(r, &c->file);

	if (!rc && c->file)
		rc = config_file_read(b, c->file, why);
	if (!rc)
		rc = r->url ? config_builder_add_url(b, r->url)
			    : config_read_drop_ins(b, why);
	for (unsigned i = 0; i < r->n_settings && !rc; i++)
		rc = config_command_take(b, r, r->settings[i], why);
	if (!rc && config_is_embedded(c))
		rc = config_embed(c);
	if (!rc)
		rc = config_fill(b);
	return rc ? rc : config_check(b, why);
}

int config_read(const struct config_request *r, struct config *out,
		struct buf *why)
{
	struct config_builder b = { .config = out };
	int rc;

	*out = (struct config){ 0 };
	rc = option_defaults(config_mount_options, &out->mount);
	if (!rc)
		rc = option_defaults(conn_options, &out->storage);
	if (!rc)
		rc = config_build(&b, r, why);
	free(b.stages);
	free(b.users);
	if (rc)
		config_clear(out);
	if (rc == -ENOMEM && !why->len)
		buf_adds(why, "no memory");
	return rc;
}

void config_clear(struct config *c)
{
	option_clear(config_mount_options, &c->mount);
	conn_clear(&c->storage);
	for (unsigned i = 0; i < c->n_stages; i++) {
		conn_clear(&c->stages[i].conn);
		free(c->stages[i].name);
		free(c->stages[i].fault);
	}
	free(c->stages);
	for (unsigned i = 0; i < c->n_users; i++) {
		option_clear(config_user_options, &c->users[i]);
		free(c->users[i].name);
	}
	free(c->users);
	free(c->drop_ins);
	free(c->left_out);
	free(c->file);
	free(c->embedded);
	*c = (struct config){ 0 };
}

/* ---- the stages that it describes ---- */

static void config_log_left_out(const struct config *c)
{
	for (const char *p = c->left_out; p && *p; p += strcspn(p, "\n") + 1)
		log_warn("a stage of the folder is left out: %.*s",
			 (int)strcspn(p, "\n"), p);
}

static struct catalog_external *config_external(const struct config *c)
{
	struct catalog_external *list = calloc(c->n_stages + 1, sizeof(*list));

	for (unsigned i = 0; list && i < c->n_stages; i++)
		list[i] = (struct catalog_external){
			c->stages[i].name,
			&c->stages[i].conn,
			c->stages[i].drop_in,
			c->stages[i].fault,
		};
	return list;
}

int config_reload(const struct config *was, const struct config *now,
		  struct catalog *catalog, bool keys_only, struct buf *said,
		  struct buf *why)
{
	MEM_LOCAL struct catalog_external *external = config_external(now);
	bool renew = was->has_storage && now->has_storage &&
		     conn_only_creds_differ(&was->storage, &now->storage);
	int rc = -ENOMEM;

	if (external)
		rc = catalog_configure(catalog, renew ? &now->storage : NULL,
				       external, now->n_stages, keys_only, said,
				       why);
	return rc;
}

int config_catalog(const struct config *c, struct http_engine *engine,
		   struct catalog **out, struct buf *why)
{
	MEM_LOCAL struct catalog_external *external = config_external(c);
	const struct catalog_settings set = {
		.user = c->mount.user,
		.storage = c->has_storage ? &c->storage : NULL,
		.external = external,
		.n_external = c->n_stages,
		.metadata_ttl = c->mount.metadata_ttl,
		.drop_ins = c->drop_ins,
		.stamp = c->stamp,
		.deadline_max = c->deadline_max,
		.open = conn_open,
	};

	if (!external)
		return -ENOMEM;
	config_log_left_out(c);
	return catalog_new(&set, engine, out, why);
}
