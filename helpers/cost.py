"""What training and using a model costs in dollars, by a table of prices with their dates and sources."""

import math
from pathlib import Path

import pandas as pd

PRICE_TABLE = Path(__file__).resolve().parents[1] / "data" / "prices.csv"
UNIT = 1_000_000  # prices are dollars for so many tokens


def prices():
    """The prices as a DataFrame: dollars for a million tokens, training context in tokens, date, source."""
    return pd.read_csv(PRICE_TABLE)


def price(model, use):
    """The row of a model for `use`, "base" or "tuned", as a dictionary.

    Raises ValueError for a model that the table does not have, with those that it has.
    """
    table = prices()
    rows = table[(table["model"] == model) & (table["use"] == use)]
    if rows.empty:
        known = ", ".join(table.loc[table["use"] == use, "model"])
        raise ValueError(f"{PRICE_TABLE.name} has no price of {model!r} as a {use} model, only of: {known}.")
    return rows.iloc[0].to_dict()


def training_cost(tokens, n_epochs, model):
    """Dollars for training on a file of so many tokens; a validation file costs nothing.

    Source of the rule: OpenAI's fine-tuning guide, price × tokens in the file × epochs.
    """
    return tokens * n_epochs * price(model, "tuned")["training"] / UNIT


def usage_cost(prompt_tokens, reply_tokens, model, use, requests=1):
    """Dollars for `requests` requests with so many tokens each."""
    row = price(model, use)
    return requests * (prompt_tokens * row["input"] + reply_tokens * row["output"]) / UNIT


def break_even(training, expensive, cheap):
    """After how many requests a training that makes each request cheaper has paid for itself.

    `training` are the dollars of the job, `expensive` and `cheap` those of a request with and without the
    long prompt. Infinity if the request of the tuned model is not the cheaper one.
    """
    if expensive <= cheap:
        return math.inf
    return math.ceil(round(training / (expensive - cheap), 6))  # without the noise of binary fractions
