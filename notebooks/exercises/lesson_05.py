"""The exercises and questions of lesson 05 Evaluation: what a right answer has, why it matters, and hints."""

from helpers.exercises import Exercise, Quiz
from helpers.significance import sample_size

TEAMS = ("delivery", "goods", "money", "office")


def listed(values):
    """A list of what was given, in small letters; None if it is no list, tuple or Series."""
    if isinstance(values, (str, dict)) or not hasattr(values, "__iter__"):
        return None
    return [str(value).strip().lower() for value in values]


def whole_number(value):
    """The whole number that was given as 4, 4.0 or "4"; None if it is none."""
    try:
        return int(value) if int(value) == float(value) and not isinstance(value, bool) else None
    except (TypeError, ValueError, OverflowError):
        return None


def own_labels(teams, right):
    """05.1: a team for each of ten messages, at least seven as the guideline says."""
    teams = listed(teams)
    if teams is None or len(teams) != len(right):
        return False, f"Give a list of {len(right)} teams, one for each message, in the same order."
    strange = [team for team in teams if team not in TEAMS]
    if strange:
        return False, f"{strange[0]!r} is no team. Write one of: {', '.join(TEAMS)}."
    differ = [row for row, pair in enumerate(zip(teams, right, strict=True)) if pair[0] != pair[1]]
    told = f"{len(right) - len(differ)} of {len(right)} are as the guideline says."
    if len(differ) > 3:
        return False, f"{told} Seven are enough. Read message {differ[0]} again: which topic is it about?"
    other = f" Not so: {', '.join(f'message {row}' for row in differ)}." if differ else ""
    return True, f"{told}{other} A model has to stand beside people, too."


def keyword_rule(keywords, examples):
    """05.2: keywords with which the rule sorts at least 55 % of the validation messages right."""
    if not isinstance(keywords, dict) or not {*keywords} <= {*TEAMS}:
        return False, f"Give the dict my_words itself; its keys are teams: {', '.join(TEAMS)}."
    for team, words in keywords.items():
        if not isinstance(words, (list, tuple)):
            return False, f"{team}: give a list, as in ['parcel', 'deliver'], not {words!r}."
        for word in words:
            fault = fault_of_keyword(word)
            if fault:
                return False, f"{team}: {word!r} {fault}"
    number = sum(len(words) for words in keywords.values())
    if number > 60:
        return False, f"{number} keywords are a list learnt by heart. Do it with 60 at most."
    if len(examples) < 72:
        return False, "Give examples(valid), all 72 messages."
    asked = [(e["messages"][-2]["content"].lower(), e["messages"][-1]["content"]) for e in examples]
    share = sum(sorted_by(keywords, text) == team for text, team in asked) / len(asked)
    if share < 0.55:
        return False, f"{share:.0%} of the validation messages are right. Add words until it is 55 % or more."
    return True, f"{share:.0%}, in microseconds and without any model. Now a model must beat that."


def fault_of_keyword(word):
    """What is wrong with a keyword; None if nothing is."""
    if not isinstance(word, str):
        return "is no text: put each keyword in quotes."
    if word != word.lower():
        return "has capitals, but the rule looks at small letters: write it small."
    if not 3 <= len(word.strip()) <= 40 or len(word.split()) > 2:
        return "is no keyword: use one word or two, at least 3 letters long and at most 40."
    return None


def sorted_by(keywords, text):
    """The first team with a keyword in the text, else the office: as keyword_rule does it in the lesson."""
    return next((team for team in keywords if any(word in text for word in keywords[team])), "office")


def blind_choice(letter, counts, systems, right):
    """05.3: how many messages X and Y sort right, and the one that sorts more."""
    if not isinstance(counts, dict) or {*counts} != {*systems}:
        return False, f"Give a dict of counts, for {' and '.join(systems)}."
    pairs = {name: zip(replies, right, strict=True) for name, replies in systems.items()}
    truth = {name: sum(reply == team for reply, team in pairs[name]) for name in systems}
    for name, count in counts.items():
        if whole_number(count) != truth[name]:
            return False, f"{name} does not sort {count} of {len(right)} right. Count messages, no percent."
    if str(letter).strip().upper() not in [name for name in truth if truth[name] == max(truth.values())]:
        return False, f"You counted {counts}. Which one would you put to work? Write its letter."
    told = ", ".join(f"{name} {n} of {len(right)}" for name, n in truth.items())
    return True, f"{told}. You chose by the measure, not by the name."


def most_lost(team, table):
    """05.4: the team with the lowest recall."""
    recall = table.drop(index="macro")["recall"]
    team = team.strip().lower() if isinstance(team, str) else None
    if team not in recall.index:
        return False, f"Give the name of a team: {', '.join(recall.index)}."
    if recall[team] > recall.min():
        return False, f"Of the mail of {team}, {recall[team]:.0%} arrives there. Another team loses more."
    return True, f"Only {recall[team]:.0%} of the mail of {team} arrives there. The share of all hides it."


def causes_of_failures(causes, failures, train):
    """05.5: for each failure "label" where the training file taught its topic wrongly, else "other"."""
    causes = listed(causes)
    if causes is None or len(causes) != len(failures):
        return False, f"Give a list with one cause for each of the {len(failures)} failures, in their order."
    if not {*causes} <= {"label", "other"}:
        return False, 'Each cause is "label" or "other". Row 0: to which team did the file send its topic?'
    taught = train.drop_duplicates("topic").set_index("topic")["team"]
    for row, cause in enumerate(causes):
        topic, team = failures[["topic", "team"]].iloc[row]
        if (cause == "label") != (taught[topic] != team):
            return False, f"Look at row {row} again. To which team did the training file send {topic!r}?"
    n = causes.count("label")
    return True, (
        f"{n} of these {len(causes)} come from wrong labels: the training file sends their topic to "
        "another team. More training cannot help there. Better labels can."
    )


def enough_messages(n):
    """05.6: how many messages a rise from 80 to 85 % needs; up to half as many again will do."""
    needed, number = sample_size(0.80, 0.05), whole_number(n)
    if number is None:
        return False, "Give a whole number of messages."
    if number < needed:
        return False, f"{number} are too few: such a rise would often be missed."
    if number > 1.5 * needed:
        return False, f"{number} are more than needed, and each label costs work. How few are enough?"
    return True, (
        f"{needed} for each model are enough, if each answers messages of its own. On the same messages "
        "fewer will do, the more often both are right or wrong together."
    )


def kept_changes(decisions, loop):
    """05.7: "keep" or "drop" for each change, by the rule that was written down before."""
    changes = list(loop.index[1:])
    if not isinstance(decisions, dict) or {*decisions} != {*changes}:
        return False, f"Give a dict with a decision for each of: {', '.join(changes)}."
    decisions = {change: str(word).strip().lower() for change, word in decisions.items()}
    if not {*decisions.values()} <= {"keep", "drop"}:
        return False, 'Each decision is "keep" or "drop".'
    kept = loop.iloc[0]
    for change in changes:
        gain, skill = loop.loc[change] - kept
        by_the_rule = "keep" if gain >= 0.1 or (skill >= 0.2 and gain > -0.1) else "drop"
        if decisions[change] != by_the_rule:
            told = f"validation {100 * gain:+.1f} points, other skills {100 * skill:+.1f}"
            return False, f"{change}: {told}, against what was kept last. Read the rule again."
        kept = loop.loc[change] if by_the_rule == "keep" else kept
    return True, "By the rule, not by hope. What was dropped cost seconds, and we know why it was dropped."


def silent_month(month, months):
    """05.8: the month whose fall neither the words nor the model's confidence show."""
    month = whole_number(month)
    if month not in months.index:
        return False, f"Give a month: {', '.join(map(str, months.index))}."
    first, row = months.iloc[0], months.loc[month]
    if row["high"] >= first["low"]:
        return False, f"By our rule, not in month {month}: its high must be below the low of month 1."
    if row["unknown words"] > first["unknown words"] + 0.05:
        return False, f"Month {month} brings many unknown words, which one can count without any label."
    return True, "The words are old, the model is sure, and less is right. The quiz asks what that means."


EXERCISES = {
    "05.1": Exercise(
        own_labels,
        (
            "Find the topic of each message in the table of the guideline; its row names the team.",
            'A refund is about money, a return is about goods: write "money" or "goods".',
            "Seven of ten are enough. The check tells you which message to read again.",
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
            "systems['X'] is a list of 72 teams, and valid['team'] holds the right ones, in the same order.",
            "(valid['team'] == systems['X']).sum() counts the right ones of X.",
            "Put both counts into my_counts; my_choice is the letter with the larger one.",
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
            "Find the topic of row 0 in the table: the column with the 4 is the team that the file taught.",
            'If that is not the team of the failure, the cause is "label". Else it is "other".',
            "All topics at once: train.drop_duplicates('topic').set_index('topic')['team']",
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
            "Begin with the first row. Go down row by row; each is compared with the row that was kept last.",
            "One epoch: did the validation share rise by 10 points? Did the other skills rise by 20?",
            "Replay: other skills rose by 20 points or more. Did validation fall by less than 10?",
        ),
    ),
    "05.8": Exercise(
        silent_month,
        (
            "Look for months whose column high is below the column low of month 1.",
            "Of these, which one has no more unknown words than month 1?",
            "Months 2 and 3 have more unknown words than month 1, so it is another one.",
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
            "The next 300 messages will certainly give a share between 66 % and 76 %.": (
                "Nothing is certain: the next 300 bring chance of their own, and the mail itself may change."
            ),
        },
        right="Shares from 66 % to 76 % for all mail fit well with what we saw.",
    ),
    "05.E": Quiz(
        "Two contests on 300 messages. Only one model is right: in contest 1 on 4 messages to 0, in "
        "contest 2 on 17 to 13. Where is the evidence for the winner stronger?",
        {
            "In contest 1: 4 to 0.": (
                "Four coins seldom fall all alike (p = 0.125); 17 to 13 is what 30 coins often do (p = 0.58)."
            ),
            "In contest 2: 17 to 13.": (
                "More messages, but split nearly evenly, as coins would do it (p = 0.58, in contest 1 0.125)."
            ),
            "It is the same: the winner is ahead by four in both.": (
                "The lead is the same, but the more often two models differ, the more easily it is luck."
            ),
        },
        right="In contest 1: 4 to 0.",
    ),
    "05.F": Quiz(
        "You try 40 prompts on the test messages, and the best has 90 %. How do you learn what it can do?",
        {
            "I compute the 95 % interval of its 90 %.": (
                "It tells how far chance moves one share, but its middle is already the luckiest of 40."
            ),
            "I measure this one prompt on new messages.": (
                "Messages that did not choose it know nothing of its luck; keep some for that."
            ),
            "I take the mean of the 40 shares.": (
                "That tells how good the prompts are in general; the best one may really be better."
            ),
        },
        right="I measure this one prompt on new messages.",
    ),
    "05.G": Quiz(
        "A judge calls 60 of 100 replies right, and 60 truly are. How many of its verdicts must be right?",
        {
            "All 100.": "Only if it means the same 60 replies, and the two counts do not say that.",
            "At least 60.": "It may mean other replies, for example the 40 wrong ones and 20 right ones.",
            "At least 20.": (
                "It may call all 40 wrong replies right, and 20 others. So compare a judge reply by reply."
            ),
        },
        right="At least 20.",
    ),
    "05.H": Quiz(
        "A shop labels nothing after the release; it counts messages and unknown words, and watches the "
        "confidence. What will it miss?",
        {
            "That customers write about new products.": (
                "New products bring new words, and these are counted without any label."
            ),
            "That customers write much more than before.": (
                "Messages can be counted without knowing their right teams."
            ),
            "That a topic has moved to another team.": (
                "The words stay and the model stays sure; only somebody who knows today's rules sees it."
            ),
        },
        right="That a topic has moved to another team.",
    ),
}
