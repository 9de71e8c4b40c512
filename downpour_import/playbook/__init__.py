"""What the importer and its playbook hand to each other: settings, data, events."""
