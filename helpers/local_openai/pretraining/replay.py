"""General examples that a learner can mix into a training file, so that the model forgets less.

python -m helpers.local_openai.pretraining.replay        writes data/replay/replay.jsonl
"""

import json
import random
from pathlib import Path

from . import tasks
from .corpus import asked_quiz, subject
from .talk import card, house, neutral, told_voice
from .world import FOLDER, read_world

FILE = FOLDER.parent / "replay" / "replay.jsonl"
KINDS = {  # kind of example → how many
    neutral: 26,
    house: 14,
    told_voice: 8,
    card: 8,
    tasks.classify: 6,
    tasks.extract: 6,
    tasks.summarise: 3,
    tasks.polite: 2,
    tasks.shorten: 2,
    tasks.look_up: 6,
    subject: 36,
    asked_quiz: 3,
}


def replay_examples(world):
    """120 chat examples of all kinds from the corpus of the base model, in random order; always the same."""
    rng = random.Random("replay")
    examples = [kind(world, rng) for kind, count in KINDS.items() for _ in range(count)]
    rng.shuffle(examples)
    return [{"messages": [as_a_file_has_it(message) for message in e["messages"]]} for e in examples]


def as_a_file_has_it(message):
    """The message without the intent, which only the training of the base model reads."""
    return {key: value for key, value in message.items() if key != "intent"}


def main(path: Path = FILE):
    """Write the examples to `path`, one a line."""
    path.parent.mkdir(exist_ok=True)
    lines = [json.dumps(example) + "\n" for example in replay_examples(read_world())]
    path.write_text("".join(lines), encoding="utf-8")
    print(f"{len(lines)} examples in {path}")


if __name__ == "__main__":
    main()
