"""Our training against PyTorch's, in turn in one run: same model, examples, batches, schedule and machine.

    python tests/benchmarks/training_speed.py [--threads 1] [--batch-size 1] [--rounds 5]

(needs tests/requirements.txt). The job: 50 examples, 3 epochs. The peer is transformers' LlamaForCausalLM
with PyTorch's fused AdamW. Both sides have the same number of threads; the service trains with one. Both read
their batches from prepared token ids and compute logits only where there is loss. A ratio above 1 means that
ours is faster; the last losses show that both did the same work.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import torch  # noqa: E402
import transformers  # noqa: E402
from threadpoolctl import threadpool_limits  # noqa: E402

from helpers.local_openai.chat_format import ChatFormat  # noqa: E402
from helpers.local_openai.model import load_model  # noqa: E402
from helpers.local_openai.supervised import Supervised  # noqa: E402
from helpers.local_openai.training import (  # noqa: E402
    MAX_GRADIENT_NORM,
    Trainer,
    schedule,
)

BASE_MODEL = ROOT / "data" / "base_model"
EPOCHS, SEED = 3, 0


def read_examples(n=50):
    lines = (ROOT / "data" / "support" / "train.jsonl").read_text(encoding="utf-8").splitlines()[:n]
    chat_format = ChatFormat(BASE_MODEL)
    return [chat_format.example(json.loads(line), 512) for line in lines]


def train_ours(examples, batch_size):
    trainer = Trainer(
        load_model(BASE_MODEL),
        examples,
        n_epochs=EPOCHS,
        batch_size=batch_size,
        learning_rate_multiplier=1.0,
        seed=SEED,
    )
    start = time.perf_counter()
    losses = [trainer.run_step()["train_loss"] for _ in range(trainer.total_steps)]
    return time.perf_counter() - start, losses[-1]


def torch_batch(examples):
    """Token ids and labels (-100 where there is no loss), padded on the right."""
    width = max(len(ids) for ids, _ in examples) - 1
    ids = torch.zeros(len(examples), width, dtype=torch.long)
    labels = torch.full((len(examples), width), -100)
    for row, (tokens, weights) in enumerate(examples):
        n = len(tokens) - 1
        ids[row, :n] = torch.tensor(tokens[:-1])
        labels[row, :n] = torch.where(torch.tensor(weights[1:]) > 0, torch.tensor(tokens[1:]), -100)
    return ids, labels


def train_torch(examples, batch_size):
    net = transformers.LlamaForCausalLM.from_pretrained(BASE_MODEL, dtype=torch.float32).train()
    optimizer = torch.optim.AdamW(
        net.parameters(), lr=Supervised.learning_rate, betas=(0.9, 0.99), weight_decay=0.01, fused=True
    )
    steps = -(-len(examples) // batch_size)
    start, loss = time.perf_counter(), None
    for step in range(EPOCHS * steps):
        epoch, place = divmod(step, steps)
        order = np.random.default_rng([SEED, epoch]).permutation(len(examples))
        chosen = order[place * batch_size :][:batch_size]
        ids, labels = torch_batch([examples[i] for i in chosen])
        hidden = net.model(input_ids=ids).last_hidden_state  # causal: padding on the right is never seen
        spoken = labels != -100
        loss = torch.nn.functional.cross_entropy(net.lm_head(hidden[spoken]), labels[spoken])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), MAX_GRADIENT_NORM)
        for group in optimizer.param_groups:
            group["lr"] = Supervised.learning_rate * schedule(step, EPOCHS * steps)
        optimizer.step()
    return time.perf_counter() - start, loss.item()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch-size", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    threadpool_limits(options.threads)
    transformers.logging.disable_progress_bar()
    examples = read_examples()
    tokens = EPOCHS * sum(len(ids) for ids, _ in examples)
    print(f"{len(examples)} examples, {EPOCHS} epochs, {tokens} tokens, {options.threads} threads each")
    print(f"torch {torch.__version__}, transformers {transformers.__version__}, numpy {np.__version__}")
    ratios = []
    for round_number in range(options.rounds + 1):
        (ours, our_loss), (theirs, their_loss) = (
            train(examples, options.batch_size) for train in (train_ours, train_torch)
        )
        warm_up = " (warm-up, not counted)" if round_number == 0 else ""
        print(
            f"ours {ours:.2f} s ({tokens / ours:.0f} tokens/s), PyTorch {theirs:.2f} s; "
            f"last losses {our_loss:.4f} and {their_loss:.4f}{warm_up}",
            flush=True,
        )
        ratios += [theirs / ours] if round_number else []
    median = statistics.median(ratios)
    print(f"PyTorch's time / ours: median {median:.2f}, from {min(ratios):.2f} to {max(ratios):.2f}")


if __name__ == "__main__":
    main()
