/* SPDX-License-Identifier: BSD-3-Clause */
/* consumer.cpp - the consumer as a C++ program. */
#include "consumer.h"

int main()
{
	return run_consumer();
}
