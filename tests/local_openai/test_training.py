import numpy as np
import pytest
from toy import TOY, toy_examples, toy_model

from helpers.local_openai.batch import make_batch
from helpers.local_openai.supervised import evaluate
from helpers.local_openai.training import Trainer, TrainingDiverged, auto_hyperparameters, schedule

JOB = {"n_epochs": 3, "batch_size": 2, "learning_rate_multiplier": 12.0, "seed": 7}


def run(trainer, until=None):
    return [trainer.run_step() for _ in range(trainer.step, until or trainer.total_steps)]


def same_weights(a, b):
    return all(np.array_equal(a.params[name], b.params[name]) for name in a.params)


def test_one_batch_is_learnt_by_heart():
    example = ([1, 5, 9, 3, 7], [0, 0, 1, 1, 1])
    settings = {"n_epochs": 200, "batch_size": 1, "learning_rate_multiplier": 130}
    trainer = Trainer(toy_model(), [example], **settings, seed=0)
    metrics = run(trainer)
    assert metrics[0]["train_loss"] > 1
    assert metrics[-1]["train_loss"] < 1e-3
    assert metrics[-1]["train_mean_token_accuracy"] == 1.0


def test_the_same_seed_gives_the_same_weights_bit_for_bit():
    first, second, other = (Trainer(toy_model(), toy_examples(6), **JOB | {"seed": s}) for s in (7, 7, 8))
    for trainer in (first, second, other):
        run(trainer)
    assert same_weights(first.model, second.model)
    assert not same_weights(first.model, other.model)


def test_an_interrupted_run_goes_on_to_the_same_weights_and_numbers(tmp_path):
    whole = Trainer(toy_model(), toy_examples(6), validation=toy_examples(3, seed=1), **JOB)
    undisturbed = run(whole)
    broken = Trainer(toy_model(), toy_examples(6), validation=toy_examples(3, seed=1), **JOB)
    run(broken, until=4)
    broken.save_state(tmp_path)
    run(broken, until=6)  # what happens after the save is lost

    resumed = Trainer(toy_model(seed=99), toy_examples(6), validation=toy_examples(3, seed=1), **JOB)
    resumed.load_state(tmp_path)
    assert run(resumed) == undisturbed[4:]
    assert same_weights(resumed.model, whole.model)


def test_every_example_is_seen_once_in_each_epoch():
    trainer = Trainer(toy_model(), toy_examples(5), **JOB)
    assert (trainer.steps_per_epoch, trainer.total_steps) == (3, 9)
    for _ in range(3):
        seen = []
        for _ in range(trainer.steps_per_epoch):
            seen += make_batch(trainer._batch()).tokens.tolist()
            trainer.run_step()
        assert sorted(seen) == sorted(token for ids, _ in toy_examples(5) for token in ids[:-1])


def test_only_tokens_with_loss_decide_what_is_learnt():
    ids, other = [1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 9]
    muted = [0, 0, 0, 0, 1, 0]
    first, second = (Trainer(toy_model(), [(tokens, muted)], **JOB) for tokens in (ids, other))
    assert run(first) == run(second)
    assert same_weights(first.model, second.model)


def test_validation_numbers_come_every_ten_steps_and_in_full_after_each_epoch():
    job = JOB | {"batch_size": 1, "n_epochs": 2}
    trainer = Trainer(toy_model(), toy_examples(12), validation=toy_examples(9, seed=1), **job)
    metrics = run(trainer)
    assert [step["step"] for step in metrics if "valid_loss" in step] == [10, 12, 20, 24]
    assert [step["step"] for step in metrics if "full_valid_loss" in step] == [12, 24]
    assert metrics[-1]["full_valid_loss"] == pytest.approx(
        evaluate(trainer.model, toy_examples(9, seed=1))[0], rel=1e-12
    )


def test_validation_leaves_the_training_as_it_is():
    alone = Trainer(toy_model(), toy_examples(4), **JOB)
    watched = Trainer(toy_model(), toy_examples(4), validation=toy_examples(3, seed=1), **JOB)
    run(alone), run(watched)
    assert same_weights(alone.model, watched.model)


def test_a_learning_rate_that_explodes_is_told_to_the_learner():
    trainer = Trainer(toy_model(), toy_examples(6), **JOB | {"learning_rate_multiplier": 1e12})
    with (
        np.errstate(all="ignore"),
        pytest.raises(TrainingDiverged, match="smaller learning_rate_multiplier"),
    ):
        run(trainer)


def test_the_learning_rate_rises_shortly_and_falls_to_the_end():
    rates = [schedule(step, 100) for step in range(100)]
    assert max(rates) == rates[9] == 1.0
    assert rates[:10] == sorted(rates[:10]) and rates[10:] == sorted(rates[10:], reverse=True)
    assert 0 < rates[-1] < 0.02


@pytest.mark.parametrize(
    ("n", "epochs"), [(10, 25), (12, 20), (30, 8), (50, 5), (100, 5), (1000, 5), (20_000, 1)]
)
def test_auto_shows_250_examples_of_a_small_file_and_25_000_of_a_large_one(n, epochs):
    assert auto_hyperparameters(n)["n_epochs"] == epochs


def test_trained_tokens_count_every_epoch():
    trainer = Trainer(toy_model(), toy_examples(4), **JOB)
    assert trainer.trained_tokens == 3 * sum(len(ids) for ids, _ in toy_examples(4))
    assert TOY.vocab_size > max(token for ids, _ in toy_examples(4) for token in ids)
