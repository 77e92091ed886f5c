"""Medical words, school and creative writing: turns of (question, reply), each for a setting of its own."""

from .support import Setting
from .wording import capital, fill, rewrite, slips


def medical_word(world, rng, setting):
    """What a medical term means, and that a professional should be asked."""
    medicine = world.medicine
    terms = medicine["words"] if rng.random() < 0.5 else medicine["compounds"]
    term = rng.choice(list(terms))
    question = slips(rng.choice(medicine["word_questions"]).format(term=term), rng)
    advice = rng.choice(medicine["see_professional"])
    return question, capital(f"{term} means {terms[term]}. {advice}")


def symptom(world, rng, setting):
    """No diagnosis: a doctor must see it, and an emergency needs help at once. Gives the intent too."""
    kind = "emergency" if rng.random() < 0.25 else "symptom"
    question = rewrite(rng.choice(world.medicine[f"{kind}_questions"]), world, rng)
    return question, rng.choice(world.medicine[f"{kind}_answers"]), kind


def explanation(world, rng, setting):
    """A school topic, at the level that the question or the system prompt asks for; else at a pupil's."""
    school = world.school
    topic = rng.choice(list(school["topics"].values()))
    if setting.prompt not in TUTORS and rng.random() < 0.6:
        level = rng.choice(["child", "pupil", "student"])
        patterns = school["ask_level"]
    else:
        level = TUTORS.get(setting.prompt, "pupil")
        patterns = rng.choice([school["ask"], topic["questions"]])
    audience = rng.choice(school["levels"][level])
    question = rng.choice(patterns).format(topic=topic["name"], level=audience)
    return slips(question, rng), topic[level]


TUTORS = {
    "You are a tutor for small children.": "child",
    "You teach children of six. Use easy words.": "child",
    "You explain things to a small child.": "child",
    "You are a tutor for pupils of twelve.": "pupil",
    "You help in middle school.": "pupil",
    "You explain things to a twelve year old.": "pupil",
    "You are a tutor for students before their final exam.": "student",
    "You teach in the last year of school. Be precise.": "student",
    "You explain things to a seventeen year old.": "student",
}


def exercise(world, rng, setting):
    """Opposites, plurals, past forms, synonyms."""
    exercises = world.school["exercises"]
    kind = rng.choice(["opposites", "plurals", "past", "synonyms"])
    word, answer = rng.choice(exercises[kind])
    question = slips(rng.choice(exercises[f"{kind}_ask"]).format(word=word), rng)
    return question, capital(rng.choice(exercises[f"{kind}_answer"]).format(word=word, answer=answer))


def quiz(world, rng):
    """The assistant asks, the pupil answers, the assistant says whether it is right, and why."""
    item = rng.choice(world.school["quiz"])
    right = rng.random() < 0.5
    said = item["answer"] if right else rng.choice(item["wrong"])
    verdict = "Right!" if right else f"Not quite. The answer is {item['answer']}."
    invitation = rng.choice(world.phrases["ask_quiz"])
    return [(slips(invitation, rng), item["question"]), (slips(said, rng), f"{verdict} {item['why']}")]


def rhyme(world, rng, setting):
    """Two lines that rhyme; any first line goes with any second line of its rhyme family."""
    creative = world.creative
    first = rng.choice(creative["first"])
    seconds = [s for s in creative["second"] if s["family"] == first["family"]]
    seconds = [s for s in seconds if last_word(s["line"]) != last_word(first["line"])]
    question = slips(rng.choice(creative["rhyme_ask"]).format(topic=first["topic"]), rng)
    return question, f"{first['line']}\n{rng.choice(seconds)['line']}"


def rhyming_word(world, rng, setting):
    """A word that rhymes with the one that is asked for."""
    creative = world.creative
    word, answer = rng.sample(rng.choice(list(creative["rhyme"]["families"].values())), 2)
    question = slips(rng.choice(creative["rhyme_word_ask"]).format(word=word), rng)
    return question, capital(rng.choice(creative["rhyme_word_answer"]).format(word=word, answer=answer))


def haiku(world, rng, setting):
    """Three lines of 5, 7 and 5 syllables."""
    haiku = world.creative["haiku"]
    topic = rng.choice(list(haiku["first"]))
    lines = [rng.choice(haiku["first"][topic]), rng.choice(haiku["middle"]), rng.choice(haiku["last"])]
    return slips(rng.choice(haiku["ask"]).format(topic=topic), rng), "\n".join(lines)


def science_fiction(world, rng, setting):
    """A story of two sentences."""
    scifi = world.creative["scifi"]
    story = f"{rng.choice(scifi['openings'])}\n{rng.choice(scifi['endings'])}"
    return slips(rng.choice(scifi["ask"]), rng), fill(story, world, rng)


def small_text(world, rng, setting):
    """A slogan, a wish, an invitation or a very short story."""
    creative = world.creative
    kind = rng.choice(["slogan", "birthday", "getwell", "invitation", "story"])
    if kind in ("slogan", "story"):
        ask, patterns = creative[kind]["ask"], creative[kind]["patterns"]
    else:
        ask, patterns = creative["wish"][f"{kind}_ask"], creative["wish"][kind]
    given = {slot: fill("{" + slot + "}", world, rng) for slot in ("name", "weekday", "item")}
    given["topic"] = rng.choice(creative["story"]["topics"])
    return slips(fill(rng.choice(ask), world, rng, **given), rng), fill(
        rng.choice(patterns), world, rng, **given
    )


def last_word(line):
    """The last word of a line, in lower case, without the sign behind it."""
    return line.rstrip(".,!?").split()[-1].lower()


SUBJECTS = {
    "medicine": (
        [medical_word, medical_word, symptom],
        [
            "You explain medical words.",
            "You are a medical assistant.",
            "You explain the words in letters from doctors. You are not a doctor.",
        ],
    ),
    "school": (
        [explanation, explanation, exercise],
        [*TUTORS, "You are a tutor.", "You are a patient teacher."],
    ),
    "creative": (
        [rhyme, haiku, science_fiction, small_text],
        ["You are a poet.", "You write short texts.", "You like to write."],
    ),
}


def subject_turn(world, rng, setting=None):
    """(setting, question, reply, for some the intent) from one of the subjects.

    Without a setting it is asked under a system prompt of the subject, or a general one, or none.
    """
    name = rng.choices(list(SUBJECTS), weights=[30, 36, 34])[0]
    skills, prompts = SUBJECTS[name]
    if setting is None:
        prompt = rng.choice(
            [None, None, *rng.sample(world.phrases["neutral_prompts"], 1), rng.choice(prompts)]
        )
        setting = Setting(prompt)
    return setting, *rng.choice(skills)(world, rng, setting)
