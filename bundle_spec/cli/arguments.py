"""Parse a command line by the docopt text of its command, and refuse everything else.

docopt alone accepts every prefix of an option, and reports no more of a mistake than that something
did not match.  Here every word is checked first, so that a mistake is reported in a sentence; a
line without mistakes is parsed by docopt.
"""

from __future__ import annotations

import difflib
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bundle_spec.cli.command_text import CommandText
from bundle_spec.cli.program import HELP, VERSION, Program, paragraph, version_text
from bundle_spec.errors import UsageError

Arguments = dict[str, Any]
"""Name -> value, for every option and argument of every command of the program.  What the command
does not take has the value that it has when it is not given."""

_NEAR = 0.7
"""How similar a word must be to an option to be suggested (difflib's ratio): --jsn is no --yes."""

_ARTICLES = {
    "BUNDLE": "a bundle",
    "DIR": "a directory",
    "KEYFILE": "a key file",
    "RESOURCE_FILE": "a resource file",
    "SIZE": "a size",
    "SOURCE": "a bundle or a directory",
}


@dataclass(frozen=True)
class Parsed:
    command: str
    arguments: Arguments


@dataclass(frozen=True)
class _Word:
    """``option``: the name of an option, where it is one.  ``value``: what was given to it."""

    text: str
    option: str | None = None
    value: str | None = None
    after_dashes: bool = False


def parse(program: Program, argv: Sequence[str]) -> Parsed:
    """What the words of a command line ask for.  Raises UsageError."""
    words = list(_words(program, argv))
    named = _named_command(program, words)
    name = named or program.default
    if name is None:
        raise _unknown_command(program, words)
    line = _Line(program, program.commands[name], words, named=named is not None)
    line.check_options()
    line.check_arguments()
    return Parsed(name, line.arguments())


def asked_text(program: Program, argv: Sequence[str]) -> str | None:
    """The help or the version, where that is asked for.  Raises UsageError."""
    words = list(_words(program, argv))
    positional = [word for word in words if word.option is None]
    options = [word.option for word in words]
    if positional and positional[0] == _Word(HELP):
        return _help_of(program, [word.text for word in positional[1:]])
    if "--help" in options:
        command = _named_command(program, words) or (program.default if positional else None)
        return program.commands[command].doc.strip("\n") if command else program.overview()
    if VERSION in options and not positional:
        return version_text()
    return None


def _help_of(program: Program, words: list[str]) -> str:
    if not words:
        return program.overview()
    if len(words) == 1 and words[0] in program.commands:
        return program.commands[words[0]].doc.strip("\n")
    if sister := program.sister_with(words[0]):
        raise _refused(program, None, f"{words[0]} is a command of {sister}")
    sentence = f"help takes the name of a command, not {' '.join(words)!r}"
    near = _near_commands(program, words[0]) if len(words) == 1 else []
    raise _refused(program, None, sentence + (f"; did you mean {near[0]}?" if near else ""))


def _words(program: Program, argv: Sequence[str]) -> Iterator[_Word]:
    """The words with their meaning, an option and its value as one."""
    queue = deque(argv)
    while queue:
        text = queue.popleft()
        if text == "--":
            yield from (_Word(_as_path(word), after_dashes=True) for word in queue)
            return
        if text == "-" or not text.startswith("-"):
            yield _Word(text)
        elif not text.startswith("--"):
            yield from (_Word(text, program.long_name(f"-{letter}")) for letter in text[1:])
        else:
            name, equals, value = text.partition("=")
            option = program.options.get(name)
            if equals:
                yield _Word(text, name, value)
            elif option and option.metavar and queue and not _like_an_option(program, queue[0]):
                yield _Word(text, name, queue.popleft())
            else:
                yield _Word(text, name)


def _as_path(text: str) -> str:
    """A file name after ``--`` as a path that does not begin like an option, for docopt."""
    return f"./{text}" if text.startswith("-") else text


def _like_an_option(program: Program, text: str) -> bool:
    return text.startswith("--") or program.long_name(text) != text


def _named_command(program: Program, words: Iterable[_Word]) -> str | None:
    """The command that is named by the first word that is no option; None where it names none.

    Raises UsageError where it names a command of another program.
    """
    first = next((word for word in words if word.option is None), None)
    if first is None or first.after_dashes:
        return None
    if sister := program.sister_with(first.text):
        sentence = f"{first.text} is a command of {sister}; a file of that name is ./{first.text}"
        raise _refused(program, None, sentence)
    return first.text if first.text in program.commands else None


def _unknown_command(program: Program, words: Sequence[_Word]) -> UsageError:
    """For a program that has no default command."""
    positional = [word.text for word in words if word.option is None]
    if positional:
        return _refused(program, None, _no_command(program, positional[0]))
    if words:
        return _refused(program, None, f"{words[0].text} needs a command before it")
    return _refused(program, None, f"a command is missing: {_listed(program.commands, 'or')}")


def _no_command(program: Program, word: str) -> str:
    near = _near_commands(program, word)
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"{word!r} is no command{hint}"


def _near_commands(program: Program, word: str) -> list[str]:
    """The command that somebody may have meant; a name with a dot or a slash is a file's."""
    if not word.isalpha():
        return []
    return difflib.get_close_matches(word, list(program.commands), n=1, cutoff=_NEAR)


@dataclass(frozen=True)
class _Line:
    """A command line and its command.  ``named``: a word of the line names the command."""

    program: Program
    command: CommandText
    words: Sequence[_Word]
    named: bool

    def check_options(self) -> None:
        """Raises UsageError for the first option that the command does not take as it stands."""
        for word in self.words:
            if word.option is not None:
                self._check_option(word, word.option)
        given = Counter(word.option for word in self.words if word.option is not None)
        for name, times in given.items():
            if times > 1 and not self.command.options[name].many:
                raise self._refused(f"{name} is given {'twice' if times == 2 else 'repeatedly'}")
        for group in self.command.exclusive:
            if len(both := [name for name in group if name in given]) > 1:
                raise self._refused(f"{_listed(both, 'and')} exclude each other")

    def _check_option(self, word: _Word, name: str) -> None:
        option = self.command.options.get(name)
        if option is None:
            raise self._refused(self._unknown(name))
        if option.metavar is None and word.value is not None:
            raise self._refused(f"{name} takes no value, and {word.text!r} gives one")
        if option.metavar is not None and word.value is None:
            raise self._refused(self._without_value(word, name, option.metavar))

    def _unknown(self, name: str) -> str:
        accepted = [*self.command.options, *([] if self.named else [VERSION])]
        if elsewhere := self.program.commands_with(name):
            return f"{name} goes with {_listed(elsewhere, 'and')}"
        if sister := self.program.sister_with(name):
            return f"{name} is an option of {sister}"
        if name == VERSION:
            return f"{name} goes with {self.program.name} alone"
        if near := _nearest(name, accepted):
            return f"unknown option {name}; did you mean {_listed(near, 'or')}?"
        if near := _nearest(name, self.program.options):
            others = _listed(self.program.commands_with(near[0]), "and")
            return f"unknown option {name}; {near[0]} goes with {others}"
        return f"unknown option {name}"

    def _without_value(self, word: _Word, name: str, metavar: str) -> str:
        follower = next(iter(self.words[self.words.index(word) + 1 :]), None)
        if follower is None or follower.option is None:
            return f"{name} needs a value: {name} {metavar}"
        return (
            f"{name} needs a value, and {follower.text} is an option; "
            f"if it is meant, write {name}={follower.text}"
        )

    def check_arguments(self) -> None:
        """Raises UsageError where there are too few or too many."""
        given = self._positional
        needed, optional = self.command.arguments, self.command.optional_arguments
        fits = len(needed) <= len(given) <= len(needed) + len(optional)
        if not fits and given and not self.named and _near_commands(self.program, given[0]):
            raise _refused(self.program, None, _no_command(self.program, given[0]))
        if len(given) < len(needed):
            missing = _listed([_ARTICLES[argument] for argument in needed[len(given) :]], "and")
            raise self._refused(f"{self.command.name} needs {missing}")
        if not fits:
            raise self._refused(f"unexpected argument {given[len(needed) + len(optional)]!r}")

    @property
    def _positional(self) -> list[str]:
        positional = [word.text for word in self.words if word.option is None]
        return positional[1:] if self.named else positional

    def arguments(self) -> Arguments:
        """What docopt makes of the line.  Raises UsageError."""
        from docopt import DocoptExit, docopt

        argv = [self.command.name]
        argv += self._positional
        argv += [
            word.option if word.value is None else f"{word.option}={word.value}"
            for word in self.words
            if word.option is not None
        ]
        # docopt takes the first word of a pattern for the program: "python -m x" would be three.
        doc = self.command.doc.replace(self.program.name, self.program.name.split()[-1])
        try:
            parsed = docopt(doc, argv)
        except DocoptExit as exc:
            raise self._refused("these words do not fit together") from exc
        unset = {name: option.unset for name, option in self.program.options.items()}
        return self._without_synonyms({**unset, **parsed})

    def _without_synonyms(self, arguments: Arguments) -> Arguments:
        """Move the value given by another name of an option to the option.  Raises UsageError."""
        for name, option in self.program.options.items():
            if option.same_as is None:
                continue
            other = arguments.pop(name)
            here = arguments[option.same_as]
            if other is not None and here is not None and other != here:
                raise self._refused(f"{option.same_as} says {here!r}, and {name} says {other!r}")
            arguments[option.same_as] = other if here is None else here
        return arguments

    def _refused(self, sentence: str) -> UsageError:
        return _refused(self.program, self.command, sentence)


def _nearest(word: str, options: Iterable[str]) -> list[str]:
    """Options that may be meant: those that begin with ``word``, else the one most similar."""
    options = list(options)
    longer = [option for option in options if option.startswith(word)]
    return longer[:3] or difflib.get_close_matches(word, options, n=1, cutoff=_NEAR)


def _listed(names: Iterable[str], last: str) -> str:
    """``a, b and c``."""
    *first, end = names
    return f"{', '.join(first)} {last} {end}" if first else end


def _refused(program: Program, command: CommandText | None, sentence: str) -> UsageError:
    """The error: the command, the sentence, its pattern, and the help that lists its options."""
    lines = paragraph(f"error: {program.invocation(command.name if command else None)}: {sentence}")
    if command is None:
        lines += [f"`{program.name} {HELP}` has the commands"]
    else:
        lines += ["Usage:", *command.usage.split("\n")]
        lines += [f"`{program.name} {HELP} {command.name}` has its options"]
    return UsageError(lines[0].removeprefix("error: "), lines=lines[1:])
