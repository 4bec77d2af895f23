"""Message -> what a channel shows, one module per channel. Pure: no network, no clock, no settings.

Every text of a message is plain and comes from data: a format escapes it, so that none becomes markup or a command.
"""
