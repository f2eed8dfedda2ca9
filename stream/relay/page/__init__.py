"""The relay's page: files only."""
