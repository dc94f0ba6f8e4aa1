/* SPDX-License-Identifier: BSD-3-Clause */
/* registry.h - all pools of the process, and the cookies that tell their handles apart. */
#ifndef ZSI_POOL_REGISTRY_H
#define ZSI_POOL_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>
#include <zsmalloc/zsmalloc.h>

struct zs_pool;

/*
 * A cookie that no existing pool has, and how many pools there are besides: 0, or -1 with EMFILE. And back. Then: add a
 * pool to the list of all, or take it out.
 */
int zsi_registry_cookie(uint32_t *cookie, uint32_t *others);
void zsi_registry_cookie_release(uint32_t cookie);
void zsi_registry_add(struct zs_pool *pool);
void zsi_registry_remove(struct zs_pool *pool);
bool zsi_registry_has_cookie(uint32_t cookie);

/* fork.c's: all pools, with the list locked. */
void zsi_registry_lock(void);
void zsi_registry_unlock(void);
struct zs_pool *zsi_registry_first(void);
void zsi_registry_reset_after_fork(void);

#endif
