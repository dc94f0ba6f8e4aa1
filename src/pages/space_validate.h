/* SPDX-License-Identifier: BSD-3-Clause */
/* space_validate.h - all counts and lists of the space, compared. */
#ifndef ZSI_PAGES_SPACE_VALIDATE_H
#define ZSI_PAGES_SPACE_VALIDATE_H

#include <stdbool.h>

struct zsi_space;

/* Compare all counts and lists of the space: true when they agree. Takes the lock. */
bool zsi_space_validate(struct zsi_space *s);

#endif
