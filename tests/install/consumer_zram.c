/* SPDX-License-Identifier: BSD-3-Clause */
/* consumer_zram.c - the page store's consumer as a C program. */
#include "consumer_zram.h"

int main(void)
{
	return run_consumer();
}
