#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# busy.sh PARENT - keep one processor busy until the parent, the process that started this one, has ended.
#
# It looks for itself, since a parent that is killed by force can end nothing. Who its parent is, the fourth word of its
# own stat tells; that a process of the parent's number exists would not do, since one that nobody collects does.
set -eu
parent=$1

while read -r _ _ _ now _ </proc/self/stat && [ "$now" = "$parent" ]; do
	n=0
	while [ $n -lt 20000 ]; do
		n=$((n + 1))
	done
done
