"""Asking a model many questions, and how sure one can be of the share it got right."""

import math

import pandas as pd


def chatbot(client, model, prompt=()):
    """A model as a function from messages to the text of its reply, always the likeliest one.

    The messages in `prompt` (a system message, say, or a few examples) are put before those it is asked with.
    """

    def reply(messages):
        """The reply to these messages."""
        completion = client.chat.completions.create(model=model, messages=[*prompt, *messages], temperature=0)
        return completion.choices[0].message.content

    return reply


def evaluate(reply, examples, checks):
    """Ask each example's first question; a DataFrame with question, reply and one column a check.

    `reply` is any function from messages to a text: a rule of your own, or a `chatbot`. `examples` are
    training examples (`{"messages": [...]}`); what the assistant says there is not shown to it. `checks` maps
    a column name to a function of (reply, example) that says True or False.
    """
    rows = []
    for example in examples:
        prompt = until_first_reply(example["messages"])
        text = reply(prompt)
        verdicts = {name: bool(is_right(text, example)) for name, is_right in checks.items()}
        rows.append({"question": prompt[-1]["content"], "reply": text} | verdicts)
    return pd.DataFrame(rows)


def until_first_reply(messages):
    """The messages before the assistant first speaks."""
    roles = [message["role"] for message in messages]
    return messages[: roles.index("assistant")] if "assistant" in roles else messages


def share(right, z=1.96):
    """The share of True in `right` with its 95 % interval, as {"share", "low", "high", "n"}.

    Wilson's score interval (1927): it stays within 0 and 1 and is honest for small samples.
    """
    n, p = len(right), sum(right) / len(right)
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return {"share": p, "low": max(0.0, centre - half), "high": min(1.0, centre + half), "n": n}
