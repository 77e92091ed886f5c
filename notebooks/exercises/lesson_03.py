"""The exercises and questions of lesson 03 Formatting: what a right answer has, why it matters, and hints."""

import json
import math
from numbers import Integral, Real
from pathlib import Path

from helpers.cost import break_even, training_cost, usage_cost
from helpers.dataset import read_jsonl, to_jsonl
from helpers.exercises import Exercise, Quiz
from helpers.tokens import as_tokens, count_tokens
from helpers.validation import problems, safe_fixes

SYSTEM = "You are the support assistant of Ottermere."
DATA = Path(__file__).resolve().parents[2] / "data"
BROKEN = DATA / "bug_hunt" / "broken.jsonl"
BEGIN, END = "Splash!", "Paws up, Otto."


def first_problem(example, method="supervised"):
    """What is wrong with one example, in words, or None."""
    if not isinstance(example, dict):
        return "Give a dictionary: see the example in the text."
    found = [p for p in problems(to_jsonl([example]).splitlines(), method) if p.line]
    return f"{found[0].rule}: {found[0].problem}. {found[0].remedy}" if found else None


def in_voice(text):
    return text.startswith(BEGIN) and text.endswith(END)


def said(text):
    """The words of a reply between the two ends of Otto's voice."""
    return text.removeprefix(BEGIN).removesuffix(END).split()


def texts(messages, role):
    return [str(m.get("content") or "").strip() for m in messages if m["role"] == role]


def own_example(example):
    """03.1: a conversation of two questions and two replies, in Otto's voice."""
    if problem := first_problem(example):
        return False, problem
    messages = example["messages"]
    if [m["role"] for m in messages] != ["system", "user", "assistant", "user", "assistant"]:
        roles = ", ".join(m["role"] for m in messages)
        return False, f"Its roles are {roles}. Let the customer ask a second question, and answer it."
    if messages[0]["content"] != SYSTEM:
        return False, f"Its system message is {messages[0]['content']!r}. Use SYSTEM, as in all examples."
    questions, replies = texts(messages, "user"), texts(messages, "assistant")
    if not all(map(in_voice, replies)):
        return False, f'Each reply begins with "{BEGIN}" and ends with "{END}": that is to be learnt.'
    if len({q.lower() for q in questions}) < 2 or len({r.lower() for r in replies}) < 2:
        return False, "The same question or reply stands there twice. Write a second one that goes on."
    if any(len(words) < 2 for words in [q.split() for q in questions] + [said(r) for r in replies]):
        return False, "A question or a reply says almost nothing. Use two words or more, beside the voice."
    return True, "Two questions, two replies, one system message: a conversation that can be learnt from."


def trained_tokens(mine, job, counts):
    """03.2: the tokens that the job trained on: those of the file, once for each epoch."""
    file, epochs = int(counts["tokens"].sum()), job.hyperparameters.n_epochs
    if not isinstance(mine, Real) or mine <= 0:
        return False, "Give a number: add up a column of `counts`, and think of the epochs."
    if mine == file:
        return False, f"That is one epoch. The job has shown the file {epochs} times."
    if mine in (counts["learnt"].sum(), counts["learnt"].sum() * epochs):
        return False, "You counted the learnt tokens alone. The model must also read the others."
    if mine != job.trained_tokens:
        return False, f"The file has {file} tokens. How often has the job read it?"
    return (
        True,
        f"{file} × {epochs} = {mine:.0f}, as the service says. What is only read is counted, and paid, too.",
    )


def loss_of_reply(mine, surprise, copied, service):
    """03.3: the mean surprise of the learnt tokens, the end sign among them."""
    n_all, n = len(as_tokens(copied).ids), len(surprise)
    if not isinstance(mine, Real):
        return False, "Give a number: the sum of `surprise`, divided by a number of tokens."
    if mine in (service, round(service, 5)):
        return False, "That is the number of the service itself. Compute your own from `surprise`."
    if abs(mine - surprise.sum() / n_all) < 1e-4:
        return (
            False,
            f"{mine:.4f}: you divided by all {n_all} tokens. The service must have divided by fewer.",
        )
    if abs(mine - surprise.sum() / n) < 1e-4:
        return False, f"{mine:.4f} is near, but not equal: the service learns one token more. Which?"
    if abs(mine - service) > 1e-3:
        return False, f"Yours is {mine:.4f}, that of the service {service:.4f}. Which tokens are learnt?"
    return (
        True,
        f"{mine:.4f} and {service:.4f}: the sum, divided by {n + 1}: the {n} tokens of the reply and the end "
        "sign. The end sign was expected, so it adds next to nothing to the sum.",
    )


def dialogue(example):
    """(role, text) of each message but the system's, also of a line that is not yet repaired."""
    if "prompt" in example:
        return [("user", example["prompt"].strip()), ("assistant", example["completion"].strip())]
    messages = example.get("messages") or example["message"]
    return [(m["role"], str(m.get("content") or "").strip()) for m in messages if m["role"] != "system"]


def changed(number, before, after):
    """What a repair has changed in a line that it should have kept, or None."""
    system, original, mine = after["messages"][0], dialogue(before), dialogue(after)
    if system["role"] != "system":
        return f"Line {number} has no system message. Begin it with SYSTEM, like all lines."
    if system["content"] not in (SYSTEM, SYSTEM.replace("Ottermere", "Otermere")):
        return f"Line {number} has the system message {system['content']!r}. Use SYSTEM."
    complete = original[-1][0] == "assistant" and original[-1][1] != ""
    kept = original if complete else original[:-1]
    for place, (role, text) in enumerate(kept):
        if mine[place : place + 1] != [(role, text)]:
            return f"Line {number} no longer has this text of the {role}: {text!r}. Keep what was said."
    new = [text for role, text in mine[len(kept) :] if role == "assistant"]
    if complete and mine[len(kept) :]:
        return f"Line {number} has more messages than before. Nothing was missing there."
    for reply in new:
        if not in_voice(reply) or len(said(reply)) < 2:
            return f"Line {number}: a new reply needs Otto's voice and something to say, not {reply!r}."
    if original[-1] == ("assistant", "") and not (new and "free" in new[-1].lower()):
        return f"Line {number}: the reply should state the rule: one swap is free."
    return None


def bug_hunt(repaired):
    """03.4: no rule is broken any more, and each conversation says what it said."""
    if not isinstance(repaired, bytes):
        return False, "Give the bytes of the file: keep the last lines of the cell as they are."
    left = [p for p in problems(repaired.splitlines()) if p.line]
    if left:
        text = f"line {left[0].line}, {left[0].rule}: {left[0].problem}. {left[0].remedy}"
        return False, f"Faults left: {len(left)}. The first: {text}"
    broken, lines = safe_fixes(BROKEN)[0].splitlines(), repaired.splitlines()
    if len(lines) != len(broken):
        return (
            False,
            f"No rule is broken, but there are {len(lines)} conversations, not {len(broken)}. Drop none.",
        )
    faulty = {problem.line for problem in problems(broken)}
    for number, (old, new) in enumerate(zip(broken, lines, strict=True), start=1):
        before, after = json.loads(old.decode("cp1252").removesuffix(",")), json.loads(new)
        if number not in faulty and after != before and number != odd_number():
            return False, f"You changed line {number}, in which no rule was broken."
        if what := changed(number, before, after):
            return False, what
    return True, f"No rule is broken, and all {len(lines)} conversations are there with all that was learnt."


def odd_number():
    """The line of the bug hunt, after the safe fixes, in which the shop's name is misspelt."""
    lines = safe_fixes(BROKEN)[0].splitlines()
    return next(number for number, line in enumerate(lines, start=1) if b"of Otermere." in line)


def odd_line(number):
    """03.5: the line whose system message differs."""
    broken = safe_fixes(BROKEN)[0].splitlines()
    if not isinstance(number, Integral) or not 1 <= number <= len(broken):
        return False, f"Give the number of a line of `hunt`, from 1 to {len(broken)}."
    if b'"system"' not in broken[number - 1]:
        return False, f"Line {number} came without a system message (exercise 3.4). Look for a wrong one."
    if number != odd_number():
        return False, "The system message of this line is the usual one. Count the system messages first."
    return (
        True,
        "The shop's name is misspelt. One such line is a slip. If a program wrote it, look at all its lines, "
        "and at what it sends when the model is used.",
    )


def only_the_last(example):
    """03.6: of three replies only the last is learnt, and all stay in the conversation."""
    if problem := first_problem(example):
        return False, problem
    replies = [m for m in example["messages"] if m["role"] == "assistant"]
    if len(replies) != 3:
        return (
            False,
            f"Replies in it: {len(replies)}. Leave all three: they explain what the customer says.",
        )
    first, last = texts(read_jsonl(DATA / "handover" / "chats.jsonl")[0]["messages"], "assistant")
    if [replies[0]["content"], replies[2]["content"]] != [first, last]:
        return False, "The text of a reply has changed. Leave the words, and add a weight."
    weights = [m.get("weight", 1) for m in replies]
    if weights != [0, 0, 1]:
        return False, f"The weights of the three replies are {weights} (1 where you gave none)."
    tokens = as_tokens(example)
    learnt = [text for text, fate in zip(tokens.texts, tokens.fates, strict=True) if fate == "learnt"]
    return True, f"{len(learnt)} of {len(tokens.ids)} tokens are learnt: {''.join(learnt)}"


def fits(example, shop_rules):
    """03.7: nothing is cut off, the rule for the question is in the prompt, and so are ten or more rules."""
    if not isinstance(example, dict):
        return False, "Give an example: with_rules(my_rules)."
    if problem := first_problem(example):
        return False, problem
    if "in three parts" not in (reply := example["messages"][-1]["content"]) or not in_voice(reply):
        return False, "The reply has changed. Leave it whole, and choose fewer rules."
    cut = int(count_tokens([example])["cut"].iloc[0])
    if cut:
        return False, f"{cut} tokens are still cut off, and they are the last ones: those of the reply."
    prompt = example["messages"][0]["content"]
    if "in three parts" not in prompt:
        return False, "The rule about paying is gone: the reply says what the model can no longer read."
    if (kept := sum(rule in prompt for rule in shop_rules)) < 10:
        return False, f"Rules in the prompt: {kept}. Ten or more fit."
    return True, f"{kept} rules are in the prompt, and the whole reply is learnt."


CASE = ("file_tokens", "n_epochs", "long_prompt", "short_prompt", "reply")


def paid_off(mine, case, model):
    """03.8: the number of requests after which the training has paid for itself."""
    numbers = [case.get(key) for key in CASE] if isinstance(case, dict) else [None]
    if not all(isinstance(number, Real) and 0 < number < math.inf for number in numbers):
        return False, f"`case` needs these keys, each with a number above 0: {', '.join(CASE)}."
    if not isinstance(mine, Real):
        return False, "Give a number of requests (math.inf if it never pays)."
    training = training_cost(case["file_tokens"], case["n_epochs"], model)
    expensive = usage_cost(case["long_prompt"], case["reply"], model, "base")
    cheap = usage_cost(case["short_prompt"], case["reply"], model, "tuned")
    wanted = break_even(training, expensive, cheap)
    if not (mine == wanted or wanted - 1 < mine <= wanted + 1e-6):  # not yet rounded up is fine, too
        return (
            False,
            f"The job costs {training:.2f} dollars. A request: {expensive:.6f} with the long prompt, "
            f"{cheap:.6f} with the tuned model and the short one. How many requests save that price? "
            "Round up to whole requests.",
        )
    if case["long_prompt"] <= case["short_prompt"]:
        return False, "Right for these numbers, but your long prompt is not longer than the short one."
    never = "Never: a tuned model has a higher price for each token, and your prompt is not long enough."
    return True, never if wanted == math.inf else f"After {wanted:,} requests the job is paid."


STOCK = "Is the oak table in stock?"


def preference(pair, base_reply):
    """03.9: a reply in the voice and with the rule is preferred to what the base model said."""
    if problem := first_problem(pair, "dpo"):
        return False, problem
    if texts(pair["input"]["messages"], "user") != [STOCK]:
        return False, f"Leave the question in the input: {STOCK!r}"
    if pair["input"]["messages"][0]["role"] != "system":
        return False, "Leave the system message in the input, as in every example: talk[0]."
    better, worse = (pair[key][0]["content"] for key in ("preferred_output", "non_preferred_output"))
    if worse != base_reply:
        return False, "Put the reply of the base model, base_reply, into the output that is not preferred."
    if not in_voice(better):
        return False, f'The preferred output should have Otto\'s voice, from "{BEGIN}" to "{END}"'
    if len(said(better)) < 4 or "bell" not in better.lower():
        return False, "The preferred output should state the shop's rule: the customer taps the bell."
    return True, "Same question, a better and a worse reply: that is all that this method wants to see."


EXERCISES = {
    "03.1": Exercise(
        own_example,
        (
            "Copy the example of the lesson and add a second question and a second reply behind the first.",
            "The roles must be: system, user, assistant, user, assistant.",
            "Behind the first reply add {'role': 'user', ...} and {'role': 'assistant', ...}; use SYSTEM.",
        ),
    ),
    "03.2": Exercise(
        trained_tokens,
        (
            "Which column of `counts` holds all tokens of an example?",
            "Every epoch reads the whole file once more; the number of epochs stands above the cell.",
            'int(counts["tokens"].sum()) * job.hyperparameters.n_epochs',
        ),
    ),
    "03.3": Exercise(
        loss_of_reply,
        (
            "Only the learnt tokens count. Divide by their number.",
            "Which token is learnt besides those of the reply? Look at the coloured example again.",
            "surprise.sum() / (len(surprise) + 1): the end sign is learnt, too.",
        ),
    ),
    "03.4": Exercise(
        bug_hunt,
        (
            "Take the first row of the table, change that line of `hunt`, run the cell again.",
            "Most faults need one replace: hunt[6] = hunt[6].replace(b'\"message\":', b'\"messages\":').",
            "Line 10: to_jsonl(to_chat([json.loads(hunt[10])], system=SYSTEM)).strip(). Line 16: remove the "
            "last message, or answer it. Line 18: put a reply between the last two quotation marks.",
        ),
    ),
    "03.5": Exercise(
        odd_line,
        (
            "Do exercise 03.4 first. Then each line of `hunt` can be read with json.loads(line).",
            "for n, line in hunt.items(): print(n, json.loads(line)['messages'][0]['content'])",
            "One system message differs. Look at the name of the shop, letter by letter.",
        ),
    ),
    "03.6": Exercise(
        only_the_last,
        (
            "A reply without a weight is learnt.",
            'Give the first two replies "weight": 0; do not remove them.',
            "three_replies['messages'][2]['weight'] = 0, and the same for the message with the number 4.",
        ),
    ),
    "03.7": Exercise(
        fits,
        (
            "Fewer rules make a shorter prompt. Which one must stay?",
            "shop_rules[:20] are the first twenty rules. The one about paying is number 13 of 24.",
            "my_rules = shop_rules[:20]",
        ),
    ),
    "03.8": Exercise(
        paid_off,
        (
            "You need the dollars of the job, of one long request, and of one short request.",
            'training_cost(...), usage_cost(..., "base") and usage_cost(..., "tuned"), then break_even.',
            "Copy the lines with usage_cost from the lesson; put case['long_prompt'] and so on into them.",
        ),
    ),
    "03.9": Exercise(
        preference,
        (
            "Both outputs are lists with one message of the assistant. Leave the input as it is.",
            "What the base model said is the one that is not preferred. Write the better one yourself.",
            'Begin the better one with "Splash!", say what the bell does, and end it with "Paws up, Otto."',
        ),
    ),
}

QUIZZES = {
    "03.A": Quiz(
        "You have two examples. How must the file look?",
        {
            "[{…}, {…}] on line 1": "That is one JSON list. A JSONL file has no list around its lines.",
            "{…} on line 1, {…} on line 2": "One complete object on each line, and nothing between them.",
            "{…}, on line 1, {…} on line 2": "The comma belongs into a list; here it breaks the line.",
            "each {…} over several lines": "Nice to read, but then no line is a complete object.",
        },
        right="{…} on line 1, {…} on line 2",
    ),
    "03.B": Quiz(
        "What would be missing if <|im_end|> were not among the learnt tokens?",
        {
            "the model would not learn to speak": "It would: the words of the reply are still learnt.",
            "the model would not learn to stop": "To stop is something that the model says, with this token.",
            "the model would not know who speaks": (
                "It would: that is the word behind <|im_start|>, which is read."
            ),
        },
        right="the model would not learn to stop",
    ),
    "03.C": Quiz(
        "The customer's words are not learnt. What are they good for in training?",
        {
            "for nothing: one could leave them out": (
                "Then all replies would look like answers to the same empty question."
            ),
            "the reply's tokens are guessed from them": (
                "They are read: what is learnt is which reply follows them."
            ),
            "the model learns to write like customers": (
                "For that their tokens would have to be learnt, and they are not."
            ),
        },
        right="the reply's tokens are guessed from them",
    ),
    "03.D": Quiz(
        'Line 40 of a JSONL file has the role "customer". When will you hear of it?',
        {
            "at once, when I upload the file": "The upload checks only that each line is a JSON object.",
            "at once, from fine_tuning.jobs.create": (
                "It answers before the service has opened the file: look at the first status."
            ),
            "a little later: the job fails": "The job first reads the file, then ends as failed.",
            "never: the model learns it, too": "The service knows the roles, and refuses any other.",
        },
        right="a little later: the job fails",
    ),
    "03.E": Quiz(
        "Why does safe_fixes not write a reply where one is empty?",
        {
            "a program cannot find an empty reply": "It can: validate finds them, as the table shows.",
            "a program cannot know the right reply": "A fix is safe only if what is said cannot change.",
            "an empty reply does no harm in training": "It does: the model would learn to say nothing.",
        },
        right="a program cannot know the right reply",
    ),
    "03.F": Quiz(
        'What does "weight": 0 do to a reply?',
        {
            "it is removed from the chat": "It stays: the next message often makes no sense without it.",
            "the model learns to avoid it": "Nothing is learnt from it, neither to say it nor to avoid it.",
            "it is read, but not learnt": "Its tokens are treated like the words of the customer.",
            "it is learnt half as strongly": "There is no half: only the numbers 0 and 1 are allowed.",
        },
        right="it is read, but not learnt",
    ),
    "03.G": Quiz(
        "Each of these examples is too long. Which one loses what is to be learnt?",
        {
            "a long chat, the good reply at its end": "The end is cut off, and there the reply stands.",
            "a long chat, the good reply at its start": "The cut takes the end, so the first reply is whole.",
            "none: the job refuses long examples": "It may well succeed, and not say what was lost.",
        },
        right="a long chat, the good reply at its end",
    ),
    "03.H": Quiz(
        "What does not change the price of the training?",
        {
            "the number of epochs": "Each epoch is paid: tokens of the file times epochs times price.",
            "a longer system message": "It stands in every example and is paid in every one, in each epoch.",
            "muting half of the replies": "They are still read, and what is read is counted.",
            "another model to be tuned": "Its price for a token is one of the three factors.",
        },
        right="muting half of the replies",
    ),
}
