/* SPDX-License-Identifier: BSD-3-Clause */
/* algs.c - which algorithms a device uses, with which levels and dictionaries. All is fixed once it is initialised. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/backend.h"
#include "codec/codec.h"
#include "device/algs.h"
#include "device/device.h"
#include "device/error.h"
#include "device/layout.h"
#include "device/memory.h"
#include "device/parse.h"

#define DEFAULT_ALGORITHM "lz4"
#define NAMES_BYTES 128u

/* "lzo lz4 ..." for messages. */
static const char *names(char text[NAMES_BYTES])
{
	size_t at = 0;

	text[0] = '\0';
	for (unsigned i = 0; zsi_codec_at(i) != NULL && at < NAMES_BYTES; i++)
		at += (size_t)snprintf(text + at, NAMES_BYTES - at, "%s%s", i > 0 ? " " : "",
				       zsi_codec_name(zsi_codec_at(i)));
	return text;
}

int zsi_refuse_initialised_locked(struct zram *z, const char *what)
{
	if (z->pool == NULL)
		return 0;
	return zsi_fail(EBUSY, "%s: %s can't change while the device is initialised: reset it first", z->name, what);
}

static void forget_dict(struct zsi_alg *a)
{
	free(a->dict_data);
	a->dict_data = NULL;
	a->dict_data_bytes = 0;
}

int zsi_algs_set_locked(struct zram *z, unsigned priority, const char *name)
{
	const struct zsi_codec *codec = zsi_codec_find(name);
	struct zsi_alg *a = &z->algs[priority];
	char text[NAMES_BYTES];
	int min, max;

	if (zsi_refuse_initialised_locked(z, priority == 0 ? "comp_algorithm" : "recomp_algorithm") != 0)
		return -1;
	if (codec == NULL)
		return zsi_fail(EINVAL, "%s: no algorithm '%s': there are %s", z->name, name, names(text));
	a->codec = codec;
	if (!a->has_level)
		(void)zsi_codec_levels(codec, &min, &max, &a->level);
	return 0;
}

/* The whole of a dictionary's file, for the caller to free; NULL, and the reason is told. */
static uint8_t *read_dict(struct zram *z, const char *path, size_t *bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	uint8_t *data = NULL;
	size_t got = 0;
	ssize_t n = 0;

	if (fd < 0) {
		(void)zsi_fail(errno, "%s: dictionary %s: %s", z->name, path, strerror(errno));
		return NULL;
	}
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size < (off_t)ZSI_CODEC_DICT_MIN ||
	    st.st_size > (off_t)ZSI_CODEC_DICT_MAX) {
		(void)zsi_fail(EINVAL, "%s: dictionary %s: not a file of %u to %u bytes", z->name, path,
			       ZSI_CODEC_DICT_MIN, ZSI_CODEC_DICT_MAX);
	} else if ((data = malloc((size_t)st.st_size)) == NULL) {
		(void)zsi_fail(ENOMEM, "%s: no memory for dictionary %s", z->name, path);
	} else {
		while (got < (size_t)st.st_size && (n = read(fd, data + got, (size_t)st.st_size - got)) > 0)
			got += (size_t)n;
		if (got < (size_t)st.st_size) {
			(void)zsi_fail(n < 0 ? errno : EIO, "%s: dictionary %s: %s", z->name, path,
				       n < 0 ? strerror(errno) : "it became shorter while it was read");
			free(data);
			data = NULL;
		}
	}
	(void)close(fd);
	*bytes = got;
	return data;
}

/* What algorithm_params and recomp_algorithm name. */
struct params {
	const char *algo, *dict;
	uint64_t priority;
	int64_t level, winbits;
	bool has_priority, has_level, has_winbits, kernel;
};

/* zlib's windows, as exponents; negative for streams without a header, as all are here. */
#define WINBITS_MIN 8
#define WINBITS_MAX 15

/* text is cut into pieces in place. least: the priority that is asked for at least. */
static int read_params(struct zram *z, char *text, struct params *p, const char *attr, const char *known,
		       unsigned least)
{
	char *key, *value;

	memset(p, 0, sizeof(*p));
	while (zsi_parse_pair(&text, &key, &value)) {
		bool is_known = value != NULL && strstr(known, key) != NULL;

		if (is_known && strcmp(key, "algo") == 0) {
			p->algo = value;
		} else if (is_known && strcmp(key, "dict") == 0) {
			p->dict = value;
		} else if (is_known && strcmp(key, "priority") == 0) {
			p->has_priority = true;
			if (zsi_parse_number(value, &p->priority) != 0 || p->priority < least ||
			    p->priority >= ZSI_PRIORITIES)
				return zsi_fail(EINVAL, "%s: %s: priority '%s' is not %u to %u", z->name, attr, value,
						least, ZSI_PRIORITIES - 1);
		} else if (is_known && strcmp(key, "level") == 0) {
			p->has_level = true;
			if (zsi_parse_signed(value, &p->level) != 0 || p->level < INT_MIN || p->level > INT_MAX)
				return zsi_fail(EINVAL, "%s: %s: level '%s' is not a number", z->name, attr, value);
		} else if (is_known && strcmp(key, "deflate.winbits") == 0) {
			p->has_winbits = true;
			if (zsi_parse_signed(value, &p->winbits) != 0)
				return zsi_fail(EINVAL, "%s: %s: deflate.winbits '%s' is not a number", z->name, attr,
						value);
		} else if (is_known && strcmp(key, "kernel") == 0) {
			p->kernel = strcmp(value, "1") == 0;
			if (!p->kernel && strcmp(value, "0") != 0)
				return zsi_fail(EINVAL, "%s: %s: kernel '%s' is not 0 or 1", z->name, attr, value);
		} else {
			return zsi_fail(EINVAL, "%s: %s: '%s' is none of %s", z->name, attr, key, known);
		}
	}
	return 0;
}

int zsi_algs_find(const struct zram *z, const char *name, unsigned first, unsigned last)
{
	const struct zsi_codec *codec = zsi_codec_find(name);

	for (unsigned p = first; codec != NULL && p <= last; p++)
		if (z->algs[p].codec == codec)
			return (int)p;
	return -1;
}

/* The priority that params mean, or -1: EINVAL. Where both are named they have to be of the same algorithm. */
static int params_priority(struct zram *z, const struct params *p)
{
	unsigned priority = (unsigned)p->priority;
	int found;

	if (p->algo == NULL)
		return (int)priority;
	if (p->has_priority) {
		if (zsi_algs_find(z, p->algo, priority, priority) >= 0)
			return (int)priority;
		return zsi_fail(EINVAL, "%s: algorithm_params: algo '%s' is not that of priority %u", z->name, p->algo,
				priority);
	}
	found = zsi_algs_find(z, p->algo, 0, ZSI_PRIORITIES - 1);
	return found >= 0 ? found :
			    zsi_fail(EINVAL, "%s: algorithm_params: algo '%s' is none of the device's algorithms",
				     z->name, p->algo);
}

/* The window is checked and has no effect: libdeflate's is always the largest, and reads the streams of all others. */
static int check_winbits(struct zram *z, const struct params *p, const char *algorithm)
{
	int64_t bits = p->winbits < 0 ? -p->winbits : p->winbits;

	if (!p->has_winbits)
		return 0;
	if (strcmp(algorithm, "deflate") != 0)
		return zsi_fail(EINVAL, "%s: algorithm_params: %s has no deflate.winbits", z->name, algorithm);
	if (bits < WINBITS_MIN || bits > WINBITS_MAX)
		return zsi_fail(EINVAL,
				"%s: algorithm_params: deflate.winbits %" PRId64 " is not %d to %d, or -%d to -%d",
				z->name, p->winbits, WINBITS_MIN, WINBITS_MAX, WINBITS_MIN, WINBITS_MAX);
	return 0;
}

/*
 * Whether the codec can make the kernel's lengths. -1 with EINVAL, and the reason: they are not known, or not with
 * that.
 */
static int check_kernel(struct zram *z, const struct zsi_codec *codec, bool dict)
{
	if (zsi_codec_kernel(codec) == NULL)
		return zsi_fail(EINVAL, "%s: kernel=1: the kernel's %s is not known: lzo-rle, lzo and lz4 are", z->name,
				zsi_codec_name(codec));
	return dict ? zsi_fail(EINVAL, "%s: kernel=1 and a dictionary don't go together", z->name) : 0;
}

const struct zsi_codec *zsi_algs_compressor(const struct zsi_alg *a)
{
	return a->kernel ? zsi_codec_kernel(a->codec) : a->codec;
}

static int params_set(struct zram *z, const struct params *p)
{
	int priority = params_priority(z, p), min, max, dflt;
	uint8_t *data = NULL;
	size_t bytes = 0;

	if (priority < 0)
		return -1;
	struct zsi_alg *a = &z->algs[priority];

	if (a->codec == NULL)
		return zsi_fail(EINVAL, "%s: algorithm_params: there is no algorithm of priority %d", z->name,
				priority);
	const char *name = zsi_codec_name(a->codec);

	if (p->has_level && !zsi_codec_levels(a->codec, &min, &max, &dflt))
		return zsi_fail(EINVAL, "%s: algorithm_params: %s has no levels", z->name, name);
	if (p->has_level && (p->level < min || p->level > max))
		return zsi_fail(EINVAL, "%s: algorithm_params: level %" PRId64 " is not one of %s's, %d to %d", z->name,
				p->level, name, min, max);
	if (check_winbits(z, p, name) != 0 || (p->kernel && check_kernel(z, a->codec, p->dict != NULL) != 0))
		return -1;
	if (p->dict != NULL && !zsi_codec_takes_dict(a->codec))
		return zsi_fail(EINVAL, "%s: algorithm_params: %s takes no dictionary", z->name, name);
	if (p->dict != NULL && (data = read_dict(z, p->dict, &bytes)) == NULL)
		return -1;
	/* The kernel's: what is not named goes back to its default. */
	forget_dict(a);
	a->dict_data = data;
	a->dict_data_bytes = bytes;
	a->kernel = p->kernel;
	a->has_level = p->has_level;
	(void)zsi_codec_levels(a->codec, &min, &max, &a->level);
	if (p->has_level)
		a->level = (int)p->level;
	return 0;
}

int zsi_algs_params_set_locked(struct zram *z, const char *text)
{
	char *copy;
	struct params p;
	int result;

	if (zsi_refuse_initialised_locked(z, "algorithm_params") != 0)
		return -1;
	copy = strdup(text);
	if (copy == NULL)
		return zsi_fail(ENOMEM, "%s: no memory", z->name);
	result = read_params(z, copy, &p, "algorithm_params",
			     "priority= algo= level= dict= deflate.winbits= kernel=", 0);
	if (result == 0)
		result = params_set(z, &p);
	free(copy);
	return result;
}

int zsi_algs_recomp_set_locked(struct zram *z, const char *text)
{
	char *copy;
	struct params p;
	int result;

	if (zsi_refuse_initialised_locked(z, "recomp_algorithm") != 0)
		return -1;
	copy = strdup(text);
	if (copy == NULL)
		return zsi_fail(ENOMEM, "%s: no memory", z->name);
	result = read_params(z, copy, &p, "recomp_algorithm", "algo= priority=", 1);
	if (result == 0 && p.algo == NULL)
		result = zsi_fail(EINVAL, "%s: recomp_algorithm: algo= is missing", z->name);
	if (result == 0)
		result = zsi_algs_set_locked(z, p.has_priority ? (unsigned)p.priority : 1, p.algo);
	free(copy);
	return result;
}

void zsi_algs_reset_locked(struct zram *z)
{
	for (unsigned i = 0; i < ZSI_PRIORITIES; i++) {
		forget_dict(&z->algs[i]);
		memset(&z->algs[i], 0, sizeof(z->algs[i]));
	}
	(void)zsi_algs_set_locked(z, 0, DEFAULT_ALGORITHM);
}

void zsi_algs_stop_locked(struct zram *z)
{
	for (unsigned i = 0; i < ZSI_PRIORITIES; i++) {
		struct zsi_alg *a = &z->algs[i];

		if (a->dict == NULL)
			continue;
		zsi_memory_uncharge(z, a->dict_data_bytes + zsi_codec_dict_bytes(a->dict));
		zsi_codec_dict_destroy(a->dict);
		a->dict = NULL;
	}
}

int zsi_algs_start_locked(struct zram *z)
{
	int min, max, dflt;

	for (unsigned i = 0; i < ZSI_PRIORITIES; i++) {
		struct zsi_alg *a = &z->algs[i];

		if (a->codec == NULL)
			continue;
		/* The algorithm may have been changed after its parameters. */
		if (zsi_codec_levels(a->codec, &min, &max, &dflt) && (a->level < min || a->level > max))
			return zsi_fail(EINVAL, "%s: level %d is not one of %s's, %d to %d", z->name, a->level,
					zsi_codec_name(a->codec), min, max);
		if (a->kernel && check_kernel(z, a->codec, a->dict_data != NULL) != 0)
			return -1;
		if (a->dict_data == NULL)
			continue;
		a->dict = zsi_codec_dict_create(a->codec, a->level, a->dict_data, a->dict_data_bytes);
		if (a->dict == NULL)
			return zsi_fail(errno, "%s: %s does not take its dictionary", z->name,
					zsi_codec_name(a->codec));
		if (zsi_memory_charge(z, a->dict_data_bytes + zsi_codec_dict_bytes(a->dict)) != 0) {
			zsi_codec_dict_destroy(a->dict);
			a->dict = NULL;
			return zsi_fail(ENOMEM, "%s: no memory for %s's dictionary", z->name, zsi_codec_name(a->codec));
		}
	}
	return 0;
}
