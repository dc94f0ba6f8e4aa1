/* SPDX-License-Identifier: BSD-3-Clause */
/* pages.c - see pages.h. The content is the same in every run. */
#include "pages.h"

#include <string.h>

static uint64_t state;

/* xorshift64*: period 2^64-1, good enough that no compressor finds anything in it. */
static uint64_t next_random(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * UINT64_C(2685821657736338717);
}

static void put_random(unsigned char *to, size_t bytes)
{
	for (size_t i = 0; i < bytes; i += sizeof(uint64_t)) {
		uint64_t word = next_random();
		memcpy(to + i, &word, sizeof(word));
	}
}

static void put_words(char *to, size_t bytes)
{
	static const char *const vocabulary[] = { "page ",    "chain ",  "object ", "handle ", "class ", "slot ",
						  "zspage ",  "of ",     "a ",      "the ",    "many ",  "memory ",
						  "compact ", "reader ", "writer ", "lock\n" };
	size_t done = 0;
	while (done < bytes) {
		const char *word = vocabulary[next_random() % (sizeof(vocabulary) / sizeof(vocabulary[0]))];
		size_t len = strlen(word) < bytes - done ? strlen(word) : bytes - done;
		memcpy(to + done, word, len);
		done += len;
	}
}

int fill_pages(const char *kind, void *to, size_t page_size, size_t count)
{
	state = 88172645463325252u;
	for (size_t i = 0; i < count; i++) {
		char *page = (char *)to + i * page_size;
		if (strcmp(kind, "zero") == 0) {
			memset(page, 0, page_size);
		} else if (strcmp(kind, "word") == 0) {
			uint64_t word = next_random();
			for (size_t at = 0; at < page_size; at += sizeof(word))
				memcpy(page + at, &word, sizeof(word));
		} else if (strcmp(kind, "random") == 0) {
			put_random((unsigned char *)page, page_size);
		} else if (strcmp(kind, "quarter") == 0) {
			state = 88172645463325252u;
			put_random((unsigned char *)page, page_size / 4);
			memset(page + page_size / 4, 0, page_size - page_size / 4);
		} else if (strcmp(kind, "words") == 0) {
			put_words(page, page_size);
		} else {
			return -1;
		}
	}
	return 0;
}
