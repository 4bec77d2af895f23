"""What Dagster loads and nothing else: each module's ``definitions(declared)`` is called with the project.

Adding assets, jobs or sensors means adding a module here; helpers live outside.
"""
