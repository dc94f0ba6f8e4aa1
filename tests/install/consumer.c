/* SPDX-License-Identifier: BSD-3-Clause */
/* consumer.c - the consumer as a C program. */
#include "consumer.h"

int main(void)
{
	return run_consumer();
}
