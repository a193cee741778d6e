/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys of [stagefs]. Each row serves the file, -o, --help and the manual
 * page; those of [storage] and [stage NAME] are in stage/conf/conn.c.
 */
#include <stdio.h>

#include "config/config.h"

#define MIB (UINT64_C(1) << 20)
#define TIB (UINT64_C(1) << 40)

#define ROW(name_, type_, ...) \
	OPTION_ROW(config_mount, #name_, type_, name_, __VA_ARGS__)

const struct option config_mount_options[] = {
	ROW(user, STRING, .max = 255,
	    .help = "whose stage ~ is (default: the mounting user)"),
	ROW(metadata_ttl, DURATION, .max = 86400, .def = "5",
	    .help = "how long names and attributes are believed"),
	ROW(memory, SIZE, .min = 32 * MIB, .max = TIB, .def = "512M",
	    .help = "memory for object data"),
	ROW(spill_dir, STRING, .max = 4000,
	    .help = "where files are written that cannot stream "
		    "(default: /var/cache/stagefs for root, else "
		    "$XDG_CACHE_HOME/stagefs)"),
	ROW(cache_dir, STRING, .max = 4000,
	    .help = "directory of this mount's user where what was read is "
		    "kept for later mounts (default: none)"),
	ROW(cache_size, SIZE, .min = 64 * MIB, .max = 1024 * TIB, .def = "10G",
	    .help = "bytes of the disk that cache_dir may take, by all mounts "
		    "together"),
	ROW(write_back_size, SIZE, .min = MIB, .max = 1024 * TIB, .def = "16G",
	    .help = "bytes in spill_dir that may wait to be sent, where a "
		    "stage says write_back; then writers wait"),
	ROW(uid, USER,
	    .help = "owner of all files (default: the mounting user)"),
	ROW(gid, GROUP,
	    .help = "group of all files (default: the mounting user's)"),
	ROW(file_mode, OCTAL, .max = 0777, .def = "0644",
	    .help = "mode of files"),
	ROW(dir_mode, OCTAL, .max = 0777, .def = "0755",
	    .help = "mode of directories"),
	ROW(umask, OCTAL, .max = 0777, .def = "0000",
	    .help = "bits to take off both"),
	ROW(allow_other, BOOL, .def = "no",
	    .help = "other users may enter, as the modes allow"),
	ROW(ro, BOOL, .def = "no", .help = "nothing is written"),
	ROW(allow_suid, BOOL, .def = "no",
	    .help = "without it a mount is nosuid,nodev"),
	ROW(presign, CHOICE, .choices = "off|download|upload|both",
	    .def = "both", .help = "which URLs the mount gives out"),
	ROW(presign_expire, DURATION, .min = 1, .max = 604800, .def = "3600",
	    .help = "how long a URL lives if nothing else is asked for"),
	ROW(presign_expire_max, DURATION, .min = 1, .max = 604800,
	    .def = "604800", .help = "the most that may be asked for"),
	ROW(list_xattrs, CHOICE, .choices = "no|stage|urls", .def = "stage",
	    .help = "what listxattr (getfattr -d) shows: user.stage.*, or with "
		    "urls user.presign.* as well, which cp -a and backups copy "
		    "then: each is a secret that works for who reads the copy"),
	ROW(log, STRING, .max = 4000,
	    .help = "stderr, syslog or a file's path (default: stderr, and "
		    "syslog once in the background)"),
	ROW(log_level, CHOICE, .choices = "error|warn|info|debug",
	    .def = "warn", .help = "how much is logged"),
	ROW(log_format, CHOICE, .choices = "text|logfmt|json", .def = "text",
	    .help = "how: a sentence, or name=value pairs or JSON for "
		    "programs"),
	ROW(check, CHOICE, .choices = "all|storage|none", .def = "storage",
	    .help = "what must answer before a mount goes to the background"),
	ROW(mount_wait, DURATION, .max = 86400, .def = "60",
	    .help = "how long to wait for the daemon that served the same "
		    "source and mountpoint before, which may be uploading"),
	ROW(stop_timeout, DURATION, .max = 86400, .def = "60",
	    .help = "how long a mount that is stopped waits without a write "
		    "before it gives up files that are open for writing"),
	ROW(nonempty, BOOL, .def = "no",
	    .help = "mount over a directory that is not empty, and hide what "
		    "is in it"),
	ROW(listen, STRING, .max = 1024,
	    .help = "addresses of the gateway, as HOST:PORT, ... (default: "
		    "127.0.0.1:8000 or the next free port, when a stage is on "
		    "a local disk)"),
	ROW(tls_certificate, STRING, .max = 4000,
	    .help = "PEM file of the gateway's certificate and its chain: "
		    "HTTPS"),
	ROW(tls_key, STRING, .max = 4000,
	    .help = "PEM file of its key, closed to others"),
	ROW(allow_plain_http, BOOL, .def = "no",
	    .help = "the gateway may listen beyond this machine without TLS"),
	ROW(allowed_hosts, STRING, .max = 4000,
	    .help = "names that requests may have in Host, beside the "
		    "addresses of listen and localhost"),
	ROW(cors_origins, STRING, .max = 4000,
	    .help = "origins, as https://app.example.com, whose pages may use "
		    "the gateway"),
	{ 0 },
};

void config_options_help(FILE *out)
{
	fputs("In [stagefs] of the configuration, or after -o:\n", out);
	option_help(config_mount_options, out);
	fputs("\nIn [storage] and in each [stage NAME]; after -o they are for "
	      "@stage when that\nis mounted, else for [storage]:\n",
	      out);
	option_help(conn_options, out);
	fputs("\nIn each [user NAME], for the gateway:\n", out);
	option_help(config_user_options, out);
}
