"""Section -> blocks, a module for each kind, named like it; adding a kind is adding one here and in `spec.report`."""
