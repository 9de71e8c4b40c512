"""The playbook run: ansible-playbook as a process, and what it tells while it goes."""
