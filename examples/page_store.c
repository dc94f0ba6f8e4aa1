/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * page_store.c - checkpoints of a program's memory, kept compressed in a zram device inside the process.
 *
 * A machine of a few thousand pages runs and is saved every so often. A checkpoint is a range of the device as large
 * as the machine's memory; saving one writes its pages there, going back to one reads them, dropping one discards the
 * range.
 *
 *   device:  | checkpoint 0 | checkpoint 1 | ... | checkpoint SLOTS - 1 |     each PAGES pages
 *
 * The device is told once how much memory it may take, everything included. When a checkpoint does not fit, the oldest
 * is dropped and the write is tried again: a write that fails has lost nothing.
 *
 * The program checks every byte that it gets back.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zsmalloc/zram.h>

#define PAGE 4096u
#define PAGES 2048u /* 8 MiB of memory */
#define SLOTS 16u   /* checkpoints, if there is room */
#define CHECKPOINTS 40u
#define LIMIT_BYTES ((uint64_t)24 << 20)

struct store {
	struct zram *device;
	unsigned oldest, next; /* numbers of checkpoints, in slots number % SLOTS */
	unsigned dropped;
};

static uint64_t slot_offset(unsigned number)
{
	return (uint64_t)(number % SLOTS) * PAGES * PAGE;
}

/* The machine's memory after so many steps: some pages never used, some that count, some that are full of text. */
static void run_machine(uint8_t *memory, unsigned steps)
{
	for (unsigned p = 0; p < PAGES; p++) {
		uint8_t *page = memory + (size_t)p * PAGE;
		uint64_t x = p;

		if (p % 4 == 0)
			continue;
		for (unsigned i = 0; i < PAGE; i += 16) {
			x = x * 6364136223846793005u + 1442695040888963407u + (p % 8 == 1 ? steps : 0);
			memcpy(page + i, &x, i % 64 == 0 ? 8 : 2);
			page[i + 15] = (uint8_t)(steps + p);
		}
	}
}

static void drop_oldest(struct store *s)
{
	if (zram_discard(s->device, slot_offset(s->oldest), (uint64_t)PAGES * PAGE) != 0) {
		fprintf(stderr, "dropping a checkpoint: %s\n", zram_strerror());
		exit(1);
	}
	s->oldest++;
	s->dropped++;
}

/* Makes room as needed; false: one checkpoint alone does not fit. */
static bool save(struct store *s, const uint8_t *memory)
{
	if (s->next - s->oldest == SLOTS)
		drop_oldest(s);
	while (zram_pwrite(s->device, memory, (size_t)PAGES * PAGE, slot_offset(s->next)) != 0) {
		if (errno != ENOMEM || s->oldest == s->next)
			return false;
		drop_oldest(s);
	}
	s->next++;
	return true;
}

static bool check(struct store *s, unsigned number, const uint8_t *memory, uint8_t *buf)
{
	if (zram_pread(s->device, buf, (size_t)PAGES * PAGE, slot_offset(number)) != 0) {
		fprintf(stderr, "checkpoint %u: %s\n", number, zram_strerror());
		return false;
	}
	return memcmp(buf, memory, (size_t)PAGES * PAGE) == 0;
}

static int use(struct store *s, uint8_t *memory, uint8_t *buf)
{
	char text[256];

	for (unsigned i = 0; i < CHECKPOINTS; i++) {
		run_machine(memory, i);
		if (!save(s, memory)) {
			fprintf(stderr, "checkpoint %u: %s\n", i, zram_strerror());
			return 1;
		}
	}
	printf("%u checkpoints of %u MiB kept under %" PRIu64 " MiB, %u dropped for them\n", s->next - s->oldest,
	       PAGES * PAGE >> 20, LIMIT_BYTES >> 20, s->dropped);
	if (zram_attr_get(s->device, "mm_stat", text, sizeof(text)) < 0)
		return 1;
	printf("mm_stat %s", text);
	for (unsigned number = s->oldest; number < s->next; number++) {
		memset(memory, 0, (size_t)PAGES * PAGE);
		run_machine(memory, number);
		if (!check(s, number, memory, buf))
			return 1;
	}
	return s->dropped > 0 && s->next - s->oldest > 1 ? 0 : 1;
}

int main(void)
{
	struct zram_options options = ZRAM_OPTIONS_INIT;
	struct store s = { 0 };
	uint8_t *memory = calloc(PAGES, PAGE), *buf = malloc((size_t)PAGES * PAGE);
	int result = 1;

	options.disksize = (uint64_t)SLOTS * PAGES * PAGE;
	options.mem_limit = LIMIT_BYTES;
	options.flags = ZRAM_CHECKSUM;
	s.device = zram_create("checkpoints", &options);
	if (s.device == NULL)
		fprintf(stderr, "%s\n", zram_strerror());
	else if (memory != NULL && buf != NULL)
		result = use(&s, memory, buf);
	zram_destroy(s.device);
	free(memory);
	free(buf);
	return result;
}
