"""The docopt texts of ``python -m bundle_spec``, and the groups of options that programs share."""

from __future__ import annotations

from bundle_spec.cli.program import Program, Sister

CLOUD = """\
  --cloud NAME            The cloud in clouds.yaml; else OS_CLOUD, else OS_*.
  --os-cloud NAME         The same as --cloud, as the openstack command has it.
  --region NAME           Its region, where it has several.
  --os-region-name NAME   The same as --region.
  --os-client-config FILE
                          A clouds.yaml in another place."""

CLOUD_VARIABLES = (
    "OS_CLOUD, and the other variables that begin with OS_, name the cloud as for every OpenStack "
    "client."
)

DEBUG = "DOWNPOUR_DEBUG=1 shows the traceback of a fault of downpour itself."

PARTS = """\
Where it lies:
  --parts DIR             Where else parts of a split bundle lie.  Several
                          times."""

TRUST = """\
Trust:
  --expect-digest HEX     Refuse any bundle whose manifest has another SHA-256
                          than this, which the export printed.
  --allowed-signers FILE  Whose signature is accepted, as ssh-keygen(1)
                          describes it; what somebody else signed is refused.
  --revoked-signers FILE  Keys that are not accepted, though they are allowed.
  --require-signature     Refuse a bundle that is not signed, too."""

_TALK = """\
  -q, --quiet             Only warnings and errors.
  -h, --help              Show this."""

OUTPUT = f"""\
Output:
{_TALK}"""

OUTPUT_JSON = f"""\
Output:
  --json                  Print the result for programs.
{_TALK}"""

BUNDLE = """\
  BUNDLE                  A bundle, as if it were whole; or one of its parts, or
                          the list of them.  Nothing needs to be joined."""

DEPTH = """\
How much:
  --read-data             Also decompress every disk and check its digest.
  --quick                 Check all but the bytes of the disks.  That does not
                          verify a bundle, and never calls it whole."""

VERIFY = f"""\
python -m bundle_spec verify: check every byte of a bundle.

Usage:
  python -m bundle_spec verify [options] [--read-data | --quick]
                               [--parts DIR]... BUNDLE

Every fault is told, with its place in the file.

Arguments:
{BUNDLE}

{DEPTH}

{PARTS}

{TRUST}

{OUTPUT_JSON}
"""

SHOW = f"""\
python -m bundle_spec show: say what a bundle holds, without checking it.

Usage:
  python -m bundle_spec show [options] [--parts DIR]... BUNDLE

It reads both ends of the file, so it takes no time at any size.

Arguments:
{BUNDLE}

{PARTS}

{TRUST}

{OUTPUT_JSON}
"""

SIGN = """\
python -m bundle_spec sign: sign a finished bundle in its place.

Usage:
  python -m bundle_spec sign [options] BUNDLE KEYFILE

ssh-keygen makes the signature.

Arguments:
  BUNDLE                  A bundle that is not split.
  KEYFILE                 A private SSH key, or a public one whose private half
                          ssh-agent has.

What:
  --overwrite             Replace the signature that it has.

Output:
  -h, --help              Show this.
"""

SPLIT = f"""\
python -m bundle_spec split: cut a bundle into parts that fit on several media.

Usage:
  python -m bundle_spec split [options] BUNDLE SIZE [DIR]

The parts are BUNDLE.001 and so on, with a list of them for sha256sum(1).  The
bundle itself stays.

Arguments:
  BUNDLE                  A bundle that is not split yet.
  SIZE                    Of a part: 4G is 4,000,000,000 bytes, 4GiB is more.
  DIR                     Where the parts go; else beside the bundle.

{OUTPUT}
"""

SCHEMA = """\
python -m bundle_spec schema: print the JSON schema of a manifest.

Usage:
  python -m bundle_spec schema [options]

Output:
  -h, --help              Show this.
"""

PROGRAM = Program(
    name="python -m bundle_spec",
    summary="the bundle format by itself, without clouds.",
    texts=(VERIFY, SHOW, SIGN, SPLIT, SCHEMA),
    notes="It needs Python and docopt-ng; verify and split need zstandard, sign ssh-keygen, a "
    "policy PyYAML.  verify and show obey the policy of the machine, which is described in "
    "docs/reference/environment.md; the format is in SPEC.md, the exit codes are in "
    "docs/reference/exit-codes.md.",
)

BUNDLE_SPEC = Sister(PROGRAM.name, tuple(PROGRAM.commands), tuple(PROGRAM.options))
"""What this program has, for the two others: who looks for it there is told where it is."""
