"""The exercises and questions of lesson 06 Ethics: what a right answer has, why it matters, and hints."""

import copy
import re
from numbers import Real

import pandas as pd

from helpers import gap, model_card, redact_examples, share
from helpers.exercises import Exercise, Quiz


def is_number(value, low, high):
    return isinstance(value, Real) and not isinstance(value, bool) and low <= value <= high


def swapped_town(swap_town, examples):
    """06.1: a counterfactual, with nothing but the town changed, both ways."""
    for example in copy.deepcopy(examples):  # an answer that changes its example spoils only our copy
        messages = copy.deepcopy(example["messages"])
        try:
            system, *rest = swap_town(example)["messages"]
        except (TypeError, KeyError, ValueError, AttributeError) as error:
            return False, f"swap_town must give an example, {{'messages': [...]}}. It failed with: {error!r}"
        if example["messages"] != messages:
            return False, (
                "The old example was changed, too: its messages are still in the new one. "
                "Build a new system message and a new list."
            )
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
    if isinstance(name, pd.Series | pd.DataFrame):
        return False, "That is a table of numbers. Put .idxmax() behind the means: it gives the name."
    if not isinstance(name, str) or name not in means.index:
        return False, f"Give a name, as text: {', '.join(labels['annotator'].unique())}."
    if name != means.idxmax():
        return (
            False,
            f"The mean surprise at {name}'s labels is {means[name]:.2f}, and at another's it is higher.",
        )
    told = ", ".join(f"{who} {mean:.2f}" for who, mean in means.items())
    return True, f"Mean surprise: {told}. A reason to look closer, and no proof yet."


# What the redactor leaves in the first 50 chats of the export and what still leads to a person.
MISSED = r"\d{5}|hospital|empty all day|my wife|shy|grandfather|boyfriend|stolen|first dog|my mother|at seven"
MISSED += r"|at nine|moving next week|typing is hard|tax number|no camera|do(?:n'?t| not) like to write"


def redacted(examples, original, people, missed):
    """06.3: no pin and no name is left, no example is lost; and one thing that the redactor missed."""
    if isinstance(examples, tuple):
        return False, "redact_examples gives two things: safe_file, findings = redact_examples(export)."
    if not isinstance(examples, list) or len(examples) != len(original):
        return False, f"safe_file should be a list of all {len(original)} examples, duplicates, too."
    private = {word for name in people["name"] for word in name.split()} | set(people["pin"])
    private |= {text.strip(" .") for text in redact_examples(original)[1]["text"]}
    text = str(examples)
    if left := [word for word in sorted(private) if re.search(rf"\b{re.escape(word)}\b", text)]:
        return False, f"{left[0]!r} is still in the file."
    for line, (new, old) in enumerate(zip(examples, original, strict=True), start=1):
        if not same_but_redacted(new, old, private):
            return False, f"Example {line} has lost more than its names and pins, or is another one."
    said = [message["content"] for example in examples for message in example["messages"]]
    if not isinstance(missed, str) or not any(missed.strip() in text for text in said) or len(missed) < 4:
        return False, "No known name, no pin. Now `missed`: copy a few words that are still in safe_file."
    if not re.search(MISSED, missed, re.I):
        return False, f"{missed!r} could be anybody's. What leads to one person, or tells of her life?"
    return True, f"No known name, no pin. But {missed!r} is left: a redactor knows forms, you know people."


def same_but_redacted(new, old, private):
    """Whether an example has the roles of another and most of its words that are not private."""
    try:
        pairs = list(zip(new["messages"], old["messages"], strict=True))
    except (TypeError, KeyError, ValueError):
        return False
    for mine, theirs in pairs:
        words = set(re.findall(r"\w+", theirs["content"])) - private
        kept = words & set(re.findall(r"\w+", str(mine.get("content"))))
        if mine.get("role") != theirs["role"] or len(kept) < 0.7 * len(words):
            return False
    return True


def deleted(client, name):
    """06.4: no file with this name and no model that was trained on one is left."""
    files = [file for file in client.files.list() if file.purpose == "fine-tune"]
    files = [file for file in files if name in client.files.content(file.id).text]
    if files:
        return False, f"{len(files)} file(s) still hold {name}'s data, such as {files[0].filename}."
    models = [model.id for model in client.models.list()]
    left = [model for model in models if re.search(r":(?:pins|single):", model)]
    if left:
        return False, f"{len(left)} model(s) that were trained on it still answer, such as {left[0]}."
    return True, "No file holds her name, no model of the two jobs is left. Logs would be next."


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


LIMITS = {  # figure: (side, the mildest that makes sense, what a faultless model is measured as, in words)
    "coupon gap": ("within", 0.4, gap([True, False] * 40, [True, False] * 40), "two towns treated alike"),
    "outdated answers": ("at most", 0.4, share([False] * 12), "12 current answers of 12"),
    "pins told": ("at most", 0.2, share([False] * 60), "60 replies without a pin"),
    "declined, should": ("at least", 0.5, share([True] * 30), "30 declined of 30"),
    "declined, should not": ("at most", 0.4, share([False] * 20), "20 answered of 20"),
}


def own_limits(limits):
    """06.6: a limit for every figure, on the right side, that a bad model breaks and a good one can keep."""
    for name, (side, mildest, best, words) in LIMITS.items():
        mine = limits.get(name) if isinstance(limits, dict) else None
        if not isinstance(mine, tuple | list) or len(mine) != 2 or not is_number(mine[1], 0, 1):
            return False, f"{name!r} needs a limit such as ({side!r}, {mildest}), a number from 0 to 1."
        if mine[0] != side:
            return False, f"{name!r}: which direction is bad here? It should be {side!r}."
        low = side == "at least"
        if (mine[1] < mildest) if low else (mine[1] > mildest):
            return False, f"{name!r}: {side} {mine[1]:g} is very mild. Go to {mildest} or stricter."
        reached = best["low"] if low else best["high"]
        if (mine[1] > reached) if low else (mine[1] < reached):
            return False, (
                f"{name!r}: {side} {mine[1]:g} cannot be shown. Even {words} leave an interval that "
                f"{'begins' if low else 'reaches up'} at {reached:.3f}. Ask for less, or ask more questions."
            )
    return True, "These limits were set before you saw a figure. The audit below uses them."


def says_nothing(text):
    """Whether a sentence has fewer than four different words."""
    return len(set(re.findall(r"[^\W\d_]{2,}", text.lower()))) < 4


SEEN = r"product|wrong|health|doctor|medicine|ill|fever|password|declin|refus|mistyp|typ|language|english|tea"
SEEN += r"|blanket|wish|question|answer|repl|test|few|short|toy|small|coupon|pin|long"


def own_card(facts, page):
    """06.7: a complete card, with two different sentences in the two fields that were open."""
    try:
        model_card(facts, page)
    except (ValueError, AttributeError) as error:
        return False, str(error)
    for field in ("not for", "known limits"):
        if says_nothing(facts[field]):
            return False, f"{field!r}: {facts[field]!r} tells a reader nothing. Write a sentence."
    if facts["not for"] == facts["known limits"]:
        return False, "Two fields say the same. Each one answers a question of its own."
    if re.search(r"\b(?:no|any|without)\b[\w ]{0,15} (?:limits?|faults?|weak)", facts["known limits"], re.I):
        return False, "'known limits': a model without limits was never seen. Read its replies again."
    if not re.search(SEEN, facts["known limits"], re.I):
        return False, "'known limits': name something that you measured, or read in a reply above."
    return True, "The card is complete. Whoever gets this model now knows what you know."


EXERCISES = {
    "06.1": Exercise(
        swapped_town,
        (
            'The town stands in the content of the first message: example["messages"][0]["content"].',
            'text.replace("Larkmere", "Stonnock") gives a new text. Which town is in the old one?',
            "system, *rest = example['messages'] takes the first message off; build a new dictionary "
            "{'messages': [new_system, *rest]}.",
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
            'safe_file, findings = redact_examples(export); missed = "in hospital", for example.',
        ),
    ),
    "06.4": Exercise(
        deleted,
        (
            "client.files.content(file.id).text is the text of a file. Which ones hold her name?",
            'Models have the names of their jobs: ":pins:" or ":single:" is in model.id. Checkpoints, too.',
            'Two loops, each with an if: if "Odile Varnay" in client.files.content(file.id).text: delete it.',
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
            "Not stricter than the table allows: no test of 12 questions shows 0.",
            '"declined, should": ("at least", 0.6) is one that makes sense.',
        ),
    ),
    "06.7": Exercise(
        own_card,
        (
            "Two texts are missing: facts | {'not for': …, 'known limits': …}.",
            "Not for: think of fever, and of real customers. Known limits: read the product tips again.",
            "known limits: often names a product that does not fit; only English was tested",
        ),
    ),
}

QUIZZES = {
    "06.A": Quiz(
        "The model agrees with the records equally often in both towns. Is it fair?",
        {
            "Yes: both groups get the same accuracy": (
                "Equal accuracy only says that it copies the colleague equally well in both towns. "
                "The colleague was unfair."
            ),
            "No: the records may be unfair": (
                "Count what people get, in each group, and not only agreement with the past."
            ),
            "Unknown: 20 requests from each town are too few": (
                "More would make the intervals narrower. But the two shares lie far apart already."
            ),
        },
        right="No: the records may be unfair",
    ),
    "06.B": Quiz(
        "Would it be enough to delete the town from the system message?",
        {
            "Yes: what the model cannot see, it cannot use": (
                "It cannot use the word. But other things may tell the town: a street, a dialect, "
                "the branch of the shop, a delivery time."
            ),
            "Yes, if the accuracy stays as it was": (
                "Accuracy did not show the gap before, so it will not show that the gap is gone."
            ),
            "Perhaps: measure the gap again": (
                "Other words can stand for the town; such a stand-in is called a proxy. Only measuring shows "
                "whether deleting was enough."
            ),
            "No: the bias was in the base model before": (
                "An even file gives no gap, as the figure shows: this bias came from the file."
            ),
        },
        right="Perhaps: measure the gap again",
    ),
    "06.C": Quiz(
        "Which bad labels would the model's surprise NOT find?",
        {
            "Labels that were clicked at random": (
                "These fit no pattern, so they surprise. Ben's were wrong by chance, and were found."
            ),
            "A rule misunderstood in the same way each time": (
                "A consistent mistake is a pattern, and patterns are learnt. Only a second person and a "
                "clear guideline find it."
            ),
            "Labels of somebody who did half of the whole file": (
                "Ben did, and was found: his mistakes do not agree with each other."
            ),
            "A single slip of somebody who is nearly always right": (
                "It stands against the pattern of all the others, so it surprises."
            ),
        },
        right="A rule misunderstood in the same way each time",
    ),
    "06.D": Quiz(
        "A customer asks you to delete her data. It was in a training file. What is enough?",
        {
            "Deleting the file and the final model of the job": (
                "The checkpoints of the same job are models of their own, and some of them told the pin."
            ),
            "Deleting file and model, with all checkpoints of the job": (
                "Nearly. But was the file copied, or cleaned and used for another job? Look for these, too."
            ),
            "Deleting all copies and all models trained on any": (
                "Each of them is a separate thing, and a model cannot be asked to forget."
            ),
            "Training the model further, on chats without her": (
                "It may stop telling the pin to this question. Nobody knows what another question brings out."
            ),
        },
        right="Deleting all copies and all models trained on any",
    ),
    "06.E": Quiz(
        'A figure keeps its limit, but the verdict is "not shown". What does one do?',
        {
            "Release: the figure itself keeps the limit": (
                "With so few questions the true share may well be beyond the limit: the interval says so."
            ),
            "Ask more questions and look again": (
                "More questions make the interval narrower, until it lies on one side of the limit."
            ),
            "Loosen the limit a little, until it passes": (
                "A limit that moves after one has looked is no limit. That is why it is set before."
            ),
            "Train with other seeds, until one passes": (
                "Try often enough and one passes by luck. Its next questions will be answered as before."
            ),
        },
        right="Ask more questions and look again",
    ),
    "06.F": Quiz(
        "A customer in the EU begins to chat with the assistant. When must she be told that it is a machine?",
        {
            "As soon as she asks whether it is a person": (
                "Most people never ask. The rule does not wait for the question."
            ),
            "With the first contact, at the latest": (
                "See the row on article 50(5). Look at `as_of`, too: dates like these can move."
            ),
            "Once, in the terms of use that she accepts": (
                "Hardly anybody reads them. The rule asks for a clear notice with the first contact."
            ),
            "Before she tells her name or her order number": (
                "Personal data have rules of their own. This one is about knowing whom one talks to."
            ),
        },
        right="With the first contact, at the latest",
    ),
}
