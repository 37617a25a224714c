"""Finds engines and reads their invocations.

Nothing runs in the inferior. Offsets come from the debug information; what else
is known of the library's layout stands in this file and in hotplate_stacks.py.
"""

import contextlib
import time

import gdb

from hotplate_memory import (loaded, object_at, offset, pointer_at,
                             stack_pointers, text, words, writable_sections)

VERSION = "v0_1"  # of HOTPLATE_ABI in version.hpp
ABIS = [VERSION + build + checks for build in ("", "_asan", "_tsan")
        for checks in ("", "_checked")]

SETTLED, ENDED, GENERATION_SHIFT = 2, 4, 32  # of invocation::state
SLAB_BYTES = 32 << 10  # of record_slabs
NEVER = -1  # of its times
SCANNED = 1 << 18  # bytes of each thread's stack


class Abi:
    """The library's types, as one kind of build lays them out."""

    def __init__(self, name):
        self.namespace = f"hotplate::{name}::detail::"
        self.core = self.type("core")
        self.worker = self.type("worker")
        self.owner = offset(self.core, "records_", "owner_")
        self.users_code = offset(self.core, "records_", "code_")
        self.code = offset(self.core, "code_")
        self.home = offset(self.worker, "root_", "home_")
        self.shared = offset(self.worker, "shared_")
        self.inner = offset(self.core, "threads_", "shared_")

    def type(self, name):
        return gdb.lookup_type(self.namespace + name)

    def is_core(self, address):
        """A core's pool of records names the core, and what it has there: one
        word alone may happen to name where it is."""
        return (pointer_at(address + self.owner) == address and
                pointer_at(address + self.users_code) == address + self.code)

    def core_near(self, address):
        """Of a core or a worker, which its root fiber names; else None."""
        if self.is_core(address):
            return address
        if pointer_at(address + self.home) != address:
            return None
        shared = pointer_at(address + self.shared)
        if shared is None or not self.is_core(shared - self.inner):
            return None
        return shared - self.inner


def known_abis():
    found = []
    for name in ABIS:
        with contextlib.suppress(gdb.error, StopIteration):
            found.append(Abi(name))
    if found:
        return found
    listed = gdb.execute("info types ^hotplate::v[^:]*::detail::core$",
                         to_string=True)
    others = {part for word in listed.split() for part in word.split("::")[1:2]
              if word.startswith("hotplate::")}
    if others:
        raise gdb.GdbError(
            f"hotplate: these commands are for {VERSION}; this program was "
            f"built with {', '.join(sorted(others))}. Use that one's commands.")
    raise gdb.GdbError(
        "hotplate: no debug information of hotplate. Was the program built "
        "with -g, and has gdb its symbols (`file PROGRAM`)?")


def candidates():
    """Words of the threads' stacks and of global objects."""
    found = set()
    for start in stack_pointers().values():
        found.update(*words(start, SCANNED))
    for start, size in writable_sections():
        found.update(*words(start, size))
    return [word for word in found if word % 16 == 0 and 0xffff < word < 1 << 56]


def find_engines():
    """Threads hold their worker on their stack, hosts their engine's core on
    it or in a global object; both tell that they are what they seem to be."""
    abis, found = known_abis(), {}
    for word in candidates():
        for abi in abis:
            core = abi.core_near(word)
            if core is not None:
                found[core] = abi
    return [Engine(abi, core) for core, abi in sorted(found.items())]


def engine_of(expression):
    """The engine that an expression names: an engine, what it holds, or a
    pointer to one of them."""
    try:
        value = gdb.parse_and_eval(expression)
    except gdb.error as why:
        raise gdb.GdbError(f"hotplate: {expression}: {why}") from None
    kind = value.type.strip_typedefs()
    if kind.code in (gdb.TYPE_CODE_REF, gdb.TYPE_CODE_RVALUE_REF):
        value = value.referenced_value()
        kind = value.type.strip_typedefs()
    is_number = kind.code in (gdb.TYPE_CODE_PTR, gdb.TYPE_CODE_INT)
    address = int(value) if is_number else int(value.address or 0)
    for abi in known_abis():
        inside = [address, pointer_at(address) or 0,
                  address - offset(abi.core, "threads_")]
        for tried in inside:
            core = abi.core_near(tried)
            if core is not None:
                return Engine(abi, core)
    raise gdb.GdbError(f"hotplate: {expression} is no engine, core or "
                       "scheduler, nor a pointer to one")


class Engine:
    def __init__(self, abi, address):
        self.abi, self.address = abi, address
        self.core = object_at(address, abi.core)
        self.name = text(self.core["config_"]["name"])
        self.workers_wanted = int(self.core["config_"]["workers"])

    def is_there(self):
        return self.abi.is_core(self.address)

    def workers(self):
        """All that were made, by address."""
        threads, made = self.core["threads_"], []
        data = threads["shared_"]["workers"]["objects_"]["_M_impl"]
        at = data["_M_start"]
        while at != data["_M_finish"]:
            made.append(int(at.dereference()))
            at += 1
        for plain in ("guests_", "blocking_"):
            slots = threads[plain]["slots_"]
            for i in range(int(slots["size_"])):
                made.append(int(loaded(slots["first_"][i]["made"])))
        return {at: object_at(at, self.abi.worker) for at in made if at}

    def records(self):
        slabs = self.core["records_"]["slabs_"]
        record = gdb.lookup_type(self.abi.namespace + "invocation")
        each_slab = SLAB_BYTES // record.sizeof
        left, groups, i = int(loaded(slabs["made_"])), slabs["groups_"], 0
        while left > 0:
            group = loaded(groups["_M_elems"][i]).dereference()
            made = group["slabs"]
            for at in range(min(left, int(made["size_"]))):
                if not int(loaded(made["first_"][at]["filled"])):
                    continue
                start = int(group["start"]) + at * SLAB_BYTES
                for slot in range(each_slab):
                    yield Invocation(self, object_at(
                        start + slot * record.sizeof, record))
            left -= int(made["size_"])
            i += 1

    def invocations(self):
        """Those that have not ended, the oldest first."""
        return sorted((each for each in self.records() if each.is_shown()),
                      key=lambda each: (int(each.record["arrived"]),
                                        each.number))

    def now(self):
        """Its clock's time, and whether it is later than that. A dump does not
        keep the clock: then it is the last time that the engine has noted."""
        clock = self.core["time_"]
        if int(clock["manual_"]):
            return int(loaded(clock["manual_"]["now_"])), False
        connection = gdb.selected_inferior().connection
        if connection is not None and connection.type == "native":
            return time.clock_gettime_ns(time.CLOCK_MONOTONIC), False
        times = [time for each in self.records() for time in each.times()]
        return max(times + [int(loaded(clock["base_"]))]), True


class Invocation:
    def __init__(self, engine, record):
        self.engine, self.record = engine, record
        self.flags = self.load("state")
        self.number = (int(record["slot"]) << 32 |
                       self.flags >> GENERATION_SHIFT)

    def load(self, field):
        return int(loaded(self.record[field]))

    def is_shown(self):
        # A continuation has no function; it is shown once it has started.
        known = int(self.record["target"]) or self.load("started") != NEVER
        return not self.flags & ENDED and bool(known)

    @property
    def id(self):
        digits = f"{int(self.engine.core['identity_']):016x}{self.number:016x}"
        return "-".join((digits[:8], digits[8:12], digits[12:16],
                         digits[16:20], digits[20:]))

    @property
    def function(self):
        target = self.record["target"]
        return text(target["name"]) if int(target) else "(continuation)"

    @property
    def version(self):
        version = self.record["version"]
        return str(int(version["number"])) if int(version) else "-"

    @property
    def is_standing(self):
        return self.load("sleep_number") != 0 or self.load("awaited") != 0

    @property
    def state(self):
        """As invocation_state tells it."""
        reached = str(loaded(self.record["reached"])).rsplit("::", 1)[-1]
        if self.load("started") == NEVER:
            is_queued = reached not in ("arrival", "admission")
            return "queued" if is_queued else "waiting"
        if self.is_standing:
            return "suspended"
        return "init" if reached == "init" else "running"

    @property
    def is_overrun(self):
        return bool(self.flags & SETTLED)

    def times(self):
        return (int(self.record["arrived"]), self.load("started"),
                self.load("handler_started"), int(self.record["settled_at"]))

    @property
    def where(self):
        """Its last suspension point, as file:line; "" before the first."""
        at, in_parts = self.record["at"], 1 << 63
        place = int(loaded(at["text_"]))
        letters = gdb.lookup_type("char").pointer()
        if place & in_parts:  # Of code without std::source_location.
            file = gdb.Value(place ^ in_parts).cast(letters)
            line = loaded(at["line_"])
        elif place:  # What a std::source_location points to.
            file = object_at(place, letters)
            line = object_at(place + 16, gdb.lookup_type("unsigned int"))
        else:
            return ""
        return f"{file.string()}:{int(line)}" if int(line) else ""

    def fiber(self):
        """The fiber that it left when it was suspended; null if it was not."""
        child = loaded(self.record["awaited"])
        return loaded(child["caller"] if int(child) else self.record["on"])
