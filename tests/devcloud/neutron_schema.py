"""Neutron's schema in an empty database (run in the cloud venv): python -m ... DATABASE-URL

Neutron's own `neutron-db-manage upgrade` does not work on SQLite: some old migrations alter
constraints. The models create the same tables; what is left of the migrations is the rows
one of them inserts: the rules that each new security group starts with.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import sqlalchemy as sa
from neutron.db.migration.alembic_migrations import versions
from neutron.db.migration.models import head

VERSIONS = Path(next(iter(versions.__path__)))
DEFAULT_RULES = VERSIONS / "2023.2/expand/c33da356b165_security_group_default_rules.py"


def create(url: str) -> None:
    metadata = head.get_metadata()
    engine = sa.create_engine(url)
    metadata.create_all(engine)
    migration = _load(DEFAULT_RULES)
    rules = metadata.tables["securitygroupdefaultrules"]
    with engine.begin() as connection:
        connection.execute(
            sa.text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
        )
        for file in VERSIONS.glob("*_HEAD"):
            connection.execute(
                sa.text("INSERT INTO alembic_version VALUES (:version)"),
                {"version": file.read_text().strip()},
            )
        for rule in migration.default_template_rules:
            attributes = connection.execute(
                sa.insert(migration.standardattr).values(
                    description=rule.pop("description"), resource_type=rules.name
                )
            )
            rule["standard_attr_id"] = attributes.inserted_primary_key[0]
            connection.execute(sa.insert(rules).values(rule))


def _load(path: Path) -> ModuleType:
    # A package name like "2023.2" cannot be imported by an import statement.
    spec = importlib.util.spec_from_file_location("neutron_default_rules", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    create(sys.argv[1])
