"""The docopt texts of ``downpour-export``: what each command takes, and what it says of it."""

from __future__ import annotations

from bundle_spec.cli.program import Program, Sister
from bundle_spec.cli.usage import BUNDLE_SPEC, CLOUD, CLOUD_VARIABLES, DEBUG, OUTPUT, OUTPUT_JSON

_CLOUD = f"Source cloud:\n{CLOUD}"

_KIT = """\
  --python VERSION        The Python of the far side, like 3.12; else the one
                          that runs here.  Several times.
  --platform PLATFORM     The far side's C library and processor, as wheels name
                          them, like manylinux_2_28_x86_64 (ldd --version says
                          2.28); else glibc 2.28 or later on a processor as
                          here."""

_MAX_TEMPORARY = """\
  --max-temporary N       Snapshots, volumes and images that exist at once for
                          it [default: 20]."""

_RESOURCE_FILE = """\
  RESOURCE_FILE           What shall go, in YAML; all that it depends on is
                          found."""

EXPORT = f"""\
downpour-export export: write what a resource file names into one file.

Usage:
  downpour-export [export] [options] [--encrypt-to RECIPIENT]...
                  [--python VERSION]... RESOURCE_FILE BUNDLE

Nothing at the source is changed but temporary snapshots, volumes and images,
which are gone at the end.  A run that failed or was stopped leaves
BUNDLE.partial, and the same command goes on there: disks that are in it are not
read again.

Arguments:
{_RESOURCE_FILE}
  BUNDLE                  The file to write.

{_CLOUD}

How:
  --jobs N                Disks that are read at once [default: 2].
{_MAX_TEMPORARY}
  --level LEVEL           zstd level, fast (1) to 19 (small) [default: 3].
  --pause                 If this run is stopped (Ctrl-C, SIGTERM, a terminal
                          that goes) or fails, keep its complete snapshots and
                          images, which count against the quota, and start the
                          servers.  The same command goes on from them and stops
                          no server again.
  --fresh                 Begin again, and not where an earlier run of this
                          bundle stopped.

The file:
  --overwrite             Replace BUNDLE if it exists.
  --split SIZE            Write parts of SIZE, BUNDLE.001 and so on: 4G is
                          4,000,000,000 bytes.
  --sign KEYFILE          Sign the bundle with an SSH key, by ssh-keygen: a
                          private one, or a public one whose private half
                          ssh-agent has.
  --encrypt-to RECIPIENT  Encrypt the bundle with age, to age1..., an SSH public
                          key, or a file of such.  Several times.  No clear byte
                          is on the medium then, and a run that stopped starts
                          from scratch.
  --passphrase-file FILE  The same, to a key of its own, which is written to
                          BUNDLE.key and which the first line of FILE opens.

The kit:
  --with-kit              Put what a machine without internet needs to import
                          beside BUNDLE, as the directory downpour-kit.
{_KIT}

{OUTPUT}
"""

PLAN = f"""\
downpour-export plan: say what would go and why, and write nothing.

Usage:
  downpour-export plan [options] RESOURCE_FILE

It says also what the target must have, which disks are read in which state,
whether the quota allows it, what cannot be carried, and what of the project
stays behind.

Arguments:
{_RESOURCE_FILE}

{_CLOUD}

How:
{_MAX_TEMPORARY}

{OUTPUT_JSON}
"""

QUERY = f"""\
downpour-export query: add what fits to a resource file.

Usage:
  downpour-export query [options] [--server-name GLOB]...
                  [--server-flavor FLAVOR]... [--server-tag TAG]...
                  [--server-metadata KEY=VALUE]... [--network NETWORK]...
                  [--image-name GLOB]... [--volume-name GLOB]...
                  [--keypair-name GLOB]... RESOURCE_FILE

A GLOB fits names and IDs.  Values of one option unite, different options for
servers narrow each other.  A volume that is attached to a server is left to
that server.

Arguments:
  RESOURCE_FILE           It may exist; what is in it stays as it is.

{_CLOUD}

What:
  --server-name GLOB      Servers that are called so.
  --server-flavor FLAVOR  Servers of this flavor, by name or ID.
  --server-tag TAG        Servers that have this tag.
  --server-metadata KEY=VALUE
                          Servers that have this metadata.
  --network NETWORK       Servers with a NIC on this network, by name or ID.
  --image-name GLOB       The project's own images that are called so.
  --volume-name GLOB      Volumes that are called so.
  --keypair-name GLOB     Keypairs that are called so.
  --all                   All that can be carried, also what hangs on no
                          server, and say what stays behind all the same.
  --no-save-state         Carry what is added without its contents.

{OUTPUT}
"""

CLEANUP = f"""\
downpour-export cleanup: remove what killed exports left at the source.

Usage:
  downpour-export cleanup [options]

It is listed first; then it is deleted, and the servers that such an export had
stopped are started.  Whatever does not carry downpour's mark is left alone, and
what an export needs that runs, or that was alive less than ten minutes ago.

{_CLOUD}

How:
  --yes                   Clean up without a question.
  --also-live             Also what an export needs that was alive a few minutes
                          ago: its machine is lost, or it has ended.

{OUTPUT}
"""

KIT = f"""\
downpour-export kit: gather what a machine without internet needs to import.

Usage:
  downpour-export kit [options] [--python VERSION]... DIR

That is downpour and all its packages as wheels, by pip from its index here,
with an installer.

Arguments:
  DIR                     The directory that is made.

The kit:
{_KIT}

{OUTPUT}
"""

# Named here because neither half imports the other; a test holds the names to its texts.
_OPTIONS_OF_THE_IMPORT = """
    --map --same-project --state --uuids --only --skip --tags --no-start --keep-images --check
    --edited --trust-playbook --expect-digest --allowed-signers --revoked-signers
    --require-signature --parts --identity --decrypt-to --write-map --read-data --quick
"""

_IMPORT = Sister(
    name="downpour-import",
    commands=("import", "show", "verify", "unpack", "undo", "forget"),
    options=tuple(_OPTIONS_OF_THE_IMPORT.split()),
)

PROGRAM = Program(
    name="downpour-export",
    summary="carry a tenant's workloads out of an OpenStack cloud.",
    texts=(EXPORT, QUERY, PLAN, CLEANUP, KIT),
    default="export",
    sisters=(_IMPORT, BUNDLE_SPEC),
    notes="Progress goes to stderr; stdout says what was written.  Exit codes, files and "
    "environment: downpour-export(1), or docs/reference/commands.md.",
    manual={
        "EXIT STATUS": "0 done, 2 usage, 3 correct the resource file, 6 the cloud cannot be used, "
        "7 the source failed, 12 a local file, 13 no kit could be made, 14 encryption, 15 "
        "cleanup has left what a live export needs, 130 interrupted, 141 done but its output was "
        "not read to the end.",
        "ENVIRONMENT": f"{CLOUD_VARIABLES}  {DEBUG}",
        "FILES": "BUNDLE.partial and its journal are what an export that stopped goes on from.",
    },
)
