"""Our engine against TRL and transformers, in turn in one run: same base, same examples, same settings.

    python tests/benchmarks/against_trl.py [--threads 2] [--rounds 3]

(needs tests/requirements.txt). The job: 50 examples of data/support, 5 epochs in batches of 4 (what our
service chooses), AdamW with its rate and schedule, loss on what the assistant says. Then 20 replies, greedy.
Each side is a process of its own, started anew each round, the one directly after the other. Printed are the
seconds of training alone, of the whole process (start, imports, loading, training), and of one token of a
reply, and how many times faster ours is.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BASE_MODEL = ROOT / "data" / "base_model"
EXAMPLES, REPLIES, EPOCHS, BATCH_SIZE, SEED = 50, 20, 5, 4, 0


def read_examples(name, n):
    """The first n conversations of one turn: TRL's format learns one reply of each."""
    lines = (ROOT / "data" / "support" / name).read_text(encoding="utf-8").splitlines()
    return [example for example in map(json.loads, lines) if len(example["messages"]) == 3][:n]


def ours():
    sys.path.insert(0, str(ROOT))
    from helpers.local_openai.chat_format import ChatFormat
    from helpers.local_openai.model import load_model
    from helpers.local_openai.sampling import generate
    from helpers.local_openai.training import Trainer

    model, chat = load_model(BASE_MODEL), ChatFormat(BASE_MODEL)
    limit = model.config.max_position_embeddings
    data = [chat.example(example, limit) for example in read_examples("train.jsonl", EXAMPLES)]
    settings = {"n_epochs": EPOCHS, "batch_size": BATCH_SIZE, "learning_rate_multiplier": 1.0}
    trainer = Trainer(model, data, **settings, seed=SEED)
    began = time.perf_counter()
    loss = [trainer.run_step()["train_loss"] for _ in range(trainer.total_steps)]
    yield time.perf_counter() - began, statistics.fmean(loss[-20:])
    prompts = [chat.prompt(example["messages"][:2]) for example in read_examples("test.jsonl", REPLIES)]
    began, n = time.perf_counter(), 0
    for prompt in prompts:
        n += len(list(generate(model, prompt, max_tokens=60, ends=chat.ends, temperature=0, seed=0)))
    yield time.perf_counter() - began, n


def theirs():
    import torch
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import SFTConfig, SFTTrainer

    sys.path.insert(0, str(ROOT))
    from helpers.local_openai.supervised import Supervised
    from helpers.local_openai.training import MAX_GRADIENT_NORM, WARM_UP

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    tokenizer = AutoTokenizer.from_pretrained(BASE_MODEL)
    model = AutoModelForCausalLM.from_pretrained(BASE_MODEL, dtype=torch.float32)
    rows = [
        {"prompt": example["messages"][:-1], "completion": example["messages"][-1:]}
        for example in read_examples("train.jsonl", EXAMPLES)
    ]
    with tempfile.TemporaryDirectory() as folder:
        config = SFTConfig(
            output_dir=folder,
            num_train_epochs=EPOCHS,
            per_device_train_batch_size=BATCH_SIZE,
            learning_rate=Supervised.learning_rate,
            lr_scheduler_type="linear",
            warmup_steps=round(WARM_UP * EPOCHS * math.ceil(EXAMPLES / BATCH_SIZE)),
            adam_beta2=0.99,
            weight_decay=0.01,
            max_grad_norm=MAX_GRADIENT_NORM,
            logging_steps=1,
            save_strategy="no",
            report_to="none",
            use_cpu=True,
            bf16=False,
            gradient_checkpointing=False,
            disable_tqdm=True,
            seed=SEED,
        )
        trainer = SFTTrainer(
            model=model, args=config, train_dataset=Dataset.from_list(rows), processing_class=tokenizer
        )
        began = time.perf_counter()
        trainer.train()
        seconds = time.perf_counter() - began
    losses = [row["loss"] for row in trainer.state.log_history if "loss" in row]
    yield seconds, statistics.fmean(losses[-20:])
    model = trainer.model.eval()
    prompts = [
        tokenizer.apply_chat_template(
            example["messages"][:2], add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        for example in read_examples("test.jsonl", REPLIES)
    ]
    began, n = time.perf_counter(), 0
    with torch.inference_mode():
        for prompt in prompts:
            reply = model.generate(**prompt, max_new_tokens=60, do_sample=False)
            n += reply.shape[1] - prompt["input_ids"].shape[1]
    yield time.perf_counter() - began, n


def child(side):
    steps = {"ours": ours, "theirs": theirs}[side]()
    training, loss = next(steps)
    print(json.dumps({"training": training, "loss": loss, "trained_at": time.time()}), flush=True)
    decoding, tokens = next(steps)
    print(json.dumps({"token": decoding / tokens, "tokens": tokens}), flush=True)


def run(side, threads):
    """One process of `side`; its figures in seconds."""
    variables = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
    began = time.time()
    process = subprocess.run(
        [sys.executable, __file__, "--child", side],
        env=os.environ | variables | {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"},
        capture_output=True,
        text=True,
    )
    lines = [json.loads(line) for line in process.stdout.splitlines() if line.startswith('{"t')]
    if len(lines) != 2:
        raise SystemExit(f"{side} failed:\n{process.stderr[-3000:]}")
    figures = lines[0] | lines[1]
    figures["whole"] = figures.pop("trained_at") - began
    return figures


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--child", choices=["ours", "theirs"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        return child(options.child)
    rounds = [
        {side: run(side, options.threads) for side in ("ours", "theirs")} for _ in range(options.rounds)
    ]
    for name, unit in (
        ("training", "s"),
        ("whole", "s"),
        ("token", "s a token"),
        ("loss", "nats, last 20 steps"),
        ("tokens", "in all replies"),
    ):
        ours, theirs = ([figures[side][name] for figures in rounds] for side in ("ours", "theirs"))
        print(
            f"{name:9} ours {statistics.median(ours):.4f}  theirs {statistics.median(theirs):.4f} {unit}",
            end="",
        )
        if name in ("loss", "tokens"):
            print("   (should be nearly equal)")
            continue
        ratios = [their / our for our, their in zip(ours, theirs, strict=True)]
        print(f"   {statistics.median(ratios):.2f} times ({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main()
