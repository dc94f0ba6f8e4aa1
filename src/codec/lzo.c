/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lzo.c - LZO1X-1, the kernel's "lzo", compressed by liblzo2, if that is there. It has neither levels nor dictionaries.
 *
 * The library's table is twice the kernel's, so that blocks become a little smaller: see lzo_rle.c for the kernel's,
 * which is what lzo is where there is no liblzo2. Decompressing is done by lzo_decompress.c, which is faster.
 *
 * The compressor does not look where the room ends, so unless there is room for everything the result is made in a
 * buffer of the context's and copied.
 */
#ifdef ZSI_HAVE_LZO2

#include <errno.h>
#include <lzo/lzo1x.h>
#include <pthread.h>
#include <string.h>

#include "base/work.h"
#include "codec/backend.h"
#include "codec/lzo_stream.h"

static pthread_once_t checked = PTHREAD_ONCE_INIT;
static int check_result;

/* What must be called first compares the sizes of types with those that the library was built with. */
static void check_library(void)
{
	check_result = lzo_init();
}

static int lzo_compress_init(struct zsi_codec_ctx *x)
{
	size_t bytes = LZO1X_1_MEM_COMPRESS + zsi_lzo_bound(x->block_size);

	if (pthread_once(&checked, check_library) != 0 || check_result != LZO_E_OK)
		return EINVAL;
	x->compress = zsi_work_alloc(bytes);
	if (x->compress == NULL)
		return ENOMEM;
	x->bytes = zsi_work_bytes(x->compress);
	return 0;
}

static void lzo_ctx_fini(struct zsi_codec_ctx *x)
{
	zsi_work_free(x->compress);
}

static size_t lzo_compress(struct zsi_codec_ctx *x, const void *src, size_t n, void *dst, size_t capacity)
{
	unsigned char *scratch = (unsigned char *)x->compress + LZO1X_1_MEM_COMPRESS;
	unsigned char *out = capacity >= zsi_lzo_bound(n) ? dst : scratch;
	lzo_uint len = 0;

	if (lzo1x_1_compress(src, n, out, &len, x->compress) != LZO_E_OK || len > capacity)
		return 0;
	if (out == scratch)
		memcpy(dst, scratch, len);
	return len;
}

static size_t lzo_decompress(struct zsi_codec_ctx *x, const void *src, size_t len, void *dst, size_t n)
{
	(void)x;
	return zsi_lzo_decompress(ZSI_LZO_PLAIN, src, len, dst, n);
}

const struct zsi_codec zsi_codec_lzo = {
	.name = "lzo",
	.kernel = &zsi_codec_kernel_lzo,
	.bound = zsi_lzo_bound,
	.compress_init = lzo_compress_init,
	.ctx_fini = lzo_ctx_fini,
	.compress = lzo_compress,
	.decompress = lzo_decompress,
};

#endif
