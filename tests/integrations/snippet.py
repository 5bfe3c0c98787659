"""Prints the block of code of a Markdown file that begins with a line."""

import sys

path, first = sys.argv[1:]
blocks = open(path, encoding="utf-8").read().split("```")[1::2]
bodies = [block.partition("\n")[2] for block in blocks]
found = [body for body in bodies if body.startswith(first + "\n")]
if len(found) != 1:
    sys.exit(f"{path} has {len(found)} blocks that begin with {first!r}")
sys.stdout.write(found[0])
