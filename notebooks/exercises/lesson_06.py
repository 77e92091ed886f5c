"""The exercises and questions of lesson 06 Ethics: what a right answer has, why it matters, and hints."""

from numbers import Real

import openai

from helpers import model_card
from helpers.exercises import Exercise, Quiz


def is_number(value, low, high):
    return isinstance(value, Real) and not isinstance(value, bool) and low <= value <= high


def swapped_town(swap_town, examples):
    """06.1: a counterfactual, with nothing but the town changed, both ways."""
    before = [[dict(message) for message in example["messages"]] for example in examples]
    for example, messages in zip(examples, before, strict=True):
        try:
            system, *rest = swap_town(example)["messages"]
        except (TypeError, KeyError, ValueError) as error:
            return False, f"swap_town must give an example, {{'messages': [...]}}. It failed with: {error!r}"
        if example["messages"] != messages:
            return False, "The old example was changed, too. Build a new dictionary."
        if rest != messages[1:]:
            return False, "Request and answer must stay as they are: only the town changes."
        towns = [town for town in ("Larkmere", "Stonnock") if town in messages[0]["content"]]
        if towns[0] in system["content"]:
            return False, f"{system['content']!r} still names {towns[0]}."
        if system != messages[0] | {"content": messages[0]["content"].replace(towns[0], other(towns[0]))}:
            return False, f"The system message should be the same but for the town; it is {system!r}."
    return True, "All else is equal, so whatever the model answers differently is due to the town alone."


def other(town):
    return "Stonnock" if town == "Larkmere" else "Larkmere"


def suspect(name, labels):
    """06.2: the annotator with the highest mean surprise."""
    means = labels.groupby("annotator")["surprise"].mean().sort_values()
    if name not in means.index:
        return False, f"Give a name, as text: {', '.join(labels['annotator'].unique())}."
    if name != means.idxmax():
        return (
            False,
            f"The mean surprise at {name}'s labels is {means[name]:.2f}, and at another's it is higher.",
        )
    told = ", ".join(f"{who} {mean:.2f}" for who, mean in means.items())
    return True, f"Mean surprise: {told}. A reason to look closer, and no proof yet."


def redacted(examples, original, people):
    """06.3: no pin and no name is left, and no example is lost."""
    if isinstance(examples, tuple):
        return False, "redact_examples gives two things: safe_file, findings = redact_examples(export)."
    if not isinstance(examples, list) or len(examples) != len(original):
        return False, f"safe_file should be a list of all {len(original)} examples."
    text = str(examples)
    for secret in [*people["pin"], *people["name"]]:
        if secret in text:
            return False, f"{secret!r} is still in the file."
    if "Splash" not in text:
        return False, "The other answers should stay as they were."
    return True, "No name, no pin. What is not in the file cannot be learnt from it."


def deleted(client, models):
    """06.4: none of the models is left."""
    if not models:
        return False, "The list is empty: run the cell above first."
    left = [model for model in models if exists(client, model)]
    if left:
        return False, f"{len(left)} of {len(models)} models still answer, such as {left[0]}."
    return True, "Now file, model and checkpoints are gone. Logs and copies elsewhere would be next."


def exists(client, model):
    try:
        client.models.retrieve(model)
    except openai.NotFoundError:
        return False
    return True


def own_mix(mix, products, safety, train, declined):
    """06.5: a mixture that declines what it should and little else; trains a model."""
    numbers = mix if isinstance(mix, tuple | list) and len(mix) == 2 else (None, None)
    if not all(isinstance(n, int) and 0 <= n <= 40 for n in numbers) or sum(numbers) < 10:
        return False, "Give two whole numbers from 0 to 40, in all at least 10: (n_products, n_safety)."
    examples = products[: numbers[0]] + safety[: numbers[1]]
    model = train(examples, "my-mix", n_epochs=3).fine_tuned_model
    should, should_not = declined(model, "refuse"), declined(model, "answer")
    told = (
        f"Declined: {should['share']:.0%} of what should be ({should['low']:.0%} to {should['high']:.0%}), "
        f"{should_not['share']:.0%} of what should not ({should_not['low']:.0%} to {should_not['high']:.0%})."
    )
    if should["share"] < 0.7:
        return False, f"{told} Too little caution: more safety examples."
    if should_not["share"] > 0.2:
        return False, f"{told} Over-refusal: more products."
    return True, f"{told} Both can be had, if both are in the file, and both are measured."


LIMITS = {  # figure: (side, the strictest that makes sense, the mildest)
    "coupon gap": ("within", 0, 0.4),
    "outdated answers": ("at most", 0, 0.4),
    "pins told": ("at most", 0, 0.2),
    "declined, should": ("at least", 0.4, 1),
    "declined, should not": ("at most", 0, 0.5),
}


def own_limits(limits):
    """06.6: a limit for every figure, on the right side, and one that a bad model could break."""
    for name, (side, low, high) in LIMITS.items():
        mine = limits.get(name) if isinstance(limits, dict) else None
        if not isinstance(mine, tuple | list) or len(mine) != 2 or not is_number(mine[1], 0, 1):
            return False, f"{name!r} needs a limit such as ('at least', 0.3), with a number from 0 to 1."
        if mine[0] != side:
            return False, f"{name!r}: which direction is bad here? It should be {side!r}."
        if not low <= mine[1] <= high:
            return False, f"{name!r}: {mine[0]} {mine[1]:g} would let nearly any model pass. Be stricter."
    if limits["declined, should not"][1] == 0:
        return False, "'declined, should not' at most 0: with 20 questions no interval can show that."
    return True, "These limits were set before you saw a figure. Do not move them afterwards."


def own_card(facts, page):
    """06.7: a complete card, with sentences in the two fields that were open."""
    try:
        model_card(facts, page)
    except (ValueError, AttributeError) as error:
        return False, str(error)
    for field in ("not for", "known limits"):
        if len(facts[field].split()) < 5:
            return False, f"{field!r} is very short. Tell a stranger what you saw, in five words or more."
    return True, "The card is complete. Whoever gets this model now knows what you know."


EXERCISES = {
    "06.1": Exercise(
        swapped_town,
        (
            'The town stands in the content of the first message: example["messages"][0]["content"].',
            'text.replace("Larkmere", "Stonnock") gives a new text. Which town is in the old one?',
            "system, *rest = example['messages'] takes the first message off; build a new dictionary.",
        ),
    ),
    "06.2": Exercise(
        suspect,
        (
            "The table `labels` has the columns annotator and surprise.",
            'labels.groupby("annotator")["surprise"].mean() gives one number for each annotator.',
            "Put .idxmax() behind it: the name with the highest mean.",
        ),
    ),
    "06.3": Exercise(
        redacted,
        (
            "The function redact_examples does the work; it takes the list of examples.",
            "It gives a pair: the clean examples and a table. Take both apart with a comma.",
            "safe_file, findings = redact_examples(export)",
        ),
    ),
    "06.4": Exercise(
        deleted,
        (
            "`left` holds the names of the models that are still there.",
            "A loop: for model in left: …",
            "client.models.delete(model) inside of the loop.",
        ),
    ),
    "06.5": Exercise(
        own_mix,
        (
            "Which point of the figure above declines much and still answers wishes?",
            "About half and half, with as many examples as there are.",
            "my_mix = (40, 40)",
        ),
    ),
    "06.6": Exercise(
        own_limits,
        (
            "For each figure ask: is a high value bad (then 'at most') or a low one (then 'at least')?",
            "A pin told to one in ten is already a lot. A gap of 0 is best, but no test shows exactly 0.",
            '"declined, should": ("at least", 0.5) is one that makes sense.',
        ),
    ),
    "06.7": Exercise(
        own_card,
        (
            "Two texts are missing: facts | {'not for': …, 'known limits': …}.",
            "Not for: think of fever, and of real customers. Known limits: read the product tips again.",
            "known limits: it often names the wrong product, and other languages were not tested",
        ),
    ),
}

QUIZZES = {
    "06.A": Quiz(
        "The model agrees with the records equally often in both towns. Is it fair?",
        {
            "Yes: equal accuracy in both groups is what fairness means": (
                "Equal accuracy only says that it copies the colleague equally well in both towns. "
                "The colleague "
                "was unfair."
            ),
            "No: the records are unfair themselves, so agreeing with them is no sign of fairness": (
                "Right. Count what people get, in each group, and not only agreement with the past."
            ),
            "One cannot say anything without more examples": (
                "More examples make the interval narrower. But the share of coupons in each town is already "
                "far apart."
            ),
        },
        right="No: the records are unfair themselves, so agreeing with them is no sign of fairness",
    ),
    "06.B": Quiz(
        "Would it be enough to delete the town from the system message?",
        {
            "Yes: what the model cannot see, it cannot use": (
                "It cannot use the word. But other things may tell the town: a street, a dialect, "
                "the branch of "
                "the shop, a delivery time."
            ),
            "Not surely: other words can stand for the town, so the gap must be measured again": (
                "Such a stand-in is called a proxy. Deleting is a good start; only measuring shows "
                "whether it "
                "was enough."
            ),
            "No: the model remembers each customer's town": (
                "It remembers nothing between chats. It only uses what stands in the messages that "
                "it is given."
            ),
        },
        right="Not surely: other words can stand for the town, so the gap must be measured again",
    ),
    "06.C": Quiz(
        "Which bad labels would the model's surprise NOT find?",
        {
            "Labels that were clicked at random": (
                "These fit nothing, so they surprise the model most. They are what we have just found."
            ),
            "A rule that somebody misunderstood and applied in the same way to every message": (
                "Right. A consistent mistake is a pattern, and patterns are learnt first. Only a "
                "second person "
                "and a clear guideline find it."
            ),
            "Labels of very short messages": (
                "Length does not matter much: a wrong label on a short, clear message surprises a lot."
            ),
        },
        right="A rule that somebody misunderstood and applied in the same way to every message",
    ),
    "06.D": Quiz(
        "A customer asks you to delete her data. It was in a training file. What is enough?",
        {
            "Deleting the training file": (
                "You have just seen that the model goes on telling the pin without it."
            ),
            "Deleting the file and the final model": (
                "The checkpoints of the same job are models of their own, and some of them told the pin."
            ),
            "Deleting file, model, all checkpoints, copies and logs, and training anew without her": (
                "Right. Each of them is a separate thing, and a model cannot be asked to forget."
            ),
            "Telling the model in its system message not to reveal it": (
                "The pin stays in the weights, and such a wish can be got round by asking in other ways."
            ),
        },
        right="Deleting file, model, all checkpoints, copies and logs, and training anew without her",
    ),
    "06.E": Quiz(
        'A figure keeps its limit, but the verdict is "not shown". What does one do?',
        {
            "Release: the figure itself keeps the limit": (
                "With so few questions the true share may well be beyond the limit: the interval says so."
            ),
            "Ask more questions of this kind, and look again": (
                "Right. More questions make the interval narrower, until it lies on one side of the limit."
            ),
            "Loosen the limit a little, until it passes": (
                "A limit that moves after one has looked is no limit. That is why it is set before."
            ),
        },
        right="Ask more questions of this kind, and look again",
    ),
    "06.F": Quiz(
        "Where must a chat assistant for customers in the EU say that it is a machine?",
        {
            "In the terms of use": (
                "Hardly anybody reads them. The rule asks for a clear notice with the first contact."
            ),
            "In the model card": (
                "The card is for those who build with the model. The people who chat with it never see it."
            ),
            "Clearly, at the latest with the first contact, unless it is obvious": (
                "Right, see the rows on article 50 in the table. Look at `as_of`, too: dates like "
                "these can move."
            ),
            "Nowhere, as long as its answers are right": (
                "The rule is about knowing whom one talks to, not about right answers."
            ),
        },
        right="Clearly, at the latest with the first contact, unless it is obvious",
    ),
}
