/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fake_psi.h - memory pressure that a test makes up, in place of the kernel's (base/psi.h). For INTERNAL tests, which
 * compile fake_psi.c with their own sources. One shrinker at a time.
 */
#ifndef TEST_FAKE_PSI_H
#define TEST_FAKE_PSI_H

/* What the next shrinker meets, and what the last one asked for. Not to be touched while one starts. */
struct fake_psi {
	int open_error; /* an errno value: refuse the trigger with it */
	unsigned opened;
	unsigned stall_us, window_us;
	char path[128];
};
extern struct fake_psi fake_psi;

/* Put the made-up kernel in place, with nothing reported and nothing broken. */
void fake_psi_install(void);

/* Report pressure n times. From any thread. */
void fake_psi_report(unsigned n);

/* From now on the trigger is broken. */
void fake_psi_break(void);

/* First thing in a child after fork: whoever held its lock is not there. */
void fake_psi_after_fork(void);

#endif
