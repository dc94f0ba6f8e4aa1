/* SPDX-License-Identifier: BSD-3-Clause */
/* keep.c - what writers do for a save under way: hand it what blocks held, or make it give up where memory is short. */
#include "device/keep.h"

#include <errno.h>
#include <stdlib.h>

#include "base/bits.h"
#include "base/lock.h"
#include "device/device.h"
#include "device/entry.h"
#include "device/layout.h"

/* Room for what is kept grows by this much at first. */
#define FIRST_ROOM 256u

static bool keep_locked(struct zsi_save *save, const struct zsi_kept *k)
{
	if (save->error != 0)
		return false;
	if (save->nr_kept == save->room) {
		size_t room = save->room == 0 ? FIRST_ROOM : save->room * 2;
		struct zsi_kept *more = realloc(save->kept, room * sizeof(*more));

		if (more == NULL) {
			save->error = ENOMEM;
			return false;
		}
		save->kept = more;
		save->room = room;
	}
	save->kept[save->nr_kept++] = *k;
	return true;
}

struct zsi_kept zsi_keep_content(const struct zram *z, uint64_t index, uint64_t meta)
{
	return (struct zsi_kept){
		.index = index,
		.handle = zsi_block_at(z, index)->handle,
		.meta = meta & ~ZSI_LOCK,
		.sum = z->table.sums != NULL ? z->table.sums[index] : 0,
	};
}

bool zsi_keep_takes(struct zram *z, uint64_t index, uint64_t meta)
{
	struct zsi_save *save = z->save;
	struct zsi_kept k = zsi_keep_content(z, index, meta);
	bool kept;

	if ((meta & (ZSI_USED | ZSI_TOUCHED)) != ZSI_USED)
		return false;
	zsi_lock(&save->lock, ZSI_RANK_TABLE);
	kept = keep_locked(save, &k);
	zsi_unlock(&save->lock, ZSI_RANK_TABLE);
	return kept;
}

void zsi_keep_free(struct zram *z, const struct zsi_kept *k)
{
	zsi_block_free_handle(z, k->handle, k->meta);
}

bool zsi_keep_give_up(struct zram *z, bool wanted)
{
	struct zsi_save *save = z->save;

	if (save == NULL)
		return false;
	/* With the lock held, so that another one who comes for memory finds it. */
	zsi_lock(&save->lock, ZSI_RANK_TABLE);
	if (save->error == 0 && (save->nr_kept > 0 || wanted))
		save->error = ENOMEM;
	while (save->error != 0 && save->nr_kept > 0)
		zsi_keep_free(z, &save->kept[--save->nr_kept]);
	bool again = save->error != 0;

	zsi_unlock(&save->lock, ZSI_RANK_TABLE);
	return again;
}

void zsi_keep_forget(struct zram *z)
{
	struct zsi_save *save = z->save;

	z->save = NULL;
	zsi_lock_reset(&z->save_lock);
	/* The struct is on the stack of the parent's thread, of which the child has a copy. */
	for (size_t i = 0; save != NULL && i < save->nr_kept; i++)
		zsi_keep_free(z, &save->kept[i]);
}

bool zsi_keep_wants(struct zram *z, uint64_t meta)
{
	struct zsi_save *save = z->save;
	bool wants;

	if (zsi_likely(save == NULL) || (meta & (ZSI_USED | ZSI_TOUCHED)) != ZSI_USED)
		return false;
	zsi_lock(&save->lock, ZSI_RANK_TABLE);
	wants = save->error == 0;
	zsi_unlock(&save->lock, ZSI_RANK_TABLE);
	return wants;
}
