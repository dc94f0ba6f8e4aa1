/* SPDX-License-Identifier: BSD-3-Clause */
/* train.c - dictionaries from samples, by zstd's trainer; they serve LZ4 as well, as so many bytes to refer to. */
#include <errno.h>
#include <zdict.h>
#include <zstd_errors.h>

#include "codec/codec.h"

size_t zsi_codec_dict_train(void *out, size_t capacity, const void *samples, const size_t *sizes, unsigned n)
{
	size_t bytes = ZDICT_trainFromBuffer(out, capacity, samples, sizes, n);

	if (!ZDICT_isError(bytes))
		return bytes;
	errno = ZSTD_getErrorCode(bytes) == ZSTD_error_memory_allocation ? ENOMEM : EINVAL;
	return 0;
}
