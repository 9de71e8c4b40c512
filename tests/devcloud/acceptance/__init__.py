"""Does a cloud do what tenants do? One module per service; see __main__.py for the order."""
