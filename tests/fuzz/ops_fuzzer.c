/* SPDX-License-Identifier: BSD-3-Clause */
/* ops_fuzzer.c - bytes to a pool and a sequence of operations on it, compared with the model of support/model.h. */
#include <errno.h>

#include "check.h"
#include "fuzz_input.h"
#include "model.h"

#define MAX_STEPS 300u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t page_sizes[] = { 4096, 16384, 65536 };
	struct fuzz_input in = { data, size, false };
	struct chooser chooser = fuzz_chooser(&in);
	struct model_config config = { .max_pages = 400, .max_objects = 300, .memory_is_short = true };

	config.geometry = (enum zs_geometry)choose(&chooser, 2);
	/* Mostly small pages: they are quicker. */
	config.page_size = page_sizes[choose(&chooser, 8) % 5 % 3];
	config.source = (enum model_source)choose(&chooser, 4);
	config.chain_size = (unsigned)choose(&chooser, config.geometry == ZS_GEOMETRY_LINUX ? 17 : 65);
	config.flags = (unsigned)choose(&chooser, 2) * ZS_POOL_NO_THREAD_CACHE;
	config.limit_bytes = choose(&chooser, 4) == 0 ? 100000 + choose(&chooser, 256) * 4096 : 0;

	struct model *m = model_create(&config, chooser, 1);

	if (m == NULL) {
		CHECK(config.limit_bytes != 0 && errno == ENOMEM);
		return 0;
	}
	for (unsigned step = 0; step < MAX_STEPS && !in.ended; step++) {
		check_step(step);
		model_step(m);
	}
	model_verify(m);
	model_destroy(m);
	return 0;
}
