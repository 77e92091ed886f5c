"""What a request may do to the model's chances before a token is drawn: bias, penalties, JSON mode.

A rule is a function (scores, written, left) -> scores: `scores` (V,) are logits up to a constant, `written`
the token ids of the reply so far, `left` how many tokens it may still have, this one included.
"""

import numpy as np

from .json_object import JsonObject, tokens_of


def rules_of(settings, chat_format, size):
    """The rules of one reply, in the order in which they apply; `size` is the number of logits."""
    rules = []
    if settings.logit_bias:
        rules.append(bias(settings.logit_bias))
    if settings.frequency_penalty or settings.presence_penalty:
        rules.append(penalty(settings.frequency_penalty, settings.presence_penalty))
    if settings.json_object:
        rules.append(JsonObject(tokens_of(chat_format, size)))
    return rules


def shortened(rules):
    """Whether the reply would have gone on if there had been more room, though it ends as it should."""
    return any(isinstance(rule, JsonObject) and rule.shortened for rule in rules)


def bias(logit_bias):
    """Adds to the logits of the tokens in {token id: number}."""
    ids, amounts = list(logit_bias), list(logit_bias.values())

    def rule(scores, written, left):
        """The scores with the bias."""
        scores = scores.copy()
        scores[ids] += amounts
        return scores

    return rule


def penalty(frequency, presence):
    """logit - count * frequency - (count > 0) * presence, count: how often the reply has the token already.

    Source: OpenAI's documentation of frequency and presence penalties; the prompt does not count.
    """

    def rule(scores, written, left):
        """The scores with what is written already made less likely."""
        ids, counts = np.unique(np.array(written, int), return_counts=True)
        scores = scores.copy()
        scores[ids] -= counts * frequency + presence
        return scores

    return rule
