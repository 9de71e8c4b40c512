"""The services' processes, in the cloud venv: python -m ... SERVICE CLOUD-FOLDER [OWNER START]

One module per service, each with `load(cloud)`, which gives its WSGI application. Each
service is a process of its own since each owns oslo.config's one global `CONF`. Nothing of
OpenStack may be imported at the top of these modules: what is patched, and how a service
finds its configuration, must be settled first.
"""
