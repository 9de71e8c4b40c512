"""The docopt texts of ``downpour-import``: what each command takes, and what it says of it."""

from __future__ import annotations

from bundle_spec.cli.program import Program, Sister
from bundle_spec.cli.usage import (
    BUNDLE,
    BUNDLE_SPEC,
    CLOUD,
    CLOUD_VARIABLES,
    DEBUG,
    DEPTH,
    OUTPUT,
    OUTPUT_JSON,
    PARTS,
    TRUST,
)

_CLOUD = f"Target cloud:\n{CLOUD}"

_SOURCE = """\
  SOURCE                  A bundle (also named by one of its parts or their
                          list), or a directory that unpack made of one."""

_STATE = """\
  --state DIR             Where journal, uuids.csv and log are kept; else
                          ./BUNDLE.CLOUD, or DIR/state for a directory."""

_MAPPING = f"""\
Mapping and state:
  --map FILE              What stands for what on the target (mapping.yml).
  --same-project          Import into the very project that the bundle came
                          from.
{_STATE}"""

_SELECTION = """\
What:
  --only WHAT             Only this, and what belongs to it: TYPE/NAME, as
                          server/web1 or volume/data-*; NAME is a name, an ID or
                          a glob.  Several times.
  --skip WHAT             Leave this out.  Several times."""

_TRUST_PLAYBOOK = """\
  --trust-playbook        Take site.yml and tasks even if they are not the ones
                          shipped here."""

_EDITED = f"""\
What is not as it was made:
  --edited                Import a directory whose resources.yml was edited.
{_TRUST_PLAYBOOK}"""

_DECRYPTION = """\
An encrypted bundle:
  --identity FILE         What decrypts it: a key file of age, or an SSH private
                          key.
  --passphrase-file FILE  Its first line opens the key file, if a passphrase
                          does.
  --decrypt-to DIR        Where the bundle may lie in clear until the command
                          has ended."""

IMPORT = f"""\
downpour-import import: make a bundle true in the target cloud, and prove it.

Usage:
  downpour-import [import] [options] [--only WHAT]... [--skip WHAT]...
                  [--parts DIR]... SOURCE

The bundle is verified, the target is looked at, and everything that it lacks is
said before anything is written.  The same command again goes on where a run
stopped, and makes nothing twice.

Arguments:
{_SOURCE}

{_CLOUD}

{_MAPPING}
  --uuids FILE            Also write uuids.csv here.

{_SELECTION}
  --tags TAGS             Run only these steps, with commas between: keypairs,
                          security_groups, networks, subnets, routers, ports,
                          images, volumes, volume_snapshots, server_groups,
                          servers, floating_ips.

How:
  --no-start              Leave all servers stopped.
  --keep-images           Keep the images that were only uploaded to fill
                          volumes.
  --jobs N                Disks that are uploaded at once; else 2, as the
                          playbook says.
  --check                 Run the playbook in Ansible's check mode: nothing is
                          made.
  --yes                   Import what was edited without a question.

{_EDITED}

{TRUST}

{PARTS}

{_DECRYPTION}

{OUTPUT_JSON}
"""

PLAN = f"""\
downpour-import plan: say what an import would make and use, and stop.

Usage:
  downpour-import plan [options] [--only WHAT]... [--skip WHAT]...
                  [--parts DIR]... SOURCE

The bundle is verified and the target is looked at, as an import does.  Nothing
is written to the cloud.

Arguments:
{_SOURCE}

{_CLOUD}

{_MAPPING}
  --write-map FILE        Write the whole mapping, proposed and explained, to
                          FILE.

{_SELECTION}

{_EDITED}

{TRUST}

{PARTS}

{_DECRYPTION}

{OUTPUT_JSON}
"""

SHOW = f"""\
downpour-import show: say what a bundle holds, at once at any size.

Usage:
  downpour-import show [options] [--parts DIR]... BUNDLE

It reads both ends of the file and checks nothing between them.

Arguments:
{BUNDLE}

{PARTS}

{TRUST}

{_DECRYPTION}

{OUTPUT_JSON}
"""

VERIFY = f"""\
downpour-import verify: check every byte of a bundle.

Usage:
  downpour-import verify [options] [--read-data | --quick] [--parts DIR]...
                  BUNDLE

Every fault is told, with its place in the file.

Arguments:
{BUNDLE}

{DEPTH}

{PARTS}

{TRUST}

{_DECRYPTION}

{OUTPUT_JSON}
"""

UNPACK = f"""\
downpour-import unpack: write playbook and manifest to a directory.

Usage:
  downpour-import unpack [options] [--parts DIR]... BUNDLE DIR

There they are read, edited, and run by hand; or imported, with --edited.  The
disks stay in the bundle.  Only a playbook that is ours is handed out, with data
that is as the manifest says.

Arguments:
{BUNDLE}
  DIR                     The directory that is made.

What is not as it was made:
{_TRUST_PLAYBOOK}

{PARTS}

{TRUST}

{OUTPUT}
"""

UNDO = f"""\
downpour-import undo: delete what this import made.

Usage:
  downpour-import undo [options] [--parts DIR]... SOURCE

What it made and what still bears its marks is listed, then deleted, the last
first.  What stood already, or serves instead, stays.

Arguments:
{_SOURCE}

{_CLOUD}

Mapping and state:
{_STATE}

How:
  --yes                   Delete it without a question.

{TRUST}

{PARTS}

{_DECRYPTION}

{OUTPUT}
"""

FORGET = f"""\
downpour-import forget: take the marks off what this import made.

Usage:
  downpour-import forget [options] [--parts DIR]... SOURCE

For when the move is over.  What bears its marks is listed first; afterwards
undo leaves it alone.

Arguments:
{_SOURCE}

{_CLOUD}

Mapping and state:
{_STATE}

How:
  --yes                   Take them off without a question.

{TRUST}

{PARTS}

{_DECRYPTION}

{OUTPUT}
"""

# Named here because neither half imports the other; a test holds the names to its texts.
_OPTIONS_OF_THE_EXPORT = """
    --max-temporary --level --pause --fresh --overwrite --split --sign --encrypt-to --with-kit
    --python --platform --server-name --server-flavor --server-tag --server-metadata --network
    --image-name --volume-name --keypair-name --all --no-save-state --also-live
"""

_EXPORT = Sister(
    name="downpour-export",
    commands=("export", "query", "cleanup", "kit"),
    options=tuple(_OPTIONS_OF_THE_EXPORT.split()),
)

PROGRAM = Program(
    name="downpour-import",
    summary="make a downpour bundle true in another OpenStack cloud.",
    texts=(IMPORT, PLAN, SHOW, VERIFY, UNPACK, UNDO, FORGET),
    default="import",
    sisters=(_EXPORT, BUNDLE_SPEC),
    notes="Progress goes to stderr; stdout has the result.  Exit codes, files and environment: "
    "downpour-import(1), or docs/reference/commands.md.",
    manual={
        "EXIT STATUS": "0 done, 2 usage, 3 correct the mapping, 4 the bundle is damaged, 5 not "
        "trusted, 6 the cloud cannot be used, 8 the target lacks something, 9 the target failed, "
        "10 the result differs, 11 another import's state, 12 a local file, 14 it cannot be "
        "decrypted, 20 to 25 its signature, 130 interrupted, 141 done but its output was not read "
        "to the end.",
        "ENVIRONMENT": f"{CLOUD_VARIABLES}  DOWNPOUR_POLICY names another policy file; empty: "
        f"none.  {DEBUG}",
        "FILES": "./BUNDLE.CLOUD (DIR/state for a directory that unpack made), or what --state "
        "names, is the state directory.  It has uuids.csv, report.json, ansible.log, mapping.yml "
        "where something must be mapped, and the journal that the next run goes on from.  "
        "/etc/downpour/policy.yml, else ~/.config/downpour/policy.yml, settles for a "
        "machine whose signatures are accepted and whether one is required: allowed_signers, "
        "revoked_signers and require_signature.",
    },
)
