"""What Slack's errors mean: for the letter, for the channel, or only for now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http.client import HTTPException
from typing import Any

from orchestration.notify.delivery import Busy, Down, NotSent, Refused

# https://docs.slack.dev/reference/methods/chat.postMessage#errors
_OURS = {
    "invalid_auth",
    "not_authed",
    "account_inactive",
    "token_revoked",
    "token_expired",
    "missing_scope",
    "no_permission",
    "org_login_required",
    "ekm_access_denied",
    "access_denied",
    "two_factor_setup_required",
    "team_access_not_granted",
}
_THEIRS = {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"}
_DEFAULT_SECONDS = 30.0


def answered(call: Callable[[], Any], posts: bool = False) -> Any:
    """Slack's answer to a call. Raises `NotSent`; ``posts``: a lost answer means that it may have been posted."""
    from slack_sdk.errors import SlackApiError, SlackClientError

    try:
        return call()
    except SlackApiError as error:
        raise _meaning(error.response, posts) from None
    except (OSError, HTTPException) as error:  # a URLError is an OSError; a timeout too
        why = getattr(error, "reason", None) or type(error).__name__
        raise Down(f"Slack cannot be reached: {why}", posts) from None
    except SlackClientError as error:  # of an upload that was not taken
        raise Down(f"Slack does not take files now: {str(error)[:120]}") from None


def _meaning(response: Any, posts: bool) -> NotSent:
    status, headers = getattr(response, "status_code", 200), getattr(response, "headers", {})
    code = str(response.get("error", "")) if hasattr(response, "get") else str(response)
    if status == 429 or code in ("ratelimited", "rate_limited"):
        return Busy("Slack asks to wait", _seconds(headers))
    if status >= 500 or code in _THEIRS or code.startswith("Received a response in a non-JSON"):
        return Down(f"Slack answers with an error of its own ({status})", posts)
    if code in _OURS:
        needed = response.get("needed")
        return Down(f"Slack refuses the bot: {code}{f' ({needed})' if needed else ''}; see METRICS_SLACK_TOKEN")
    return Refused(f"Slack refuses the message: {code}{_detail(response)}", code)


def _detail(response: Any) -> str:
    told = (response.get("response_metadata") or {}).get("messages") or response.get("errors") or ()
    return f" ({'; '.join(str(one) for one in told)[:300]})" if told else ""


def _seconds(headers: Mapping[str, Any]) -> float:
    given: Any = next((value for name, value in headers.items() if name.lower() == "retry-after"), None)
    try:
        return min(max(float(given or _DEFAULT_SECONDS), 0.05), 3600.0)
    except ValueError:
        return _DEFAULT_SECONDS
