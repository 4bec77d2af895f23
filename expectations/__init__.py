"""When we trust the data: Great Expectations suites, quarantine, validation results."""
