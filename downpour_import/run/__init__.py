"""The playbook run: ansible-playbook as a process, its events, the proof and the report."""
