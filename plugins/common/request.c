/* SPDX-License-Identifier: BSD-3-Clause */
/* request.c - the words of a request are looked up, and the answer is made of the device's attributes. */
#include "common/request.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/why.h"

/* What one request comes to: a body, or a reason why not. */
struct outcome {
	char *body; /* to be freed */
	size_t bytes;
	char why[WHY_BYTES]; /* "": it was done */
};

static void refuse(struct outcome *o, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void refuse(struct outcome *o, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(o->why, sizeof(o->why), format, args);
	va_end(args);
}

/* Split off the first word of *rest, which then begins behind the blank. */
static char *next_word(char **rest)
{
	char *word = *rest;
	char *blank = strchr(word, ' ');
	if (blank != NULL)
		*blank = '\0';
	*rest = blank != NULL ? blank + 1 : word + strlen(word);
	return word;
}

static const struct request_number *find_number(const struct request *request, const char *name)
{
	const struct request_number *n = request->host->numbers;
	for (; n != NULL && n->name != NULL; n++)
		if (strcmp(n->name, name) == 0)
			return n;
	return NULL;
}

/* The size is what users see, not that of the device behind it. */
static ssize_t get_attr(const struct request *request, const char *attr, char *buf, size_t room)
{
	const struct request_number *number = find_number(request, attr);
	if (number != NULL)
		return snprintf(buf, room, "%" PRIu64 "\n", number->value(request->owner));
	if (strcmp(attr, "disksize") == 0)
		return snprintf(buf, room, "%" PRIu64 "\n", request->host->size(request->owner));
	return zram_attr_get(request->z, attr, buf, room);
}

/* The value of one; false where it can't be read, with the reason in o. */
static bool read_attr(const struct request *request, const char *attr, struct outcome *o)
{
	/* The length may grow between two calls, so it is asked for until it fits. */
	for (size_t room = 4096;;) {
		char *grown = realloc(o->body, room);
		if (grown == NULL) {
			refuse(o, "out of memory");
			return false;
		}
		o->body = grown;
		ssize_t len = get_attr(request, attr, o->body, room);
		if (len < 0) {
			refuse(o, "%s", zram_strerror());
			return false;
		}
		o->bytes = (size_t)len;
		if (o->bytes < room)
			return true;
		room = o->bytes + o->bytes / 8 + 1;
	}
}

/* All that can be read, but for block_state, which has a line for each block, and the last error of a thread. */
static const char *const readable[] = {
	"backing_dev",
	"bd_stat",
	"comp_algorithm",
	"compressed_writeback",
	"debug_stat",
	"disksize",
	"evict",
	"initstate",
	"io_stat",
	"max_comp_streams",
	"mem_limit",
	"mem_used_max",
	"mm_stat",
	"recomp_algorithm",
	"writeback_batch_size",
	"writeback_limit",
	"writeback_limit_enable",
};

/* "ATTR LINE" for each line of its value. False with the reason in one. */
static bool print_attr(const struct request *request, const char *attr, struct outcome *one, FILE *out)
{
	char *next;
	if (!read_attr(request, attr, one))
		return false;
	for (char *line = strtok_r(one->body, "\n", &next); line != NULL; line = strtok_r(NULL, "\n", &next))
		fprintf(out, "%s %s\n", attr, line);
	return true;
}

static void get_all(const struct request *request, struct outcome *o)
{
	struct outcome one = { NULL, 0, "" };
	const struct request_number *n = request->host->numbers;
	bool good = true;
	FILE *out = open_memstream(&o->body, &o->bytes);
	if (out == NULL) {
		refuse(o, "out of memory");
		return;
	}
	for (size_t i = 0; good && i < sizeof(readable) / sizeof(readable[0]); i++)
		good = print_attr(request, readable[i], &one, out);
	for (; good && n != NULL && n->name != NULL; n++)
		good = print_attr(request, n->name, &one, out);
	if (!good)
		refuse(o, "%s", one.why);
	free(one.body);
	if (fclose(out) != 0)
		refuse(o, "out of memory");
}

static void run_get(const struct request *request, char *rest, struct outcome *o)
{
	const char *attr = next_word(&rest);
	if (*rest)
		refuse(o, "usage: get [ATTR]");
	else if (*attr)
		read_attr(request, attr, o);
	else
		get_all(request, o);
}

static void run_set(const struct request *request, char *rest, struct outcome *o)
{
	const char *attr = next_word(&rest);
	if (!*attr)
		refuse(o, "usage: set ATTR [VALUE]");
	else if (strcmp(attr, "reset") == 0 || strcmp(attr, "disksize") == 0)
		refuse(o, "%s: the disk is in use: %s", attr, strerror(EBUSY));
	else if (zram_attr_set(request->z, attr, rest) != 0)
		refuse(o, "%s", zram_strerror());
}

/* The device's object, with the server's own numbers as its first members. */
static int print_json(const struct request *request, FILE *out)
{
	char *text = NULL;
	size_t bytes;
	const struct request_number *n = request->host->numbers;
	if (n == NULL)
		return zram_stats_print(request->z, out, ZRAM_STATS_JSON);
	FILE *device = open_memstream(&text, &bytes);
	int result = device != NULL ? zram_stats_print(request->z, device, ZRAM_STATS_JSON) : -1;
	if (device != NULL && fclose(device) != 0)
		result = -1;
	if (result == 0) {
		fputc('{', out);
		for (; n->name != NULL; n++)
			fprintf(out, "\"%s\": %" PRIu64 ", ", n->name, n->value(request->owner));
		fputs(text + strcspn(text, "{") + 1, out);
	}
	free(text);
	return result;
}

static int print_prometheus(const struct request *request, FILE *out)
{
	const struct request_number *n = request->host->numbers;
	for (; n != NULL && n->name != NULL; n++)
		fprintf(out, "# HELP zs_mount_%s %s\n# TYPE zs_mount_%s gauge\nzs_mount_%s %" PRIu64 "\n", n->name, n->help,
			n->name, n->name, n->value(request->owner));
	return zram_stats_print(request->z, out, ZRAM_STATS_PROMETHEUS);
}

static void run_stats(const struct request *request, char *rest, struct outcome *o)
{
	int result = 0;
	FILE *out = open_memstream(&o->body, &o->bytes);
	if (out == NULL) {
		refuse(o, "out of memory");
		return;
	}
	if (strcmp(rest, "json") == 0)
		result = print_json(request, out);
	else if (strcmp(rest, "prometheus") == 0)
		result = print_prometheus(request, out);
	else if (strcmp(rest, "classes") == 0)
		result = zs_stats_print(zram_get_pool(request->z), out, ZS_STATS_CLASSES);
	else
		refuse(o, "usage: stats json|prometheus|classes");
	int saved = errno;
	if ((fclose(out) != 0 || result != 0) && !*o->why)
		refuse(o, "statistics: %s", strerror(result ? saved : errno));
}

static void run_save(const struct request *request, char *rest, struct outcome *o)
{
	const char *path = *rest ? rest : request->save;
	if (path == NULL)
		refuse(o, "usage: save FILE: the server was started without save=");
	else if (path[0] != '/')
		refuse(o, "save: the file's name must begin with '/'");
	else
		request->host->save(request->owner, path, request->save != NULL && strcmp(path, request->save) == 0,
				    o->why, sizeof(o->why));
}

static void run_progress(const struct request *request, char *rest, struct outcome *o)
{
	uint64_t done, all;
	if (*rest) {
		refuse(o, "usage: progress");
		return;
	}
	request->host->progress(request->owner, &done, &all);
	int n = asprintf(&o->body, "%" PRIu64 " %" PRIu64 "\n", done, all);
	if (n < 0) {
		o->body = NULL;
		refuse(o, "out of memory");
	} else {
		o->bytes = (size_t)n;
	}
}

static const struct {
	const char *name;
	void (*run)(const struct request *request, char *rest, struct outcome *o);
} requests[] = {
	{ "get", run_get },
	{ "set", run_set },
	{ "stats", run_stats },
	{ "save", run_save },
	{ "progress", run_progress },
};

static void run(const struct request *request, char *line, size_t len, struct outcome *o)
{
	if (memchr(line, '\0', len) != NULL) {
		refuse(o, "a request can't hold a byte that is 0");
		return;
	}
	char *rest = line;
	const char *name = next_word(&rest);
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		if (strcmp(name, requests[i].name) == 0) {
			requests[i].run(request, rest, o);
			return;
		}
	}
	refuse(o, "unknown request '%s': there are get, set, stats, save and progress", name);
}

bool request_error(const char *text, char **answer, size_t *answer_bytes)
{
	int n = asprintf(answer, "error %s\n", *text ? text : "unknown");
	if (n < 0)
		return false;
	*answer_bytes = (size_t)n;
	/* The text may quote what the request had: nothing in it may end the line or drive a terminal. */
	for (char *c = *answer; c < *answer + n - 1; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	return true;
}

bool request_run(const struct request *request, char *line, size_t len, char **answer, size_t *answer_bytes)
{
	struct outcome o = { NULL, 0, "" };
	bool good;
	line[len] = '\0';
	run(request, line, len, &o);
	if (*o.why) {
		good = request_error(o.why, answer, answer_bytes);
	} else {
		char head[32];
		size_t head_bytes = (size_t)snprintf(head, sizeof(head), "ok %zu\n", o.bytes);
		*answer = malloc(head_bytes + o.bytes);
		*answer_bytes = head_bytes + o.bytes;
		good = *answer != NULL;
		if (good) {
			memcpy(*answer, head, head_bytes);
			if (o.bytes)
				memcpy(*answer + head_bytes, o.body, o.bytes);
		}
	}
	free(o.body);
	return good;
}
