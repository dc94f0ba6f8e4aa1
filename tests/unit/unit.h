/* SPDX-License-Identifier: BSD-3-Clause */
/* unit.h - what every unit test includes, in the order cmocka wants it. */
#ifndef ZS_TESTS_UNIT_H
#define ZS_TESTS_UNIT_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#endif
