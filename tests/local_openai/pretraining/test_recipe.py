"""The making of the base model: PyTorch's network is ours, a run that was cut off goes on unchanged."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="only the making of the base model needs PyTorch")
pytest.importorskip("tokenizers", reason="only the making of the base model needs the tokenizers library")

from helpers.local_openai.batch import BatchAttention, make_batch  # noqa: E402
from helpers.local_openai.chat_format import ChatFormat  # noqa: E402
from helpers.local_openai.model import Config, Model, forward, load_model  # noqa: E402
from helpers.local_openai.pretraining import corpus, recipe  # noqa: E402
from helpers.local_openai.pretraining.network import Network  # noqa: E402
from helpers.local_openai.pretraining.vocabulary import learn_vocabulary, write_chat_template  # noqa: E402
from helpers.local_openai.pretraining.world import read_world  # noqa: E402

TINY = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
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
    monkeypatch.setattr(recipe, "BATCH_TOKENS", 512)
    monkeypatch.setattr(torch, "compile", lambda function, **options: function)


def batches_of(folder, count=120):
    return recipe.Batches(*recipe.tokenize(folder, 1, count, 0, count), seed=1)


def copy_of(folder, target):
    target.mkdir()
    for file in folder.iterdir():
        (target / file.name).write_bytes(file.read_bytes())
    return target


def test_the_network_computes_what_our_engine_computes():
    torch.manual_seed(1)
    config = Config(vocab_size=50, **TINY)
    network = Network(config)
    ids = list(np.random.default_rng(1).integers(0, 50, 12))
    theirs = network(torch.tensor([ids]))[0].detach().numpy()
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
    recipe.train(folder, batches, vocab_size=400, seed=1, threads=1)
    losses = np.genfromtxt(folder / "log.csv", delimiter=",", names=True)["loss"]
    assert losses[-1] < losses[0] < np.log(400) + 0.5
    assert load_model(folder).config.hidden_size == 32
    assert ChatFormat(folder).encoding.n_vocab == 400


def test_a_run_that_was_cut_off_ends_with_the_same_weights(tokenizer, tmp_path, small_recipe):
    batches = batches_of(tokenizer, 60)
    whole, pieces = (copy_of(tokenizer, tmp_path / name) for name in ("whole", "pieces"))
    recipe.train(whole, batches, vocab_size=400, seed=1, threads=1)
    for _ in range(len(batches)):
        recipe.train(pieces, batches, vocab_size=400, seed=1, threads=1, until=0)  # one step, then a stop
    assert (whole / "model.safetensors").read_bytes() == (pieces / "model.safetensors").read_bytes()


def test_the_learning_rate_rises_and_then_falls_to_nothing():
    factors = [recipe.schedule(step, 1000) for step in range(1000)]
    top = int(np.argmax(factors))
    assert factors[0] < 0.05 and max(factors) <= 1 and 0 < factors[-1] < 0.01
    assert np.all(np.diff(factors[: top + 1]) > 0) and np.all(np.diff(factors[top + 1 :]) < 0)


def test_learnt_tokens_are_what_the_assistant_says_and_a_few_others(tokenizer, small_recipe):
    batches = batches_of(tokenizer)
    _, rows, targets, weights = batches[0]
    assert len(rows) == len(targets) == len(weights)
    others = torch.isclose(weights, torch.tensor(recipe.OTHER_WEIGHT)).float().mean()
    assert sorted(weights.unique().tolist()) == pytest.approx([recipe.OTHER_WEIGHT, 1.0])
    assert 0.05 < others < 0.7
