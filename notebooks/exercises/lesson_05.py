"""The exercises and questions of lesson 05 Evaluation: what a right answer has, why it matters, and hints."""

from numbers import Integral

from helpers.exercises import Exercise, Quiz
from helpers.significance import sample_size

TEAMS = ("delivery", "goods", "money", "office")


def own_labels(teams, right):
    """05.1: a team for each of ten messages, most of them as the guideline says."""
    if not isinstance(teams, list) or len(teams) != len(right):
        return False, f"Give a list of {len(right)} teams, one for each message, in the same order."
    strange = [team for team in teams if team not in TEAMS]
    if strange:
        return False, f"{strange[0]!r} is no team. Write one of: {', '.join(TEAMS)}."
    same = sum(mine == theirs for mine, theirs in zip(teams, right, strict=True))
    if same < 7:
        return False, f"{same} of {len(right)} are as the guideline says. Read its table again and look up."
    return True, f"{same} of {len(right)} are as the guideline says. You are the first rung of our ladder."


def keyword_rule(rule, examples):
    """05.2: a rule of words that sorts at least 55 % of the validation messages right."""
    if not callable(rule):
        return False, "Hand over the function itself: check('05.2', keyword_rule, examples(valid))."
    right = [rule(e["messages"][:-1]) == e["messages"][-1]["content"] for e in examples]
    share = sum(right) / len(right)
    if share < 0.55:
        return False, f"{share:.0%} of the validation messages are right. Add words until it is 55 % or more."
    return True, f"{share:.0%}, in a microsecond a message and without any model. Now a model must beat that."


def blind_choice(letter, systems, right):
    """05.3: the system that sorts more of the test messages right."""
    if letter not in systems:
        return False, f"Choose one of the letters {' and '.join(systems)}."
    shares = {
        name: sum(a == b for a, b in zip(replies, right, strict=True)) / len(right)
        for name, replies in systems.items()
    }
    if shares[letter] < max(shares.values()):
        return False, f"It sorts {shares[letter]:.0%} right, and the other one more. Count before you choose."
    told = ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
    return True, f"{told}. You chose by the measure, not by the name. Now see which one it is."


def most_lost(team, table):
    """05.4: the team with the lowest recall."""
    recall = table.drop(index="macro")["recall"]
    if team not in recall.index:
        return False, f"Give the name of a team: {', '.join(recall.index)}."
    if recall[team] > recall.min():
        return False, f"Of the mail of {team}, {recall[team]:.0%} arrives there. Another team loses more."
    return True, f"Only {recall[team]:.0%} of the mail of {team} arrives there. The share of all hides it."


def causes_of_failures(causes, failures):
    """05.5: for each failure "label" where the training file teaches another team, else "wording"."""
    if not isinstance(causes, list) or len(causes) != len(failures):
        return False, f"Give a list with one cause for each of the {len(failures)} failures, in their order."
    if not {*causes} <= {"label", "wording"}:
        return False, 'Each cause is "label" or "wording".'
    taught_wrong = list(failures["taught"] != failures["right"])
    same = [(cause == "label") == wrong for cause, wrong in zip(causes, taught_wrong, strict=True)]
    if not all(same):
        row = same.index(False)
        return False, f"Look at row {row}: what is right there, and what did the training file teach?"
    return True, (
        f"{sum(taught_wrong)} of {len(causes)} failures were taught: the training file itself sends these "
        "subjects to the wrong team. More training cannot help here. Better labels can."
    )


def enough_messages(n):
    """05.6: how many messages a rise from 80 to 85 % needs."""
    right = sample_size(0.80, 0.05)
    if not isinstance(n, Integral):
        return False, "Give a whole number of messages."
    if abs(n - right) > 1:
        return False, f"Not {n}. Ask sample_size: the share now is 0.80, and the rise is 0.05."
    return True, f"{right} for each model. Our 300 are far too few for five points; they do show fifteen."


def kept_changes(decisions, loop):
    """05.7: "keep" or "drop" for each change, by the rule that was written down before."""
    changes = list(loop.index[1:])
    if not isinstance(decisions, dict) or list(decisions) != changes:
        return False, f"Give a dict with a decision for each of: {', '.join(changes)}."
    if not {*decisions.values()} <= {"keep", "drop"}:
        return False, 'Each decision is "keep" or "drop".'
    kept = loop.iloc[0]
    for change in changes:
        gain, skill = loop.loc[change] - kept
        by_the_rule = "keep" if gain >= 0.1 or (skill >= 0.2 and gain > -0.1) else "drop"
        if decisions[change] != by_the_rule:
            told = f"validation {100 * gain:+.0f} points, other skills {100 * skill:+.0f}"
            return False, f"{change}: {told}. Read the rule again."
        kept = loop.loc[change] if by_the_rule == "keep" else kept
    return True, "By the rule, not by hope. What was dropped cost seconds, and we know why it was dropped."


def silent_month(month, months):
    """05.8: the month whose fall neither the words nor the model's confidence show."""
    if not isinstance(month, Integral) or month not in months.index:
        return False, f"Give a month: {', '.join(map(str, months.index))}."
    first, row = months.iloc[0], months.loc[month]
    if row["right"] > first["right"] - 0.15:
        return False, f"In month {month}, {row['right']:.0%} are right. Look for a month with a real fall."
    if row["unknown words"] > first["unknown words"] + 0.05:
        return False, f"Month {month} brings many unknown words, which one can count without any label."
    return True, "The words are old and the model is sure, but the rules have changed. Only labels show that."


EXERCISES = {
    "05.1": Exercise(
        own_labels,
        (
            "Find the subject of each message in the table of the guideline; its row names the team.",
            'A refund is about money, a return is about goods: write "money" or "goods".',
            "Open the solution: it looks the answers up. But ten messages take you only two minutes.",
        ),
    ),
    "05.2": Exercise(
        keyword_rule,
        (
            "Add words to the lists. Which words would tell you that a message is about money?",
            "The order matters: the first list with a word in the message wins.",
            "Add 'ship', 'late', 'address'; 'card', 'refund', 'invoice'; 'return', 'missing', 'size'.",
        ),
    ),
    "05.3": Exercise(
        blind_choice,
        (
            "systems['X'] is a list of 300 teams, and list(test['team']) holds the right ones.",
            "Count: sum(a == b for a, b in zip(systems['X'], test['team'])).",
            "max(systems, key=lambda name: (test['team'] == systems[name]).mean())",
        ),
    ),
    "05.4": Exercise(
        most_lost,
        (
            "Which column says how much of a team's mail arrives? Recall.",
            "Look for the smallest number in that column, without the row macro.",
            "table.drop(index='macro')['recall'].idxmin()",
        ),
    ),
    "05.5": Exercise(
        causes_of_failures,
        (
            "Compare the columns right and taught, row by row.",
            'If the file taught another team than the right one, the cause is "label".',
            "['label' if t != r else 'wording' for t, r in zip(failures['taught'], failures['right'])]",
        ),
    ),
    "05.6": Exercise(
        enough_messages,
        (
            "sample_size takes the share now and the difference, both between 0 and 1.",
            "The difference between 80 % and 85 % is 0.05.",
            "my_n = sample_size(0.80, 0.05)",
        ),
    ),
    "05.7": Exercise(
        kept_changes,
        (
            "Compare each row with the row that was kept last; the first row is where we began.",
            "One epoch: did the validation share rise by ten points or more?",
            "Replay: did the other skills rise by twenty points while validation held?",
        ),
    ),
    "05.8": Exercise(
        silent_month,
        (
            "Look for months in which the share right is far below month 1.",
            "Of these, which one has no more unknown words than month 1?",
            "It is the month in which the company changed its rules.",
        ),
    ),
}

QUIZZES = {
    "05.A": Quiz(
        "The training loss is close to zero. What does that tell you?",
        {
            "The model has understood the task.": (
                "That is what one hopes, but a list of answers learnt by heart has a loss near zero, too."
            ),
            "The model repeats the answers of its training file.": (
                "Exactly that and no more; whether they are right, and what it does with new mail, is open."
            ),
            "The labels in the file are right.": (
                "Loss compares with the file, so wrong labels, once learnt, have a loss near zero, too."
            ),
        },
        right="The model repeats the answers of its training file.",
    ),
    "05.B": Quiz(
        "You fit your keywords to the 300 test messages until 90 % are right. What is that worth?",
        {
            "It shows that the rule is better than the model.": (
                "The model never saw these messages; your rule was fitted to them. That is no fair race."
            ),
            "Little: for new mail expect less than 90 %.": (
                "The words were chosen to fit these very messages, as training answers are learnt by heart."
            ),
            "As much as any other 90 %, since a rule cannot overfit.": (
                "Anything that is chosen by looking at data can fit that data too well, also a rule."
            ),
        },
        right="Little: for new mail expect less than 90 %.",
    ),
    "05.C": Quiz(
        "A model sends every message to the team goods. What are precision and recall of goods?",
        {
            "Both are high.": (
                "Three of four messages that arrive at goods do not belong there, so precision is low."
            ),
            "Precision is low, recall is 100 %.": (
                "All mail for goods arrives there (recall), buried under mail for the others (precision)."
            ),
            "Precision is 100 %, recall is low.": (
                "That would be a model that says goods rarely, but is right each time it does."
            ),
        },
        right="Precision is low, recall is 100 %.",
    ),
    "05.D": Quiz(
        "A share of 71 % on 300 messages has the 95 % interval 66 % to 76 %. What does that mean?",
        {
            "95 % of the customers are sorted with a share between 66 % and 76 %.": (
                "A customer's message is sorted right or wrong; the interval is about the share of them all."
            ),
            "Shares from 66 % to 76 % for all mail fit well with what we saw.": (
                "Other 300 messages would give another share; this is how far chance could move it."
            ),
            "The model will get 71 % next time, at most 5 points off.": (
                "The next 300 bring chance of their own, and the interval knows nothing of mail that changes."
            ),
        },
        right="Shares from 66 % to 76 % for all mail fit well with what we saw.",
    ),
    "05.E": Quiz(
        "Two models answer the same 300 messages. Which messages tell you which model is better?",
        {
            "All 300, each counts the same.": (
                "Where both are right or both are wrong, the models are alike: that favours neither of them."
            ),
            "Those that both get wrong.": (
                "They show what is hard for both, and say nothing about which of the two is better."
            ),
            "Those that only one of them gets right.": (
                "Only there do they differ; McNemar asks if they split more unevenly than coins would."
            ),
        },
        right="Those that only one of them gets right.",
    ),
    "05.F": Quiz(
        "You try 40 prompts and keep the one with the best score on your test. What is its score next month?",
        {
            "About the same, since the test was large.": (
                "A large test makes the luck of each prompt smaller, but the best of 40 had the most of it."
            ),
            "Probably lower: its luck was chosen with it.": (
                "The best of many is good and lucky. Luck does not come along, so measure on new messages."
            ),
            "Probably higher, as the best prompt keeps improving.": (
                "A prompt does not learn. Nothing makes it better after you have written it down."
            ),
        },
        right="Probably lower: its luck was chosen with it.",
    ),
    "05.G": Quiz(
        "A judge says that 60 % of the replies are right, and 60 % truly are. Is it a good judge?",
        {
            "Yes, the two numbers agree.": (
                "A tossed coin can hit such a number, too. The shares agree, but perhaps on other messages."
            ),
            "One cannot know: compare it reply by reply with labels.": (
                "A judge must be right about each reply; only graded cases, right and wrong ones, show that."
            ),
            "Yes, if the judge is a larger model.": (
                "A larger model is often the better judge, but this too has to be measured against labels."
            ),
        },
        right="One cannot know: compare it reply by reply with labels.",
    ),
    "05.H": Quiz(
        "For which of these do you need freshly labelled messages, month after month?",
        {
            "To see that customers use new words.": (
                "New words can be counted in the messages themselves, without anybody labelling them."
            ),
            "To see that the model has become less sure.": (
                "The model's own probabilities come with each reply, so no label is needed for that."
            ),
            "To see that the share of right answers has fallen.": (
                "What is right only the guideline of today knows, and somebody has to look it up."
            ),
        },
        right="To see that the share of right answers has fallen.",
    ),
}
