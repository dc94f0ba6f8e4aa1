/* SPDX-License-Identifier: BSD-3-Clause */
/* handle.c - growing the table of handle.h, and its stacks of free entries. */
#include "pool/handle.h"

#include <errno.h>
#include <string.h>

#include "base/account.h"
#include "base/bits.h"
#include "base/lock.h"
#include "base/os.h"

/* New entries come in batches: one for the caller, the others for its stack. */
#define BATCH 16u

/*
 * What all stacks together may have before one that is empty is helped from the others instead of growing the table: a
 * share of the table, and a few batches. Entries of one cache line that threads share cost more than these do.
 */
#define SPARE_SHIFT 5
#define SPARE_FLOOR (8u * BATCH)

/*
 * Entries made accessible at a time: 64 KiB of them, and whole pages of the system's of what is beside them. Charged by
 * such a page.
 */
#define COMMIT_ENTRIES 8192u

_Thread_local unsigned zsi_handle_stack_plus_one;

unsigned zsi_handle_choose_stack(void)
{
	static _Atomic unsigned threads;
	unsigned n = atomic_fetch_add_explicit(&threads, 1, memory_order_relaxed) % ZSI_HANDLE_STACKS;

	zsi_handle_stack_plus_one = n + 1;
	return n;
}

/* What so many entries take in the table beside them: bytes of slack, or sizes. */
static size_t beside_bytes(bool with_sizes, uint64_t entries)
{
	return zsi_round_up(entries * (with_sizes ? sizeof(uint16_t) : sizeof(uint8_t)), zsi_os_page_bytes());
}

static uint64_t beside_at_once(void)
{
	return zsi_max(COMMIT_ENTRIES, zsi_os_page_bytes());
}

int zsi_handles_init(struct zsi_handles *h, struct zsi_account *account, uint32_t cookie, uint64_t capacity,
		     bool with_sizes)
{
	memset(h, 0, sizeof(*h));
	uint64_t step = beside_at_once();

	capacity = zsi_round_up(zsi_min(capacity, ZSI_INDEX_MASK + 1 - step), step);
	h->account = account;
	h->capacity = (uint32_t)capacity;
	h->cookie = (uint64_t)cookie << ZSI_INDEX_BITS;
	h->tag = h->cookie | ZSI_GENERATION_ONE;
	h->generation_one = ZSI_GENERATION_ONE;
	h->generation_mask = ZSI_GENERATION_MASK;
	h->retired_mask = ZSI_GENERATION_ONE | ZSI_CLASS_MASK;
	h->entries = zsi_os.reserve(capacity * sizeof(*h->entries), 1);
	if (h->entries == NULL)
		return -1;
	void *beside = zsi_os.reserve(beside_bytes(with_sizes, capacity), 1);

	if (beside == NULL) {
		zsi_handles_fini(h);
		errno = ENOMEM;
		return -1;
	}
	if (with_sizes)
		h->sizes = beside;
	else
		h->slack = beside;
	return 0;
}

void zsi_handles_fini(struct zsi_handles *h)
{
	if (h->entries != NULL)
		zsi_os.release(h->entries, h->capacity * sizeof(*h->entries));
	if (h->sizes != NULL)
		zsi_os.release((void *)(uintptr_t)h->sizes, beside_bytes(true, h->capacity));
	if (h->slack != NULL)
		zsi_os.release((void *)(uintptr_t)h->slack, beside_bytes(false, h->capacity));
	h->entries = NULL;
	h->sizes = NULL;
	h->slack = NULL;
}

static uint64_t link_of(uint32_t index_plus_one)
{
	return (uint64_t)index_plus_one << ZSI_LOCATION_SHIFT;
}

static uint32_t next_of(uint64_t entry)
{
	return (uint32_t)((entry & ZSI_LOCATION_MASK) >> ZSI_LOCATION_SHIFT);
}

/* Not exact, so that it costs nothing: two at once may lose a change. */
static void count(struct zsi_handle_stack *stack, int by)
{
	int64_t n = (int64_t)atomic_load_explicit(&stack->about, memory_order_relaxed) + by;

	atomic_store_explicit(&stack->about, (uint32_t)(n > 0 ? n : 0), memory_order_relaxed);
}

static uint32_t pop(struct zsi_handles *h, struct zsi_handle_stack *stack)
{
	/* acquire: pairs with the release in push(), so that the entry's link is seen */
	uint64_t head = atomic_load_explicit(&stack->head, memory_order_acquire);

	while ((uint32_t)head != 0) {
		uint32_t index = (uint32_t)head - 1;
		uint64_t entry = atomic_load_explicit(&h->entries[index], memory_order_relaxed);
		uint64_t next = (head >> 32) + 1;

		next = next << 32 | next_of(entry);
		if (atomic_compare_exchange_weak_explicit(&stack->head, &head, next, memory_order_acquire,
							  memory_order_acquire)) {
			count(stack, -1);
			return index;
		}
	}
	/* Now it is known. */
	if (atomic_load_explicit(&stack->about, memory_order_relaxed) != 0)
		atomic_store_explicit(&stack->about, 0, memory_order_relaxed);
	return ZSI_NO_INDEX;
}

static void push(struct zsi_handles *h, struct zsi_handle_stack *stack, uint32_t index)
{
	_Atomic uint64_t *entry = &h->entries[index];
	uint64_t generation = atomic_load_explicit(entry, memory_order_relaxed) & ZSI_GENERATION_MASK;
	uint64_t head = atomic_load_explicit(&stack->head, memory_order_relaxed);
	uint64_t next;

	do {
		atomic_store_explicit(entry, generation | link_of((uint32_t)head), memory_order_relaxed);
		next = ((head >> 32) + 1) << 32 | (index + 1);
		/* release: pairs with the acquire in pop() */
	} while (!atomic_compare_exchange_weak_explicit(&stack->head, &head, next, memory_order_release,
							memory_order_relaxed));
	count(stack, 1);
}

/* What so many entries are charged: each table by the page. */
static uint64_t charged(const struct zsi_handles *h, uint64_t entries)
{
	return zsi_round_up(entries * sizeof(*h->entries), zsi_os_page_bytes()) +
	       beside_bytes(h->sizes != NULL, entries);
}

static int commit_more(struct zsi_handles *h)
{
	uint64_t at = h->committed, step = beside_at_once();
	void *beside = h->sizes != NULL ? (void *)(uintptr_t)&h->sizes[at] : (void *)(uintptr_t)&h->slack[at];

	if (at == h->beside) {
		if (zsi_os.commit(beside, beside_bytes(h->sizes != NULL, step), ZSI_OS_NO_HUGEPAGE) != 0)
			return -1;
		h->beside += step;
	}
	if (zsi_os.commit(&h->entries[at], COMMIT_ENTRIES * sizeof(*h->entries), ZSI_OS_NO_HUGEPAGE) != 0)
		return -1;
	h->committed += COMMIT_ENTRIES;
	return 0;
}

/* Make entries [bound, bound + BATCH) exist. */
static int grow_locked(struct zsi_handles *h, uint32_t bound)
{
	uint64_t more = charged(h, bound + BATCH) - charged(h, bound);

	if (bound + BATCH > h->capacity) {
		errno = ENOMEM;
		return -1;
	}
	if (more > 0 && zsi_charge_metadata(h->account, more) != 0)
		return -1;
	if (bound + BATCH > h->committed) {
		if (commit_more(h) != 0) {
			zsi_uncharge_metadata(h->account, more);
			errno = ENOMEM;
			return -1;
		}
	}
	/* release: pairs with the acquire of whoever checks an index against it, and then reads the entry */
	atomic_store_explicit(&h->bound, bound + BATCH, memory_order_release);
	uint64_t reach = (uint64_t)(bound + BATCH) << ZSI_KEY_SHIFT;

	atomic_store_explicit(&h->reach, reach, memory_order_release);
	if (h->flat)
		atomic_store_explicit(&h->flat_reach, reach, memory_order_release);
	if (h->light)
		atomic_store_explicit(&h->light_reach, reach, memory_order_release);
	return 0;
}

uint32_t zsi_handle_reuse(struct zsi_handles *h, unsigned hint)
{
	for (unsigned i = 0; i < ZSI_HANDLE_STACKS; i++) {
		uint32_t index = pop(h, &h->stacks[(hint + i) % ZSI_HANDLE_STACKS]);

		if (index != ZSI_NO_INDEX)
			return index;
	}
	return ZSI_NO_INDEX;
}

/* Whether the stacks have so many that the table should not grow. */
static bool many_spare(const struct zsi_handles *h)
{
	uint64_t spare = 0, bound = atomic_load_explicit(&h->bound, memory_order_relaxed);

	for (unsigned i = 0; i < ZSI_HANDLE_STACKS; i++)
		spare += atomic_load_explicit(&h->stacks[i].about, memory_order_relaxed);
	return spare > (bound >> SPARE_SHIFT) + SPARE_FLOOR;
}

/* A new batch: one for the caller, the others for the stack. ZSI_NO_INDEX with ENOMEM. */
static uint32_t grow(struct zsi_handles *h, unsigned own)
{
	uint32_t index;

	zsi_lock(&h->lock, ZSI_RANK_META);
	index = atomic_load_explicit(&h->bound, memory_order_relaxed);
	if (grow_locked(h, index) != 0) {
		zsi_unlock(&h->lock, ZSI_RANK_META);
		return ZSI_NO_INDEX;
	}
	zsi_unlock(&h->lock, ZSI_RANK_META);
	for (uint32_t i = BATCH - 1; i > 0; i--)
		push(h, &h->stacks[own], index + i);
	return index;
}

uint32_t zsi_handle_alloc(struct zsi_handles *h, unsigned hint)
{
	unsigned own = hint % ZSI_HANDLE_STACKS;
	uint32_t index = pop(h, &h->stacks[own]);

	if (index == ZSI_NO_INDEX && many_spare(h))
		index = zsi_handle_reuse(h, hint);
	if (index == ZSI_NO_INDEX)
		index = grow(h, own);
	/* What there is no memory for may lie in another stack. */
	return index != ZSI_NO_INDEX ? index : zsi_handle_reuse(h, hint);
}

void zsi_handle_release(struct zsi_handles *h, uint32_t index, unsigned hint)
{
	push(h, &h->stacks[hint % ZSI_HANDLE_STACKS], index);
}

uint64_t zsi_handles_free_count(const struct zsi_handles *h)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < ZSI_HANDLE_STACKS; i++) {
		uint32_t at = (uint32_t)atomic_load_explicit(&h->stacks[i].head, memory_order_acquire);

		while (at != 0 && n <= h->capacity) {
			n++;
			at = next_of(atomic_load_explicit(&h->entries[at - 1], memory_order_relaxed));
		}
	}
	return n;
}
