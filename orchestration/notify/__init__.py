"""Who hears of it: letters of the outbox become messages at Slack, mail and others; answers come back as actions."""
