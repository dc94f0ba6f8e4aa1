/* SPDX-License-Identifier: BSD-3-Clause */
/* pieces.c - pieces are joined to runs, these written, and what is missing is written again alone. */
#include "device/pieces.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/bits.h"
#include "device/backing.h"
#include "device/device.h"
#include "device/ring.h"

static size_t padded(const struct zsi_piece *p)
{
	return (size_t)zsi_backing_units(p->bytes) << ZSI_BACKING_UNIT_SHIFT;
}

static bool is_next(const struct zsi_piece *p, const struct zsi_piece *next)
{
	return next->unit == p->unit + zsi_backing_units(p->bytes) && next->data == p->data + padded(p);
}

static unsigned join(struct zsi_piece *pieces, unsigned n, struct zsi_run *runs)
{
	unsigned nr = 0;

	for (unsigned i = 0; i < n; i++) {
		struct zsi_piece *p = &pieces[i];

		memset(p->data + p->bytes, 0, padded(p) - p->bytes);
		p->error = 0;
		if (i > 0 && is_next(p - 1, p)) {
			runs[nr - 1].bytes += padded(p);
			runs[nr - 1].pieces++;
			continue;
		}
		runs[nr++] = (struct zsi_run){
			.data = p->data,
			.bytes = padded(p),
			.at = (off_t)(p->unit << ZSI_BACKING_UNIT_SHIFT),
			.pieces = 1,
		};
	}
	return nr;
}

static void write_runs(struct zram *z, struct zsi_ring **ring, struct zsi_run *runs, unsigned n)
{
	if (n > 1 && *ring == NULL && !zsi_backing_io.no_ring)
		*ring = zsi_ring_open(n);
	if (n > 1 && *ring != NULL) {
		if (!zsi_ring_write(*ring, z->backing.fd, runs, n)) {
			zsi_ring_close(*ring);
			*ring = NULL;
		}
		for (unsigned i = 0; zsi_backing_io.ring_result != NULL && i < n; i++)
			runs[i].result = zsi_backing_io.ring_result(runs[i].result, runs[i].at);
		return;
	}
	/* A piece alone is for the second round. */
	for (unsigned i = 0; i < n; i++)
		runs[i].result = runs[i].pieces == 1 ? 0 :
						       zsi_backing_io.write(z->backing.fd, runs[i].data, runs[i].bytes,
									    runs[i].at);
}

/* Whether a ring's result says all about a run: written, or one piece that can't be. */
static bool is_final(const struct zsi_run *run)
{
	if (run->result >= 0)
		return (size_t)run->result == run->bytes;
	return run->pieces == 1 && run->result != -EINTR && run->result != -EAGAIN && run->result != -ECANCELED;
}

/* What a run left, piece by piece. full: no more room where the file is; then nothing is tried. */
static void finish_run(struct zram *z, const struct zsi_run *run, struct zsi_piece *pieces, bool *full)
{
	size_t written = run->result > 0 ? (size_t)run->result : 0, end = 0;

	for (struct zsi_piece *p = pieces; p < pieces + run->pieces; p++) {
		end += padded(p);
		if (end <= written)
			continue;
		if (is_final(run))
			p->error = (int)-run->result;
		else if (*full)
			p->error = ECANCELED;
		else if (zsi_backing_write(z, p->unit, p->data, p->bytes) != 0)
			p->error = errno;
		*full = *full || p->error == ENOSPC || p->error == EDQUOT;
	}
}

void zsi_pieces_write(struct zram *z, struct zsi_ring **ring, struct zsi_piece *pieces, struct zsi_run *runs,
		      unsigned n)
{
	unsigned nr = join(pieces, n, runs);
	bool full = false;

	write_runs(z, ring, runs, nr);
	for (unsigned i = 0; i < nr; i++) {
		finish_run(z, &runs[i], pieces, &full);
		pieces += runs[i].pieces;
	}
}
