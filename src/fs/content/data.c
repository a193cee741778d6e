/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/content/data.h"

#include <stdlib.h>
#include <string.h>

#include "fs/cache/block.h"
#include "base/pool.h"

void data_release_blocks(struct fs_data *d)
{
	for (unsigned i = 0; i < d->n_hold; i++)
		block_unref(d->hold[i]);
	d->n_hold = 0;
}

void data_release(struct fs_data *d)
{
	data_release_blocks(d);
	if (d->own_pool)
		pool_put(d->own_pool, d->own, d->own_size);
	else
		free(d->own);
	memset(d, 0, sizeof(*d));
}
