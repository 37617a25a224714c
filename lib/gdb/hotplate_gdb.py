"""gdb commands for programs that embed hotplate: see README.md beside this."""

import os
import sys

import gdb

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import hotplate_memory as memory  # noqa: E402
import hotplate_records as records  # noqa: E402
import hotplate_stacks as stacks  # noqa: E402


class Hotplate(gdb.Command):
    """Look at hotplate's engines and at the handlers that are suspended."""

    chosen = None
    found = []  # Since the program last stopped.

    def __init__(self):
        super().__init__("hotplate", gdb.COMMAND_STACK, prefix=True)
        for event in (gdb.events.cont, gdb.events.exited,
                      gdb.events.new_objfile):
            event.connect(lambda _: Hotplate.found.clear())


def engines():
    if not gdb.selected_inferior().threads():
        raise gdb.GdbError("hotplate: no process and no core dump to look at")
    if Hotplate.chosen is not None and Hotplate.chosen.is_there():
        return [Hotplate.chosen]
    if not Hotplate.found or not all(each.is_there() for each in Hotplate.found):
        Hotplate.found = records.find_engines()
    if not Hotplate.found:
        raise gdb.GdbError(
            "hotplate: no engine found on the threads' stacks or in global "
            "objects; name one: `hotplate use EXPRESSION`")
    return Hotplate.found


def invocations():
    return [call for engine in engines() for call in engine.invocations()]


def chosen_invocation(name):
    """By its number in the list of `hotplate fibers`, or by its request id."""
    calls = invocations()
    if name.isdigit() and 0 < int(name) <= len(calls):
        return calls[int(name) - 1]
    for call in calls:
        if call.id == name:
            return call
    raise gdb.GdbError(f"hotplate: no invocation {name} is in flight; "
                       "`hotplate fibers` lists them")


def show(engine):
    workers = engine.workers_wanted
    kind = f"{workers} workers" if workers else "host-pumped"
    print(f'engine "{engine.name}" ({kind}): *({engine.abi.core}*)'
          f"{engine.address:#x}")


class Engines(gdb.Command):
    """List the engines of the program."""

    def __init__(self):
        super().__init__("hotplate engines", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        for engine in engines():
            show(engine)


class Use(gdb.Command):
    """Look at one engine only: hotplate use EXPRESSION
The expression is a hotplate::engine, or a pointer to one. Without an
expression, engines are searched for again."""

    def __init__(self):
        super().__init__("hotplate use", gdb.COMMAND_STACK,
                         gdb.COMPLETE_EXPRESSION)

    def invoke(self, argument, from_tty):
        Hotplate.chosen = records.engine_of(argument) if argument else None
        Engines.invoke(self, "", from_tty)


class Fibers(gdb.Command):
    """List the invocations that have not ended."""

    TITLES = ("", "function", "version", "state", "age", "worker", "stack",
              "used", "where", "request id")

    def __init__(self):
        super().__init__("hotplate fibers", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        rows, found = [self.TITLES], engines()
        threads = memory.stack_pointers()
        for engine in found:
            now, is_later = engine.now()
            for call in engine.invocations():
                age = f"{(now - int(call.record['arrived'])) / 1e9:.3f} s"
                rows.append((str(len(rows)), call.function, call.version,
                             call.state + ", overrun" * call.is_overrun,
                             ">= " * is_later + age, *self.place(call, threads),
                             call.where if call.is_standing else "-", call.id))
        widths = [max(map(len, column)) for column in zip(*rows)]
        for row in rows:
            print("  ".join(map(str.ljust, row, widths)).rstrip())

    @staticmethod
    def place(call, threads):
        """Its worker, its stack and how much of that it uses."""
        if not call.is_standing:
            worker = next((each for each in call.engine.workers().values()
                           if int(memory.loaded(each["running_"])) ==
                           int(call.record.address)), None)
            return str(int(worker["index_"])) if worker else "-", "-", "-"
        try:
            stack = stacks.Stack(call, threads)
        except gdb.GdbError:
            return "-", "not in this dump", "-"
        worker = str(int(stack.home["index_"]))
        if not int(stack.fiber["start_"]):
            return worker, "its thread's", "-"
        top = stack.bottom + stack.size
        return worker, f"{stack.bottom:#x}-{top:#x}", str(stack.used())


class Backtrace(gdb.Command):
    """Show the frames of suspended handlers: hotplate bt [ID | all] [OPTIONS]
ID is a number that `hotplate fibers` shows, or a request id; without one, all
are shown. The options are those of backtrace, such as -full."""

    def __init__(self):
        super().__init__("hotplate bt", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        name, _, options = argument.strip().partition(" ")
        if name.startswith("-"):
            name, options = "all", argument
        if name and name != "all":
            return self.trace(chosen_invocation(name), options)
        for number, call in enumerate(invocations(), 1):
            if not call.is_standing:
                continue
            print(f"\n{number}: {call.function}:{call.version} ({call.id}), "
                  f"suspended at {call.where or 'an unknown line'}")
            try:
                self.trace(call, options)
            except gdb.GdbError as why:
                print(why)

    @staticmethod
    def trace(call, options):
        with stacks.shown(stacks.Stack(call)):
            gdb.execute("backtrace " + options)


class Frame(gdb.Command):
    """Select a frame of a suspended handler: hotplate frame ID LEVEL
Then `info locals`, `print`, `up` and `down` work as on any frame, until
`hotplate frame off` or until the program goes on."""

    def __init__(self):
        super().__init__("hotplate frame", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        words = gdb.string_to_argv(argument)
        if words == ["off"]:
            return stacks.release()
        if len(words) != 2 or not words[1].isdigit():
            raise gdb.GdbError("usage: hotplate frame ID LEVEL, or "
                               "hotplate frame off")
        stacks.select(stacks.Stack(chosen_invocation(words[0])), int(words[1]))
        gdb.execute("frame")


for command in (Hotplate, Engines, Use, Fibers, Backtrace, Frame):
    command()
