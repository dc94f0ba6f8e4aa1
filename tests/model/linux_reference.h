/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * linux_reference.h - the kernel's zsmalloc reduced to its bookkeeping: which object is in which slot of which zspage,
 * and how many pages that makes. No bytes, no threads, nothing shared with the library.
 *
 *   class    lists of zspages by fullness group 1..11, linked at the head
 *   zspage   slots with the object in each, and a stack of free slots: freed last, used first; fresh ones in order
 */
#ifndef TEST_LINUX_REFERENCE_H
#define TEST_LINUX_REFERENCE_H

#include <stddef.h>
#include <stdint.h>

struct ref_zspage;

struct ref_object {
	struct ref_zspage *zspage;
	unsigned slot;
};

struct ref_pool;

struct ref_pool *ref_create(size_t page_size, unsigned chain_size);
void ref_destroy(struct ref_pool *p);

/* object stays where it is until it is freed: slots point to it. */
void ref_malloc(struct ref_pool *p, struct ref_object *object, size_t size);
void ref_free(struct ref_pool *p, struct ref_object *object);

/* Returns the pages freed. */
unsigned long ref_compact(struct ref_pool *p);

unsigned long ref_total_pages(const struct ref_pool *p);
unsigned long ref_freeable_pages(const struct ref_pool *p);
unsigned ref_classes(const struct ref_pool *p);
size_t ref_huge_class_size(const struct ref_pool *p);

#endif
