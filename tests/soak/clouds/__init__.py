"""The clouds that a soak moves tenants between: those in memory, behind HTTP, and how a tenant gets
into any."""
