/* SPDX-License-Identifier: BSD-3-Clause */
/* mount_list.c - what servers say of themselves, as long as they live. */
#include "mount_list.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/mount_place.h"
#include "json.h"
#include "paste.h"

static int print_text(const struct mount_found *m, void *arg)
{
	(void)arg;
	char *directory = shell_word(m->directory), *control = shell_word(m->control);
	if (m->alive && directory != NULL && control != NULL)
		printf("%s pid %ld control %s\n", directory, (long)m->pid, control);
	free(directory);
	free(control);
	return 0;
}

static int print_json(const struct mount_found *m, void *arg)
{
	struct json *j = arg;
	if (!m->alive)
		return 0;
	json_begin_object(j, NULL);
	json_string(j, "directory", m->directory);
	json_uint(j, "pid", (uint64_t)m->pid);
	json_string(j, "control", m->control);
	json_end_object(j);
	return 0;
}

void mount_list_print(bool json)
{
	struct json j = JSON_INIT(stdout);
	if (!json) {
		mount_place_each(print_text, NULL);
		return;
	}
	json_begin_array(&j, NULL);
	mount_place_each(print_json, &j);
	json_end_array(&j);
}
