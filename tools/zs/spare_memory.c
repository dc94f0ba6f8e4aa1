/* SPDX-License-Identifier: BSD-3-Clause */
/* spare_memory.c - the least of what the machine, the control groups and the process's own limit leave. */
#include "spare_memory.h"

#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* The files of one of the two kinds of control groups. */
struct group_files {
	const char *mount, *limit, *usage, *cache[2];
};

static const struct group_files version1 = { "/sys/fs/cgroup/memory",
					     "memory.limit_in_bytes",
					     "memory.usage_in_bytes",
					     { "total_inactive_file %" SCNu64, "total_active_file %" SCNu64 } };
static const struct group_files version2 = {
	"/sys/fs/cgroup", "memory.max", "memory.current", { "inactive_file %" SCNu64, "active_file %" SCNu64 }
};

/* The number in the first line that the format fits, UINT64_MAX where there is none. */
static uint64_t number_in(const char *path, const char *format)
{
	char line[256];
	uint64_t number = UINT64_MAX;
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return UINT64_MAX;
	while (fgets(line, sizeof(line), file) != NULL && sscanf(line, format, &number) != 1)
		number = UINT64_MAX;
	fclose(file);
	return number;
}

static uint64_t group_number(const struct group_files *files, const char *group, const char *file, const char *format)
{
	char path[PATH_MAX];
	if ((size_t)snprintf(path, sizeof(path), "%s%s/%s", files->mount, group, file) >= sizeof(path))
		return UINT64_MAX;
	return number_in(path, format);
}

/* What one group leaves; UINT64_MAX: no limit, or no such group. */
static uint64_t left_by_group(const struct group_files *files, const char *group)
{
	uint64_t limit = group_number(files, group, files->limit, "%" SCNu64);
	uint64_t usage = group_number(files, group, files->usage, "%" SCNu64);
	if (limit == UINT64_MAX || usage == UINT64_MAX)
		return UINT64_MAX;
	uint64_t cache = 0;
	for (int i = 0; i < 2; i++) {
		uint64_t bytes = group_number(files, group, "memory.stat", files->cache[i]);
		cache += bytes == UINT64_MAX ? 0 : bytes;
	}
	usage -= cache < usage ? cache : usage;
	return limit > usage ? limit - usage : 0;
}

/* The least of what a group and those above it leave. group is changed. */
static uint64_t left_by_groups(const struct group_files *files, char *group)
{
	uint64_t least = UINT64_MAX;
	for (char *end = group + strlen(group); end != NULL; end = strrchr(group, '/')) {
		*end = '\0';
		uint64_t left = left_by_group(files, group);
		least = left < least ? left : least;
	}
	return least;
}

/* Of all groups that this process is in: lines NUMBER:CONTROLLERS:PATH, with no controllers in version 2. */
static uint64_t left_by_all_groups(void)
{
	char line[PATH_MAX], controllers[256], *path;
	uint64_t least = UINT64_MAX;
	FILE *file = fopen("/proc/self/cgroup", "re");
	if (file == NULL)
		return UINT64_MAX;
	while (fgets(line, sizeof(line), file) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		controllers[0] = '\0';
		int fields = sscanf(line, "%*u:%255[^:]", controllers);
		bool second = fields != 1;
		path = strchr(line, ':');
		path = path != NULL ? strchr(path + 1, ':') : NULL;
		if (path == NULL || (!second && strcmp(controllers, "memory") != 0))
			continue;
		uint64_t left = left_by_groups(second ? &version2 : &version1, path + 1);
		least = left < least ? left : least;
	}
	fclose(file);
	return least;
}

/* What a limit on the address space leaves of it. */
static uint64_t left_of_addresses(void)
{
	struct rlimit limit;
	uint64_t pages = number_in("/proc/self/statm", "%" SCNu64);
	if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || pages == UINT64_MAX)
		return UINT64_MAX;
	uint64_t used = pages * (uint64_t)sysconf(_SC_PAGESIZE);
	return limit.rlim_cur > used ? limit.rlim_cur - used : 0;
}

uint64_t spare_memory(void)
{
	uint64_t kib = number_in("/proc/meminfo", "MemAvailable: %" SCNu64);
	uint64_t least =
		kib != UINT64_MAX ? kib * 1024 : (uint64_t)sysconf(_SC_AVPHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t groups = left_by_all_groups(), addresses = left_of_addresses();
	least = groups < least ? groups : least;
	return addresses < least ? addresses : least;
}
