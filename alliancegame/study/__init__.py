"""Questions asked of solved games."""
