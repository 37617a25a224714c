"""Reads memory, and what debug information says of it; writes nothing."""

import contextlib
import struct

import gdb

PAGE = 4096
POINTER = 8
LARGEST = 1 << 22  # bytes looked at of one section


def select_again(thread, level):
    if thread.is_valid():
        thread.switch()
        frame = gdb.newest_frame()
        while frame.level() < level and frame.older():
            frame = frame.older()
        frame.select()


@contextlib.contextmanager
def selection_kept():
    """Selects the same thread and frame again, whatever happened."""
    before = gdb.selected_thread(), gdb.selected_frame().level()
    try:
        yield
    finally:
        select_again(*before)


def object_at(address, kind):
    return gdb.Value(address).cast(kind.pointer()).dereference()


def loaded(atomic):
    """What a std::atomic holds, whatever its members are called."""
    kind = atomic.type.strip_typedefs().template_argument(0)
    return object_at(int(atomic.address), kind)


def text(string):
    size = int(string["_M_string_length"])
    start = string["_M_dataplus"]["_M_p"]
    return start.string("utf-8", "replace", length=size) if size else ""


def offset(kind, *path):
    """Of a member of a member ... of a class."""
    bits = 0
    for name in path:
        field = next(each for each in kind.fields() if each.name == name)
        bits, kind = bits + field.bitpos, field.type.strip_typedefs()
    return bits // 8


def stack_pointers():
    """Where each thread's stack pointer is, by the thread's number."""
    found = {}
    with selection_kept():
        for thread in gdb.selected_inferior().threads():
            thread.switch()
            found[thread.num] = int(gdb.newest_frame().read_register("sp"))
    return found


def pointer_at(address):
    """None where no memory can be read."""
    try:
        memory = gdb.selected_inferior().read_memory(address, POINTER)
    except (gdb.MemoryError, OverflowError):
        return None
    return struct.unpack("=Q", memory)[0]


def words(start, most):
    """What lies in memory from `start`, by pages, as far as it can be read."""
    inferior, end = gdb.selected_inferior(), (start + most) // POINTER * POINTER
    start += -start % POINTER
    while start < end:
        size = min(PAGE - start % PAGE, end - start)
        try:
            memory = inferior.read_memory(start, size)
        except gdb.MemoryError:
            return
        yield struct.unpack(f"={size // POINTER}Q", memory)
        start += size


def writable_sections():
    """Where global objects are, as (start, size)."""
    for line in gdb.execute("info files", to_string=True).splitlines():
        parts = line.split()
        if parts[1:2] == ["-"] and parts[4] in (".data", ".bss"):
            start = int(parts[0], 16)
            yield start, min(int(parts[2], 16) - start, LARGEST)
