/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * driver.c - run a misuse program and demand that it is aborted with exactly the right message.
 *
 *   misuse_driver PROGRAM CALL REASON
 *
 * The whole of standard error must be "zsmalloc: CALL: REASON (handle 0xH, pool victim)\n", where H is what the program
 * printed on standard output, and the program must have ended by SIGABRT.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

struct output {
	char text[8192];
	size_t len;
};

static void run_child(const char *program, int out, int err)
{
	const struct rlimit no_core = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &no_core) != 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0)
		_exit(3);
	execl(program, program, (char *)NULL);
	_exit(3);
}

/* All of a pipe. The other one is read later: what the programs print fits into a pipe. */
static void drain(int fd, struct output *o)
{
	ssize_t n;

	while ((n = read(fd, o->text + o->len, sizeof(o->text) - 1 - o->len)) > 0)
		o->len += (size_t)n;
	CHECK(n == 0);
	o->text[o->len] = '\0';
	close(fd);
}

int main(int argc, char **argv)
{
	static struct output out, err;
	int out_pipe[2], err_pipe[2], status;
	char expected[512];

	CHECK(argc == 4);
	CHECK(pipe(out_pipe) == 0 && pipe(err_pipe) == 0);
	pid_t child = fork();

	CHECK(child >= 0);
	if (child == 0)
		run_child(argv[1], out_pipe[1], err_pipe[1]);
	close(out_pipe[1]);
	close(err_pipe[1]);
	drain(out_pipe[0], &out);
	drain(err_pipe[0], &err);
	CHECK(waitpid(child, &status, 0) == child);
	out.text[strcspn(out.text, "\n")] = '\0';
	snprintf(expected, sizeof(expected), "zsmalloc: %s: %s (handle 0x%.16s, pool victim)\n", argv[2], argv[3],
		 out.text);
	CHECK_MSG(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "%s ended with status %#x and printed:\n%s",
		  argv[1], (unsigned)status, err.text);
	CHECK_MSG(strcmp(err.text, expected) == 0, "expected: %sgot: %s", expected, err.text);
	return 0;
}
