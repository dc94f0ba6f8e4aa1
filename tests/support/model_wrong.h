/* SPDX-License-Identifier: BSD-3-Clause */
/* model_wrong.h - operations of the model that must be refused and change nothing. */
#ifndef TEST_MODEL_WRONG_H
#define TEST_MODEL_WRONG_H

struct model;

void model_wrong_argument(struct model *m); /* sizes, lengths, modes, pages out of range */
void model_wrong_handle(struct model *m);   /* stale, forged, another pool's */
void model_wrong_mapping(struct model *m);  /* freed or written while mapped, unmapped without being mapped */

#endif
