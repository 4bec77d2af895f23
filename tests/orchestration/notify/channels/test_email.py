"""Mail by SMTP, against a server on loopback."""

from __future__ import annotations

import email
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from email.message import EmailMessage
from email.policy import default
from typing import TYPE_CHECKING, Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from metrics_catalog.message import Letter, Message
from orchestration.notify.channels.email import server_of
from orchestration.settings import InvalidSettings

if TYPE_CHECKING:
    from ..conftest import Post  # noqa: TID252 types of fixtures

Make = Callable[..., Letter]


@dataclass
class Inbox:
    """What arrived; ``answers``: what the next mails are answered with, ``cut`` for a lost connection."""

    mails: list[EmailMessage] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    recipients: str = "250 ok"
    logins: list[bytes] = field(default_factory=list)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if self.recipients.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.recipients

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 the library's name
        answer = self.answers.pop(0) if self.answers else "250 ok"
        if answer.startswith(("250", "cut")):
            made = email.message_from_bytes(envelope.content, policy=default)
            assert isinstance(made, EmailMessage)
            self.mails.append(made)
        if answer == "cut":
            server.transport.abort()
        return answer

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append(data.login)
        return AuthResult(success=data.password == b"p:ss/w@rd", handled=False)


@pytest.fixture
def inbox(post: Post) -> Iterator[Inbox]:
    inbox = Inbox()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Controller(inbox, "127.0.0.1", port, authenticator=inbox.authenticate, auth_require_tls=False)
    server.start()
    post.given |= {
        "METRICS_SMTP_URL": f"smtp://wei:p%3Ass%2Fw%40rd@127.0.0.1:{port}",
        "METRICS_MAIL_FROM": "指标中心 <metrics@example.com>",
    }
    yield inbox
    server.stop()


def test_a_mail_has_text_html_its_picture_and_its_file(
    post: Post, inbox: Inbox, sample: Callable[[str], Message]
) -> None:
    post.put(Letter("INC-1", "email", "lin.wei@example.com", sample("zh")))
    assert post.drain().sent == 1, post.rows()["INC-1"].error
    (mail,) = inbox.mails
    assert mail["Subject"] == "🟠 净销售额：华东区下跌 38%，数据按时到达"
    assert mail["From"] == "指标中心 <metrics@example.com>"
    kinds = [part.get_content_type() for part in mail.walk() if not part.is_multipart()]
    assert kinds == ["text/plain", "text/html", "image/png", "application/pdf"]
    assert mail["Auto-Submitted"] == "auto-generated"
    picture = next(part for part in mail.walk() if part.get_content_type() == "image/png")
    assert f"cid:{picture['Content-ID'].strip('<>')}" in mail.get_body(("html",)).get_content()  # pyright: ignore
    assert inbox.logins == [b"wei"]


def test_editions_and_updates_are_one_conversation_and_only_news_is_mailed(
    post: Post, inbox: Inbox, letter: Make
) -> None:
    def put(title: str, key: str = "INC-1", **given: Any) -> None:
        post.put(letter(key, title, "email", "lin.wei@example.com", **given))
        post.drain()

    put("dip")
    put("dip, two days")
    put("worse", severity=1)
    put("update", "INC-1/1", parent="INC-1")
    put("over", severity=1, closed=True)
    assert [mail["Subject"] for mail in inbox.mails] == ["🟠 dip", "Re: 🔴 worse", "🟠 update", "Re: ✅ over"]
    first = inbox.mails[0]["Message-ID"]
    assert first.endswith("@example.com>")
    assert [mail["In-Reply-To"] for mail in inbox.mails] == [None, first, first, first]
    assert len({mail["Message-ID"] for mail in inbox.mails}) == 4
    assert {row.state for row in post.rows().values()} == {"sent"}


def test_a_mail_whose_answer_was_lost_is_sent_again_as_the_same_mail(post: Post, inbox: Inbox, letter: Make) -> None:
    inbox.answers = ["cut"]
    post.put(letter("INC-1", channel="email", address="lin.wei@example.com"))
    assert post.drain().sent == 1
    assert [mail["Message-ID"] for mail in inbox.mails] == [inbox.mails[0]["Message-ID"]] * 2


def test_an_address_that_does_not_exist_is_the_letters_fault_and_holds_nobody_up(
    post: Post, inbox: Inbox, letter: Make
) -> None:
    inbox.recipients = "550 no such user"
    post.put(letter("INC-1", channel="email", address="gone@example.com"))
    assert post.drain().counts["dead"] == 1
    assert post.rows()["INC-1"].error == "the mail server refuses the address: no such user"
    inbox.recipients = "250 ok"
    post.put(letter("INC-2", channel="email", address="lin.wei@example.com"))
    assert post.drain().sent == 1


def test_a_full_mailbox_is_tried_later_and_others_go_on(post: Post, inbox: Inbox, letter: Make) -> None:
    inbox.answers = ["452 full"]
    post.put(*[letter(f"INC-{n}", channel="email", address="lin.wei@example.com") for n in (1, 2)])
    done = post.drain(patience=0)
    assert (done.sent, done.counts["later"]) == (1, 1)
    assert post.rows()["INC-1"].attempts == 1


@pytest.mark.parametrize("address", ["a@b.com, c@d.com", "a@b.com\r\nBcc: x@y.com", "nobody"])
def test_no_address_brings_more_headers_or_more_readers(post: Post, inbox: Inbox, letter: Make, address: str) -> None:
    post.put(letter("INC-1", channel="email", address=address))
    assert post.drain().counts["dead"] == 1
    assert not inbox.mails


def test_a_wrong_password_puts_everything_off_without_showing_it(post: Post, inbox: Inbox, letter: Make) -> None:
    post.given["METRICS_SMTP_URL"] = post.given["METRICS_SMTP_URL"].replace("p%3Ass", "geheim")
    post.put(letter("INC-1", channel="email", address="lin.wei@example.com"))
    error = post.drain(patience=0).errors["email"]
    assert "refuses us" in error
    assert "geheim" not in error + str(post.rows()["INC-1"].error)


def test_a_server_by_its_url() -> None:
    server = server_of("smtps://u%40x:p%2F@mail.example.com", None)
    assert (server.port, server.tls, server.user, server.password) == (465, True, "u@x", "p/")
    assert server.sender == "Metric center <metrics@mail.example.com>"
    assert replace(server, sender="a@b.org").domain == "b.org"
    for wrong in ("mail.example.com", "http://x", "smtp://x:notaport", "smtp://"):
        with pytest.raises(InvalidSettings, match="METRICS_SMTP_URL"):
            server_of(wrong, None)
