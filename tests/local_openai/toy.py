"""A model small enough for a test, with weights drawn at random."""

import shutil
from dataclasses import replace

import numpy as np

from helpers import local_openai
from helpers.local_openai.chat_format import ChatFormat
from helpers.local_openai.model import Config, Model, save_model, weight_names

TOY = Config(
    vocab_size=50,
    hidden_size=16,
    intermediate_size=24,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    head_dim=4,
    max_position_embeddings=32,
)


def toy_model(config=TOY, seed=0, dtype=np.float32):
    """A Model of random weights; norms have one gain a channel, all other weights are matrices."""
    random, c = np.random.default_rng(seed), config
    heads = c.num_attention_heads + 2 * c.num_key_value_heads
    shapes = {
        "embed": (c.vocab_size, c.hidden_size),
        "qkv": (heads * c.head_dim, c.hidden_size),
        "attention_out": (c.hidden_size, c.num_attention_heads * c.head_dim),
        "gate_up": (2 * c.intermediate_size, c.hidden_size),
        "down": (c.hidden_size, c.intermediate_size),
    }
    params = {}
    for name in weight_names(config):
        shape = shapes.get(name.split(".")[-1], (c.hidden_size,))
        centre = 1.0 if len(shape) == 1 else 0.0
        params[name] = (centre + 0.3 * random.standard_normal(shape)).astype(dtype)
    return Model(config, params)


def make_toy_folder(folder):
    """A model folder with random weights and the real tokenizer."""
    real = local_openai.BASE_MODELS["tiny-chat"]
    sizes = {"vocab_size": ChatFormat(real).encoding.n_vocab, "max_position_embeddings": 256}
    save_model(toy_model(replace(TOY, **sizes)), folder)
    shutil.copy(real / "tokenizer.json", folder)
    return folder


def toy_examples(n=3, seed=0, vocab_size=50, longest=12):
    """`n` examples of different lengths; about half of the tokens carry loss, some only half a weight."""
    random = np.random.default_rng(seed)
    lengths = random.integers(4, longest, n)
    return [
        (
            random.integers(0, vocab_size, length).tolist(),
            [0.0, *random.choice([0.0, 0.5, 1.0], length - 2).tolist(), 1.0],
        )
        for length in lengths
    ]
