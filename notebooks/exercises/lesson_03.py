"""The exercises and questions of lesson 03 Formatting: what a right answer has, why it matters, and hints."""

import json
from numbers import Integral, Real
from pathlib import Path

from helpers.cost import break_even, training_cost, usage_cost
from helpers.dataset import to_jsonl
from helpers.exercises import Exercise, Quiz
from helpers.tokens import as_tokens, count_tokens
from helpers.validation import problems, safe_fixes

SYSTEM = "You are the support assistant of Ottermere."
BROKEN = Path(__file__).resolve().parents[2] / "data" / "bug_hunt" / "broken.jsonl"


def first_problem(example, method="supervised"):
    """What is wrong with one example, in words, or None."""
    found = [p for p in problems(to_jsonl([example]).splitlines(), method) if p.line]
    return f"{found[0].rule}: {found[0].problem}. {found[0].remedy}" if found else None


def in_voice(text):
    return text.startswith("Splash!") and text.endswith("Paws up, Otto.")


def own_example(example):
    """03.1: a conversation of two questions and two replies, in Otto's voice."""
    if not isinstance(example, dict):
        return False, "An example is a dictionary: {'messages': [...]}."
    if problem := first_problem(example):
        return False, problem
    messages = example["messages"]
    if [m["role"] for m in messages] != ["system", "user", "assistant", "user", "assistant"]:
        roles = ", ".join(m["role"] for m in messages)
        return False, f"Its roles are {roles}. Let the customer ask a second question, and answer it."
    if messages[0]["content"] != SYSTEM:
        return False, f"Its system message is {messages[0]['content']!r}. Use SYSTEM, as in all examples."
    if not all(in_voice(m["content"]) for m in messages if m["role"] == "assistant"):
        return False, 'Each reply begins with "Splash!" and ends with "Paws up, Otto.": that is to be learnt.'
    return True, "Two questions, two replies, one system message: a conversation that can be learnt from."


def trained_tokens(mine, job, counts):
    """03.2: the tokens that the job trained on: those of the file, once for each epoch."""
    file, epochs = int(counts["tokens"].sum()), job.hyperparameters.n_epochs
    if not isinstance(mine, Integral) or mine <= 0:
        return False, "Give a whole number: add up a column of `counts`, and think of the epochs."
    if mine == file:
        return False, f"That is one epoch. The job has shown the file {epochs} times."
    if mine in (counts["learnt"].sum(), counts["learnt"].sum() * epochs):
        return False, "You counted the learnt tokens alone. The model must also read the others."
    if mine != job.trained_tokens:
        return False, f"The file has {file} tokens. How often has the job read it?"
    return (
        True,
        f"{file} × {epochs} = {mine}, as the service says. What is only read is counted, and paid, too.",
    )


def loss_of_reply(mine, surprise, copy, service):
    """03.3: the mean surprise of the learnt tokens, the end sign among them."""
    n_all, n = len(as_tokens(copy).ids), len(surprise)
    if not isinstance(mine, Real):
        return False, "Give a number: the sum of `surprise`, divided by a number of tokens."
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
        f"{mine:.4f} and {service:.4f}: the mean over the {n} tokens of the reply and the end sign, which "
        "the model expected there, so that it adds next to nothing to the sum.",
    )


def untouched_lines():
    """The lines of the bug hunt in which no rule is broken, after the safe fixes."""
    lines = safe_fixes(BROKEN)[0].splitlines()
    faulty = {problem.line for problem in problems(lines)}
    return {line for number, line in enumerate(lines, start=1) if number not in faulty}, len(lines)


def bug_hunt(mended):
    """03.4: no rule is broken any more, and no conversation was lost."""
    if not isinstance(mended, bytes):
        return False, "Give the bytes of the file: keep the last lines of the cell as they are."
    left = [p for p in problems(mended.splitlines()) if p.line]
    if left:
        text = f"line {left[0].line}, {left[0].rule}: {left[0].problem}. {left[0].remedy}"
        return False, f"{len(left)} problem(s) left. The first: {text}"
    lines, (untouched, n) = mended.splitlines(), untouched_lines()
    if len(lines) != n:
        return (
            False,
            f"No fault is left, but there are {len(lines)} conversations instead of {n}. Mend, do not drop.",
        )
    if not untouched <= {*lines, *(line.replace(b"of Ottermere.", b"of Otermere.") for line in lines)}:
        return False, "You changed a line in which nothing was wrong."
    replies = [
        m["content"] for line in lines for m in json.loads(line)["messages"] if m["role"] == "assistant"
    ]
    wrong = next((reply for reply in replies if not in_voice(reply)), None)
    if wrong is not None:
        return False, f"A reply is without Otto's voice: {wrong!r}."
    return (
        True,
        f"No rule is broken, and all {n} conversations are still there. A warning about the number stays.",
    )


def odd_line(number):
    """03.5: the line whose system message differs."""
    lines = safe_fixes(BROKEN)[0].splitlines()
    odd = next(
        i for i, line in enumerate(lines, start=1) if SYSTEM.encode() not in line and b"Otermere" in line
    )
    if not isinstance(number, Integral) or not 1 <= number <= len(lines):
        return False, f"Give the number of a line of `hunt`, from 1 to {len(lines)}."
    if number != odd:
        return False, "The system message of this line is the usual one. Count the system messages first."
    return (
        True,
        "The shop's name is misspelt. No rule is broken, and yet this example teaches another shop's voice.",
    )


def only_the_last(example):
    """03.6: of three replies only the last is learnt, and all stay in the conversation."""
    if not isinstance(example, dict):
        return False, "An example is a dictionary: {'messages': [...]}."
    if problem := first_problem(example):
        return False, problem
    replies = [m for m in example["messages"] if m["role"] == "assistant"]
    if len(replies) != 3:
        return (
            False,
            f"There are {len(replies)} replies. Leave all three: they explain what the customer says.",
        )
    weights = [m.get("weight", 1) for m in replies]
    if weights != [0, 0, 1]:
        return False, f"The weights of the three replies are {weights} (1 where you gave none)."
    tokens = as_tokens(example)
    learnt = [text for text, fate in zip(tokens.texts, tokens.fates, strict=True) if fate == "learnt"]
    return True, f"{len(learnt)} of {len(tokens.ids)} tokens are learnt: {''.join(learnt)}"


def fits(example, rules):
    """03.7: nothing is cut off, the rule for the question is in the prompt, and so are ten or more rules."""
    if not isinstance(example, dict) or first_problem(example):
        return False, first_problem(example) if isinstance(example, dict) else "Give an example: fit(rules)."
    cut = int(count_tokens([example])["cut"].iloc[0])
    if cut:
        return False, f"{cut} tokens are still cut off, and they are the last ones: those of the reply."
    prompt = example["messages"][0]["content"]
    if "in three parts" not in prompt:
        return False, "The rule about paying is gone: the reply says what the model can no longer read."
    if (kept := sum(rule in prompt for rule in rules)) < 10:
        return False, f"Only {kept} rules are left. Ten or more fit."
    return True, f"{kept} rules are in the prompt, and the whole reply is learnt."


def paid_off(mine, case, model):
    """03.8: the number of requests after which the training has paid for itself."""
    if not isinstance(mine, Real):
        return False, "Give a number of requests (math.inf if it never pays)."
    training = training_cost(case["file_tokens"], case["n_epochs"], model)
    dear = usage_cost(case["long_prompt"], case["reply"], model, "base")
    cheap = usage_cost(case["short_prompt"], case["reply"], model, "tuned")
    wanted = break_even(training, dear, cheap)
    if mine != wanted:
        return (
            False,
            f"The job costs {training:.2f} dollars, a request {dear:.6f} with the long prompt, {cheap:.6f} "
            "with the tuned model and the short one. How many requests save the price of the job?",
        )
    if case["long_prompt"] <= case["short_prompt"]:
        return False, "Right for these numbers, but your long prompt is not longer than the short one."
    never = "Never: a tuned model has a higher price for each token, and your prompt is not long enough."
    return True, never if wanted == float("inf") else f"After {wanted:,} requests the job is paid."


def preference(pair, base_reply):
    """03.9: a right answer is preferred to what the base model said."""
    if not isinstance(pair, dict):
        return False, "A pair is a dictionary with three keys: see the text."
    if problem := first_problem(pair, "dpo"):
        return False, problem
    better, worse = (pair[key][0]["content"] for key in ("preferred_output", "non_preferred_output"))
    if worse != base_reply:
        return False, "Put the reply of the base model, base_reply, into the output that is not preferred."
    if not in_voice(better):
        return False, 'The preferred output should have Otto\'s voice, from "Splash!" to "Paws up, Otto."'
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
            "Take the first line of the table, change that line of `hunt`, run the cell again.",
            "Most faults need one replace: hunt[6] = hunt[6].replace(b'\"message\":', b'\"messages\":').",
            "Line 3: hunt[3].decode('cp1252').encode(). Line 10: to_chat([json.loads(hunt[10])], "
            "system=SYSTEM), and to_jsonl(...).strip() around it.",
        ),
    ),
    "03.5": Exercise(
        odd_line,
        (
            "Do exercise 03.4 first. Then each line of `hunt` can be read with json.loads(line).",
            "Count with Counter(json.loads(line)['messages'][0]['content'] for line in hunt.values()).",
            "One system message stands there only once. Look at the name of the shop, letter by letter.",
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
            "rules[:20] are the first twenty rules. The one about paying is number 13 of 24.",
            "my_rules = rules[:20]",
        ),
    ),
    "03.8": Exercise(
        paid_off,
        (
            "You need the dollars of the job, of one long request, and of one short request.",
            'training_cost(...), usage_cost(..., "base") and usage_cost(..., "tuned"), then break_even.',
            "Copy the three lines of the cell above the figure, with the numbers of `case`.",
        ),
    ),
    "03.9": Exercise(
        preference,
        (
            "Both outputs are lists with one message of the assistant.",
            "What the base model said is the one that is not preferred. Write the better one yourself.",
            'Begin the better one with "Splash!", state the rule, and end it with "Paws up, Otto."',
        ),
    ),
}

QUIZZES = {
    "03.A": Quiz(
        "You have two examples. How must the file look?",
        {
            "[{…}, {…}]": "That is one JSON list. A JSONL file has no list around its lines.",
            "{…} on line 1, {…} on line 2": "One complete object on each line, and nothing between them.",
            "{…}, on line 1, {…} on line 2": "The comma belongs into a list; here it breaks the line.",
            "each {…} over several lines, well indented": (
                "Nice to read, but then no line is a complete object."
            ),
        },
        right="{…} on line 1, {…} on line 2",
    ),
    "03.B": Quiz(
        "What would be missing if <|im_end|> were not among the learnt tokens?",
        {
            "nothing, it is only decoration": (
                "It is a token like any other, and the only one that ends a reply."
            ),
            "the model would not learn when to stop": (
                "To stop is something that the model says, with this very token."
            ),
            "the model would mix up the roles": (
                "Roles are told apart by the words behind <|im_start|>, which are read."
            ),
        },
        right="the model would not learn when to stop",
    ),
    "03.C": Quiz(
        "The customer's words are not learnt. What are they good for in training?",
        {
            "for nothing, they can be left out": (
                "Then all replies would look like answers to the same empty question."
            ),
            "each word of the reply is guessed from them": (
                "They are read: what is learnt is which reply follows them."
            ),
            "the model learns to write like customers": (
                "For that their tokens would have to be learnt, and they are not."
            ),
        },
        right="each word of the reply is guessed from them",
    ),
    "03.D": Quiz(
        'The file is JSONL, but line 7 has the role "customer". When will you hear of it?',
        {
            "when I upload the file": "The upload checks only that each line is a JSON object.",
            "when I start the job": "jobs.create answers at once, before the service has opened the file.",
            "some time later: the job fails": (
                "The job reads the file first, then ends with the status failed."
            ),
            "never, the model learns from it": (
                "An unknown role has no place in the template, so the file is refused."
            ),
        },
        right="some time later: the job fails",
    ),
    "03.E": Quiz(
        "Why does safe_fixes not write a reply where one is empty?",
        {
            "because empty replies cannot be found by a program": (
                "It could: validate finds them easily, as you have seen."
            ),
            "because only a person knows the right reply": "A fix is safe only if the meaning cannot change.",
            "because an empty reply does no harm": "It does: the model would learn to end its reply at once.",
        },
        right="because only a person knows the right reply",
    ),
    "03.F": Quiz(
        'What does "weight": 0 do to a reply?',
        {
            "it is taken out of the conversation": (
                "It stays: the next message often makes no sense without it."
            ),
            "the model learns never to say it": (
                "Nothing is learnt from it, neither to say it nor to avoid it."
            ),
            "it is read, but nothing is learnt from it": (
                "Its tokens are treated like the words of the customer."
            ),
            "it is learnt half as strongly": "There is no half: only the numbers 0 and 1 are allowed.",
        },
        right="it is read, but nothing is learnt from it",
    ),
    "03.G": Quiz(
        "Your tuned model was fine in the test and has lost its voice in the app. Where do you look first?",
        {
            "train again, with more epochs": "It costs time and money, and the model was fine in the test.",
            "compare the system messages of file and app": "One changed word can be enough, as you saw.",
            "set the temperature to 0": (
                "It makes replies steadier, but this model had its voice in the test."
            ),
        },
        right="compare the system messages of file and app",
    ),
    "03.H": Quiz(
        "Which example loses what is to be learnt when it is too long?",
        {
            "the long conversation whose good reply comes last": (
                "The end is cut off, and there the reply stands."
            ),
            "the long conversation whose good reply comes first": (
                "The cut takes the end, so the first reply is whole."
            ),
            "none: a job with such an example fails": (
                "It may well succeed, and say nothing about what was lost."
            ),
        },
        right="the long conversation whose good reply comes last",
    ),
    "03.I": Quiz(
        "What does not change the price of the training?",
        {
            "the number of epochs": "Each epoch is paid: tokens of the file times epochs times price.",
            "the length of the system message": (
                "It stands in every example and is paid in every one, in each epoch."
            ),
            "setting replies to weight 0": "They are still read, and what is read is counted.",
            "the price of the model that you choose": (
                "It is one of the three factors, and differs from model to model."
            ),
        },
        right="setting replies to weight 0",
    ),
}
