"""The preference loss is proved against finite differences, and against PyTorch (see reference/)."""

import math
from pathlib import Path

import numpy as np
import pytest
from toy import toy_examples, toy_model

from helpers.local_openai.preference import Pair, Preference
from helpers.local_openai.supervised import evaluate
from helpers.local_openai.training import Trainer, auto_hyperparameters

REFERENCE = Path(__file__).parent / "reference" / "dpo.npz"
JOB = {"n_epochs": 3, "batch_size": 2, "learning_rate_multiplier": 60.0, "seed": 7}


def toy_pairs(n=3, seed=0):
    """`n` pairs of different lengths that share their first tokens."""
    examples = toy_examples(2 * n, seed)
    pairs = []
    for (a, a_weights), (b, b_weights) in zip(examples[::2], examples[1::2], strict=True):
        pairs.append(Pair((a, a_weights), (a[:2] + b[2:], b_weights)))
    return pairs


def prepared(pairs, model=None, beta=0.1):
    return list(Preference(beta).prepared(model or toy_model(), pairs))


def trainer(beta=0.1, n=6, **options):
    model, objective = toy_model(), Preference(beta)
    return Trainer(model, prepared(toy_pairs(n), model), objective=objective, **JOB | options)


def run(trainer, until=None):
    return [trainer.run_step() for _ in range(trainer.step, until or trainer.total_steps)]


def same_weights(a, b):
    return all(np.array_equal(a.params[name], b.params[name]) for name in a.params)


@pytest.mark.parametrize("beta", [0.1, 2.0])
def test_every_gradient_equals_finite_differences(beta):
    model, pairs = toy_model(dtype=np.float64), prepared(toy_pairs(), toy_model(seed=5, dtype=np.float64))
    objective = Preference(beta)
    _, grads = objective.learn(model, pairs)
    random, step = np.random.default_rng(1), 1e-6
    for name, param in model.params.items():
        for place in random.integers(0, param.size, 12):
            kept, losses = param.flat[place], []
            for value in (kept + step, kept - step):
                param.flat[place] = value
                losses.append(objective.learn(model, pairs)[0]["loss"])
            param.flat[place] = kept
            slope = (losses[0] - losses[1]) / (2 * step)
            assert grads[name].flat[place] == pytest.approx(slope, rel=1e-5, abs=1e-8), name


def test_loss_and_gradients_equal_those_of_pytorch():
    with np.load(REFERENCE) as reference:
        model, start = toy_model(dtype=np.float64), toy_model(seed=5, dtype=np.float64)
        numbers, grads = Preference(0.5).learn(model, prepared(toy_pairs(), start))
        assert numbers["loss"] == pytest.approx(float(reference["loss"]), abs=1e-6)
        assert numbers["reward_margin"] == pytest.approx(float(reference["margin"]), abs=1e-5)
        for name, grad in grads.items():
            np.testing.assert_allclose(grad, reference[f"grad/{name}"], rtol=0, atol=2e-5, err_msg=name)


def test_the_loss_of_an_untrained_model_is_log_two_and_falls():
    first, *_, last = run(trainer(n_epochs=30))
    assert first["train_loss"] == pytest.approx(math.log(2), abs=1e-5)
    assert first["train_reward_margin"] == pytest.approx(0, abs=1e-5)
    assert last["train_loss"] < 0.5 and last["train_reward_accuracy"] == 1.0
    assert last["train_reward_margin"] > 0.5


def test_the_loss_is_the_published_formula():
    model, start = toy_model(dtype=np.float64), toy_model(seed=5, dtype=np.float64)

    def log_p(model, ids, weights):
        return -evaluate(model, [(ids, weights)])[0] * sum(weights[1:])

    def reward(reply):
        return 0.3 * (log_p(model, *reply) - log_p(start, *reply))

    pairs = toy_pairs(5)
    margins = [reward(pair.preferred) - reward(pair.non_preferred) for pair in pairs]
    numbers = Preference(0.3).measure(model, prepared(pairs, start))
    expected = np.mean([-math.log(1 / (1 + math.exp(-margin))) for margin in margins])
    assert numbers["loss"] == pytest.approx(expected, rel=1e-9)
    assert numbers["reward_margin"] == pytest.approx(np.mean(margins), rel=1e-9)
    assert numbers["reward_accuracy"] == np.mean(np.array(margins) > 0)


def test_an_interrupted_run_goes_on_to_the_same_weights_and_numbers(tmp_path):
    held_out = prepared(toy_pairs(5, seed=1))
    whole = trainer(validation=held_out)
    undisturbed = run(whole)
    broken = trainer(validation=held_out)
    run(broken, until=4)
    broken.save_state(tmp_path)
    resumed = trainer(validation=held_out)
    resumed.load_state(tmp_path)
    assert run(resumed) == undisturbed[4:]
    assert same_weights(resumed.model, whole.model)


def test_validation_pairs_are_measured_as_those_of_training():
    first, *_, last = run(trainer(validation=prepared(toy_pairs(6)), n_epochs=20))
    assert "full_valid_reward_accuracy" not in first
    assert last["full_valid_loss"] < last["train_loss"] + 0.1 < 0.7


def test_two_equal_replies_teach_nothing():
    ((ids, weights),) = toy_examples(1)
    pair = prepared([Pair((ids, weights), (ids, weights))])
    _, grads = Preference(0.1).learn(toy_model(), pair)
    assert max(np.abs(grad).max() for grad in grads.values()) < 1e-6


def test_a_step_with_a_huge_margin_stays_finite():
    pairs = [Pair(pair.preferred, pair.non_preferred, reference=1e6) for pair in toy_pairs()]
    numbers, grads = Preference(2.0).learn(toy_model(), pairs)
    assert numbers["loss"] > 1e5 and all(np.isfinite(grad).all() for grad in grads.values())


def test_trained_tokens_count_both_replies():
    tokens = sum(len(pair.preferred[0]) + len(pair.non_preferred[0]) for pair in toy_pairs(6))
    assert trainer().trained_tokens == 3 * tokens


def test_auto_shows_250_pairs_of_a_small_file_and_each_pair_of_a_large_one_once():
    epochs = [auto_hyperparameters(n, "dpo")["n_epochs"] for n in (10, 50, 100, 250, 5000)]
    assert epochs == [25, 5, 2, 1, 1] and auto_hyperparameters(50, "dpo")["beta"] == 0.1
