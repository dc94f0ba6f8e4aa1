/* SPDX-License-Identifier: BSD-3-Clause */
/* consumer_zram.cpp - the page store's consumer as a C++ program. */
#include "consumer_zram.h"

int main()
{
	return run_consumer();
}
