/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rude.c - a client that does not behave, for the tests of the disk.
 *
 *   rude connections URI N   open and close N connections, up to 100 of them open at once
 *   rude vanish URI N        start a request on each of N connections and go away in the middle
 *   rude vanish-busy URI N   the same with several requests on each
 *   rude past-end URI        ask for what lies behind the end, in every way: each must be refused, and nothing else happens
 *   rude random SOCKET N     send N times random bytes to a Unix socket, some of them nearly requests
 *
 * Ends with 0, or 1 and a line that says what the server did wrong. SEED in the environment changes the random numbers.
 */
#include <errno.h>
#include <inttypes.h>
#include <libnbd.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "rng.h"

enum { OPEN_AT_ONCE = 100, BUFFER = 1 << 20 };

static struct rng rng = { 41 };

_Noreturn static void die(const char *what, const char *why)
{
	fprintf(stderr, "FAILED: %s: %s (seed %" PRIu64 ")\n", what, why, rng.state);
	exit(1);
}

static struct nbd_handle *connect_to(const char *uri)
{
	struct nbd_handle *nbd = nbd_create();
	if (!nbd || nbd_connect_uri(nbd, uri) == -1)
		die("connect", nbd_get_error());
	return nbd;
}

static void many_connections(const char *uri, unsigned long n)
{
	static struct nbd_handle *open[OPEN_AT_ONCE];
	for (unsigned long i = 0; i < n; i++) {
		size_t slot = (size_t)rng_below(&rng, i < 2 * OPEN_AT_ONCE ? 4 : OPEN_AT_ONCE);
		if (open[slot])
			nbd_close(open[slot]);
		open[slot] = connect_to(uri);
	}
	for (size_t i = 0; i < OPEN_AT_ONCE; i++)
		if (open[i])
			nbd_close(open[i]);
}

/* Reads of all, whose answers nobody takes, and writes of which only a part is sent, of what is there already. */
static void vanish(const char *uri, unsigned long n, unsigned requests)
{
	unsigned char *buf = malloc(BUFFER);
	if (!buf)
		die("vanish", "out of memory");
	for (unsigned long i = 0; i < n; i++) {
		struct nbd_handle *nbd = connect_to(uri);
		uint64_t size = (uint64_t)nbd_get_size(nbd);
		uint64_t offset = rng_below(&rng, size / BUFFER) * BUFFER;
		if (nbd_pread(nbd, buf, BUFFER, offset, 0) == -1)
			die("read", nbd_get_error());
		for (unsigned k = (unsigned)rng_range(&rng, 1, requests); k > 0; k--)
			if (nbd_aio_pread(nbd, buf, BUFFER, rng_below(&rng, size / BUFFER) * BUFFER,
					  NBD_NULL_COMPLETION, 0) == -1)
				die("aio_pread", nbd_get_error());
		nbd_close(nbd);
		nbd = connect_to(uri);
		if (nbd_pread(nbd, buf, BUFFER, offset, 0) == -1 ||
		    nbd_aio_pwrite(nbd, buf, BUFFER, offset, NBD_NULL_COMPLETION, 0) == -1)
			die("aio_pwrite", nbd_get_error());
		for (unsigned k = (unsigned)rng_below(&rng, 4); k > 0; k--)
			nbd_poll(nbd, 0);
		nbd_close(nbd);
	}
	free(buf);
}

static void must_refuse(const char *what, int result)
{
	if (result != -1)
		die(what, "was done");
	int error = nbd_get_errno();
	if (error != EINVAL && error != ENOSPC && error != EIO)
		die(what, nbd_get_error());
}

static void past_end(const char *uri)
{
	static unsigned char buf[65536];
	struct nbd_handle *nbd = connect_to(uri);
	uint64_t size = (uint64_t)nbd_get_size(nbd);
	const uint64_t offsets[] = { size,        size - 1,           size - 4095,
				     size + 4096, UINT64_MAX - 65535, (uint64_t)INT64_MAX - 4096 };
	memset(buf, 0xee, sizeof(buf));
	nbd_set_strict_mode(nbd, 0);
	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		must_refuse("read", nbd_pread(nbd, buf, 4096, offsets[i], 0));
		must_refuse("write", nbd_pwrite(nbd, buf, 4096, offsets[i], 0));
		must_refuse("trim", nbd_trim(nbd, 65536, offsets[i], 0));
		must_refuse("zero", nbd_zero(nbd, 65536, offsets[i], 0));
	}
	if (nbd_pread(nbd, buf, 4096, size - 4096, 0) == -1)
		die("the connection afterwards", nbd_get_error());
	nbd_close(nbd);
}

static void send_random(const char *path)
{
	static const char *const starts[] = { "",
					      "get ",
					      "set ",
					      "stats ",
					      "save x",
					      "get mm_stat\n",
					      "set compact ",
					      "\n\n\n",
					      "get get get\n",
					      "set mem_limit x\n",
					      "stats json\n",
					      "save \n",
					      "set reset 1\n" };
	static unsigned char buf[16384];
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
		die("connect to the control socket", strerror(errno));
	const char *start = starts[rng_below(&rng, sizeof(starts) / sizeof(starts[0]))];
	size_t len = strlen(start), more = (size_t)rng_below(&rng, rng_one_in(&rng, 8) ? sizeof(buf) - 64 : 200);
	memcpy(buf, start, len);
	for (size_t i = 0; i < more; i++)
		buf[len + i] = rng_one_in(&rng, 40) ? '\n' : (unsigned char)rng_next(&rng);
	/* The server may have closed the connection before all was sent. */
	send(fd, buf, len + more, MSG_NOSIGNAL);
	if (rng_one_in(&rng, 2)) {
		shutdown(fd, SHUT_WR);
		while (recv(fd, buf, sizeof(buf), 0) > 0)
			;
	}
	close(fd);
}

int main(int argc, char **argv)
{
	const char *seed = getenv("SEED");
	unsigned long n = argc == 4 ? strtoul(argv[3], NULL, 10) : 1;
	if (seed)
		rng.state = strtoull(seed, NULL, 10);
	if (argc == 4 && strcmp(argv[1], "connections") == 0)
		many_connections(argv[2], n);
	else if (argc == 4 && strcmp(argv[1], "vanish") == 0)
		vanish(argv[2], n, 1);
	else if (argc == 4 && strcmp(argv[1], "vanish-busy") == 0)
		vanish(argv[2], n, 8);
	else if (argc == 3 && strcmp(argv[1], "past-end") == 0)
		past_end(argv[2]);
	else if (argc == 4 && strcmp(argv[1], "random") == 0)
		for (; n > 0; n--)
			send_random(argv[2]);
	else
		die("usage", "rude connections|vanish|vanish-busy URI N, rude past-end URI, rude random SOCKET N");
	return 0;
}
