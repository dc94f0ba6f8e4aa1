/* SPDX-License-Identifier: BSD-3-Clause */
/* misuse.h - finding out what is wrong with a handle, and saying it. */
#ifndef ZSI_POOL_MISUSE_H
#define ZSI_POOL_MISUSE_H

#include <zsmalloc/zsmalloc.h>

/* Call the handler in the name of `call`, a public function. Sets errno to EINVAL if it returns. */
__attribute__((cold)) void zsi_misuse(const struct zs_pool *pool, zs_handle handle, const char *call,
				      enum zs_misuse_reason reason);

/* As above, for a handle that does not match its entry: the reason is worked out here. */
__attribute__((cold)) void zsi_misuse_handle(const struct zs_pool *pool, zs_handle handle, const char *call);

/* For fork: keep the handler as it is meanwhile. */
void zsi_misuse_lock(void);
void zsi_misuse_unlock(void);

#endif
