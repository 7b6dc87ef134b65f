#!/usr/bin/env python3
"""profile-truth.py STRACE TREE LIST: which files of a tag a kernel's build really read, from a trace of it.

STRACE is what `strace -f --seccomp-bpf -y -s 65536 -e trace=openat,open,execve -o STRACE make ...` wrote, TREE the directory of the
build, LIST every path of the tag, a line each. Prints "compiled PATH" for what the compiler proper or the assembler opened to read
for the kernel, and "host PATH" for what they opened for programs of the build machine alone. The compiler's argv tells them apart:
the kernel is compiled without the C library's headers."""
import os
import re
import sys

CALL = re.compile(r"^(\d+) +(execve|openat|open)\((.*)$")
RESUMED = re.compile(r"^(\d+) +<\.\.\. (execve|openat|open) resumed>(.*)$")
ENDED = re.compile(r"^(\d+) +\+\+\+ (?:exited|killed)")
OPENED = re.compile(r"= \d+<(.*)>$")
COMPILERS = {"cc1", "cc1plus", "as", "rustc"}
KERNEL = ('"__KERNEL__"', '"-D__KERNEL__"', '"-nostdinc"', '"__DTS__"', "rustc_cfg")
# A program that is packed into the kernel's image.
PACKED = ('"net/bpfilter/main.c"',)


class Process:
    def __init__(self, name, kernel):
        self.name = name
        self.kernel = kernel


def program(arguments):
    """What an execve makes of a process; None where nobody cares."""
    path = re.match(r'"([^"]*)"', arguments)
    name = os.path.basename(path.group(1)) if path else ""
    if name not in COMPILERS:
        return None
    # Nothing of host programs is assembled but what the compiler wrote, so what `as` reads of the tree is the kernel's.
    kernel = name == "as" or any(mark in arguments for mark in KERNEL + PACKED)
    if name == "rustc" and "proc-macro" in arguments:
        kernel = False
    return Process(name, kernel)


def trace(lines):
    """Yields (path, kernel) for each file that a compiler opened to read."""
    processes, begun = {}, {}
    for line in lines:
        line = line.rstrip("\n")
        ended = ENDED.match(line)
        if ended:
            processes.pop(ended.group(1), None)
            continue
        call = CALL.match(line)
        if call:
            pid, name, rest = call.groups()
            if rest.endswith("<unfinished ...>"):
                begun[pid] = rest[: -len("<unfinished ...>")]
                continue
        else:
            call = RESUMED.match(line)
            if not call:
                continue
            pid, name, rest = call.groups()
            rest = begun.pop(pid, "") + rest
        if name == "execve":
            if rest.endswith("= 0"):
                processes[pid] = program(rest)
            continue
        process = processes.get(pid)
        opened = OPENED.search(rest) if process and "O_RDONLY" in rest else None
        if opened:
            yield opened.group(1), process.kernel


def main():
    strace, tree, listing = sys.argv[1:]
    root = os.path.realpath(tree) + "/"
    with open(listing, encoding="utf-8", errors="surrogateescape") as f:
        tracked = set(f.read().split("\n"))
    compiled, host = set(), set()
    with open(strace, encoding="utf-8", errors="surrogateescape") as f:
        for path, kernel in trace(f):
            path = os.path.normpath(path)
            if path.startswith(root) and path[len(root):] in tracked:
                (compiled if kernel else host).add(path[len(root):])
    for path in sorted(compiled):
        print("compiled", path)
    for path in sorted(host - compiled):
        print("host", path)


main()
