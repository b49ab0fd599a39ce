"""What an unquoted word means: YAML 1.2's core schema (yaml.org/spec/1.2.2, section 10.3), less what is ambiguous."""

import math
import re

CONSTANTS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]*)")
NUMBER = re.compile(r"[-+]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")
NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
AMBIGUOUS = re.compile(  # Read as something else by YAML 1.1, or by people
    r"[yYnN]|[yY]es|YES|[nN]o|NO|[oO]n|ON|[oO]ff|OFF"
    r"|[-+]?0[0-9_]+(\.[0-9_]*)?([eE][-+]?[0-9]+)?"  # 017
    r"|[-+]?0[xXoObB][0-9a-fA-F_]+"  # 0x1F
    r"|[-+]?[0-9.][0-9_]*_[0-9_]*(\.[0-9_]*)?([eE][-+]?[0-9]+)?"  # 1_000
    r"|[-+]?[0-9]+\.[0-9]*_[0-9_]*([eE][-+]?[0-9]+)?"  # 1.000_1
    r"|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?"  # 1:30
)
NUMBER_LIKE = re.compile(r"[-+.0-9][-+.0-9_:eE]*")
LONGEST_NUMBER = 100


def resolve(text: str) -> str | int | float | bool | None:
    """Return the value of an unquoted word; raises ValueError saying why it has none."""
    if text in CONSTANTS:
        return CONSTANTS[text]
    if len(text) > LONGEST_NUMBER:  # Before the patterns, which take long over long words
        if NUMBER_LIKE.fullmatch(text):
            raise ValueError(f"has {len(text)} characters, too many for a number")
        return text
    if AMBIGUOUS.fullmatch(text):
        raise ValueError("is ambiguous in YAML")
    if NOT_FINITE.fullmatch(text):
        raise ValueError("is not a finite number")
    if not NUMBER.fullmatch(text):
        return text
    if WHOLE.fullmatch(text):
        return int(text)
    number = float(text)
    if not math.isfinite(number) or (number == 0 and re.match(r"[-+.0]*[1-9]", text)):
        raise ValueError("is too " + ("small" if number == 0 else "large") + " for a number")
    return number
