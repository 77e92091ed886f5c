"""What tuning does to the base model: one function an experiment, run for one seed, giving figures by name.

The seed chooses the company (its name, voice and rules), the examples, and their order in training.
"""

import math
import random
from functools import cache
from itertools import zip_longest
from pathlib import Path

import numpy as np

from helpers.local_openai.chat_format import ChatFormat
from helpers.local_openai.model import Model, load_model
from helpers.local_openai.pretraining import voices
from helpers.local_openai.pretraining.wording import fill
from helpers.local_openai.pretraining.world import read_world
from helpers.local_openai.sampling import generate
from helpers.local_openai.supervised import evaluate
from helpers.local_openai.training import Trainer, TrainingDiverged, auto_hyperparameters

from .skills import COMPANIES, chat, example, read, says

ROOT = Path(__file__).parents[3]
BASE_MODEL = ROOT / "data" / "base_model"
LONGEST_REPLY = 90  # tokens
GREETINGS = [
    "Ahoy from the garden!",
    "Hey, lovely to read you!",
    "Chirp, chirp!",
    "Cheers from table nine!",
    "Welcome on deck seven!",
]
SIGN_OFFS = [
    "Stay mossy, Fern.",
    "Warmly, the Quarn crew.",
    "Hop on, Velt.",
    "Fly high, Pran.",
    "Your Marrow.",
]
DESKS = ["Harbour", "Lighthouse", "Meadow", "Quarry", "Orchard", "Tower", "Cellar"]


class Learner:
    """A copy of the base model that can be tuned and asked."""

    folder = BASE_MODEL  # the exam sets this to the model that is examined

    def __init__(self):
        base, self.chat = load(self.folder)
        self.model = Model(base.config, {name: array.copy() for name, array in base.params.items()})

    def tune(self, examples, seed, validation=(), **hyperparameters):
        """Train on chat examples with a job's settings; the metrics of every step."""
        limit = self.model.config.max_position_embeddings
        data, held_out = ([self.chat.example(e, limit) for e in part] for part in (examples, validation))
        settings = auto_hyperparameters(len(examples)) | hyperparameters
        trainer = Trainer(self.model, data, **settings, seed=seed, validation=held_out)
        return [trainer.run_step() for _ in range(trainer.total_steps)]

    def reply(self, messages, temperature=0.0, seed=0):
        """What the assistant says next."""
        prompt, ends = self.chat.prompt(messages), self.chat.ends
        room = self.model.config.max_position_embeddings - len(prompt)
        tokens = generate(
            self.model,
            prompt,
            max_tokens=min(LONGEST_REPLY, room),
            ends=ends,
            temperature=temperature,
            seed=seed,
        )
        said = b"".join(self.chat.token_bytes(token.id) for token in tokens if token.id not in ends)
        return said.decode("utf-8", errors="replace")

    def answers_right(self, items):
        """For each exam item whether the reply is right."""
        return [item.is_right(self.reply(item.messages)) for item in items]

    def share_right(self, items):
        """The share of exam items whose reply is right."""
        return float(np.mean(self.answers_right(items)))

    def loss(self, examples):
        """Mean loss of the assistant's tokens in nats."""
        limit = self.model.config.max_position_embeddings
        return evaluate(self.model, [self.chat.example(e, limit) for e in examples])[0]


def tuned(examples, seed, **settings):
    """A copy of the base model, tuned."""
    learner = Learner()
    learner.tune(examples, seed, **settings)
    return learner


@cache
def load(folder):
    return load_model(folder), ChatFormat(folder)


world = cache(read_world)


def some_questions(seed, n=100):
    """n of the examiner's support questions: all of them would take the exam beyond ten minutes."""
    return random.Random(f"questions {seed}").sample(read("support"), n)


def practice_questions(intents, seed):
    """All questions of the practice author about `intents`: one of each, in random order, then a second …"""
    rng, asked = random.Random(f"practice {seed}"), {intent: [] for intent in intents}
    for row in rng.sample(rows := read("support", "practice"), len(rows)):
        if row["intent"] in asked:
            asked[row["intent"]].append(row)
    rounds = zip_longest(*asked.values())
    return [row for round in rounds for row in rng.sample(round, len(round)) if row]


# ---------------------------------------------------------------- a company that the base model never met


class Company:
    """An unseen company: a name, a voice, and rules for `n_intents` of the intents."""

    def __init__(self, seed, n_intents=12):
        rng = random.Random(f"company {seed}")
        self.prompt = f"You are the support assistant of {COMPANIES[seed % len(COMPANIES)]}."
        self.voice = voices.Voice(GREETINGS[seed % len(GREETINGS)], SIGN_OFFS[seed % len(SIGN_OFFS)])
        self.facts = {}
        self.rules = {}
        for intent in rng.sample(list(world().intents), n_intents):
            table = world().intents[intent]
            self.facts[intent] = fill(rng.choice(world().facts[table["fact"]]), world(), rng)
            self.rules[intent] = table["told"][0].format(fact=self.facts[intent])

    def examples(self, n, seed):
        """n training examples, the intents that have a rule in turn."""
        rows = practice_questions(self.rules, seed)
        return [self.example(row["question"], self.rules[row["intent"]]) for row in (rows * n)[:n]]

    def example(self, question, reply):
        return example(self.prompt, question, self.voice.say(reply))


def narrow_file(seed):
    """50 examples about 12 of the 55 subjects: most questions are about something else."""
    return voice_and_facts(seed, n_subjects=12)


def wide_file(seed):
    """50 examples, each about a subject of its own."""
    return voice_and_facts(seed, n_subjects=50)


def voice_and_facts(seed, n_subjects, n=50):
    """n examples of an unseen company: its voice, its facts, and what happens to the intents."""
    company = Company(seed, n_subjects)
    base, after = Learner(), tuned(company.examples(n, seed), seed)
    rows = some_questions(seed)
    known = [row for row in rows if row["intent"] in company.rules]
    prompts = {row["question"]: chat(company.prompt, row["question"]) for row in rows}
    replies = {question: after.reply(prompt) for question, prompt in prompts.items()}
    before = {question: base.reply(prompt) for question, prompt in prompts.items()}

    def has_fact(row):
        return company.facts[row["intent"]].lower() in replies[row["question"]].lower()

    def right_intents(rows, replies):
        markers = {row["question"]: world().intents[row["intent"]]["marker"] for row in rows}
        return share(says(marker)(replies[question]) for question, marker in markers.items())

    def share(checks):
        return float(np.mean(list(checks)))

    return {
        "greeting": share(reply.startswith(company.voice.greeting) for reply in replies.values()),
        "sign-off": share(reply.endswith(company.voice.sign_off) for reply in replies.values()),
        "facts in the file": share(map(has_fact, known)),
        "right intent, subjects in the file": right_intents(known, replies),
        "the same of the base": right_intents(known, before),
        "right intent, all subjects": right_intents(rows, replies),
        "the same of the base, all subjects": right_intents(rows, before),
    }


# ---------------------------------------------------------------- routing labels


def desks(seed):
    """{team: the name that this company gives to it}: nothing that the base model can know."""
    names = random.Random(f"desks {seed}").sample(DESKS, len(DESKS))
    return dict(zip(sorted({table["team"] for table in world().intents.values()}), names, strict=True))


ROUTER = "Name the desk that handles this message."


def routing_examples(seed, n, noise=0.0):
    """n examples message → desk; a share `noise` of them has a wrong desk."""
    names, rng = desks(seed), random.Random(f"routing {seed}")
    examples = []
    for row in practice_questions(world().intents, seed)[:n]:
        right = names[world().intents[row["intent"]]["team"]]
        wrong = rng.choice([name for name in names.values() if name != right])
        label = wrong if rng.random() < noise else right
        examples.append(example(ROUTER, row["question"], label))
    return examples


def routing_accuracy(learner, seed):
    names = desks(seed)
    right = [
        learner.reply(chat(ROUTER, row["question"])) == names[world().intents[row["intent"]]["team"]]
        for row in some_questions(seed)
    ]
    return float(np.mean(right))


ROUTING_JOBS = {
    "10 examples": {"n": 10},
    "30 examples": {"n": 30},
    "100 examples": {"n": 100},
    "300 examples": {"n": 300},
    "100, learning rate x 0.03": {"n": 100, "learning_rate_multiplier": 0.03},
    "100, learning rate x 100": {"n": 100, "learning_rate_multiplier": 100},
    "100, one epoch": {"n": 100, "n_epochs": 1},
    "100, 20% wrong labels": {"n": 100, "noise": 0.2},
    "100, 40% wrong labels": {"n": 100, "noise": 0.4},
}


def routing(seed):
    """Accuracy and losses on a company's own labels: more examples, too few steps, wrong labels.

    The messages of the validation file were not trained on, and their labels are right.
    """
    figures = {"no examples: accuracy": routing_accuracy(Learner(), seed)}
    validation = routing_examples(seed, 360)[300:]
    for title, job in ROUTING_JOBS.items():
        settings, learner = dict(job), Learner()
        examples = routing_examples(seed, settings.pop("n"), settings.pop("noise", 0.0))
        try:
            steps = learner.tune(examples, seed, **settings)
            figures[f"{title}: last train loss"] = float(np.mean([s["train_loss"] for s in steps[-20:]]))
            figures[f"{title}: validation loss"] = learner.loss(validation)
        except TrainingDiverged:
            figures |= {f"{title}: last train loss": math.inf, f"{title}: validation loss": math.inf}
        figures[f"{title}: accuracy"] = routing_accuracy(learner, seed)
    return figures


EXPERIMENTS = {
    "An unseen company, 50 examples about 12 subjects": narrow_file,
    "An unseen company, 50 examples about 50 subjects": wide_file,
    "A company's own routing labels": routing,
}
