"""The exporter's command line: what it takes, what it refuses, what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from bundle_spec.cli.arguments import parse
from bundle_spec.errors import UsageError
from downpour_cloud.errors import CloudError
from downpour_export import cli
from downpour_export.kit import Kit, KitOptions
from downpour_export.options import ExportOptions
from downpour_export.usage import PROGRAM

FILES = ["export.yml", "out.dpbundle"]

# Every option of the help text, with arguments that must change what is done.
OPTIONS = {
    "--cloud": ["--cloud", "a"],
    "--os-cloud": ["--os-cloud", "a"],
    "--region": ["--region", "r"],
    "--os-region-name": ["--os-region-name", "r"],
    "--os-client-config": ["--os-client-config", "c.yaml"],
    "--jobs": ["--jobs", "5"],
    "--max-temporary": ["--max-temporary", "7"],
    "--level": ["--level", "fast"],
    "--overwrite": ["--overwrite"],
    "--split": ["--split", "4G"],
    "--pause": ["--pause"],
    "--fresh": ["--fresh"],
    "--sign": ["--sign", "key"],
    "--encrypt-to": ["--encrypt-to", "age1", "--encrypt-to", "ssh"],
    "--passphrase-file": ["--passphrase-file", "p"],
}

# What test_query.py holds to account.
QUERY = (
    "--server-name --server-flavor --server-tag --server-metadata --network --image-name "
    "--volume-name --keypair-name --all --no-save-state"
).split()


KIT = {
    "--python": ["--python", "3.12", "--python", "3.13"],
    "--platform": ["--platform", "manylinux_2_17_x86_64"],
}


def options_of(arguments: list[str]) -> ExportOptions:
    return cli.options_of(parse(PROGRAM, arguments).arguments)


def test_without_options_everything_has_its_documented_default() -> None:
    options = options_of(FILES)
    assert (options.resource_file, options.bundle) == (Path("export.yml"), Path("out.dpbundle"))
    assert (options.jobs, options.level, options.overwrite) == (2, 3, False)
    assert (options.cloud.cloud, options.cloud.region, options.cloud.config_file) == (None,) * 3


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_has_an_effect(option: str) -> None:
    assert options_of([*OPTIONS[option], *FILES]) != options_of(FILES)


def test_the_help_text_lists_every_option_and_no_other() -> None:
    edge = ("--json", "--yes", "--also-live", "--with-kit", "--quiet", "--help")
    assert set(PROGRAM.options) == {*OPTIONS, *QUERY, *KIT, *edge}


@pytest.mark.parametrize("command", [FILES, ["plan", "e.yml"], ["cleanup"], ["kit", "d"]])
def test_every_command_can_be_quiet(command: list[str]) -> None:
    assert parse(PROGRAM, ["-q", *command]).arguments["--quiet"]


@pytest.mark.parametrize("option", KIT)
def test_every_option_of_a_kit_has_an_effect(option: str) -> None:
    def kit(*arguments: str) -> KitOptions:
        return cli.kit_of(parse(PROGRAM, [*arguments, "kit", "d"]).arguments, Path("d"))

    assert kit(*KIT[option]) != kit()


def test_a_kit_beside_the_bundle_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[object] = []

    def make_kit(options: KitOptions, progress: object) -> Kit:
        done.append(options.directory)
        return Kit(options.directory, 1, 1, "0" * 64, made=True)

    def export(options: ExportOptions, progress: object, connect: object) -> None:
        done.append(options.bundle)
        raise CloudError("far enough")

    monkeypatch.setattr(cli, "make_kit", make_kit)
    monkeypatch.setattr(cli, "export", export)
    bundle = tmp_path / "out.dpbundle"
    assert cli.main(["--with-kit", "export.yml", str(bundle)]) == CloudError.exit_code
    assert done == [tmp_path / "downpour-kit", bundle]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--jobs", "0"],
        ["--jobs", "17"],
        ["--jobs", "two"],
        ["--jobs", "-1"],
        ["--jobs", "²"],
        ["--max-temporary", "2"],
        ["--max-temporary", "1001"],
        ["--level", "0"],
        ["--level", "20"],
        ["--level", "3.5"],
        ["--level", ""],
    ],
)
def test_a_number_out_of_its_range_is_refused_with_the_range(arguments: list[str]) -> None:
    word = "fast or " if arguments[0] == "--level" else ""
    with pytest.raises(
        UsageError, match=rf"{arguments[0]} takes {word}a number from [13] to (16|19|1000),"
    ):
        options_of([*arguments, *FILES])


@pytest.mark.parametrize(
    "arguments",
    [[], ["export.yml"], [*FILES, "more"], ["--nonsense", *FILES], ["--jobs", "0", *FILES]],
)
def test_a_wrong_command_line_ends_with_2_and_says_why(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "error: " in told.err
    assert "Usage:" in told.err or "takes a number" in told.err


def test_a_resource_file_with_mistakes_ends_with_3_and_leaves_no_bundle(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    resources = tmp_path / "export.yml"
    resources.write_text("serverz: []\nimagez: []\n")
    assert cli.main([str(resources), str(tmp_path / "out")]) == 3
    told = capsys.readouterr().err
    assert "did you mean servers?" in told
    assert "did you mean images?" in told
    assert list(tmp_path.iterdir()) == [resources]


def test_a_resource_file_that_is_missing_ends_with_12(tmp_path: Path) -> None:
    assert cli.main([str(tmp_path / "none.yml"), str(tmp_path / "out")]) == 12


def test_a_cloud_that_is_not_configured_ends_with_6_and_leaves_no_bundle(tmp_path: Path) -> None:
    resources, config = tmp_path / "export.yml", tmp_path / "clouds.yaml"
    resources.write_text("servers: [{name: web}]\n")
    config.write_text("clouds: {}\n")
    arguments = ["--cloud", "nowhere", "--os-client-config", str(config)]
    assert cli.main([*arguments, str(resources), str(tmp_path / "out")]) == 6
    assert sorted(tmp_path.iterdir()) == [config, resources]
