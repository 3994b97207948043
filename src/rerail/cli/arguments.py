"""Config records as flags, YAML keys and help texts."""

from __future__ import annotations

from argparse import ArgumentError
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, fields
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import yaml
from jsonargparse import ActionConfigFile, ArgumentParser, Namespace  # type: ignore[attr-defined]

from rerail.cli.trainers import TRAINERS, trained
from rerail.fit import changed, problems

T = TypeVar("T")
EVERYWHERE = ("--help", "--config", "--print_config")
SHOWN = 10  # lines of what is odd about data
RUN_FLAGS, FROM_FLAG = ("--run", "--checkpoint-dir", "--save-dir"), "--resume-from"


def dashed(argument: str) -> str:
    """Accept underscores for dashes in flags: `--batch_size 8` is `--batch-size 8`."""
    if not argument.startswith("--"):
        return argument
    name, equals, value = argument.partition("=")
    dashes = name.replace("_", "-")
    return ("--print_config" if dashes == "--print-config" else dashes) + equals + value  # its owner's spelling


def add_config(parser: ArgumentParser, kinds: Sequence[type]) -> None:
    """Add a flag for each field of the config records, and `--config` for a YAML file of the same names."""
    parser.add_argument("--config", action=CheckedConfigFile, help="YAML file with any of the settings below")
    for kind in kinds:
        group = parser.add_argument_group(f"settings: {(kind.__doc__ or '').splitlines()[0]}")
        hints = get_type_hints(kind)
        for one in fields(kind):
            default = one.default if one.default is not MISSING else None
            kind_of, told = hints[one.name], one.metadata.get("help", "")
            bare: dict[str, Any] = {"nargs": "?", "const": True} if kind_of is bool else {}  # `--trim` is `--trim true`
            group.add_argument(*_flags(one), type=kind_of, default=default, help=told, **bare)


def refuse_cut_short(arguments: Sequence[str], kinds: Sequence[type], others: Sequence[str]) -> None:
    """Refuse flags that the parser would take for longer ones: what a level implies goes by whole names.

    Raises:
        ValueError: naming each, and what it may stand for.
    """
    known = {flag for kind in kinds for one in fields(kind) for flag in _flags(one)} | {*others, *EVERYWHERE}
    cut = {one: sorted(flag for flag in known if flag.startswith(one)) for one in _typed(arguments) - known}
    if found := [f"{one}: write it in full ({', '.join(whole)})" for one, whole in sorted(cut.items()) if whole]:
        raise ValueError("\n  ".join([f"{len(found)} flag(s) cut short", *found]))


def _flags(one: Field[Any]) -> list[str]:
    return ["--" + name.replace("_", "-") for name in (one.name, *one.metadata.get("also", "").split())]


def with_own_settings(arguments: Sequence[str]) -> list[str]:
    """Where a run is resumed, put its own `config.yaml` before what was typed, so that only what is typed differs.

    Raises:
        ValueError: where there is no run to resume, or a level is typed beside it.
    """
    resumed, checkpoint = "--resume" in arguments, _value(arguments, FROM_FLAG)
    if not resumed and not checkpoint:
        return list(arguments)
    presets = [one for trainer in TRAINERS.values() for one in (trainer.presets, trainer.above) if one is not None]
    if named := [one.flag for one in presets if one.flag in _typed(arguments)]:
        raise ValueError(f"{named[0]}: a resumed run keeps the settings that it began with; leave it out")
    run = Path(next((given for flag in RUN_FLAGS if (given := _value(arguments, flag))), f"runs/{arguments[1]}"))
    config = (run if resumed else Path(checkpoint).parent.parent) / "config.yaml"
    if config.is_file():
        return _before_flags(arguments, config)
    if not resumed:
        return list(arguments)  # a checkpoint that was taken out of its run
    raise ValueError(f"--resume: there is no run in {run}; give its folder by --run, or leave --resume out")


def with_presets(arguments: Sequence[str]) -> list[str]:
    """Put the settings of presets before what was typed, `--config` included, in the order that they stand in.

    Raises:
        ValueError: for a preset that there is not.
    """
    given = [*arguments, *_implied(arguments)]
    for preset in reversed(_presets(arguments)):
        given = _before_flags(given, preset)
    return given


def _implied(arguments: Sequence[str]) -> list[str]:
    """What a setting that a person named says of another one: it always wins over what a level says.

    Raises:
        ValueError: where two say different things.
    """
    trainer = trained(arguments)
    if trainer is None or not trainer.counts_epochs:
        return []
    typed, filed = _typed(arguments), _filed(arguments)
    epochs = typed & {flag for one in fields(trainer.config) if one.name == "epochs" for flag in _flags(one)}
    if "--steps" in typed and epochs:
        raise ValueError(f"--steps, {min(epochs)}: two ways to say how long to train; give one of them")
    only_filed = "steps" in filed and "epochs" not in filed and not epochs
    return ["--epochs=0"] if "--steps" in typed or only_filed else []


def _presets(arguments: Sequence[str]) -> list[Path]:
    """The files that these arguments ask for, the one that others stand above first."""
    if (trainer := trained(arguments)) is None:
        return []
    filed, flag = _filed(arguments), trainer.presets.flag
    name = _value(arguments, flag) or str(filed.get(_key(flag), trainer.default))
    found = [trainer.presets.path(name)] if name else []
    if trainer.above and (trainer.above.flag in _typed(arguments) or filed.get(_key(trainer.above.flag), False)):
        found.append(trainer.above.path(trainer.switch))
    return found


def _key(flag: str) -> str:
    """The name of a flag in a file of settings."""
    return flag.lstrip("-").replace("-", "_")


def _typed(arguments: Sequence[str]) -> set[str]:
    return {one.partition("=")[0] for one in arguments if one.startswith("--")}


def _filed(arguments: Sequence[str]) -> Mapping[str, Any]:
    """What the file of `--config` names, empty where there is none that can be read: who parses it says so."""
    try:
        return yaml_of(Path(_value(arguments, "--config")))
    except (ValueError, OSError):
        return {}


def _before_flags(arguments: Sequence[str], config: Path) -> list[str]:
    start = next((n for n, one in enumerate(arguments) if one.startswith("--")), len(arguments))
    return [*arguments[:start], "--config", str(config), *arguments[start:]]


def _value(arguments: Sequence[str], flag: str) -> str:
    """The value of a flag; of several the last one's, as the parser has it."""
    value = ""
    for one, after in pairwise([*arguments, ""]):
        if one == flag:
            value = after
        elif one.startswith(f"{flag}="):
            value = one.partition("=")[2]
    return value


def configs(arguments: Namespace, kinds: Sequence[type]) -> list[Any]:
    """Build the config records that `add_config` asked for.

    Raises:
        ValueError: naming every value out of range.
    """
    built = [kind(**{one.name: arguments[one.name] for one in fields(kind)}) for kind in kinds]
    refuse(built)
    return built


def refuse(given: Sequence[Any]) -> None:
    """Refuse config records with values out of range.

    Raises:
        ValueError: naming every one of them.
    """
    if found := problems(given):
        raise ValueError("\n  ".join([f"{len(found)} setting(s) out of range", *found]))


def refuse_changed(run: Path, given: Sequence[Any], *, resume: bool, resume_from: str) -> None:
    """Refuse settings that a resumed run keeps, where they differ from its own.

    Raises:
        ValueError: naming every one of them.
    """
    if resume and resume_from:
        raise ValueError("--resume goes on in --run, --resume-from starts from a checkpoint; give one of the two")
    if not resume and not resume_from:
        return
    path = (Path(resume_from).parent.parent if resume_from else run) / "config.yaml"
    if path.is_file() and (found := changed(given, yaml_of(path))):
        raise ValueError("\n  ".join([f"{len(found)} setting(s) that a resumed run keeps", *found]))


def shortened(lines: Sequence[str], more: str = "more") -> list[str]:
    """Return the first lines, and how many `more` there are."""
    rest = len(lines) - SHOWN
    return [*lines[:SHOWN], *([f"and {rest} {more}"] if rest > 0 else [])]


def new_file(given: str) -> Path:
    """Return the path that `--out` names.

    Raises:
        ValueError: where it is taken, or its folder is missing.
    """
    if problem := taken(given, "--out"):
        raise ValueError(problem)
    return Path(given)


def taken(given: str, flag: str, *, force: bool | None = None) -> str:
    """Say why a file cannot be written, empty where it can, or none was given; `force` is what --force says."""
    out = Path(given)
    if not given or (force and out.is_file()):
        return ""
    if out.exists():
        over = "" if force is None or out.is_dir() else ", or --force to write over it"
        return f"{flag}: {out} is there already; give another name{over}"
    return "" if out.parent.is_dir() else f"{flag}: there is no folder {out.parent}; make it, or give another place"


class CheckedConfigFile(ActionConfigFile):
    """Reads a YAML file only after naming everything that is wrong with it at once."""

    def __call__(self, parser: Any, cfg: Any, values: Any, option_string: Any = None) -> None:  # noqa: ANN401
        """Check each key alone, then hand over to the library."""
        if found := file_problems(parser, Path(values)):
            raise ValueError("\n  ".join([f"{values}: {len(found)} problem(s)", *found]))
        super().__call__(parser, cfg, values, option_string)  # type: ignore[no-untyped-call]


def yaml_of(path: Path) -> Mapping[str, Any]:
    """Read a YAML file of `name: value` lines.

    Raises:
        ValueError: for a file that is missing or holds something else.
    """
    if not path.is_file():
        raise ValueError(f"{path}: no such file; give a YAML file")
    try:
        given = yaml.safe_load(path.read_text(encoding="utf8"))
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not UTF-8 at byte {error.start}; save the file with that encoding") from None
    except yaml.YAMLError as error:
        raise ValueError(f"{path}: not valid YAML: {error}") from None
    if not isinstance(given, Mapping):
        kind = "nothing" if given is None else type(given).__name__
        raise ValueError(f"{path}: expected `name: value` lines, got {kind}")
    return given


def file_problems(parser: ArgumentParser, path: Path) -> list[str]:
    """Return what is wrong with a YAML file of settings: what, got, do."""
    try:
        given = yaml_of(path)
    except ValueError as error:
        return [f"{error}; --print_config writes a file to start from"]
    known = sorted(vars(parser.get_defaults()).keys() - {"config"})
    if given.keys() <= set(known) and not _refused(parser, given):  # as a rule: one by one they take 50 times as long
        return []
    return [problem for key, value in given.items() if (problem := _key_problem(parser, known, str(key), value))]


def _key_problem(parser: ArgumentParser, known: Sequence[str], key: str, value: object) -> str:
    if key not in known:
        near = get_close_matches(key, known, n=1)
        return f"unknown setting {key!r}; " + (f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}")
    return _refused(parser, {key: value})


def _refused(parser: ArgumentParser, given: Mapping[str, object]) -> str:
    try:
        parser.parse_object(dict(given))
    except ArgumentError as error:
        return " ".join(str(error).split())
    return ""
