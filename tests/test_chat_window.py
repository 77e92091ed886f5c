import pytest

from helpers.chat_window import MEMORY, ChatWindow


@pytest.fixture
def asked():
    """What the assistant was asked with, each time."""
    return []


@pytest.fixture
def window(asked):
    def reply(messages):
        asked.append(messages)
        return f"<b>{len(messages)}</b>"

    return ChatWindow(reply, "Otto", "You talk with a fine-tuned language model.")


def test_the_window_says_what_it_is_before_anything_was_said(window):
    assert "fine-tuned language model" in window.talk.value and "fine-tuned language model" in repr(window)


def test_what_is_typed_is_answered_and_the_line_is_empty_again(window, asked):
    window.line.value = "Hello?"
    assert asked == [[{"role": "user", "content": "Hello?"}]]
    assert window.line.value == "" and len(window.messages) == 2


def test_an_empty_line_asks_nothing(window, asked):
    assert window.say("  ") == "" and asked == []


def test_the_talk_goes_on_with_its_last_messages(window, asked):
    for number in range(4):
        window.say(str(number))
    assert [len(messages) for messages in asked] == [1, 3, 5, MEMORY]
    assert asked[-1][-1] == {"role": "user", "content": "3"} and asked[-1][0]["role"] == "user"


def test_what_is_said_is_shown_as_text_and_not_as_html(window):
    window.say("<script>")
    assert "<script>" not in window.talk.value and "<b>1</b>" not in window.talk.value
    assert "You: <script>" in repr(window)
