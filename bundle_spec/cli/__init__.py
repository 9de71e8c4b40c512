"""The edge that all command lines share.  Nothing else prints."""
