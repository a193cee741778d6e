/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount(8), systemd and fstab put their own words into -o. A table says which
 * mean nothing here, which are the kernel's, and which are ours; what
 * it does not name is a setting, and the configuration knows those.
 */
#include "mount/mount_request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/text.h"
#include "config/config.h"

enum option_use {
	USE_NOTHING,
	USE_WORD, /* for mount(8) as a word, a setting with a value */
	USE_KERNEL, /* handed to the kernel */
	USE_LABEL, /* the same, with a value that may hold commas */
	USE_CONFIG,
	USE_FSNAME,
	USE_SETTING,
	USE_REMOUNT,
};

/* For mount(8) and systemd, or always so. */
static const char *const ignored[] = {
	"_netdev", "nofail", "fail", "users", "nouser", "owner", "group",
	"auto", "noauto", "defaults", "iversion", "noiversion", "mand",
	"nomand", "silent", "loud", "comment", "rw", "helper", "uhelper",
	"subtype",
	/* The kernel keeps no access times of FUSE's files. */
	"relatime", "norelatime", "strictatime", "nostrictatime", "lazytime",
	"nolazytime", "diratime", "nodiratime",
	/* The configuration's allow_suid decides these four. */
	"suid", "nosuid", "dev", "nodev", "default_permissions",
	/* There are no symbolic links to follow. */
	"symfollow", "nosymfollow"
};

static const struct {
	const char *name;
	enum option_use use;
} uses[] = {
	{ "user", USE_WORD },
	{ "exec", USE_KERNEL },
	{ "noexec", USE_KERNEL },
	{ "atime", USE_KERNEL },
	{ "noatime", USE_KERNEL },
	{ "sync", USE_KERNEL },
	{ "async", USE_KERNEL },
	{ "dirsync", USE_KERNEL },
	{ "auto_unmount", USE_KERNEL },
	/* SELinux's, which quotes a value with commas. */
	{ "context", USE_LABEL },
	{ "fscontext", USE_LABEL },
	{ "defcontext", USE_LABEL },
	{ "rootcontext", USE_LABEL },
	{ "config", USE_CONFIG },
	{ "fsname", USE_FSNAME },
	{ "remount", USE_REMOUNT },
};

static bool mount_request_is(const char *option, const char *name, size_t len)
{
	return strlen(option) == len && !memcmp(option, name, len);
}

static enum option_use mount_request_use(const char *name, size_t len)
{
	if (len > 2 && (!strncmp(name, "x-", 2) || !strncmp(name, "X-", 2)))
		return USE_NOTHING;
	for (size_t i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
		if (mount_request_is(ignored[i], name, len))
			return USE_NOTHING;
	for (size_t i = 0; i < sizeof(uses) / sizeof(*uses); i++)
		if (mount_request_is(uses[i].name, name, len))
			return uses[i].use;
	return USE_SETTING;
}

static int mount_request_replace(char **where, const char *value)
{
	char *copy = strdup(value);

	if (!copy)
		return -ENOMEM;
	free(*where);
	*where = copy;
	return 0;
}

static int mount_request_add_setting(struct mount_request *r,
				     const char *option)
{
	if (ARRAY_RESERVE(r->settings, r->cap_settings, r->n_settings + 1))
		return -ENOMEM;
	r->settings[r->n_settings] = strdup(option);
	return r->settings[r->n_settings++] ? 0 : -ENOMEM;
}

/* Commas of the kernel's are within quotes, libfuse's behind a backslash. */
static int mount_request_add_label(struct mount_request *r, const char *option,
				   size_t len, const char *value)
{
	const char *quote = strchr(value, ',') ? "\"" : "";

	buf_addf(&r->flags, "%s%.*s=%s", r->flags.len ? "," : "", (int)len,
		 option, quote);
	for (; *value; value++) {
		if (*value == ',' || *value == '\\')
			buf_addc(&r->flags, '\\');
		buf_addc(&r->flags, *value);
	}
	buf_adds(&r->flags, quote);
	r->labels = true;
	return buf_err(&r->flags);
}

static int mount_request_take_option(struct mount_request *r,
				     const char *option, struct buf *why)
{
	size_t len = strcspn(option, "=");
	const char *value = option[len] ? option + len + 1 : NULL;
	enum option_use use = mount_request_use(option, len);

	if (!*option)
		return 0;
	if (use == USE_WORD)
		use = value ? USE_SETTING : USE_NOTHING;
	switch (use) {
	case USE_NOTHING:
		return 0;
	case USE_KERNEL:
		buf_addf(&r->flags, "%s%s", r->flags.len ? "," : "", option);
		return buf_err(&r->flags);
	case USE_SETTING:
		return mount_request_add_setting(r, option);
	case USE_REMOUNT:
		r->remount = true;
		return 0;
	default:
		break;
	}
	if (!value || !*value)
		return buf_fail(why, -EINVAL, "-o %.*s needs a value", (int)len,
				option);
	if (use == USE_LABEL)
		return mount_request_add_label(r, option, len, value);
	return mount_request_replace(
		use == USE_CONFIG ? &r->config : &r->fsname, value);
}

/* Does a quote open the value of a label here? */
static bool mount_request_opens_label(const struct buf *one)
{
	return one->len && one->data[one->len - 1] == '=' &&
	       mount_request_use(one->data, one->len - 1) == USE_LABEL;
}

/* Commas part the options; `\,` is a comma and `\\` a backslash within one. A
 * label may be within quotes, as mount(8) has them: so are its commas. */
static int mount_request_take_options(struct mount_request *r, const char *list,
				      struct buf *why)
{
	BUF_SECRET one = BUF_INIT(BUF_LINE);
	bool quoted = false;
	int rc = 0;

	for (const char *s = list; !rc; s++) {
		if (*s == '"' && (quoted || mount_request_opens_label(&one))) {
			quoted = !quoted;
			continue;
		}
		if (!*s && quoted) {
			rc = buf_fail(why, -EINVAL, "a quote is not closed: %s",
				      buf_str(&one));
			break;
		}
		if (*s == '\\' && (s[1] == ',' || s[1] == '\\')) {
			buf_addc(&one, *++s);
			continue;
		}
		if (*s && (*s != ',' || quoted)) {
			buf_addc(&one, *s);
			continue;
		}
		rc = buf_err(&one);
		if (!rc)
			rc = mount_request_take_option(r, buf_str(&one), why);
		buf_reset(&one);
		if (!*s)
			break;
	}
	return rc;
}

/* The letters that mount(8) gives a helper: -n no mtab, -s sloppy, -v, -r, -w,
 * and -f, which is "fake" there. */
static int mount_request_take_letters(struct mount_request *r,
				      const char *letters, bool helper,
				      struct buf *why)
{
	for (const char *s = letters; *s; s++) {
		if (*s == 'f' && helper)
			r->fake = true;
		else if (*s == 'f')
			r->foreground = true;
		else if (*s == 'r')
			return mount_request_add_setting(r, "ro");
		else if (!helper || !strchr("nsvw", *s)) {
			return buf_fail(why, -EINVAL,
					"unknown option -%c (see --help)", *s);
		}
	}
	return 0;
}

static int mount_request_take_word(struct mount_request *r, const char *word,
				   unsigned *n, struct buf *why)
{
	if (*n == 2)
		return buf_fail(
			why, -EINVAL,
			"one SOURCE and one MOUNTPOINT, not `%s` as well%s",
			word,
			strchr(word, '=') ? " (options are one word behind -o, "
					    "with commas between them)"
					  : "");
	if (*n == 1)
		r->source = r->mountpoint;
	r->mountpoint = word;
	++*n;
	return 0;
}

/* The value of `-oVALUE`, `-o VALUE`, `--config VALUE` or `--config=VALUE`;
 * NULL when argv ends. */
static const char *mount_request_value(int argc, char **argv, int *i,
				       size_t prefix)
{
	const char *rest = argv[*i] + prefix;

	if (*rest)
		return *rest == '=' ? rest + 1 : rest;
	return *i + 1 < argc ? argv[++*i] : NULL;
}

/* `--endpoint-url`, as Amazon's own program has it. */
static int mount_request_refuse(const char *arg, struct buf *why)
{
	char name[64];
	size_t n = strcspn(arg + 2, "=");

	if (n < sizeof(name)) {
		memcpy(name, arg + 2, n);
		name[n] = '\0';
		for (char *c = name; *c; c++)
			*c = *c == '-' ? '_' : *c;
		if (option_find(config_mount_options, name) ||
		    option_find(conn_options, name))
			return buf_fail(why, -EINVAL,
					"unknown option %s; did you mean "
					"-o %s=VALUE?",
					arg, name);
	}
	return buf_fail(why, -EINVAL, "unknown option %s (see --help)", arg);
}

static int mount_request_take(struct mount_request *r, int argc, char **argv,
			      int *i, bool helper, unsigned *words,
			      struct buf *why)
{
	const char *arg = argv[*i], *value;
	bool config =
		!strcmp(arg, "--config") || text_starts_with(arg, "--config=");

	if (arg[0] != '-' || !arg[1])
		return mount_request_take_word(r, arg, words, why);
	if (config || text_starts_with(arg, "-o")) {
		value = mount_request_value(argc, argv, i, config ? 8 : 2);
		if (!value)
			return buf_fail(why, -EINVAL, "%s needs a value", arg);
		return config ? mount_request_replace(&r->config, value)
			      : mount_request_take_options(r, value, why);
	}
	if (arg[1] == '-')
		return mount_request_refuse(arg, why);
	return mount_request_take_letters(r, arg + 1, helper, why);
}

/* It cannot be meant as a directory, unless there is one. */
static bool mount_request_is_source(const char *word)
{
	return (*word == '@' || strstr(word, "://")) && access(word, F_OK);
}

int mount_request_parse(int argc, char **argv, bool helper,
			struct mount_request *out, struct buf *why)
{
	unsigned words = 0;
	int rc = 0;

	memset(out, 0, sizeof(*out));
	buf_init(&out->flags, BUF_MESSAGE);
	for (int i = 0; i < argc && !rc; i++)
		rc = mount_request_take(out, argc, argv, &i, helper, &words,
					why);
	if (!rc && !out->mountpoint)
		rc = buf_fail(why, -EINVAL, "no MOUNTPOINT (see --help)");
	else if (!rc && !out->source &&
		 mount_request_is_source(out->mountpoint))
		rc = buf_fail(why, -EINVAL,
			      "no MOUNTPOINT behind %s: the directory where it "
			      "is to be seen",
			      out->mountpoint);
	return rc;
}

void mount_request_clear(struct mount_request *r)
{
	free(r->config);
	free(r->fsname);
	buf_clear(&r->flags);
	for (unsigned i = 0; i < r->n_settings; i++)
		free(r->settings[i]);
	free(r->settings);
	memset(r, 0, sizeof(*r));
}
