"""Every command takes its own options as they are written, and refuses all others in a sentence."""

from __future__ import annotations

import shlex

import pytest

from bundle_spec.cli.arguments import Arguments, asked_text, parse
from bundle_spec.cli.command_text import CommandText
from bundle_spec.cli.program import WIDTH, Program
from bundle_spec.errors import UsageError
from downpour_export.usage import PROGRAM as EXPORT
from downpour_import.usage import PROGRAM as IMPORT
from tests.unit.programs import COMMANDS, MAINS, PROGRAMS, given, line, name

each_command = pytest.mark.parametrize(("program", "command"), COMMANDS, ids=name)


def refusal(program: Program, words: list[str]) -> str:
    """Why a line is refused: the sentence, on one line."""
    assert asked_text(program, words) is None
    with pytest.raises(UsageError) as caught:
        parse(program, words)
    assert caught.value.exit_code == 2
    told = f"error: {caught.value}"
    assert max(map(len, told.splitlines())) <= WIDTH
    return " ".join(told.partition("\nUsage:")[0].split())


def importing(text: str) -> Arguments:
    return parse(IMPORT, shlex.split(text)).arguments


# --- every pair of a command and an option ---


@each_command
def test_its_own_options_are_taken(program: Program, command: CommandText) -> None:
    for option in command.options.values():
        words = line(command, *given(option))
        if option.name == "--help":
            assert asked_text(program, words) == command.doc.strip("\n")
            continue
        parsed = parse(program, words)
        assert parsed.command == command.name
        expected = "value" if option.metavar else True
        there = parsed.arguments[option.same_as or option.name]
        assert there == ([expected] if option.many else expected)
        if option.metavar:
            same = parse(program, line(command, f"{option.name}=value"))
            assert same == parsed


@each_command
def test_the_options_of_others_are_refused_with_whose_they_are(
    program: Program, command: CommandText, capsys: pytest.CaptureFixture[str]
) -> None:
    others = {each.name: each for other in PROGRAMS for each in other.options.values()}
    for option in others.values():
        if option.name in command.options:
            continue
        words = line(command, *given(option))
        told = refusal(program, words)
        if takers := program.commands_with(option.name):
            assert f": {option.name} goes with {takers[0]}" in told
            assert all(taker in told for taker in takers)
        elif sister := program.sister_with(option.name):
            assert f"{option.name} is an option of {sister}" in told
        else:
            assert f"unknown option {option.name}" in told
        assert MAINS[program.name](words) == 2
        assert capsys.readouterr().out == ""


@each_command
def test_every_beginning_of_an_option_is_refused(program: Program, command: CommandText) -> None:
    for option in program.options:
        for length in range(3, len(option)):
            word = option[:length]
            if word in program.options or program.sister_with(word):
                continue  # --os-cloud begins like nothing else, but --state is no --st
            told = refusal(program, line(command, word))
            assert f"unknown option {word}" in told
            if option in command.options:
                assert "did you mean --" in told


@each_command
def test_an_option_twice_is_refused_unless_it_may_be_repeated(
    program: Program, command: CommandText
) -> None:
    for option in command.options.values():
        words = line(command, *given(option), *given(option))
        if option.name == "--help":
            continue
        if option.many:
            assert parse(program, words).arguments[option.name] == ["value", "value"]
        else:
            assert f"{option.name} is given twice" in refusal(program, words)


@each_command
def test_a_value_is_needed_where_one_is_taken_and_nowhere_else(
    program: Program, command: CommandText
) -> None:
    for option in command.options.values():
        if option.name == "--help":
            continue
        if option.metavar is None:
            told = refusal(program, line(command, f"{option.name}=yes"))
            assert f"{option.name} takes no value" in told
            continue
        told = refusal(program, [*line(command), option.name])
        assert f"{option.name} needs a value: {option.name} {option.metavar}" in told
        told = refusal(program, line(command, option.name, "--nonsense"))
        assert f"{option.name} needs a value, and --nonsense is an option" in told
        assert f"if it is meant, write {option.name}=--nonsense" in told
        value = parse(program, line(command, f"{option.name}=--nonsense"))
        there = value.arguments[option.same_as or option.name]
        assert there in ("--nonsense", ["--nonsense"])


@each_command
def test_arguments_are_counted(program: Program, command: CommandText) -> None:
    if command.arguments:
        assert f"{command.name} needs a" in refusal(program, [command.name])
    more = [f"more-{each}" for each in range(len(command.optional_arguments))]
    parse(program, [*line(command), *more])
    told = refusal(program, [*line(command), *more, "too-many"])
    assert "unexpected argument 'too-many'" in told


# --- what is said ---


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--clod x y", "downpour-import: unknown option --clod; did you mean --cloud?"),
        (
            "undo --cloudd x y",
            "undo: unknown option --cloudd; did you mean --cloud?",
        ),
        ("undo --write-mapp x y", "unknown option --write-mapp; --write-map goes with plan"),
        ("undo --jsn y", "unknown option --jsn; --json goes with import, plan, show and verify"),
        ("undo --o y", "unknown option --o; did you mean --os-cloud, --os-region-name or --os-cl"),
        ("undo --zzzzzz y", "downpour-import undo: unknown option --zzzzzz"),
        ("undo -x y", "downpour-import undo: unknown option -x"),
        ("show -qx y", "downpour-import show: unknown option -x"),
        ("undo --json y", "--json goes with import, plan, show and verify"),
        ("undo --version", "--version goes with downpour-import alone"),
        ("--vers", "unknown option --vers; did you mean --version?"),
        ("show -qq y", "--quiet is given twice"),
        ("--state a --state b --state c y", "--state is given repeatedly"),
        ("verify --quick --read-data y", "--read-data and --quick exclude each other"),
        ("y --state", "--state needs a value: --state DIR"),
        ("y --state -q", "--state needs a value, and -q is an option"),
        ("", "downpour-import: import needs a bundle or a directory"),
        ("verify", "downpour-import verify: verify needs a bundle"),
        ("unpack b", "unpack needs a directory"),
        ("unpack", "unpack needs a bundle and a directory"),
        ("a b c", "downpour-import: unexpected argument 'b'"),
        ("undoo b", "'undoo' is no command; did you mean undo?"),
        ("--cloud a --os-cloud b y", "--cloud says 'a', and --os-cloud says 'b'"),
        ("y --region a --os-region-name b", "--region says 'a', and --os-region-name says 'b'"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(words: str, told: str) -> None:
    assert told in refusal(IMPORT, shlex.split(words))


def test_a_usage_error_shows_the_pattern_of_its_command_and_no_more(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert MAINS["downpour-import"](["unpack", "--jobs", "3", "b", "d"]) == 2
    told = capsys.readouterr()
    assert (told.out, told.err) == (
        "",
        "error: downpour-import unpack: --jobs goes with import\n"
        "Usage:\n"
        "  downpour-import unpack [options] [--parts DIR]... BUNDLE DIR\n"
        "`downpour-import help unpack` has its options\n",
    )


def test_a_program_without_a_default_names_its_commands() -> None:
    program = PROGRAMS[0]
    missing = "a command is missing: verify, show, sign, split or schema"
    assert missing in refusal(program, [])
    assert "'verfy' is no command; did you mean verify?" in refusal(program, ["verfy", "b"])
    assert "'zzz' is no command" in refusal(program, ["zzz"])
    assert "--quiet needs a command before it" in refusal(program, ["--quiet"])
    assert "--version goes with python -m bundle_spec alone" in refusal(
        program, ["schema", "--version"]
    )


# --- what another program has ---


@pytest.mark.parametrize(("program", "other"), [(EXPORT, IMPORT), (IMPORT, EXPORT)], ids=name)
def test_a_program_knows_what_only_the_other_half_has(program: Program, other: Program) -> None:
    """Neither half can import the other, so it has the names written down."""
    sister = program.sisters[0]
    assert sister.name == other.name
    assert sister.commands == tuple(each for each in other.commands if each not in program.commands)
    assert sister.options == tuple(each for each in other.options if each not in program.options)


@pytest.mark.parametrize(
    ("program", "words", "told"),
    [
        (EXPORT, "verify out.dpbundle", "verify is a command of downpour-import"),
        (EXPORT, "--cloud a undo out.dpbundle", "undo is a command of downpour-import"),
        (EXPORT, "sign out.dpbundle key", "sign is a command of python -m bundle_spec"),
        (IMPORT, "query export.yml", "query is a command of downpour-export"),
        (IMPORT, "query --all export.yml", "a file of that name is ./query"),
        (EXPORT, "a b --map m.yml", "--map is an option of downpour-import"),
        (IMPORT, "b --encrypt-to age1x", "--encrypt-to is an option of downpour-export"),
    ],
)
def test_what_only_another_program_has_is_told_with_its_name(
    program: Program, words: str, told: str
) -> None:
    assert told in refusal(program, shlex.split(words))


def test_help_for_a_command_of_another_program_names_that() -> None:
    for words in (["help", "verify"], ["verify", "--help"]):
        with pytest.raises(UsageError, match=r"verify is a command of\sdownpour-import"):
            asked_text(EXPORT, words)


# --- what is a command ---


@each_command
def test_options_may_stand_before_the_command(program: Program, command: CommandText) -> None:
    for option in command.options.values():
        if option.name == "--help":
            continue
        first = [*given(option), *line(command)]
        assert parse(program, first) == parse(program, line(command, *given(option)))


def test_a_value_that_is_called_like_a_command_is_a_value() -> None:
    parsed = parse(IMPORT, ["--cloud", "plan", "undo", "b"])
    assert (parsed.command, parsed.arguments["--cloud"]) == ("undo", "plan")


@pytest.mark.parametrize("program", [EXPORT, IMPORT], ids=name)
def test_a_command_comes_before_a_file_of_that_name(program: Program) -> None:
    default = program.commands[program.default or ""]
    others = ["x"] * (len(default.arguments) - 1)
    argument = default.arguments[0]
    for command in program.commands.values():
        assert parse(program, line(command)).command == command.name
        for words in ([f"./{command.name}", *others], ["--", command.name, *others]):
            parsed = parse(program, words)
            assert parsed.command == default.name
            assert parsed.arguments[argument] == words[-1 - len(others)]


def test_the_default_command_may_be_named() -> None:
    assert parse(IMPORT, ["import", "b"]) == parse(IMPORT, ["b"])
    assert parse(EXPORT, ["export", "a", "b"]) == parse(EXPORT, ["a", "b"])


def test_behind_two_dashes_everything_is_a_file() -> None:
    assert importing("verify -q -- b")["BUNDLE"] == "b"
    assert importing("verify -- --quick")["BUNDLE"] == "./--quick"
    assert importing("-- help")["SOURCE"] == "help"
    assert asked_text(IMPORT, ["-q", "--", "help"]) is None
    assert importing("verify -")["BUNDLE"] == "-"


def test_what_was_not_given_has_its_default() -> None:
    arguments = parse(EXPORT, ["a", "b"]).arguments
    assert (arguments["--jobs"], arguments["--level"], arguments["--max-temporary"]) == (
        "2",
        "3",
        "20",
    )
    assert (arguments["--encrypt-to"], arguments["--fresh"], arguments["--sign"]) == (
        [],
        False,
        None,
    )
    # What belongs to another command is there, too, as what was not given.
    assert (arguments["--server-name"], arguments["--json"]) == ([], False)


def test_the_names_of_openstackclient_are_taken_for_ours() -> None:
    for words in ("--os-cloud x --os-region-name r b", "--cloud x --os-cloud x --region r b"):
        arguments = importing(words)
        assert (arguments["--cloud"], arguments["--region"]) == ("x", "r")
        assert "--os-cloud" not in arguments


# --- help ---


@pytest.mark.parametrize("program", PROGRAMS, ids=name)
def test_help_of_a_program_is_short(program: Program) -> None:
    for words in (["--help"], ["-h"], ["help"], ["-q", "--help"]):
        text = asked_text(program, words)
        assert text == program.overview()
    lines = program.overview().splitlines()
    assert len(lines) <= 32
    assert max(map(len, lines)) <= WIDTH
    for command in program.commands.values():
        assert any(line.startswith(f"  {command.name} ") for line in lines)


@each_command
def test_help_of_a_command_is_its_own_text(program: Program, command: CommandText) -> None:
    words = line(command)
    for asked in (["help", command.name], [command.name, "--help"], [*words, "-h"], ["-h", *words]):
        assert asked_text(program, asked) == command.doc.strip("\n")
    assert asked_text(program, words) is None


def test_help_of_what_is_no_command_is_told() -> None:
    with pytest.raises(UsageError, match=r"not 'plann'; did\syou\smean\splan"):
        asked_text(IMPORT, ["help", "plann"])
    with pytest.raises(UsageError, match="not 'plan undo'"):
        asked_text(IMPORT, ["help", "plan", "undo"])


@pytest.mark.parametrize("program", PROGRAMS, ids=name)
def test_help_and_version_go_to_stdout(
    program: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    for words, begin in ((["--help"], f"{program.name}: "), (["--version"], "downpour ")):
        assert MAINS[program.name](words) == 0
        told = capsys.readouterr()
        assert (told.out.startswith(begin), told.err) == (True, "")
