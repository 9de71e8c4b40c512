from __future__ import annotations

from ansible_collections.downpour.bundle.plugins.plugin_utils.record import RecordAction


class ActionModule(RecordAction):
    resource = "server_group"
