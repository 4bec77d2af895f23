"""Messages as plain data and back."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from metrics_catalog.message import (
    Attachment,
    Button,
    Buttons,
    Facts,
    Grid,
    Link,
    Message,
    Paragraph,
    Picture,
)

WORDS = st.text(max_size=20)
PARTS = st.one_of(
    st.builds(Paragraph, WORDS, st.sampled_from(["plain", "good", "bad", "muted"]), st.booleans()),
    st.builds(Facts, st.lists(st.tuples(WORDS, WORDS), max_size=3).map(tuple)),
    st.builds(
        Grid,
        st.lists(WORDS, max_size=3).map(tuple),
        st.lists(st.lists(WORDS, max_size=3).map(tuple), max_size=3).map(tuple),
        st.lists(st.integers(0, 3), max_size=2).map(tuple),
    ),
    st.builds(Picture, WORDS, WORDS),
    st.builds(Link, WORDS, WORDS),
    st.builds(Buttons, st.lists(st.builds(Button, WORDS, WORDS, WORDS, st.booleans()), max_size=2).map(tuple)),
)
MESSAGES = st.builds(
    Message,
    WORDS,
    st.lists(PARTS, max_size=6).map(tuple),
    st.sampled_from(["en", "zh"]),
    st.one_of(st.none(), st.integers(1, 5)),
    st.booleans(),
    st.lists(st.builds(Attachment, WORDS, WORDS, WORDS), max_size=2).map(tuple),
)


@given(MESSAGES)
def test_a_message_that_was_kept_is_the_same_message(message: Message) -> None:
    kept = json.dumps(message.as_json(), ensure_ascii=False, sort_keys=True)
    again = Message.read(json.loads(kept))
    assert again == message
    assert hash(again) == hash(message)
    assert json.dumps(again.as_json(), ensure_ascii=False, sort_keys=True) == kept
