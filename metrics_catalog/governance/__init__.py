"""An official number changes only by a certified definition: ledger, versions, change requests, approvals, preview."""
