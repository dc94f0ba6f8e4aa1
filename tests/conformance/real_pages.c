/* SPDX-License-Identifier: BSD-3-Clause */
/* real_pages.c - see real_pages.h. Files are found by going down from a folder, anywhere, until there is one. */
#include "real_pages.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#define PAGE 4096u
#define MOST_OF_A_FILE 64u /* pages, one after the other */
#define DEEPEST 8u
#define TRIES_A_PAGE 4u

const char *const real_kind_names[REAL_KINDS] = { "ELF", "text", "data", "compressed", "heaps" };

/* --- files --- */

/* Where there are many files of a kind. */
static const char *const roots[REAL_KINDS][4] = {
	[REAL_ELF] = { "/usr/bin", "/usr/lib", "/usr/sbin", "/usr/libexec" },
	[REAL_TEXT] = { "/usr/include", "/usr/share", "/usr/lib", "/etc" },
	[REAL_DATA] = { "/usr/share", "/usr/lib", "/usr/share/locale", "/usr/lib/python3" },
	[REAL_COMPRESSED] = { "/usr/share/doc", "/usr/share/man", "/usr/share/icons", "/usr/share" },
};

static bool begins_with(const uint8_t *bytes, const char *with)
{
	return memcmp(bytes, with, strlen(with)) == 0;
}

/* Of a file, by its first page. */
static enum real_kind kind_of(const uint8_t page[PAGE])
{
	size_t odd = 0;

	if (begins_with(page, "\x7f"
			      "ELF"))
		return REAL_ELF;
	if (begins_with(page, "\x1f\x8b") || begins_with(page, "\x89PNG") || begins_with(page, "PK\x03\x04") ||
	    begins_with(page, "\xfd"
			      "7zXZ") ||
	    begins_with(page, "\x28\xb5\x2f\xfd"))
		return REAL_COMPRESSED;
	for (size_t i = 0; i < 512; i++)
		odd += !isprint(page[i]) && !isspace(page[i]) && page[i] < 0x80;
	return odd == 0 ? REAL_TEXT : REAL_DATA;
}

/* The name of any entry of a folder, by reservoir sampling: each is as likely as any other. */
static bool any_entry(struct rng *rng, const char *folder, char name[NAME_MAX + 1])
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	uint64_t seen = 0;

	if (dir == NULL)
		return false;
	while ((entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.' && rng_one_in(rng, ++seen))
			snprintf(name, NAME_MAX + 1, "%s", entry->d_name);
	closedir(dir);
	return seen > 0;
}

/* Any file below a folder, opened to read; -1: that was the wrong way. No link is followed. */
static int any_file(struct rng *rng, const char *root, off_t *size)
{
	char path[PATH_MAX], name[NAME_MAX + 1];
	struct stat st;

	snprintf(path, sizeof(path), "%s", root);
	for (unsigned depth = 0; depth < DEEPEST && any_entry(rng, path, name); depth++) {
		size_t len = strlen(path);

		if ((size_t)snprintf(path + len, sizeof(path) - len, "/%s", name) >= sizeof(path) - len ||
		    lstat(path, &st) != 0)
			return -1;
		if (S_ISREG(st.st_mode)) {
			*size = st.st_size;
			return st.st_size < (off_t)PAGE ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		}
		if (!S_ISDIR(st.st_mode))
			return -1;
	}
	return -1;
}

/* Some pages of one file, one after the other, if it is of the kind. */
static size_t pages_of_file(enum real_kind kind, struct rng *rng, int fd, off_t size, uint8_t *pages, size_t count)
{
	const uint64_t there = ((uint64_t)size + PAGE - 1) / PAGE;
	const uint64_t first = rng_below(rng, there);
	size_t n = (size_t)(there - first);
	ssize_t got;

	if (pread(fd, pages, PAGE, 0) != (ssize_t)PAGE || kind_of(pages) != kind)
		return 0;
	if (n > MOST_OF_A_FILE)
		n = MOST_OF_A_FILE;
	if (n > count)
		n = count;
	memset(pages, 0, n * PAGE);
	got = pread(fd, pages, n * PAGE, (off_t)(first * PAGE));
	return got <= 0 ? 0 : ((size_t)got + PAGE - 1) / PAGE;
}

static size_t pages_of_files(enum real_kind kind, struct rng *rng, uint8_t *pages, size_t count)
{
	size_t n = 0;

	for (uint64_t tries = 0; n < count && tries < count * TRIES_A_PAGE; tries++) {
		off_t size;
		int fd = any_file(rng, roots[kind][rng_below(rng, 4)], &size);

		if (fd < 0)
			continue;
		n += pages_of_file(kind, rng, fd, size, pages + n * PAGE, count - n);
		close(fd);
	}
	return n;
}

/* --- heaps --- */

/*
 * Each makes something large of the words in some files, the system's headers, says so, and waits for the end of its
 * input.
 */
static const char *const interpreters[] = {
	"exec perl -e 'while (<ARGV>) { push @{$w{$_}}, $. for /\\w+/g } $| = 1; print \"ready\\n\"; <STDIN>' $FILES",
	"exec python3 -c 'import sys, re\n"
	"d = {}\n"
	"for f in sys.argv[1:]:\n"
	"  for w in re.findall(\"[a-zA-Z_]+\", open(f, errors=\"replace\").read()): d.setdefault(w, []).append(f)\n"
	"print(\"ready\", flush=True); sys.stdin.read()' $FILES",
	"exec node -e 'const fs = require(\"fs\"), d = {}; for (const f of process.argv.slice(1))"
	" for (const w of fs.readFileSync(f, \"latin1\").split(/\\W+/)) (d[w + 1] = d[w + 1] || []).push(f + w);"
	" console.log(\"ready\"); process.stdin.resume()' $FILES",
	("declare -A d; set -- $FILES; for f in \"${@:1:8}\"; do while read -r a b; do d[x$a$f]=$b; done <\"$f\"; done;"
	 " echo ready; read -r x"),
};

/* For some pages, and for many. */
static const char few_files[] = "/usr/include/[a-f]*.h", many_files[] = "/usr/include/*.h /usr/include/*/*.h";

enum { INTERPRETERS = sizeof(interpreters) / sizeof(interpreters[0]) };

struct child {
	pid_t pid;
	int in, out;
};

/* False: it has ended without a word. */
static bool start(struct child *c, const char *script, const char *files)
{
	int in[2], out[2];
	char line[16];

	CHECK(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
	c->pid = fork();
	CHECK(c->pid >= 0);
	if (c->pid == 0) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		setenv("FILES", files, 1);
		dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
		execlp("bash", "bash", "-c", script, (char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	c->in = in[1];
	c->out = out[0];
	return read(c->out, line, sizeof(line)) > 0;
}

static void stop(struct child *c)
{
	close(c->in);
	close(c->out);
	kill(c->pid, SIGKILL);
	waitpid(c->pid, NULL, 0);
}

static FILE *proc_file(const struct child *c, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)c->pid, name);
	return fopen(path, "re");
}

/* The next range of private memory that may be written. */
static bool next_range(FILE *maps, uint64_t *first, uint64_t *end)
{
	char line[4352], mode[5];

	while (fgets(line, sizeof(line), maps) != NULL)
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", first, end, mode) == 3 && strcmp(mode, "rw-p") == 0)
			return true;
	return false;
}

static bool is_zero(const uint8_t page[PAGE])
{
	return page[0] == 0 && memcmp(page, page + 1, PAGE - 1) == 0;
}

/* Pages from all over its memory; what was never touched is left out. */
static size_t pages_of_child(struct rng *rng, const struct child *c, uint8_t *pages, size_t count)
{
	FILE *maps = proc_file(c, "maps"), *mem = proc_file(c, "mem");
	uint64_t first, end, all = 0;
	size_t n = 0;

	CHECK(maps != NULL && mem != NULL);
	while (next_range(maps, &first, &end))
		all += (end - first) / PAGE;
	const uint64_t step = all / count + 1;

	rewind(maps);
	while (next_range(maps, &first, &end)) {
		for (uint64_t at = first + rng_below(rng, step) * PAGE; n < count && at < end; at += step * PAGE)
			n += pread(fileno(mem), pages + n * PAGE, PAGE, (off_t)at) == (ssize_t)PAGE &&
			     !is_zero(pages + n * PAGE);
	}
	fclose(maps);
	fclose(mem);
	return n;
}

static size_t pages_of_heaps(struct rng *rng, uint8_t *pages, size_t count)
{
	const char *files = count > 1000 ? many_files : few_files;
	size_t n = 0, share = (count + INTERPRETERS - 1) / INTERPRETERS;

	for (unsigned i = 0; i < INTERPRETERS; i++) {
		const size_t most = share < count - n ? share : count - n;
		struct child c;

		if (start(&c, interpreters[i], files) && most > 0)
			n += pages_of_child(rng, &c, pages + n * PAGE, most);
		stop(&c);
	}
	return n;
}

size_t real_pages(enum real_kind kind, struct rng *rng, uint8_t *pages, size_t count)
{
	return kind == REAL_HEAPS ? pages_of_heaps(rng, pages, count) : pages_of_files(kind, rng, pages, count);
}
