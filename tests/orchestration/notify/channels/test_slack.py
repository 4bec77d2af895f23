"""Slack through its own client, against a Slack on loopback."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from metrics_catalog.message import Letter, Message

if TYPE_CHECKING:
    from ..conftest import FakeSlack, Post  # noqa: TID252 types of fixtures

Make = Callable[..., Letter]


def test_a_letter_is_posted_once_and_its_editions_edit_it(slack_post: Post, slack: FakeSlack, letter: Make) -> None:
    slack_post.put(letter("INC-1", "dip"))
    assert slack_post.drain().sent == 1
    assert slack_post.drain().sent == 0
    slack_post.put(letter("INC-1", "over", closed=True))
    assert slack_post.drain().sent == 1
    assert [one["text"] for one in slack.posts] == ["✅ over"]
    assert len(slack.updates) == 1
    assert slack.posts[0]["metadata"]["event_payload"] == {"key": "INC-1", "edition": 2}
    row = slack_post.rows()["INC-1"]
    assert (row.state, row.edition, row.sent_edition, row.error) == ("sent", 2, 2, None)


def test_what_belongs_under_another_goes_into_its_thread_and_after_it(
    slack_post: Post, slack: FakeSlack, letter: Make
) -> None:
    slack_post.put(letter("a-update", parent="b-alert"), letter("b-alert"))
    assert slack_post.drain().sent == 2
    assert [one["text"] for one in slack.posts] == ["🟠 b-alert", "🟠 a-update"]
    assert slack.posts[1]["thread_ts"] == slack.posts[0]["ts"]


def test_pictures_and_files_come_with_it_and_are_not_uploaded_twice(
    slack_post: Post, slack: FakeSlack, sample: Callable[[str], Message]
) -> None:
    slack_post.put(Letter("INC-1", "slack", "C0ALERTS", sample("en")))
    assert slack_post.drain().sent == 1, slack_post.rows()["INC-1"].error
    (image,) = [one for one in slack.posts[0]["blocks"] if one["type"] == "image"]
    assert slack.files[image["slack_file"]["id"]]["name"] == "net_sales.png"
    (shared,) = [one for one in slack.posts if one.get("files")]
    assert shared["thread_ts"] == slack.posts[0]["ts"]
    assert slack.files[shared["files"][0]["id"]]["data"] == b"%PDF-1.4 fake"
    slack_post.put(Letter("INC-1", "slack", "C0ALERTS", replace(sample("en"), closed=True)))
    assert slack_post.drain().sent == 1
    assert len(slack.files) == 2
    assert len(slack.posts) == 2


@pytest.mark.parametrize("address", ["C0ALERTS", "#alerts", "U0LIN"])
@pytest.mark.parametrize("parent", [None, "above"])
def test_a_message_whose_answer_was_lost_is_found_and_not_posted_again(
    slack_post: Post, slack: FakeSlack, letter: Make, address: str, parent: str | None
) -> None:
    slack.page = 3
    slack_post.put(*[letter(f"other-{n}", address=address) for n in range(7)], letter("above", address=address))
    slack_post.drain()
    slack.moods = ["lost"]
    slack_post.put(letter("INC-1", address=address, parent=parent))
    assert slack_post.drain(patience=0).sent == 0
    assert slack_post.rows()["INC-1"].doubtful == 1
    slack_post.put(letter("INC-1", "newer", address=address, parent=parent))
    assert slack_post.drain(20).sent == 1
    assert len(slack.posts) == 9
    assert slack.posts[-1]["text"] == "🟠 newer"


def test_rate_limits_are_respected(slack_post: Post, slack: FakeSlack, letter: Make) -> None:
    slack.per_second = 10
    slack_post.put(*[letter(f"INC-{n}") for n in range(8)])
    assert slack_post.drain(20).sent == 8
    assert slack.limited > 0
    assert {row.attempts for row in slack_post.rows().values()} == {0}


def test_what_slack_refuses_is_dead_with_its_reason_and_can_be_tried_again(
    slack_post: Post, slack: FakeSlack, letter: Make
) -> None:
    slack_post.put(letter("bad", address="#nowhere"), letter("good"))
    done = slack_post.drain()
    assert (done.sent, done.counts["dead"]) == (1, 1)
    assert slack_post.rows()["bad"].error == "Slack refuses the message: channel_not_found"


def test_a_bot_that_is_not_let_in_puts_everything_off(slack_post: Post, slack: FakeSlack, letter: Make) -> None:
    slack_post.given["METRICS_SLACK_TOKEN"] = "xoxb-wrong"
    slack_post.put(letter("INC-1"), letter("INC-2"))
    assert slack_post.drain(patience=0).errors["slack"].startswith("Slack refuses the bot: invalid_auth")
    assert {row.state for row in slack_post.rows().values()} == {"waiting"}
    assert "xoxb" not in str([row.error for row in slack_post.rows().values()])
    slack_post.given["METRICS_SLACK_TOKEN"] = "xoxb-fake"
    assert slack_post.drain(20).sent == 2
    assert len(slack.posts) == 2


def test_a_message_somebody_deleted_is_posted_anew(slack_post: Post, slack: FakeSlack, letter: Make) -> None:
    slack_post.put(letter("INC-1"))
    slack_post.drain()
    slack.posts.clear()
    slack_post.put(letter("INC-1", "worse", severity=1))
    assert slack_post.drain().sent == 1
    assert [one["text"] for one in slack.posts] == ["🔴 worse"]
