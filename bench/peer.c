/* SPDX-License-Identifier: BSD-3-Clause */
/* peer.c - each of the known ones has a function that the others have not, and another one that tells its version. */
#include "peer.h"

#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* POSIX gives functions as data pointers; this is the conversion that it names. */
static bool find(const char *name, void *function)
{
	void *symbol = dlsym(RTLD_DEFAULT, name);

	memcpy(function, &symbol, sizeof(symbol));
	return symbol != NULL;
}

const char *peer_name(void)
{
	static const char *const known[][2] = { { "mallctl", "jemalloc" },
						{ "mi_collect", "mimalloc" },
						{ "MallocExtension_ReleaseFreeMemory", "tcmalloc" } };
	const char *said = getenv("BENCH_PEER");
	void *symbol;

	if (said != NULL && said[0] != '\0')
		return said;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (find(known[i][0], &symbol))
			return known[i][1];
	return "glibc";
}

/* Up to its first blank or hyphen: what follows names a commit, or the project. */
static const char *word(char *text, size_t size, const char *version)
{
	snprintf(text, size, "%s", version);
	text[strcspn(text, " -")] = '\0';
	return text;
}

const char *peer_version(void)
{
	static char text[64];
	int (*mallctl)(const char *, void *, size_t *, void *, size_t);
	int (*mi_version)(void);
	const char *(*tc_version)(int *, int *, const char **);
	const char *said = NULL;
	size_t size = sizeof(said);

	if (find("mallctl", &mallctl) && mallctl("version", &said, &size, NULL, 0) == 0)
		return word(text, sizeof(text), said);
	if (find("mi_version", &mi_version)) {
		int v = mi_version();
		int step = v < 10000 ? 10 : 100;

		snprintf(text, sizeof(text), "%d.%d.%d", v / (step * step), v / step % step, v % step);
		return text;
	}
	if (find("tc_version", &tc_version)) {
		int major = 0, minor = 0;

		(void)tc_version(&major, &minor, &said);
		snprintf(text, sizeof(text), "%d.%d", major, minor);
		return text;
	}
	return strcmp(peer_name(), "glibc") == 0 ? gnu_get_libc_version() : "";
}
