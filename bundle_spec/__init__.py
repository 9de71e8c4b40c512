"""The bundle format of downpour: everything about a ``.dpbundle``, nothing about clouds."""
