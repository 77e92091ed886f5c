"""The engine is proved against finite differences and against transformers (see reference/)."""

import json
from pathlib import Path

import numpy as np
import pytest
from toy import TOY, toy_examples, toy_model

from helpers.local_openai.batch import BatchAttention, make_batch
from helpers.local_openai.model import forward, load_model, loss_and_gradients, save_model, weight_names

REFERENCE = Path(__file__).parent / "reference" / "llama.npz"
BASE_MODEL = Path(__file__).parents[2] / "data" / "base_model"


@pytest.fixture
def reference():
    with np.load(REFERENCE) as stored:
        yield stored


def test_every_gradient_equals_finite_differences():
    model, batch = toy_model(dtype=np.float64), make_batch(toy_examples())
    _, _, grads = loss_and_gradients(model, batch)
    random, step = np.random.default_rng(1), 1e-6
    for name, param in model.params.items():
        for place in random.integers(0, param.size, 12):
            kept, losses = param.flat[place], []
            for value in (kept + step, kept - step):
                param.flat[place] = value
                losses.append(loss_and_gradients(model, batch)[0])
            param.flat[place] = kept
            slope = (losses[0] - losses[1]) / (2 * step)
            assert grads[name].flat[place] == pytest.approx(slope, rel=1e-5, abs=1e-8), name


def test_logits_equal_those_of_transformers(reference):
    model, batch = toy_model(dtype=np.float64), make_batch(toy_examples())
    hidden, _ = forward(model, batch.tokens, batch.positions, BatchAttention(model.config, batch))
    logits = hidden @ model.params["embed"].T
    # transformers rounds its norms to float32 even in a float64 model, hence not 1e-12.
    np.testing.assert_allclose(logits, reference["logits"], rtol=0, atol=3e-6)


def test_loss_and_gradients_equal_those_of_transformers(reference):
    loss, _, grads = loss_and_gradients(toy_model(dtype=np.float64), make_batch(toy_examples()))
    assert loss == pytest.approx(float(reference["loss"]), abs=1e-6)
    for name, grad in grads.items():
        np.testing.assert_allclose(grad, reference[f"grad/{name}"], rtol=0, atol=2e-6, err_msg=name)


def test_float32_gives_the_same_gradients_as_float64():
    batch = make_batch(toy_examples())
    _, _, wide = loss_and_gradients(toy_model(dtype=np.float64), batch)
    _, _, narrow = loss_and_gradients(toy_model(dtype=np.float32), batch)
    for name in wide:
        assert narrow[name].dtype == np.float32, name
        np.testing.assert_allclose(narrow[name], wide[name], rtol=0, atol=3e-5, err_msg=name)


def test_an_example_learns_the_same_alone_and_beside_longer_ones():
    examples = toy_examples(4)
    together = loss_and_gradients(toy_model(dtype=np.float64), make_batch(examples))
    alone = [loss_and_gradients(toy_model(dtype=np.float64), make_batch([example])) for example in examples]
    shares = np.array([sum(weights[1:]) for _, weights in examples])
    assert together[0] == pytest.approx(shares @ [loss for loss, _, _ in alone] / shares.sum())
    mean = sum(share * grads["0.qkv"] for share, (_, _, grads) in zip(shares, alone, strict=True))
    np.testing.assert_allclose(together[2]["0.qkv"], mean / shares.sum(), atol=1e-12)


def test_a_token_never_sees_a_later_one():
    model, (ids, weights) = toy_model(), toy_examples(1)[0]
    changed = [*ids[:-2], (ids[-2] + 1) % TOY.vocab_size, ids[-1]]
    hidden = []
    for tokens in (ids, changed):
        batch = make_batch([(tokens, weights)])
        hidden.append(forward(model, batch.tokens, batch.positions, BatchAttention(TOY, batch))[0])
    np.testing.assert_array_equal(hidden[0][:-1], hidden[1][:-1])
    assert not np.allclose(hidden[0][-1], hidden[1][-1])


def test_a_batch_without_anything_to_learn_changes_nothing():
    loss, accuracy, grads = loss_and_gradients(toy_model(), make_batch([([1, 2, 3], [0.0, 0.0, 0.0])]))
    assert (loss, accuracy) == (0.0, 0.0)
    assert not any(np.any(grad) for grad in grads.values())


def test_a_saved_model_comes_back_as_float16_numbers(tmp_path):
    model = toy_model()
    save_model(model, tmp_path)
    again = load_model(tmp_path)
    assert again.config == model.config
    for name, param in model.params.items():
        np.testing.assert_array_equal(again.params[name], param.astype(np.float16).astype(np.float32))


def test_a_model_that_is_no_plain_llama_is_refused_with_its_file_name(tmp_path):
    save_model(toy_model(), tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"model_type": "gpt2"}))
    with pytest.raises(ValueError, match=r"config\.json.*tied embeddings"):
        load_model(tmp_path)


def test_the_base_model_has_the_weights_that_its_config_announces():
    model = load_model(BASE_MODEL)
    assert set(model.params) == set(weight_names(model.config))
    assert model.params["embed"].shape == (model.config.vocab_size, model.config.hidden_size)
