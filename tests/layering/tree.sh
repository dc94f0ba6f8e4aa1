#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Every #include line of the tree obeys the layout.
set -eu
exec sh "$(dirname "$0")/includes.sh" "$ZS_SOURCE_DIR"
