"""The vocabulary: byte-level BPE, learnt from the corpus and written as tokenizer.json."""

import json

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

SIZE = 3072
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
# Letters with the blank before them, digits one by one (so that numbers can be copied), the rest.
SPLIT = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+|\s+(?![^\s\p{N}])|\s+"


def learn_vocabulary(texts, path, size=SIZE):
    """Learn `size` tokens from `texts` (an iterable of str) and write them to `path`."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.save(str(path))


def write_chat_template(folder):
    """tokenizer_config.json beside tokenizer.json: the ChatML template for other tools."""
    template = (
        "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
        "{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": "<|im_start|>",
        "eos_token": "<|im_end|>",
        "pad_token": "<|endoftext|>",
        "chat_template": template,
    }
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps(config, indent=2), encoding="utf-8")
