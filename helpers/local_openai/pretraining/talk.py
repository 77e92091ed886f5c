"""What is not support: small talk, refusals, "I do not know", and conversations of several turns."""

from .subjects import symptom
from .support import (
    Setting,
    about_order,
    answer,
    card_setting,
    house_setting,
    invented_shop,
    invented_voice,
    neutral_setting,
    shop_prompt,
    support_turn,
    voice_setting,
)
from .wording import fill, order_number, rewrite, slips


def small_talk(world, rng, setting, author="questions"):
    """Greetings, thanks, jokes, and what the assistant is."""
    kind, table = rng.choice(list(world.talk.items()))
    name = rng.choice(world.words["names"])
    question = slips(fill(rng.choice(table[author]), world, rng, name=name), rng)
    return question, fill(rng.choice(table["answers"]), world, rng, name=name), kind


def refusal(world, rng, setting):
    """A harmful request and a reply that declines it."""
    kind, table = rng.choice(list(world.refusals.items()))
    return rewrite(rng.choice(table["questions"]), world, rng), rng.choice(table["answers"]), kind


def outside(world, rng, setting, questions=None):
    """Something that this assistant cannot know: it says so."""
    question = rewrite(rng.choice(questions or world.outside), world, rng)
    return question, rng.choice(world.phrases["dont_know"]), "outside"


def small_talk_b(world, rng, setting):
    """Small talk in the words of another author."""
    return small_talk(world, rng, setting, author="questions_b")


def outside_b(world, rng, setting):
    """Something outside that other authors thought of."""
    return outside(world, rng, setting, questions=world.outside_b)


def not_understood(world, rng, setting):
    """A text without sense, from the file or made of odd letters and words."""
    chance = rng.random()
    if chance < 0.5:
        text = rng.choice(world.not_understood)
    elif chance < 0.75:
        letters = "abcdefghijklmnopqrstuvwxyz;, "
        text = "".join(rng.choices(letters, k=rng.randint(3, 24))).strip() or "k"
    else:
        words = [word for line in rng.choices(world.outside, k=4) for word in line.split()]
        text = fill(" ".join(rng.sample(words, min(len(words), rng.randint(3, 8)))), world, rng).lower()
    return text, rng.choice(world.phrases["dont_understand"]), "not_understood"


def other_talk(world, rng, setting):
    """Anything that is not a wish of a customer."""
    kinds = [outside, small_talk, small_talk, refusal, refusal, not_understood, symptom]
    return rng.choice(kinds)(world, rng, setting)


TURNS = [support_turn, outside, small_talk, refusal, not_understood, symptom]
SHOP_MIX = [68, 12, 9, 6, 2.5, 2.5]


def turn(world, rng, setting):
    """(question, reply, intent) under `setting`; the reply is not yet in its voice."""
    return rng.choices(TURNS, weights=SHOP_MIX)[0](world, rng, setting)


def conversation(setting, turns):
    """A chat example: a system prompt (if any) and `turns` (question, reply, intent) in the setting's voice.

    The intent may be left out. It stands beside the question, for the training run alone.
    """
    messages = [{"role": "system", "content": setting.prompt}] if setting.prompt else []
    for question, reply, *intent in turns:
        messages.append({"role": "user", "content": question} | ({"intent": intent[0]} if intent else {}))
        messages.append({"role": "assistant", "content": setting.voice.say(reply)})
    return {"messages": messages}


def single(setting_of):
    """The kind of example with one turn, now and then several, under a setting of the given kind."""

    def document(world, rng):
        """One conversation of one to three turns."""
        setting = setting_of(world, rng)
        count = rng.choices([1, 2, 3], weights=[85, 11, 4])[0]
        return conversation(setting, [turn(world, rng, setting) for _ in range(count)])

    return document


def plain(world, rng):
    """One question, no voice, no card."""
    setting = neutral_setting(world, rng)
    return conversation(setting, [turn(world, rng, setting)])


neutral = single(neutral_setting)
house = single(house_setting)
told_voice = single(voice_setting)
card = single(card_setting)


def late_talk(world, rng):
    """One turn that is no wish of a customer, mostly with questions that come first at the end of the run."""
    setting_of = rng.choice([neutral_setting, neutral_setting, house_setting, voice_setting])
    turns = [outside_b, outside, small_talk_b, small_talk, refusal, symptom]
    [skill] = rng.choices(turns, weights=[40, 15, 20, 10, 10, 5])
    setting = setting_of(world, rng)
    return conversation(setting, [skill(world, rng, setting)])


def shown_voice(world, rng):
    """A voice that only the earlier replies show: the next reply keeps it (few-shot prompting)."""
    setting = Setting(shop_prompt(world, rng, invented_shop(world, rng)), invented_voice(world, rng))
    example = conversation(setting, [turn(world, rng, setting) for _ in range(rng.choice([2, 3, 4]))])
    for message in example["messages"][:-1]:
        if message["role"] == "assistant":
            message["weight"] = 0  # nothing tells the voice of the first reply
    return example


def remembered(world, rng):
    """Something that the user said earlier is needed later: a name or an order number."""
    setting = rng.choice([neutral_setting, house_setting])(world, rng)
    turns = []
    if rng.random() < 0.5:
        name = rng.choice(world.words["names"])
        told = world.talk["my_name_is"]
        turns.append(
            (
                slips(fill(rng.choice(told["questions"]), world, rng, name=name), rng),
                fill(told["answers"][0], world, rng, name=name),
            )
        )
        if rng.random() < 0.5:
            turns.append(turn(world, rng, setting))
        asked = rng.choice(world.phrases["ask_name"])
        turns.append((slips(asked, rng), f"Your name is {name}."))
    else:
        number = order_number(rng)
        opening = rng.choice(world.phrases["tell_number"]).format(number=number)
        turns.append((slips(opening, rng), f"Thank you, I have noted order {number}. What can I do for you?"))
        intent = rng.choice(list(world.intents))
        question = rewrite(
            rng.choice([q for q in world.questions[intent] if "{number}" not in q]), world, rng
        )
        turns.append((question, about_order(f"{number} ", answer(world, rng, intent, setting)), intent))
    return conversation(setting, turns)
