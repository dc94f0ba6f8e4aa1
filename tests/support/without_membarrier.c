/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * without_membarrier.c - run a program on a system that has no membarrier: ENOSYS, as old kernels and some sandboxes say.
 *
 *   without_membarrier PROGRAM [ARGUMENT...]
 *
 * The filter is installed before the program starts, since libraries ask when they are loaded. 77: the system lets nobody
 * install one.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SKIPPED 77

int main(int argc, char **argv)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

	if (argc < 2) {
		fprintf(stderr, "usage: without_membarrier PROGRAM [ARGUMENT...]\n");
		return 2;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) {
		printf("SKIPPED: no seccomp filter can be installed here\n");
		return SKIPPED;
	}
	execv(argv[1], argv + 1);
	fprintf(stderr, "without_membarrier: %s can't be run\n", argv[1]);
	return 2;
}
