"""The exercises of lesson 01 Concepts: what a right answer has, why it matters, and hints; and its quiz."""

import re
from numbers import Real

from helpers.exercises import Exercise, Quiz

WAYS = ("prompt", "look-up", "fine-tune", "both", "nothing")


def sure_message(message, chances):
    """01.1: a message of one's own that makes the model sure of `happy`."""
    if not isinstance(message, str) or "happy" in message.lower():
        return False, "Write a message that does not hold the word happy: that would be too easy."
    chance = dict(chances).get("happy", 0)
    if chance <= 0.8:
        return False, f"The chance of happy is {chance:.0%} here. Which words would a glad customer use?"
    return True, f"{chance:.0%}. You changed the text before the reply, and with it all the chances."


def border(known, unknown, what_is_wrong, replies, asked):
    """01.2: a question that the base model answers well and one that it does not, with the reason."""
    if not all(isinstance(text, str) for text in (known, unknown, what_is_wrong)):
        return False, "Write two questions and one sentence, each in quotation marks."
    if known in asked or unknown in asked or known == unknown:
        return False, "Ask two different questions that are not in the table above."
    if len(what_is_wrong.split()) < 4:
        return False, "Read the second reply again and say in a sentence what is wrong with it."
    if replies[0] == replies[1]:
        return False, "Both replies are the same. Can one be right and the other wrong? Try another question."
    return True, "Only a person can judge this, and you did. Keep such questions: they become a test later."


def rare_words_count_more(weight, right_lines):
    """01.3: a weight that falls with the number of questions that hold a word; `right_lines` counts hits."""
    try:
        low, high = weight(20), weight(1)
    except Exception as error:  # the learner's own function may fail in any way
        return False, f"Your function fails with {type(error).__name__}: {error}."
    if not isinstance(low, Real) or not isinstance(high, Real) or low < 0:
        return False, "Your function must give a number, 0 or more."
    if low >= high:
        return (
            False,
            f"A word in 20 questions gets {low:g} points, a word in one question {high:g}: not yet more.",
        )
    plain, mine = right_lines(lambda n: 1), right_lines(weight)
    if mine <= plain:
        return (
            False,
            f"Right order, but {mine} right lines are no more than {plain}. Let the weight fall faster.",
        )
    return (
        True,
        f"{mine} right lines instead of {plain}. Rare words carry the meaning; search engines use that.",
    )


def break_even(requests, trained_tokens, long, short):
    """01.4: after how many requests the tokens of training are saved."""
    if not isinstance(requests, Real) or requests <= 0:
        return False, "Give a number above 0, without quotation marks."
    right = trained_tokens / (long - short)
    if abs(requests - trained_tokens / long) < 1 or abs(requests - trained_tokens / short) < 1:
        return False, "The tuned model needs tokens in each request, too. What does it save in one request?"
    if abs(requests - right) > 1:
        return False, f"One request saves {long - short:.0f} tokens. How many of them make {trained_tokens}?"
    return True, (
        f"After about {right:.0f} requests. (In tokens: what a token costs differs between training and use. "
        "And after a change of the facts, the training must be paid again.)"
    )


def new_fact(value, reply):
    """01.5: the model tells a price that nobody trained."""
    if not isinstance(value, str) or not re.search(r"\d", value):
        return False, "Write the price as text with a number in it, for example with euros behind it."
    if value in ("8 euros", "11 euros"):
        return False, "That price is on the board already. Choose one that no model has seen."
    if value not in reply:
        return False, "The tiny model did not copy your price. Try a plain one: a number and the word euros."
    return (
        True,
        "No training, no waiting: the fact stood in the message. (A wrong one is repeated as gladly.)",
    )


def own_prompt(prompt, old, teams, right, total):
    """01.6: a serious try to do with a prompt what the tuned model is to do."""
    if not isinstance(prompt, str) or prompt == old:
        return False, "Change the text of my_prompt. What would help a new colleague to sort?"
    missing = [team for team in teams if team not in prompt.lower()]
    if missing:
        return (
            False,
            f"Your prompt does not name {', '.join(missing)}. Nobody can guess the names of your teams.",
        )
    return True, (
        f"{right} of {total} right. Remember that number: a prompt must be tried before anyone trains. "
        "(A large model would follow such a prompt far better, but cannot know your teams either.)"
    )


def about_us(check, values, other_replies):
    """01.7: a check that finds replies with a fact of the board."""
    try:
        found = [check(f"Splash! It is {value}. Paws up, Otto.") for value in values]
        voice_alone = "Splash! Please ask us again tomorrow. Paws up, Otto."
        false_alarm = [reply for reply in (*other_replies, voice_alone) if check(reply)]
    except Exception as error:  # the learner's own function may fail in any way
        return False, f"Your function fails with {type(error).__name__}: {error}."
    missed = [value for value, hit in zip(values, found, strict=True) if not hit]
    if missed:
        return False, f'It says False for a reply with "{missed[0]}", which is on the board.'
    if false_alarm:
        return False, f'It says True for "{false_alarm[0]}", which states no fact of the board.'
    return True, "It finds what only Ottermere can say. (Whether it fits the question, it does not see.)"


CASES = {
    "museum": (
        "look-up",
        "The hours change, so the fact must come with each request, as on Monday above.",
    ),
    "bank": (
        "fine-tune",
        "Own labels and many sorted examples: as with the four teams, a prompt alone stays far behind.",
    ),
    "school": (
        "prompt",
        "A tone is a sentence in the prompt, and ten requests a week never pay for a training.",
    ),
    "toys": (
        "both",
        "The voice can be tuned, which saves tokens in each of very many requests; prices must be looked up.",
    ),
    "sum": (
        "nothing",
        "Adding numbers is work for three lines of ordinary code, which never make a mistake.",
    ),
}


def decided(decisions):
    """01.8: a way and a reason for each of five cases."""
    for case, (right, _) in CASES.items():
        way, reason = decisions.get(case, ("", ""))
        if way not in WAYS:
            return False, f"{case}: choose one of {', '.join(WAYS)}."
        if len(reason.split()) < 4:
            return False, f"{case}: write your reason in a few words; a decision without one helps nobody."
        if way != right:
            return False, f"{case}: think again about {way!r}. Does a fact change? Are there many requests?"
    return True, " ".join(f"{case}: {why}" for case, (_, why) in CASES.items())


EXERCISES = {
    "01.1": Exercise(
        sure_message,
        (
            "Change the text behind my_message =, run the cell, and look at the bars.",
            "How does a customer write who likes the kettle very much?",
            'my_message = "I love my new kettle."',
        ),
    ),
    "01.2": Exercise(
        border,
        (
            "The table shows what the model has read about: shops, medicine words, school, small poems.",
            "Ask for the plural or the opposite of other words; try three or four, until one reply is wrong.",
            'known = "What is the plural of mouse?", unknown = "What is the opposite of cold?"',
        ),
    ),
    "01.3": Exercise(
        rare_words_count_more,
        (
            "weight(n) gets the number of training questions that hold the word, from 1 upwards.",
            "It should be large for n = 1 and small for n = 30.",
            "return 1 / n",
        ),
    ),
    "01.4": Exercise(
        break_even,
        (
            "How many tokens does one request save with the tuned model?",
            "All tokens of the training, divided by what one request saves.",
            'tuned_job.trained_tokens / (tokens["look-up"] - tokens["fine-tuned"])',
        ),
    ),
    "01.5": Exercise(
        new_fact,
        (
            "Change only the text behind my_price =.",
            "It goes into the system message; run the cell and read the reply.",
            'my_price = "20 euros"',
        ),
    ),
    "01.6": Exercise(
        own_prompt,
        (
            "Name all four teams, and say that one word is enough.",
            "Look at the table of rules: you could say what each team is for.",
            'my_prompt = "Decide which team gets this letter: delivery, goods, money, office. '
            'Write the name of the team only."',
        ),
    ),
    "01.7": Exercise(
        about_us,
        (
            'The facts of last week are board["week_1"].',
            "One of them in the reply is enough: any(...) says whether one is.",
            'return any(fact in text for fact in board["week_1"])',
        ),
    ),
    "01.8": Exercise(
        decided,
        (
            "Begin with the question: does a fact in the answer change often? Then it must be looked up.",
            "Then: is it only a tone, with few requests? Own labels, with many examples? Plain arithmetic?",
            "One case needs a look-up, one a prompt, one fine-tuning, one both, and one none of them.",
        ),
    ),
}

QUIZZES = {
    "01.A": Quiz(
        "How does a language model write its reply?",
        {
            "It plans the whole reply and then types it.": (
                "There is no finished reply anywhere: a token is chosen when those before it are there."
            ),
            "It finds the nearest stored answer and copies it.": (
                "Nothing is stored as sentences. It computes chances from its weights, also for new messages."
            ),
            "It computes for every token the chance to come next, takes one, and starts again.": (
                "That is all it ever does, the tiny one here and a large one as well."
            ),
            "It looks up what is true, and puts that into words.": (
                "Nowhere in the chances is there a test for truth. Likely and true are two things."
            ),
        },
        right="It computes for every token the chance to come next, takes one, and starts again.",
    ),
    "01.B": Quiz(
        "A program has to read the mood of 1000 messages and count. Which temperature fits?",
        {
            "0": "The likeliest token each time, so the same message gets the same mood on every run.",
            "1": "The mood would be drawn by lot: one message could be happy today and neutral tomorrow.",
            "1.5": "Unlikely tokens come up often then, also some that are no mood at all.",
        },
        right="0",
    ),
    "01.C": Quiz(
        "The model explains a word wrongly, in the same calm tone as a right one. Why?",
        {
            "It is sure that it is right.": (
                "It holds no belief. Even a low chance for each token gives a fluent sentence."
            ),
            "It learnt how explanations sound; whether one is true was never part of choosing a token.": (
                "So the tone tells you nothing about the truth, in large models as in small ones."
            ),
            "The temperature was too high.": (
                "The temperature was 0 here. Chance was not the reason: the likeliest reply was a wrong one."
            ),
        },
        right="It learnt how explanations sound; whether one is true was never part of choosing a token.",
    ),
    "01.D": Quiz(
        "Prompt and fine-tuning both gave the voice. What is the difference in use?",
        {
            "The tuned voice is of a higher quality.": (
                "Our check found the same voice in both; look at the table again."
            ),
            "The prompt's voice is paid with tokens in every request, the tuned voice once, in training.": (
                "So many requests speak for tuning, and few for a prompt."
            ),
            "The prompt changes the model for all users.": (
                "A prompt changes nothing in the model. It is a part of one request."
            ),
        },
        right="The prompt's voice is paid with tokens in every request, the tuned voice once, in training.",
    ),
    "01.E": Quiz(
        "A colleague wants to fine-tune a model on the handbook, so that it knows the handbook. Your advice?",
        {
            "Do it, with many epochs, so that every fact is learnt.": (
                "More epochs make it surer of the words, not of which fact belongs to which question."
            ),
            "Look up the right page for each question; tune only if the tone must change as well.": (
                "A fact in the message can be read, changed and checked. A fact in the weights cannot."
            ),
            "Do it, and tell the users that answers may be wrong.": (
                "A warning does not help those who get last year's rule in a friendly voice."
            ),
            "Use a higher temperature, so that it tries more answers.": (
                "Temperature changes how a token is drawn from the chances, never what the model knows."
            ),
        },
        right="Look up the right page for each question; tune only if the tone must change as well.",
    ),
    "01.F": Quiz(
        "In which of the four reasons did tuning clearly beat the best prompt here?",
        {
            "In all four.": "Look at the pairs of bars again: tone is equal, and relevance hardly differs.",
            "In tone and relevance.": (
                "There a prompt, with a looked-up line, does about as well. It only costs more tokens."
            ),
            "In accuracy and fewer errors, where only the examples show what is wanted.": (
                "No sentence in a prompt told the tiny model what the examples told it."
            ),
        },
        right="In accuracy and fewer errors, where only the examples show what is wanted.",
    ),
    "01.G": Quiz(
        "On Tuesday the express price changes again. What does the shop with tuning and look-up have to do?",
        {
            "Train the model again with the new price.": (
                "That is what the model needs that learnt the facts themselves. This one reads them."
            ),
            "Change one cell of the board.": (
                "The next request carries the new line, and the tuned model tells it in its voice."
            ),
            "Write the new price into the examples and wait for a week.": (
                "The examples taught it how to use a line. They need no new price."
            ),
        },
        right="Change one cell of the board.",
    ),
}
