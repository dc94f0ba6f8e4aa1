/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * error.h - the text behind zram_strerror(): one line a thread, of the last call that failed.
 *
 * Every place that makes a public function fail says why once, with zsi_fail(), at the place that knows it. Callers in
 * between pass the failure on and add nothing.
 */
#ifndef ZSI_DEVICE_ERROR_H
#define ZSI_DEVICE_ERROR_H

/* Room for every text of this library's own, with the names and values that people have; every thread has one. */
#define ZSI_ERROR_BYTES 1024u

/* Set errno and the text. One that is longer than ZSI_ERROR_BYTES ends at a word, with "...". Returns -1. */
int zsi_fail(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* This thread's text, "" where nothing failed yet. */
const char *zsi_last_error(void);

#endif
