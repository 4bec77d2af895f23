"""The only importer of great_expectations. Importing a module of this package costs seconds: do it inside functions."""
