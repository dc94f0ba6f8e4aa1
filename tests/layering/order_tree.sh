#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Within each folder a file uses only files that its list names before it.
set -eu
exec sh "$(dirname "$0")/order.sh" "$ZS_SOURCE_DIR" "$ZS_BUILD_DIR/layers.txt" "$ZS_BUILD_DIR"
