/* SPDX-License-Identifier: Apache-2.0 */
#include "disk.h"

#include <string.h>
#include <unistd.h>

void disk_up(struct disk *d, unsigned ttl_s)
{
	struct fs_settings s = mount_settings;

	memset(d, 0, sizeof(*d));
	local_rig_open(&d->rig);
	s.metadata_ttl_s = ttl_s;
	s.uid = getuid();
	s.gid = getgid();
	mount_on(&d->m, store_ref(d->rig.s), "", false, &s);
	d->m.caller.uid = getuid();
	d->m.caller.gid = getgid();
}

void disk_down(struct disk *d)
{
	mount_down(&d->m);
	local_rig_close(&d->rig);
}

const char *disk_path(struct disk *d, const char *name)
{
	return local_rig_path(&d->rig, name);
}
