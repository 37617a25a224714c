"""Small traces and pictures, whole and broken."""

import struct
import zlib

MINUTES = 1440
DURATIONS_HEADER = "HashFunction," + ",".join(
    f"percentile_Average_{p}" for p in (0, 1, 25, 50, 75, 99, 100)) + "\n"
MEMORY_HEADER = "HashApp,AverageAllocatedMb\n"


def invocations(counts):
    """The file of a function f of application a, invoked as {minute: count}."""
    cells = [str(counts.get(minute, 0)) for minute in range(1, MINUTES + 1)]
    return ("HashApp,HashFunction," +
            ",".join(str(minute) for minute in range(1, MINUTES + 1)) +
            "\na,f," + ",".join(cells) + "\n")


def write_trace(folder, counts, milliseconds=100, memory_mb=200):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "invocations.csv").write_text(invocations(counts))
    (folder / "durations.csv").write_text(
        DURATIONS_HEADER + "f" + f",{milliseconds}" * 7 + "\n")
    (folder / "memory.csv").write_text(MEMORY_HEADER + f"a,{memory_mb}\n")
    return folder


def _chunk(kind, data):
    return (struct.pack(">I", len(data)) + kind + data +
            struct.pack(">I", zlib.crc32(kind + data)))


def png(width=20, height=10, claimed=None):
    """A PNG; `claimed` is the width and height that its header tells."""
    rows = (b"\0" + b"\x10\x80\xf0" * width) * height
    return (b"\x89PNG\r\n\x1a\n" +
            _chunk(b"IHDR", struct.pack(">IIBBBBB", *(claimed or (width, height)),
                                        8, 2, 0, 0, 0)) +
            _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b""))
