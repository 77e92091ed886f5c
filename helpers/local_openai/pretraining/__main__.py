"""Make the base model from nothing:  python -m helpers.local_openai.pretraining --out build/base_model"""

import argparse
import json
from itertools import islice
from pathlib import Path

import pandas as pd

from helpers.plots import BLUE, ORANGE, axes

from .batches import Batches, tokenize_all
from .corpus import examples
from .recipe import train
from .vocabulary import SIZE, learn_vocabulary, write_chat_template
from .world import read_world

VOCABULARY_FROM = 60_000, 76_200  # so many first examples of a corpus of so many


def main():
    """Read the options; print a part of the corpus, or make the model and draw its loss."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--out", type=Path, default=Path("build/base_model"), help="folder of the model and its log"
    )
    parser.add_argument("--examples", type=int, default=1_270_000, help="size of the corpus")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--show", type=int, metavar="N", help="print N examples of the corpus and stop")
    options = parser.parse_args()
    if options.show:
        for example in examples(read_world(), options.seed, options.show):
            print(json.dumps(example, ensure_ascii=False))
    else:
        make(options.out, options.examples, options.seed, options.threads)
        draw_curve(options.out)


def make(folder, count, seed, threads):
    """The vocabulary, the corpus of `count` examples, and the model, in `folder`; what is there is kept."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "tokenizer_config.json").exists():
        used, drawn_from = VOCABULARY_FROM
        some = islice(examples(read_world(), f"vocabulary {seed}", drawn_from), used)
        texts = (message["content"] for example in some for message in example["messages"])
        learn_vocabulary(texts, folder / "tokenizer.json")
        write_chat_template(folder)
    corpus = tokenize_all(folder, seed, count, threads)
    batches = Batches(*corpus, seed)
    print(f"{len(corpus[-1]):,} examples, {len(corpus[0]):,} tokens, {len(batches):,} batches", flush=True)
    n_intents = len(read_world().all_intents())
    train(folder, batches, vocab_size=SIZE, n_intents=n_intents, seed=seed, threads=threads)


def draw_curve(folder):
    """loss_curve.png beside log.csv."""
    losses = pd.read_csv(folder / "log.csv", index_col="step")
    ax = axes("Pretraining of tiny-chat", "step", "loss (nats)")
    ax.plot(losses["loss"], color=BLUE, label="words of the assistant")
    ax.plot(losses["intent_loss"], color=ORANGE, linestyle="--", label="naming the intent")
    ax.legend(frameon=False)
    ax.figure.savefig(folder / "loss_curve.png", dpi=80)


if __name__ == "__main__":
    main()
