# SPDX-License-Identifier: BSD-3-Clause
# A Python heap made of real things: the standard library's own sources, parsed. Says when it is ready, stays until its
# input ends.
import ast
import os
import sys

trees = []
folder = os.path.dirname(os.__file__)
size = 0
for name in sorted(os.listdir(folder)):
    if not name.endswith(".py") or size > 1500000:
        continue
    with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
        text = file.read()
    size += len(text)
    try:
        trees.append((name, text, ast.parse(text)))
    except SyntaxError:
        trees.append((name, text, None))

print("ready", flush=True)
sys.stdin.read()
