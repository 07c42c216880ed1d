"""사주 오행으로 한국 이름을 짓습니다: from a birth to legal Korean names with reasons.

Written by hand (nbdev keeps the line of the version). What most callers need can be imported from here; it is read when it is asked for,
so `import saju_naming` by itself loads nothing."""
__version__ = "0.1.0"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from saju_naming.choices import compare as compare, hanja_for as hanja_for
    from saju_naming.due import due_names as due_names
    from saju_naming.errors import InputError as InputError, Unavailable as Unavailable
    from saju_naming.generate import ask as ask, recommend as recommend
    from saju_naming.manse import four_pillars as four_pillars
    from saju_naming.naming import check_name as check_name

_FACE = {"recommend": "generate", "due_names": "due", "hanja_for": "choices", "compare": "choices", "ask": "generate",
         "check_name": "naming", "four_pillars": "manse", "InputError": "errors", "Unavailable": "errors"}
__all__ = [*_FACE]


def __getattr__(name):
    "What the package offers, from the module that has it."
    if name not in _FACE: raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module
    globals()[name] = getattr(import_module(f"{__name__}.{_FACE[name]}"), name)
    return globals()[name]


def __dir__(): return sorted({*globals(), *_FACE})
