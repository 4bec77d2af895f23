"""Mail by SMTP. A letter's editions and what belongs under it are one conversation in the reader's mail program.

What SMTP can promise: a server that answered has the mail once. When the answer is lost it may have it or not, and
cannot be asked: the mail is sent again under the same Message-ID, by which most mail systems drop the second. So a mail
is never lost, and seen twice only where the reader's system does not know a mail again.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, formataddr, parseaddr
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote, urlsplit

from orchestration.notify.delivery import Delivery, Down, Later, NotSent, Receipt, Refused
from orchestration.notify.files import content
from orchestration.notify.formats.mail import Mail, mail
from orchestration.settings import InvalidSettings, Settings

TIMEOUT_SECONDS = 20
_PORTS = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True)
class Server:
    """A mail server, and who mails through it."""

    host: str
    port: int
    tls: bool
    user: str
    password: str
    sender: str

    @property
    def domain(self) -> str:
        """The domain that names our mails."""
        return parseaddr(self.sender)[1].rpartition("@")[2] or "localhost"


class Email:
    """Mails through one server. ``state``: the folder pictures and attachments are in."""

    edits = False
    shared = True

    def __init__(self, server: Server, state: Path) -> None:
        self._server, self._state = server, state

    def send(self, delivery: Delivery) -> Receipt:
        """Send one mail; the first of its letter names the conversation."""
        first = delivery.external or self._name(delivery.key, 1)
        made = self._made(delivery, first)
        with _failures(), self._connected() as smtp:
            delivery.ours()
            smtp.send_message(made)
        return Receipt(first, delivery.memory)

    def _made(self, delivery: Delivery, first: str) -> EmailMessage:
        shown = mail(delivery.message)
        made = EmailMessage()
        made["Subject"] = _one_header(shown.subject if delivery.external is None else f"Re: {shown.subject}")
        made["From"], made["To"] = self._server.sender, _address(delivery.address)
        made["Date"] = format_datetime(datetime.now(UTC))
        own = first if delivery.external is None else self._name(delivery.key, delivery.edition)
        made["Message-ID"] = own
        above = [one for one in (delivery.parent, first if own != first else None) if one and one.startswith("<")]
        if above:
            made["In-Reply-To"], made["References"] = above[-1], " ".join(above)
        made["Auto-Submitted"] = "auto-generated"  # so that no absence is answered to it
        made["X-Metrics-Key"] = _one_header(delivery.key)
        self._fill(made, shown, delivery)
        return made

    def _fill(self, made: EmailMessage, shown: Mail, delivery: Delivery) -> None:
        made.set_content(shown.text)
        made.add_alternative(shown.html, subtype="html")
        html = made.get_body(("html",))
        assert isinstance(html, EmailMessage)
        for cid, file in shown.inline.items():
            if (data := content(self._state, file)) is not None:
                html.add_related(data, "image", "png", cid=f"<{cid}>", disposition="inline", filename=Path(file).name)
        for one in delivery.message.attachments:
            if (data := content(self._state, one.file)) is not None:
                kind, _, exact = one.mime.partition("/")
                made.add_attachment(data, maintype=kind, subtype=exact or "octet-stream", filename=one.name)

    def _name(self, key: str, edition: int) -> str:
        """The same for the same edition whenever it is sent."""
        return f"<{sha256(key.encode()).hexdigest()[:40]}.{edition}@{self._server.domain}>"

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        server = self._server
        if server.tls:
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_SECONDS, context=_trust())
        else:
            smtp = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_SECONDS)
        with smtp:
            smtp.ehlo()
            if not server.tls and smtp.has_extn("starttls"):
                smtp.starttls(context=_trust())
                smtp.ehlo()
            if server.user:
                smtp.login(server.user, server.password)
            yield smtp


def open_channel(settings: Settings, _tell: Callable[[str], None]) -> Email:
    """Raises `InvalidSettings` without a server."""
    if settings.smtp_url is None:
        raise InvalidSettings("METRICS_SMTP_URL is not set; set it to smtp://host or smtps://user:password@host")
    return Email(server_of(settings.smtp_url.get_secret_value(), settings.mail_from), settings.locate().state)


def server_of(url: str, sender: str | None) -> Server:
    """A server by its URL. Raises `InvalidSettings`, which does not show it."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise InvalidSettings("METRICS_SMTP_URL is not smtp://host:port or smtps://user:password@host:port")
    who = sender or formataddr(("Metric center", f"metrics@{parts.hostname}"))
    if "@" not in parseaddr(who)[1] or any(one in who for one in "\r\n"):
        raise InvalidSettings("METRICS_MAIL_FROM is not an address, such as Metric center <metrics@example.com>")
    user, password = (unquote(one or "") for one in (parts.username, parts.password))
    return Server(parts.hostname, port or _PORTS[parts.scheme], parts.scheme == "smtps", user, password, who)


@contextmanager
def _failures() -> Iterator[None]:
    """What goes wrong with SMTP, as what it means for the letter; in doubt when the answer to the mail is missing."""
    try:
        yield
    except NotSent:
        raise
    except smtplib.SMTPAuthenticationError as error:
        raise Down(f"the mail server refuses us: {_said(error.smtp_error)}; see METRICS_SMTP_URL") from None
    except smtplib.SMTPRecipientsRefused as error:
        code, said = next(iter(error.recipients.values()))
        raise (Refused if code >= 500 else Later)(f"the mail server refuses the address: {_said(said)}") from None
    except smtplib.SMTPSenderRefused as error:
        raise Down(f"the mail server refuses the sender: {_said(error.smtp_error)}; see METRICS_MAIL_FROM") from None
    except smtplib.SMTPDataError as error:
        kind = Refused if error.smtp_code >= 500 else Later
        raise kind(f"the mail server refuses the mail: {_said(error.smtp_error)}") from None
    except smtplib.SMTPServerDisconnected:
        raise Down("the mail server cut the connection", maybe=True) from None
    except smtplib.SMTPException as error:
        raise Down(f"the mail server does not take mail now: {type(error).__name__}") from None
    except ssl.SSLError as error:
        raise Down(f"the mail server is not trusted: {error.reason}") from None
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise Down(f"the mail server cannot be reached: {why}", maybe=isinstance(error, TimeoutError)) from None


def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()


def _said(text: bytes | str) -> str:
    return " ".join((text.decode(errors="replace") if isinstance(text, bytes) else text).split())[:200]


def _address(given: str) -> str:
    if any(one in given for one in '\r\n,;<>"') or "@" not in given:
        raise Refused(f'"{given}" is not a mail address')
    return given


def _one_header(given: str) -> str:
    return " ".join(given.split())[:400]
