"""Makes a suspended fiber's stack the one that gdb shows.

While a fiber is shown, the innermost frame of the selected thread, which is
what its registers say, is called by the fiber's innermost frame: an unwinder
answers with the registers that the switch saved on the fiber's stack. No
register of the inferior is written, so a core dump will do.
"""

import contextlib
import itertools
import re

import gdb
import gdb.unwinder

import hotplate_memory as memory

# What a switch leaves on the stack, by offset, and its size: on x86-64 that of
# sched/stack_switch.hpp; elsewhere Boost.Context's, jump_arm64_aapcs_elf_gas.S,
# less the floating-point registers that arm64's callees save.
SAVED = {
    "i386:x86-64": ({"rbp": 0x00, "rip": 0x08, "rbx": 0x18}, 0xa0,
                    "rip", "rsp"),
    "aarch64": ({**{f"x{19 + i}": 0x40 + 8 * i for i in range(12)},
                 "pc": 0xa0}, 0xb0, "pc", "sp"),
}


class FrameId:
    def __init__(self, sp, pc):
        self.sp, self.pc = sp, pc


def is_in_switch(pc):
    """In fiber::switch_to(), or in what is inlined there."""
    block = gdb.block_for_pc(pc)
    while block is not None:
        if block.function and re.search("::fiber::(switch_to|leave_for)",
                                        block.function.name):
            return True
        block = block.superblock
    return False


def through_entry(frames):
    """Those up to a fiber's first; what called that is nothing."""
    for frame in frames:
        yield frame
        if "::fiber::enter" in (frame.inferior_frame().name() or ""):
            return


class Stack:
    """Of an invocation that is suspended; fails for any other."""

    def __init__(self, call, threads=None):
        self.call, self.fiber = call, None
        if call.is_standing:
            self.fiber = call.fiber().dereference()
        self.threads = threads or memory.stack_pointers()
        if self.fiber is None or not int(self.fiber.address):
            raise gdb.GdbError(self.objection())
        self.home = memory.loaded(self.fiber["home_"])
        if not int(self.home):  # It stands on its own stack.
            raise gdb.GdbError(
                "hotplate: this dump does not hold the fibers' stacks. gdb's "
                "generate-core-file and gcore leave them out where the kernel "
                "guards them without mappings; have the kernel write the dump")
        self.home = self.home.dereference()
        self.bottom = int(self.fiber["stack_"]["bottom"])
        self.size = int(self.fiber["stack_"]["size"])
        self.context = int(self.fiber["context_"])

    def objection(self):
        call = self.call
        told = f"hotplate: {call.function} ({call.id}) is {call.state}"
        for at, worker in call.engine.workers().items():
            if int(memory.loaded(worker["running_"])) != int(
                    call.record.address):
                continue
            thread = self.thread_on(worker["current_"].dereference(), worker)
            if thread:
                return (f"{told} on thread {thread}, not suspended: its frames "
                        f"are those of `thread apply {thread} bt`")
        return f"{told}, not suspended: it has no frames to show"

    def thread_on(self, fiber, worker):
        """The number of the thread that runs on a fiber; None if none does."""
        if not int(fiber["start_"]):  # The thread's own stack.
            if int(worker["current_"]) != int(fiber.address):
                return None
            tid = int(memory.loaded(worker["thread_"]["id_"]))
            return next((thread.num
                         for thread in gdb.selected_inferior().threads()
                         if tid and tid in thread.ptid), None)
        bottom = int(fiber["stack_"]["bottom"])
        size = int(fiber["stack_"]["size"])
        return next((number for number, sp in self.threads.items()
                     if bottom <= sp < bottom + size), None)

    def check(self):
        """Fails where the fiber is not what its record says."""
        thread = self.thread_on(self.fiber, self.home)
        its_own = not int(self.fiber["start_"]) and int(
            self.home["current_"]) == int(self.fiber.address)
        if thread or its_own:
            raise gdb.GdbError(
                f"hotplate: {self.call.function} ({self.call.id}) waits on its "
                "thread's own stack, whose frames are those of `thread apply "
                f"{thread or 'all'} bt`")
        registers, _, pc, _ = self.layout()
        saved = memory.pointer_at(self.context + registers[pc])
        if saved is None or not is_in_switch(saved):
            raise gdb.GdbError(
                "hotplate: what this fiber saved does not lead to "
                "fiber::switch_to(): it is just being switched, or another "
                "version of hotplate or of Boost.Context saved it")

    @staticmethod
    def layout():
        machine = gdb.selected_frame().architecture().name()
        try:
            return SAVED[machine]
        except KeyError:
            raise gdb.GdbError(
                f"hotplate: stacks of {machine} are not known") from None

    def used(self):
        """Bytes; not of a thread's own stack."""
        return self.bottom + self.size - self.context


class FiberUnwinder(gdb.unwinder.Unwinder):
    def __init__(self):
        super().__init__("hotplate")
        self.stack = self.instead_of = self.thread = self.returns_to = None

    def show(self, stack):
        """Shows that stack in the selected thread; None: the thread's own."""
        self.stack = stack
        if stack is not None:
            self.thread = gdb.selected_thread().num
            frame = gdb.newest_frame()
            self.instead_of = (int(frame.read_register("sp")),
                               int(frame.read_register("pc")))
        gdb.invalidate_cached_frames()

    def forget(self, _event=None):
        self.stack = None

    def __call__(self, pending):
        if self.stack is None:
            return None
        registers, size, pc, sp = SAVED[pending.architecture().name()]
        here = tuple(int(pending.read_register(name)) for name in (sp, pc))
        if here != self.instead_of:
            return None
        context = self.stack.context
        # Right below the fiber's frames: a caller's frame must not be deeper.
        unwound = pending.create_unwind_info(
            FrameId(gdb.Value(context), gdb.Value(here[1])))
        values = {name: memory.pointer_at(context + at)
                  for name, at in registers.items()}
        for name, value in {**values, sp: context + size}.items():
            kind = pending.read_register(name).type
            unwound.add_saved_register(name, gdb.Value(value).cast(kind))
        return unwound


class HideThread:
    """Leaves out what is no frame of the fiber: the thread's own below."""

    def __init__(self, unwinder):
        self.name, self.priority, self.enabled = "hotplate", 1000, True
        self.unwinder = unwinder
        gdb.frame_filters[self.name] = self

    def filter(self, frames):
        shown = self.unwinder.stack is not None
        if shown and gdb.selected_thread().num == self.unwinder.thread:
            return through_entry(itertools.islice(frames, 1, None))
        return frames


UNWINDER = FiberUnwinder()
FILTER = HideThread(UNWINDER)
gdb.unwinder.register_unwinder(None, UNWINDER, replace=True)
# Frames that resuming ends are read anew anyway.
gdb.events.cont.connect(UNWINDER.forget)


@contextlib.contextmanager
def shown(stack):
    """Shows a fiber in the selected thread, and then what was shown before."""
    stack.check()
    before = UNWINDER.stack
    with memory.selection_kept():
        UNWINDER.show(stack)
        try:
            yield
        finally:
            UNWINDER.show(before)


def select(stack, level):
    """Shows a fiber until release() or until the inferior goes on."""
    stack.check()
    release()
    UNWINDER.returns_to = (gdb.selected_thread(), gdb.selected_frame().level())
    UNWINDER.show(stack)
    frame = gdb.newest_frame().older()
    while frame is not None and frame.level() < level:
        frame = frame.older()
    if frame is None:
        release()
        raise gdb.GdbError(f"hotplate: this fiber has no frame {level}")
    frame.select()


def release():
    """Shows the thread and frame again that select() has left."""
    if UNWINDER.stack is None:
        return
    UNWINDER.show(None)
    memory.select_again(*UNWINDER.returns_to)
