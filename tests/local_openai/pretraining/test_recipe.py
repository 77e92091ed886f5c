"""The making of the base model: PyTorch's network is ours, a run that was cut off goes on unchanged."""

from collections import Counter

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="only the making of the base model needs PyTorch")
pytest.importorskip("tokenizers", reason="only the making of the base model needs the tokenizers library")

from helpers.local_openai.batch import BatchAttention, make_batch  # noqa: E402
from helpers.local_openai.chat_format import ChatFormat  # noqa: E402
from helpers.local_openai.model import Config, Model, forward, load_model  # noqa: E402
from helpers.local_openai.pretraining import __main__ as command  # noqa: E402
from helpers.local_openai.pretraining import batches as batch_module  # noqa: E402
from helpers.local_openai.pretraining import corpus, recipe  # noqa: E402
from helpers.local_openai.pretraining.network import Network  # noqa: E402
from helpers.local_openai.pretraining.vocabulary import learn_vocabulary, write_chat_template  # noqa: E402
from helpers.local_openai.pretraining.world import read_world  # noqa: E402

TINY = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 512,
}


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    """A folder with a small vocabulary learnt from a piece of the corpus."""
    folder = tmp_path_factory.mktemp("tokenizer")
    examples = corpus.examples(read_world(), seed=1, count=300)
    texts = [message["content"] for example in examples for message in example["messages"]]
    learn_vocabulary(texts, folder / "tokenizer.json", size=400)
    write_chat_template(folder)
    return folder


@pytest.fixture
def small_recipe(monkeypatch):
    """The recipe at the size of a toy, without the minutes that PyTorch's compiler takes."""
    monkeypatch.setattr(recipe, "SIZES", TINY)
    monkeypatch.setattr(batch_module, "BATCH_TOKENS", 512)
    monkeypatch.setattr(recipe, "SAVE_EVERY", 1)
    monkeypatch.setattr(torch, "compile", lambda function, **options: function)


def batches_of(folder, count=120):
    return batch_module.Batches(*batch_module.tokenize(folder, 1, count, 0, count), seed=1)


def train(folder, batches):
    n_intents = len(read_world().all_intents())
    recipe.train(folder, batches, vocab_size=400, n_intents=n_intents, seed=1, threads=1)


class CutOff:
    """Batches of a run that ends with the power when batch `last` is asked for."""

    def __init__(self, batches, last):
        self.batches, self.steps, self.last = batches, batches.steps, last

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, step):
        if step == self.last:
            raise KeyboardInterrupt
        return self.batches[step]


def copy_of(folder, target):
    target.mkdir()
    for file in folder.iterdir():
        (target / file.name).write_bytes(file.read_bytes())
    return target


def test_the_network_computes_what_our_engine_computes():
    torch.manual_seed(1)
    config = Config(vocab_size=50, **TINY)
    network = Network(config, n_intents=5)
    ids = list(np.random.default_rng(1).integers(0, 50, 12))
    theirs = network(torch.tensor([ids]))[0][0].detach().numpy()
    batch = make_batch([(ids, [1.0] * len(ids))])
    ours, _ = forward(
        Model(config, network.export()), batch.tokens, batch.positions, BatchAttention(config, batch)
    )
    np.testing.assert_allclose(ours, theirs[: len(ours)], atol=2e-5)


def test_a_run_leaves_a_model_that_our_engine_opens_and_a_log_whose_loss_falls(
    tokenizer, tmp_path, small_recipe
):
    folder = copy_of(tokenizer, tmp_path / "run")
    batches = batches_of(folder)
    train(folder, batches)
    log = np.genfromtxt(folder / "log.csv", delimiter=",", names=True)
    losses = log["loss"]
    assert losses[-1] < losses[0] < np.log(400) + 0.5
    assert log["intent_loss"][-1] < log["intent_loss"][0]
    assert load_model(folder).config.hidden_size == 32
    assert ChatFormat(folder).encoding.n_vocab == 400


def test_a_run_that_was_cut_off_ends_with_the_same_weights_and_the_same_log(
    tokenizer, tmp_path, small_recipe, monkeypatch
):
    monkeypatch.setattr(recipe, "LOG_EVERY", 1)
    batches = batches_of(tokenizer, 60)
    whole, pieces = (copy_of(tokenizer, tmp_path / name) for name in ("whole", "pieces"))
    train(whole, batches)
    for last in range(1, len(batches)):
        with pytest.raises(KeyboardInterrupt):
            train(pieces, CutOff(batches, last))
    train(pieces, batches)
    assert (whole / "model.safetensors").read_bytes() == (pieces / "model.safetensors").read_bytes()
    assert log_of(whole) == log_of(pieces)


def log_of(folder):
    """All columns of the log but the seconds."""
    return [line.rsplit(",", 1)[0] for line in (folder / "log.csv").read_text().splitlines()]


def test_the_learning_rate_rises_and_then_falls_to_nothing():
    factors = [recipe.schedule(step, [(1000, 1.0), (100, 0.5)]) for step in range(1100)]
    first, second = factors[:1000], factors[1000:]
    assert max(first) > 0.99 and 0.4 < max(second) <= 0.5
    factors = first
    top = int(np.argmax(factors))
    assert factors[0] < 0.05 and max(factors) <= 1 and 0 < factors[-1] < 0.01
    assert np.all(np.diff(factors[: top + 1]) > 0) and np.all(np.diff(factors[top + 1 :]) < 0)


def test_learnt_tokens_are_what_the_assistant_says_and_a_few_others(tokenizer, small_recipe):
    batches = batches_of(tokenizer)
    _, rows, targets, weights, *_ = batches[0]
    assert len(rows) == len(targets) == len(weights)
    others = torch.isclose(weights, torch.tensor(batch_module.OTHER_WEIGHT)).float().mean()
    assert sorted(weights.unique().tolist()) == pytest.approx([batch_module.OTHER_WEIGHT, 1.0])
    assert 0.05 < others < 0.7
    for batch in batches:
        assert (batch.ids.flatten()[batch.rows + 1] == batch.targets).all()


def test_full_weight_lies_on_every_word_of_the_assistant_and_on_no_other(tokenizer, small_recipe):
    chat, batches = ChatFormat(tokenizer), batches_of(tokenizer)
    learnt = Counter()
    for batch in batches:
        learnt.update(batch.targets[batch.weights == 1].tolist())
    said = Counter()
    for number in {int(member) for members in batches.batches for member in members}:
        ids, weights = chat.example(corpus.example(read_world(), 1, number, 120), limit=512)
        said.update(token for token, weight in zip(ids, weights, strict=True) if weight)
    assert learnt == said


def test_the_intent_stands_at_the_end_of_what_the_user_says(tokenizer):
    world, chat = read_world(), ChatFormat(tokenizer)
    names = world.all_intents()
    messages = [m for example in corpus.examples(world, 1, 120) for m in example["messages"]]
    intents = {message["content"]: message.get("intent") for message in messages}
    for batch in batches_of(tokenizer):
        assert (batch.ids.flatten()[batch.asked] == chat.end_of_turn).all()
        for place, intent in zip(batch.asked, batch.intents, strict=True):
            before = chat.encoding.decode(batch.ids.flatten()[:place].tolist()).split("<|im_start|>")[-1]
            assert intents[before.removeprefix("user\n")] == names[intent]


def test_an_empty_folder_is_filled_and_all_examples_asked_for_are_learnt(tmp_path, monkeypatch):
    learnt = []
    monkeypatch.setattr(command, "VOCABULARY_FROM", (300, 360))
    monkeypatch.setattr(command, "train", lambda folder, batches, **settings: learnt.append(batches))
    command.make(tmp_path / "new", 150, seed=1, threads=1)
    assert [len(batches.lengths) for batches in learnt] == [150]
    assert (tmp_path / "new" / "tokenizer_config.json").exists()
