from __future__ import annotations

import openstack
from openstack.config import OpenStackConfig
from openstack.connection import Connection

from .bench import PREFIX, Bench


def checks(bench: Bench) -> None:
    demo, cloud = bench.demo, bench.cloud

    with bench.check("a token of a plain tenant: the role member, and not admin"):
        roles = demo.session.auth.get_access(demo.session).role_names
        assert "member" in roles and "admin" not in roles, roles

    with bench.check("a token from an application credential"):
        made = demo.identity.create_application_credential(
            demo.current_user_id, PREFIX + "credential", roles=[{"name": "member"}]
        )
        openstack.connect(
            load_yaml_config=False,
            load_envvars=False,
            auth_type="v3applicationcredential",
            auth_url=cloud.auth_url,
            application_credential_id=made.id,
            application_credential_secret=made.secret,
            region_name=cloud.spec.region,
        ).authorize()

    with bench.check("the accounts of clouds.yaml"):
        file = cloud.root.parent / "clouds.yaml"
        entries = OpenStackConfig(config_files=[str(file)], load_envvars=False)
        for account in cloud.accounts:
            Connection(config=entries.get_one(account.entry)).authorize()
