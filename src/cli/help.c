/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts are rows of a form and what it is, in tables that the manual page
 * prints as well. Everything fits 80 columns.
 */
#include "cli/help.h"

#include <string.h>

#include "base/option.h"
#include "cli/cmd.h"
#include "config/config.h"
#include "fuse/session.h"
#include "gateway/server.h"
#include "net/http_engine.h"

#define BRIEF_COLUMN 16

const struct help_entry help_examples[] = {
	{ "mkdir -p ~/data && stagefs s3://bucket/path ~/data",
	  "a bucket as a directory, with the keys of the environment" },
	{ "stagefs cp -r ./2026 @sales/",
	  "a directory into a stage, in parallel" },
	{ "stagefs presign @sales/2026/a.csv --expire 1h",
	  "a URL that needs no key" },
	{ 0 },
};

const struct help_entry help_attributes[] = {
	{ "user.presign.download, user.presign.upload",
	  "the URL of a file, signed now; each also with .headers, .method, "
	  ".json (the whole row) and .curl (a command line)" },
	{ "user.presign.download?expire=1h&content_type=T",
	  "arguments: how long it lives, and the content type; on a directory "
	  "path=NAME comes last, for a name that need not exist" },
	{ "user.presign.expire",
	  "seconds that URLs live; can be set on a file, a directory, a stage "
	  "or the mount, and holds for what is below" },
	{ "user.stage.name, .url, .size, .etag, .md5, .last_modified, "
	  ".content_type, .storage_class, .version_id",
	  "what the store knows of a file" },
	{ 0 },
};

const struct help_entry help_stores[] = {
	{ "s3://BUCKET/PATH/",
	  "Amazon S3 and what speaks it (MinIO, Ceph, R2 ...): endpoint_url "
	  "names the server; keys of the stage, else those of the AWS SDKs: "
	  "the environment, profiles, SSO, roles, instance metadata" },
	{ "fs:///DIRECTORY/",
	  "plain files of this machine; the gateway answers their URLs" },
	{ "azblob://, gcs://", "not supported yet" },
	{ 0 },
};

const struct help_entry help_environment[] = {
	{ "STAGEFS_CONFIG", "the configuration, if none is named" },
	{ "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, "
	  "AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL_S3 ...",
	  "as for the AWS SDKs, where the configuration leaves it open" },
	{ "http_proxy, https_proxy, no_proxy", "as for curl(1)" },
	{ "XDG_CONFIG_HOME, XDG_DATA_HOME, XDG_STATE_HOME, XDG_CACHE_HOME",
	  "where the files below are" },
	{ "TMPDIR", "for what put reads from a pipe" },
	{ "NO_COLOR", "no colours on a terminal" },
	{ 0 },
};

const struct help_entry help_files[] = {
	{ "$STAGEFS_CONFIG, $XDG_CONFIG_HOME/stagefs/stagefs.conf, "
	  "/etc/stagefs/stagefs.conf",
	  "the configuration: the first that exists" },
	{ "stages.d", "beside it: the external stages that CREATE STAGE made" },
	{ "$XDG_DATA_HOME/stagefs, ~/.local/share/stagefs; of root "
	  "/var/lib/stagefs",
	  "the stages, as plain files, where no configuration exists" },
	{ "$XDG_CACHE_HOME/stagefs; of root /var/cache/stagefs",
	  "what is written and cannot stream, or is sent later (spill_dir)" },
	{ 0 },
};

const struct help_entry help_exits[] = {
	{ "0", "done" },
	{ "1", "failed, with one line on standard error" },
	{ "2", "the command line is wrong" },
	{ "32", "called as mount.stagefs by mount(8): the mount failed" },
	{ "130", "ended by Ctrl-C" },
	{ 0 },
};

/* ---- printing ---- */

static void help_print(const struct help_entry *rows, FILE *out)
{
	for (; rows->form; rows++)
		option_help_entry(rows->form, rows->text, out);
}

static const char *const help_groups[N_GROUPS] = {
	[GROUP_MOUNT] = "Mounts",
	[GROUP_FILES] = "Files of stages, without a mount",
	[GROUP_STAGES] = "Stages",
	[GROUP_GATEWAY] = "The gateway, for stages in plain files",
};

static void help_brief(const struct command *c, FILE *out)
{
	char names[64];

	snprintf(names, sizeof(names), "%s%s%s", c->verb, c->also ? ", " : "",
		 c->also ? c->also : "");
	if (*c->verb)
		fprintf(out, "  %-*s%s\n", BRIEF_COLUMN - 2, names, c->brief);
}

void help_page(const struct command *const *commands, FILE *out)
{
	fputs("Stages of an object store as directories.\n\n"
	      "usage: stagefs [SOURCE] MOUNTPOINT [-f] [--config FILE] "
	      "[-o OPTION,...]\n"
	      "       stagefs VERB ...\n\n"
	      "SOURCE is s3://BUCKET/PATH, fs:///DIRECTORY, @STAGE or a "
	      "configuration file;\nwithout one all stages of the "
	      "configuration are mounted.\n",
	      out);
	for (unsigned g = 0; g < N_GROUPS; g++) {
		fprintf(out, "\n%s:\n", help_groups[g]);
		for (const struct command *const *c = commands; *c; c++)
			if ((*c)->group == g)
				help_brief(*c, out);
	}
	fputs("\nExamples:\n", out);
	for (const struct help_entry *e = help_examples; e->form; e++)
		fprintf(out, "  # %s\n  %s\n", e->text, e->form);
	fputs("\nA file of a stage is @STAGE/PATH. More: stagefs help VERB, "
	      "options (keys of the\nconfiguration and of -o), xattrs, "
	      "stores; man stagefs, man stagefs.conf.\n",
	      out);
}

void help_verb(const struct command *c, FILE *out)
{
	int n = fprintf(out, "usage: stagefs %s%s", c->verb,
			*c->verb ? " " : "");

	option_help_wrap(c->synopsis, (size_t)n, out);
	if (c->also)
		fprintf(out, "       stagefs %s ...\n", c->also);
	fputc('\n', out);
	option_help_wrap(c->help, 0, out);
	if (c->options && c->options->name) {
		fputc('\n', out);
		option_help(c->options, out);
	}
}

static const struct {
	const char *topic, *title;
	const struct help_entry *rows;
} help_topics[] = {
	{ "xattrs", "Extended attributes of files on a mount",
	  help_attributes },
	{ "stores", "Where stages can be", help_stores },
	{ "environment", "Variables of the environment", help_environment },
	{ "files", "Files", help_files },
};

void help_topic_words(FILE *out)
{
	fputs(" options", out);
	for (size_t i = 0; i < sizeof(help_topics) / sizeof(*help_topics); i++)
		fprintf(out, " %s", help_topics[i].topic);
}

/* True when there is such a topic. */
static bool help_topic(const char *word)
{
	if (!strcmp(word, "options")) {
		config_options_help(stdout);
		return true;
	}
	for (size_t i = 0; i < sizeof(help_topics) / sizeof(*help_topics);
	     i++) {
		if (strcmp(help_topics[i].topic, word))
			continue;
		printf("%s:\n", help_topics[i].title);
		help_print(help_topics[i].rows, stdout);
		return true;
	}
	return false;
}

static int help_run(const struct command *c, int argc, char **argv)
{
	const struct command *verb;

	if (argc < 2) {
		help_page(cmd_all, stdout);
		return STATUS_OK;
	}
	verb = cmd_find(argv[1]);
	if (!strcmp(argv[1], "mount"))
		verb = cmd_find("");
	if (verb)
		help_verb(verb, stdout);
	else if (!help_topic(argv[1]))
		return cmd_unknown(argv[1], "neither a verb nor options, "
					    "xattrs, stores, environment or "
					    "files");
	return STATUS_OK;
}

const struct command help_command = {
	.verb = "help",
	.group = GROUP_STAGES,
	.brief = "this page; help VERB, help options, xattrs, stores",
	.synopsis = "[VERB|options|xattrs|stores|environment|files]",
	.help = "What there is, or one verb or topic",
	.run = help_run,
};

void help_version(FILE *out)
{
	fputs("stagefs " PACKAGE_VERSION "\n"
	      "stores: S3, local directories\n"
	      "with: gateway, disk cache, SQL, QR codes\n",
	      out);
	fprintf(out, "libfuse %s, libmicrohttpd %s, %s\n", session_library(),
		server_library(), http_engine_library());
}
