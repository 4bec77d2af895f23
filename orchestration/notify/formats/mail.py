"""Message -> a mail: subject, plain text and HTML for phones and desks, light and dark. Pictures are within the mail.

Mail programs know little CSS: one column, inline styles, and a block that dark mode may take.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from metrics_catalog.message import Facts, Grid, Link, Message, Paragraph, Part, Picture
from orchestration.notify.formats.text import clean, line, text, title

_COLORS = {1: "#c0392b", 2: "#d35400", 3: "#b7950b", 4: "#2471a3", 5: "#707b7c"}
_GOOD, _PLAIN = "#1e8449", "#34495e"
_TONES = {"good": _GOOD, "bad": "#c0392b", "muted": "#707b7c", "plain": "#1c2833"}
_FONT = "font-family:-apple-system,BlinkMacSystemFont,'Segoe UI','PingFang SC','Microsoft YaHei',Roboto,sans-serif"
_CELL = "padding:6px 10px 6px 0;border-bottom:1px solid #e5e8e8;vertical-align:top"
_STYLE = """
:root{color-scheme:light dark;supported-color-schemes:light dark}
@media (prefers-color-scheme:dark){
.page,.card{background:#17202a!important}.ink{color:#eaecee!important}.line{border-color:#2c3e50!important}
.soft{color:#aab7b8!important}.good{color:#58d68d!important}.bad{color:#ec7063!important}a{color:#5dade2!important}}
@media (max-width:480px){.card{padding:16px!important}}
"""


@dataclass(frozen=True)
class Mail:
    """What goes into a mail. ``inline``: the pictures' files by their content id in the HTML."""

    subject: str
    text: str
    html: str
    inline: dict[str, str]


def mail(message: Message) -> Mail:
    """The whole mail; buttons are left out, what they do is said in words."""
    inline = {f"picture{n}": one.file for n, one in enumerate(_pictures(message), start=1)}
    return Mail(line(title(message)), text(message), _page(message, inline), inline)


def _pictures(message: Message) -> list[Picture]:
    return list(dict.fromkeys(one for one in message.parts if isinstance(one, Picture)))


def _page(message: Message, inline: dict[str, str]) -> str:
    cids = {file: cid for cid, file in inline.items()}
    color = _GOOD if message.closed else _COLORS.get(message.severity or 0, _PLAIN)
    body = "\n".join(html for part in message.parts for html in _part(part, cids))
    look = "margin:0 0 12px;font-size:20px;line-height:1.35;color:#1c2833"
    heading = f'<h1 class="ink" style="{look}">{_shown(title(message))}</h1>'
    card = (
        f'<div class="card" style="max-width:600px;margin:0 auto;padding:24px;background:#ffffff;'
        f'border-top:4px solid {color};{_FONT}">\n{heading}\n{body}\n</div>'
    )
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
    head += '<meta name="color-scheme" content="light dark">'
    return (
        f'<!doctype html>\n<html lang="{message.language}"><head>{head}<title>{_shown(line(message.title))}</title>'
        f'<style>{_STYLE}</style></head>\n<body class="page" style="margin:0;padding:16px 0;background:#f4f6f7">\n'
        f"{card}\n</body></html>\n"
    )


def _part(part: Part, cids: dict[str, str]) -> Iterator[str]:
    match part:
        case Paragraph():
            tone = {"plain": "ink", "muted": "soft"}.get(part.tone, part.tone)
            size = "17px;font-weight:600" if part.strong else "13px" if part.tone == "muted" else "15px"
            style = f"margin:0 0 12px;font-size:{size};line-height:1.5;color:{_TONES[part.tone]};white-space:pre-line"
            yield f'<p class="{tone}" style="{style}">{_shown(part.text)}</p>'
        case Facts():
            rows = "".join(map(_fact, part.pairs))
            yield f'<table role="presentation" style="margin:0 0 12px;border-collapse:collapse">{rows}</table>'
        case Grid():
            yield _grid(part)
        case Picture():
            style = "display:block;width:100%;max-width:552px;height:auto;margin:0 0 12px;border:0;border-radius:4px"
            yield f'<img src="cid:{cids[part.file]}" alt="{_shown(part.alt)}" style="{style}">'
        case Link() if part.url.startswith(("https://", "http://")):
            style = "font-size:15px;font-weight:600;color:#2471a3"
            anchor = f'<a href="{_shown(part.url)}" style="{style}">{_shown(part.label)}</a>'
            yield f'<p style="margin:0 0 12px">{anchor}</p>'
        case Link():
            yield f'<p class="ink" style="margin:0 0 12px;font-size:15px">{_shown(part.label)}: {_shown(part.url)}</p>'
        case _:
            return


def _fact(pair: tuple[str, str]) -> str:
    label, value = map(_shown, pair)
    shared = "padding:3px 16px 3px 0;font-size:15px;vertical-align:top"
    return (
        f'<tr><td class="soft" style="{shared};color:#707b7c">{label}</td>'
        f'<td class="ink" style="{shared};color:#1c2833">{value}</td></tr>'
    )


def _grid(part: Grid) -> str:
    def row(cells: tuple[str, ...], tag: str, style: str) -> str:
        made = []
        for place, cell in enumerate(cells):
            align = "right" if place in part.numbers else "left"
            number = ";font-variant-numeric:tabular-nums;white-space:nowrap" if place in part.numbers else ""
            kind = "soft line" if tag == "th" else "ink line"
            made.append(
                f'<{tag} class="{kind}" style="{_CELL};text-align:{align}{number};{style}">{_shown(cell)}</{tag}>'
            )
        return f"<tr>{''.join(made)}</tr>"

    head = row(part.headings, "th", "font-size:12px;font-weight:600;color:#707b7c")
    rows = "\n".join(row(one, "td", "font-size:14px;color:#1c2833") for one in part.rows)
    table = f'<table style="width:100%;border-collapse:collapse">{head}\n{rows}</table>'
    return f'<div style="margin:0 0 16px;overflow-x:auto">{table}</div>'


def _shown(given: str) -> str:
    return escape(clean(given), quote=True)
