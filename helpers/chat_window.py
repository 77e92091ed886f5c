"""A window in which people talk with a finished assistant; it says first of all what it is."""

from html import escape

import ipywidgets as widgets
from IPython.display import display

MEMORY = 5  # messages that are sent along: a tiny model's context is short


class ChatWindow:
    """A talk with one assistant. Where no widgets are drawn, `say` does the same, and the talk is its text.

    `reply` is a function from messages to a text, such as a `chatbot`; every answer in the window comes from
    it. `disclosure` stays above the talk: whoever talks with a model must know that it is one.
    """

    def __init__(self, reply, name, disclosure):
        self.reply, self.name, self.disclosure, self.messages = reply, name, disclosure, []
        self.talk = widgets.HTML()
        self.line = widgets.Text(placeholder="Write here, then press Enter", continuous_update=False)
        self.line.layout.width = "100%"
        self.line.observe(lambda change: self.say(change["new"]), "value")
        self.draw()

    def say(self, text):
        """Say something to the assistant; gives its reply, and adds both to the window."""
        if not text.strip():
            return ""
        self.messages.append({"role": "user", "content": text})
        answer = self.reply(self.messages[-MEMORY:])
        self.messages.append({"role": "assistant", "content": answer})
        self.line.value = ""
        self.draw()
        return answer

    def draw(self):
        """Bring the window up to date."""
        rows = [f"<b>{escape(self.name)}</b>", f"<i>{escape(self.disclosure)}</i>"]
        rows += [f"<b>{self.speaker(message)}:</b> {escape(message['content'])}" for message in self.messages]
        self.talk.value = "".join(f'<p style="margin: 0.3em 0">{row}</p>' for row in rows)

    def speaker(self, message):
        """Who said a message."""
        return "You" if message["role"] == "user" else escape(self.name)

    def __repr__(self):
        talk = [f"{self.speaker(message)}: {message['content']}" for message in self.messages]
        return "\n".join([f"{self.name} ({self.disclosure})", *talk])

    def _ipython_display_(self):
        box = widgets.VBox([self.talk, self.line], layout={"border": "1px solid #888", "padding": "0.6em"})
        display({**box._repr_mimebundle_(), "text/plain": repr(self)}, raw=True)
