"""Who may include what below include/hotplate/.

A stage includes itself, the stages below it and the contract; the contract
(public headers other than the two that gather everything) includes itself and
base. A third-party header is named by the one file the design gives it.
"""

import re

import tree

STAGES = ["base", "arena", "sched", "metering", "registry", "admission",
          "instances", "engine"]
# The face itself.
FACE = {"engine.hpp", "view.hpp"}
GATHERING = {"engine.hpp", "hotplate.hpp"}
# A host includes these itself, and pays for what they include only then.
ON_REQUEST = {"batched_meter.hpp", "channel.hpp", "coroutine.hpp", "json.hpp",
              "overflow_report.hpp", "send.hpp", "suspend.hpp"}
# Those of them that stand on the engine, as engine.hpp does: what they show is
# a shell around its machinery, and too dear for everybody.
ABOVE_ENGINE = {"channel.hpp", "coroutine.hpp", "overflow_report.hpp",
                "send.hpp", "suspend.hpp"}
THIRD_PARTY_HOMES = {
    "boost": {"sched/stack_switch.hpp"},
    "concurrentqueue": {"sched/inbox.hpp"},
    "moodycamel": {"sched/inbox.hpp"},
    "nlohmann": {"json.hpp"},
}
EVERYWHERE = {"fmt", "linux", "sanitizer", "sys", "valgrind"}
INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')


def objection(header, delimiter, included):
    """Why header may not include that; None if it may."""
    if included.startswith("hotplate/"):
        return own_objection(header, included.removeprefix("hotplate/"))
    if delimiter == '"':
        return f'"{included}" is not written from hotplate/ on'
    party = included.split("/")[0]
    if "/" not in included or party in EVERYWHERE:
        return None
    if header in THIRD_PARTY_HOMES.get(party, ()):
        return None
    return f"<{included}> does not belong here"


def own_objection(header, included):
    stage, target = stage_of(header), stage_of(included)
    if target is None:
        return public_objection(header, included)
    if target not in STAGES:
        return f"{target} is no stage"
    if header in FACE | ABOVE_ENGINE:
        return None
    if stage is None:
        return None if target == "base" else f"shows {target} to the public"
    if STAGES.index(target) > STAGES.index(stage):
        return f"{stage} is below {target}"
    return None


def public_objection(header, included):
    if included in ON_REQUEST and header not in ABOVE_ENGINE:
        return f"only hosts include {included}"
    if included == "engine.hpp" and header in ABOVE_ENGINE:
        return None
    if included in GATHERING and header != "hotplate.hpp":
        return f"only hotplate.hpp includes {included}"
    return None


def stage_of(header):
    """The stage folder, or None of a public header."""
    return header.split("/")[0] if "/" in header else None


def check(root):
    found = []
    for path in tree.headers(root):
        header = path.removeprefix("hotplate/")
        stage = stage_of(header)
        if stage is not None and stage not in STAGES:
            found.append(f"include/{path}:1: {stage} is no stage")
            continue
        for number, line in enumerate(tree.lines(root / "include", path), 1):
            match = INCLUDE.match(line)
            why = match and objection(header, *match.groups())
            if why:
                found.append(f"include/{path}:{number}: {line.strip()}: {why}")
    return found
