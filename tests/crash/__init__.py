"""Every state that a power cut may leave: the next run goes on, and nothing promised is lost."""
