"""The exercises of lesson 01 Concepts: what a right answer has, why it matters, and hints; and its quiz."""

import re
from collections import Counter
from numbers import Real

from helpers.exercises import Exercise, Quiz


def words(text):
    return re.findall("[a-z]+", text.lower())


def says_something(reason):
    """Whether a reason has at least four words, three of them different ones."""
    found = words(reason) if isinstance(reason, str) else []
    return len(found) >= 4 and len({word for word in found if len(word) > 1}) >= 3


def sure_message(message, chances):
    """01.1: a message of one's own that makes the model sure of `happy`."""
    if not isinstance(message, str) or "happy" in message.lower():
        return False, "Write a message that does not hold the word happy: that would be too easy."
    if "kettle" not in message.lower():
        return False, "Your message shall be about the kettle: write that word."
    chance = dict(chances).get("happy", 0)
    if chance <= 0.8:
        return False, f"The chance of happy is {chance:.0%} here. Which words would a glad customer use?"
    return True, f"{chance:.0%}. You changed the text before the reply, and with it all the chances."


def border(known, unknown, what_is_wrong, replies, asked):
    """01.2: a question that the base model answers well and one that it does not, with the reason."""
    if not all(isinstance(text, str) for text in (known, unknown, what_is_wrong)):
        return False, "Write two questions and one sentence, each in quotation marks."
    table = [words(question) for question in asked]
    if words(known) in table or words(unknown) in table or words(known) == words(unknown):
        return False, "Ask two different questions that are not in the table above."
    if not says_something(what_is_wrong):
        return False, "Read the second reply again and say in a sentence what is wrong with it."
    if replies[0] == replies[1]:
        return False, "Both replies are the same. Can one be right and the other wrong? Try another question."
    declined = ["do not know" in reply for reply in replies]
    if declined[0]:
        return False, "It says that it does not know your first question. Which ones does it know?"
    if declined[1]:
        return False, "It declines the second: that is honest, not wrong. Try words that it half knows."
    return True, "Only a person can judge this, and you did. Keep such questions: they become a test later."


def one(n):
    return 1


def rare_words_count_more(weight, nearest, train, test):
    """01.3: a weight that falls with the number of questions that hold a word and finds more right lines."""

    def right_lines(weight):
        found = [train["topic"][nearest(question, weight)] for question in test["question"]]
        return sum(topic == right for topic, right in zip(found, test["topic"], strict=True))

    try:
        low, high = weight(20), weight(1)
        if low is None or high is None:
            return False, "Your function gives None: does it end with return?"
        if not isinstance(low, Real) or not isinstance(high, Real):
            return False, "Your function must give a number."
        if low < 0:
            return False, f"For n = 20 your function gives {low:g}. Points below 0 push a right line away."
        plain, mine = right_lines(one), right_lines(weight)
    except Exception as error:  # the learner's own function may fail in any way
        return False, f"Your function fails with {type(error).__name__}: {error}."
    of = f"of {len(test)} lines right"
    if low >= high:
        return False, (
            f"{mine} {of}. For n = 20 your function gives {low:g}, for n = 1 it gives {high:g}: "
            "a rare word does not get more yet."
        )
    if mine <= plain:
        advice = "Let the points fall faster." if low > 0 else "Let them fall step by step, not to 0 at once."
        return False, f"{mine} {of}, no more than {plain} with equal points. {advice}"
    return True, f"{mine} {of} instead of {plain}. Rare words carry the meaning; search engines use that."


def break_even(requests, trained_tokens, long, short):
    """01.4: after how many requests the tokens of training are saved."""
    if not isinstance(requests, Real) or requests <= 0:
        return False, "Give a number above 0, without quotation marks."
    right = trained_tokens / (long - short)
    if abs(requests - right) > 0.025 * right:  # so that a rounded saving is right, too
        if any(abs(requests - trained_tokens / tokens) < 1 for tokens in (long, short)):
            return False, (
                "The tuned model needs tokens in each request, too. What does it save in one request?"
            )
        return False, f"One request saves {long - short:.1f} tokens. How many of them make {trained_tokens}?"
    return True, (
        f"After about {right:.0f} requests. (In tokens: what a token costs differs between training and use. "
        "And after a change of the facts, the training must be paid again.)"
    )


def new_fact(value, reply):
    """01.5: the model tells a price that nobody trained."""
    if not isinstance(value, str) or not re.search(r"\d", value):
        return False, "Write the price as text with a number in it, for example with euros behind it."
    if value in ("8 euros", "11 euros"):
        return False, "That price is on the board already. Choose one that is not."
    if value not in reply:
        return False, "The tiny model did not copy your price. Try a plain one: a number and the word euros."
    return (
        True,
        "No training, no waiting: the fact stood in the message. (A wrong one is repeated as gladly.)",
    )


def own_prompt(prompt, old, mine, ours):
    """01.6: a prompt that really differs from ours, and sorts at least half as many messages right."""
    teams, total = sorted(set(ours["team"])), len(ours)
    if not isinstance(prompt, str) or not words(prompt):
        return False, "Write your prompt as text, in quotation marks."
    missing = [team for team in teams if team not in words(prompt)]
    if missing:
        return (
            False,
            f"Your prompt does not name {', '.join(missing)}. Nobody can guess the names of your teams.",
        )
    new, given = Counter(words(prompt)), Counter(words(old))
    order = [[word for word in words(text) if word in teams] for text in (prompt, old)]
    if (new - given).total() + (given - new).total() < 2 and order[0] == order[1]:
        return False, "That is still our prompt. Change the text of my_prompt: other words, another order."
    right, best = mine["right"].sum(), ours["right"].sum()
    measured = f"{right} of {total} right; our prompt: {best}."
    if right > best:
        return True, f"{measured} Better, so the lesson goes on with yours. (A few more may be luck.)"
    if right * 2 >= best:
        return True, f"{measured} A serious try, though not better: the lesson goes on with ours."
    if len(words(prompt)) > 25:
        return False, f"{measured} Long explanations confuse this tiny model. Take words away."
    return False, (
        f"{measured} This tiny model reacts to small changes of the words: it has read few ways to ask. "
        f'Keep the beginning of our prompt, "{" ".join(old.split()[:4])}", and change what follows.'
    )


def about_us(check, values, other_replies):
    """01.7: a check that finds replies with a fact of the board."""
    try:
        for value in values:
            found = check(f"Splash! It is {value}. Paws up, Otto.")
            if found is None:
                return False, "Your function gives None: does it end with return?"
            if not found:
                return False, f'It says False for a reply with "{value}", which is on the board.'
        voice_alone = "Splash! Please ask us again tomorrow. Paws up, Otto."
        for reply in (*other_replies, voice_alone):
            if check(reply):
                return False, f'It says True for "{reply}", which states no fact of the board.'
    except Exception as error:  # the learner's own function may fail in any way
        return False, f"Your function fails with {type(error).__name__}: {error}."
    return True, "It finds what only Ottermere can say. (Whether it fits the question, it does not see.)"


WAYS = ("prompt", "look-up", "fine-tune", "both", "nothing")

RIGHT = {
    "museum": (
        "look-up",
        "The facts change, so each must come with the request, as on Monday above.",
    ),
    "bank": (
        "fine-tune",
        "Groups of its own and many sorted examples, as with the four teams; and the prompt was tried.",
    ),
    "school": (
        "prompt",
        "The model knows the subject; a tone is a sentence, and so few requests never pay for a training.",
    ),
    "toys": (
        "both",
        "The tuned voice saves tokens in each of very many requests; prices must be looked up.",
    ),
    "sum": (
        "nothing",
        "Adding numbers is work for three lines of ordinary code, which never make a mistake.",
    ),
}

WRONG = {
    "museum": {
        "prompt": "All 60 exhibitions would go with every request. Send only the line that is needed.",
        "fine-tune": "The weights would tell last week's hours, as on Monday above.",
        "both": "A look-up is needed, yes. But what would you tune? No voice of its own is wanted.",
        "nothing": "The visitors ask in words of their own: without a model, who understands them?",
    },
    "bank": {
        "prompt": "A prompt was tried: half of the mails went wrong. What do the 3,000 sorted mails offer?",
        "look-up": "There is no fact to be found. The groups must be learnt from the sorted mails.",
        "both": "Tuning is needed, yes. But which fact should be looked up? The groups stay the same.",
        "nothing": "Ordinary code would need a rule for each kind of mail, and nobody can write them down.",
    },
    "school": {
        "look-up": "What should be looked up? The model knows the grammar that is asked for.",
        "fine-tune": "So few requests never pay for a training. Can you ask for the tone in a sentence?",
        "both": "That is much work for so few requests. Can you ask for the tone in a sentence?",
        "nothing": "Pupils ask in words of their own and want an explanation: ordinary code cannot write it.",
    },
    "toys": {
        "prompt": "A fixed prompt does not know the prices of today, and is paid for millions of times.",
        "look-up": "That makes the prices right. But the voice would cost tokens in millions of requests.",
        "fine-tune": "That gives the voice cheaply. But the weights would tell yesterday's prices.",
        "nothing": "The replies have a voice and fit each question: ordinary code cannot do that.",
    },
    "sum": {
        "prompt": "A model answers with likely tokens, and may add wrongly. Who adds without mistakes?",
        "look-up": "Nobody can put every possible sum into a table. Who adds without mistakes?",
        "fine-tune": "More examples of sums make a model a better guesser. Who adds without mistakes?",
        "both": "A model answers with likely tokens, and may add wrongly. Who adds without mistakes?",
    },
}


def way_of(text):
    """The way that is meant: capitals, blanks and hyphens do not matter, nor does the ending of a verb."""
    letters = "".join(words(text)) if isinstance(text, str) else ""
    names = {"".join(words(way)): way for way in WAYS} | {"finetuning": "fine-tune", "retrieval": "look-up"}
    return names.get(letters)


def decided(decisions):
    """01.8: a way and a reason for each of five cases."""
    for case, (right, _) in RIGHT.items():
        way, reason = decisions.get(case, ("", ""))
        way = way_of(way)
        if way is None:
            return False, f"{case}: choose one of {', '.join(WAYS)}."
        if way != right:
            return False, f"{case}: {WRONG[case][way]}"
        if not says_something(reason):
            return False, f"{case}: write your reason in a few words; a decision without one helps nobody."
    return True, " ".join(f"{case}: {why}" for case, (_, why) in RIGHT.items())


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
            "Name all four teams. Keep the beginning of our prompt, which this model knows how to read.",
            "Change one thing at a time: the order of the teams, or the words around them.",
            'my_prompt = "Categories: office, money, goods, delivery."',
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
            "Then: is it only a tone, with few requests? Own groups, with many examples? Plain arithmetic?",
            "One case needs a look-up, one a prompt, one fine-tuning, one both, and one none of them.",
        ),
    ),
}

QUIZZES = {
    "01.A": Quiz(
        "How does a language model write its reply?",
        {
            "It plans the whole reply first, and then types it word by word.": (
                "There is no finished reply anywhere: a token is chosen when those before it are there."
            ),
            "It finds the nearest of its stored answers, and copies it.": (
                "Nothing is stored as sentences. It computes chances from its weights, also for new messages."
            ),
            "It chooses a token by the chances, adds it, and starts again.": (
                "That is all it ever does, the tiny one here and a large one as well."
            ),
            "It looks up what is true, and then puts that into words.": (
                "Nowhere in the chances is there a test for truth. Likely and true are two things."
            ),
        },
        right="It chooses a token by the chances, adds it, and starts again.",
    ),
    "01.B": Quiz(
        "The model explains a word wrongly, in the same calm tone as a right one. Why?",
        {
            "Its chances were high, and what has a high chance is true.": (
                "A high chance says: such words often follow. The wrong fraction had high chances, too."
            ),
            "It learnt how explanations sound, not which ones are true.": (
                "So the tone tells you nothing about the truth, in large models as in small ones."
            ),
            "The temperature was too high, so a wrong word was drawn by lot.": (
                "The temperature was 0 here. Chance was not the reason: the likeliest reply was a wrong one."
            ),
        },
        right="It learnt how explanations sound, not which ones are true.",
    ),
    "01.C": Quiz(
        "Prompt and fine-tuning both gave the voice. What is the difference in use?",
        {
            "The prompt adds tokens to each request, and the training does so, too.": (
                "Look at the tokens in the table: the tuned model's prompt is as short as that of the base."
            ),
            "The prompt adds tokens to each request, the training used its tokens once.": (
                "So many requests speak for tuning, and few for a prompt."
            ),
            "The prompt reached some of the replies, the training reached all of them.": (
                "Look at the voice in the table: the prompt reached (nearly) all replies, too."
            ),
            "The prompt changed the model for a while, the training did so for good.": (
                "A prompt changes nothing in the model. It is a part of one request."
            ),
        },
        right="The prompt adds tokens to each request, the training used its tokens once.",
    ),
    "01.D": Quiz(
        "A model shall answer questions about a long handbook. It seldom changes. What do you try first?",
        {
            "Fine-tune on the text of the handbook, page after page.": (
                "It would learn how the handbook sounds. Facts in the weights get mixed up, as you saw."
            ),
            "Fine-tune on questions and answers, some for each page.": (
                "Even questions like those in the file were often answered wrongly, and most others as well."
            ),
            "Find the page for each question, and put it into the message.": (
                "A fact in the message can be read, changed and checked. A fact in the weights cannot."
            ),
            "Put all pages into the message, so that nothing is missing.": (
                "Our model mixed up the lines of a short board; and all pages are paid in each request."
            ),
        },
        right="Find the page for each question, and put it into the message.",
    ),
    "01.E": Quiz(
        "In which of the four reasons did tuning clearly beat the best way without it?",
        {
            "In all four: tuning had the higher bar, or an equal one.": (
                "A higher bar is not enough: for relevance the lines overlap, and for tone both are equal."
            ),
            "In tone and relevance, that is, in the shop's own style.": (
                "There a prompt, with a looked-up line, does about as well. It only costs more tokens."
            ),
            "In accuracy and usable replies, both in sorting mail.": (
                "The lines do not overlap there. The sorted examples showed what the prompt did not."
            ),
            "In accuracy alone: the other three are equal.": (
                "Look at the usable replies again: their lines are far apart, too."
            ),
        },
        right="In accuracy and usable replies, both in sorting mail.",
    ),
    "01.F": Quiz(
        "On Tuesday the express price changes again. What must the shop with tuning and look-up do?",
        {
            "Train the model again, with the new price in the examples.": (
                "That is what the model needs that learnt the facts themselves. This one reads them."
            ),
            "Change one cell of the board, and nothing else.": (
                "The next request carries the new line, and the tuned model tells it in its voice."
            ),
            "Change the board, and tell the model the new price once.": (
                "A request leaves nothing behind in the model: the next one begins from the same weights."
            ),
        },
        right="Change one cell of the board, and nothing else.",
    ),
}
