"""What passes between the importer and its playbook: settings, data, events."""
