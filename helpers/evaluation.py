"""Asking a model many questions, and how sure one can be of the share it got right."""

import math

import pandas as pd


def score(client, model, examples, checks):
    """Ask `model` each example's first question; a DataFrame with question, reply and one column a check.

    `examples` are training examples (`{"messages": [...]}`); what the assistant says there is not shown to
    the model. `checks` maps a column name to a function of (reply, example) that says True or False.
    """
    rows = []
    for example in examples:
        prompt = until_first_reply(example["messages"])
        completion = client.chat.completions.create(model=model, messages=prompt, temperature=0)
        reply = completion.choices[0].message.content
        verdicts = {name: bool(is_right(reply, example)) for name, is_right in checks.items()}
        rows.append({"question": prompt[-1]["content"], "reply": reply} | verdicts)
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
