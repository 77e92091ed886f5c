"""Each statistic against worked values, an independent implementation, and what must hold for any input."""

import math

import numpy as np
import pandas as pd
import pytest

from helpers.significance import (
    RESAMPLES,
    bootstrap,
    calibration,
    holm,
    kappa,
    mcnemar,
    paired_bootstrap,
    per_class,
    sample_size,
)

LABELS = ["refund", "delivery", "account", "other"]


def randomly():
    """60 random number generators, each with a number of questions from 2 to 120."""
    for seed in range(60):
        rng = np.random.default_rng(seed)
        yield rng, int(rng.integers(2, 121))


def verdicts(rng, n):
    """n times right or wrong, of a model whose share of right answers is random, too."""
    return rng.random(n) < rng.random()


def labels_of_two(rng, n):
    """What two labellers say who agree now more, now less, and use the labels unevenly."""
    first = rng.choice(LABELS, size=n, p=rng.dirichlet(np.ones(4)))
    second = np.where(rng.random(n) < rng.random(), first, rng.choice(LABELS, size=n))
    return list(first), list(second)


# Worked values, which need nothing but the lessons' packages.


def test_the_bootstrap_of_a_mean_is_close_to_the_normal_interval():
    values = np.random.default_rng(1).normal(10, 2, size=400)
    some, half = bootstrap(values), 1.96 * values.std() / 20
    assert (some["value"], some["n"]) == (pytest.approx(values.mean()), 400)
    assert (some["low"], some["high"]) == pytest.approx(
        (values.mean() - half, values.mean() + half), abs=0.03
    )


def test_the_bootstrap_takes_any_statistic_and_another_seed_moves_it_little():
    values = np.random.default_rng(2).random(200)
    assert bootstrap(values) == bootstrap(list(values)) != bootstrap(values, seed=1)
    assert bootstrap(values)["low"] == pytest.approx(bootstrap(values, seed=1)["low"], abs=0.01)
    assert bootstrap([1, 2, 9], statistic=lambda sample: max(sample) - min(sample))["value"] == 8


def test_mcnemar_counts_as_with_a_fair_coin():
    # 12 tosses, 3 heads or fewer: 1 + 12 + 66 + 220 = 299 of 4,096 ways; both sides: twice that.
    a = [True] * 9 + [False] * 3 + [True] * 5 + [False] * 2
    b = [False] * 9 + [True] * 3 + [True] * 5 + [False] * 2
    assert mcnemar(a, b) == {"only_a": 9, "only_b": 3, "n": 19, "p": 598 / 4096}
    assert mcnemar([1] * 6, [0] * 6)["p"] == 2 / 64


def test_mcnemar_of_thousands_of_questions():
    a, b = [True] * 2600 + [False] * 2400, [False] * 2600 + [True] * 2400
    z = (200 - 1) / math.sqrt(5000)  # the normal approximation with continuity correction
    assert mcnemar(a, b)["p"] == pytest.approx(math.erfc(z / math.sqrt(2)), rel=0.005)


def test_holm_worked():
    # The example of Wikipedia, "Holm-Bonferroni method".
    raised = holm({"first": 0.01, "second": 0.04, "third": 0.03, "fourth": 0.005})
    assert list(raised) == ["first", "second", "third", "fourth"]
    assert list(raised.values()) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@pytest.mark.parametrize(
    "share, difference, n",
    [(0.6, 0.1, 356), (0.5, 0.25, 58), (0.75, -0.25, 58), (0.4, -0.1, 356), (0.9, 0.1, 74)],
)
def test_sample_sizes(share, difference, n):
    assert sample_size(share, difference) == n  # 356 for 60 and 70 % is the usual textbook value


def test_kappa_worked():
    # Fleiss, Levin and Paik (2003), table 18.1: two raters, three diagnoses, 100 people.
    table = {"pp": 75, "pn": 1, "po": 4, "np": 5, "nn": 4, "no": 1, "oo": 10}
    pairs = [pair for pair, times in table.items() for _ in range(times)]
    some = kappa([pair[0] for pair in pairs], [pair[1] for pair in pairs])
    assert (some["agreement"], some["expected"], some["n"]) == (pytest.approx(0.89), pytest.approx(0.66), 100)
    assert some["kappa"] == pytest.approx(0.23 / 0.34)
    assert (some["high"] - some["kappa"]) / 1.96 == pytest.approx(0.0877, abs=1e-4)


def test_kappa_where_chance_agrees_fully_is_not_a_number():
    some = kappa(["yes"] * 5, ["yes"] * 5)
    assert (some["agreement"], some["expected"]) == (1, 1)
    assert all(math.isnan(some[name]) for name in ("kappa", "low", "high"))
    assert kappa(["yes"] * 5, ["no"] * 5)["kappa"] == 0  # chance would not agree either


def test_per_class_worked():
    table = per_class(["a", "a", "a", "b", "b", "c"], ["a", "a", "b", "b", "d", "b"])
    assert list(table.index) == ["a", "b", "c", "d", "macro"]
    assert list(table.loc["a"]) == pytest.approx([1, 2 / 3, 4 / 5, 3])
    assert list(table.loc["b"]) == pytest.approx([1 / 3, 1 / 2, 2 / 5, 2])
    assert list(table.loc["c"]) == [0, 0, 0, 1]  # never used by the model
    assert list(table.loc["d"]) == [0, 0, 0, 0]  # used by the model alone
    assert list(table.loc["macro"]) == pytest.approx([1 / 3, 7 / 24, 3 / 10, 6])


def test_calibration_worked():
    # Three answers around 0.8 of which one is right, two around 0.3 of which one is right.
    table, error = calibration([0.7, 0.8, 0.9, 0.2, 0.4], [True, False, False, False, True], bins=2)
    assert table.to_dict("list") == {
        "low": [0, 0.5],
        "high": [0.5, 1],
        "n": [2, 3],
        "mean_confidence": pytest.approx([0.3, 0.8]),
        "share_right": pytest.approx([1 / 2, 1 / 3]),
    }
    assert error == pytest.approx(2 / 5 * (1 / 2 - 0.3) + 3 / 5 * (0.8 - 1 / 3))


def test_calibration_leaves_empty_bins_out_and_an_edge_belongs_to_the_lower_bin():
    table, _ = calibration([0, 0.5, 1], [True, True, True], bins=4)
    assert table[["low", "high", "n"]].values.tolist() == [[0, 0.25, 1], [0.25, 0.5, 1], [0.75, 1, 1]]


# Independent implementations.


def test_bootstraps_are_scipys():
    stats = pytest.importorskip("scipy.stats")
    options = {"n_resamples": RESAMPLES, "method": "percentile", "vectorized": True}
    for rng, n in randomly():
        a, b = rng.random(n), rng.random(n)
        for statistic in (np.mean, np.std):
            # The same seed draws the same samples there, so that the intervals are equal, not only close.
            theirs = stats.bootstrap([a], statistic, rng=np.random.default_rng(0), **options)
            ours = bootstrap(a, statistic=statistic)
            assert (ours["low"], ours["high"]) == pytest.approx(tuple(theirs.confidence_interval))
        theirs = stats.bootstrap(
            [a, b],
            lambda a, b, axis: a.mean(axis) - b.mean(axis),
            paired=True,
            rng=np.random.default_rng(0),
            **options,
        )
        ours = paired_bootstrap(a, b)
        assert (ours["low"], ours["high"]) == pytest.approx(tuple(theirs.confidence_interval))


def test_mcnemar_is_scipys_and_statsmodels():
    stats = pytest.importorskip("scipy.stats")
    tables = pytest.importorskip("statsmodels.stats.contingency_tables")
    for rng, n in randomly():
        a, b = verdicts(rng, n), verdicts(rng, n)
        ours, table = mcnemar(a, b), pd.crosstab(a, b).reindex([True, False], axis=0, fill_value=0)
        table = table.reindex([True, False], axis=1, fill_value=0).to_numpy()
        assert (ours["only_a"], ours["only_b"]) == (table[0, 1], table[1, 0])
        assert ours["p"] == pytest.approx(tables.mcnemar(table, exact=True).pvalue)
        if differ := ours["only_a"] + ours["only_b"]:
            assert ours["p"] == pytest.approx(stats.binomtest(ours["only_a"], differ).pvalue)


def test_holm_is_statsmodels():
    multitest = pytest.importorskip("statsmodels.stats.multitest")
    for rng, n in randomly():
        raw = rng.random(n).round(2) ** 3  # some are equal, some small
        theirs = multitest.multipletests(raw, method="holm")[1]
        assert list(holm(dict(enumerate(raw))).values()) == pytest.approx(list(theirs))


def test_sample_size_is_statsmodels():
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    for rng, _ in randomly():
        share, other = rng.uniform(0.02, 0.98, size=2)
        n = sample_size(share, other - share)
        theirs = proportion.samplesize_proportions_2indep_onetail(share - other, other, power=0.8)
        assert n == math.ceil(theirs)


def test_kappa_is_statsmodels_and_sklearns():
    raters = pytest.importorskip("statsmodels.stats.inter_rater")
    metrics = pytest.importorskip("sklearn.metrics")
    for rng, n in randomly():
        a, b = labels_of_two(rng, n)
        ours, theirs = kappa(a, b), raters.cohens_kappa(metrics.confusion_matrix(a, b))
        expected = (theirs.kappa, max(-1, theirs.kappa_low), min(1, theirs.kappa_upp))
        assert (ours["kappa"], ours["low"], ours["high"]) == pytest.approx(expected, nan_ok=True)
        if len({*a, *b}) > 1:
            assert ours["kappa"] == pytest.approx(metrics.cohen_kappa_score(a, b))
        assert ours["agreement"] == pytest.approx(metrics.accuracy_score(a, b))


def test_per_class_is_sklearns():
    metrics = pytest.importorskip("sklearn.metrics")
    for rng, n in randomly():
        right, predicted = labels_of_two(rng, n)
        report = metrics.classification_report(right, predicted, output_dict=True, zero_division=0)
        table = per_class(right, predicted).rename(index={"macro": "macro avg"})
        for label, row in table.iterrows():
            theirs = report[label]
            names = ["precision", "recall", "f1-score", "support"]
            assert list(row) == pytest.approx([theirs[name] for name in names])


def test_calibration_is_sklearns():
    sklearn_calibration = pytest.importorskip("sklearn.calibration")
    for rng, n in randomly():
        confidence, right = rng.random(n).round(2), verdicts(rng, n)  # some lie on the edges
        bins = int(rng.integers(1, 16))
        table, error = calibration(confidence, right, bins)
        share, mean = sklearn_calibration.calibration_curve(right, confidence, n_bins=bins, pos_label=True)
        assert list(table["share_right"]) == pytest.approx(list(share))
        assert list(table["mean_confidence"]) == pytest.approx(list(mean))
        # Guo's sum in another form: a bin counts with the sum of its gaps.
        edges = np.linspace(0, 1, bins + 1)
        inside = [
            (low < confidence) & (confidence <= high) for low, high in zip(edges, edges[1:], strict=False)
        ]
        inside[0] |= confidence == 0
        assert error == pytest.approx(sum(abs((right - confidence)[some].sum()) for some in inside) / n)


# What must hold for any input.


def test_the_order_of_two_models_only_turns_the_difference_round():
    for rng, n in randomly():
        a, b = verdicts(rng, n), verdicts(rng, n)
        there, back = mcnemar(a, b), mcnemar(b, a)
        assert (there["only_a"], there["only_b"], there["p"]) == (back["only_b"], back["only_a"], back["p"])
        there, back = paired_bootstrap(a, b), paired_bootstrap(b, a)
        expected = (-back["value"], -back["high"], -back["low"])
        assert (there["value"], there["low"], there["high"]) == pytest.approx(expected)


def test_a_model_does_not_differ_from_itself():
    for rng, n in randomly():
        a = verdicts(rng, n)
        assert mcnemar(a, a) == {"only_a": 0, "only_b": 0, "n": n, "p": 1}
        assert paired_bootstrap(a, a) == {"value": 0, "low": 0, "high": 0, "n": n}


def test_p_values_stay_between_zero_and_one_and_holm_never_lowers_one():
    for rng, n in randomly():
        raw = {f"{i}": mcnemar(verdicts(rng, n), verdicts(rng, n))["p"] for i in range(5)}
        assert all(0 < raw[name] <= p <= 1 for name, p in holm(raw).items())


def test_kappa_knows_no_order_of_labellers_questions_or_names():
    for rng, n in randomly():
        a, b = labels_of_two(rng, n)
        order = rng.permutation(n)
        turned = kappa([b[i].upper() for i in order], [a[i].upper() for i in order])
        assert turned == pytest.approx(kappa(a, b), nan_ok=True)


def test_perfect_predictions():
    for rng, n in randomly():
        right, _ = labels_of_two(rng, n)
        table = per_class(right, right)
        assert (table[["precision", "recall", "f1"]] == 1).all(axis=None)
        _, error = calibration(np.ones(n), np.ones(n), bins=10)
        assert error == 0


def test_a_smaller_difference_needs_more_questions():
    sizes = [sample_size(0.5, difference) for difference in (0.4, 0.2, 0.1, 0.05, 0.01)]
    assert sizes == sorted(sizes)


# What a user may do wrong.


@pytest.mark.parametrize(
    "call", [mcnemar, paired_bootstrap, kappa, per_class, lambda a, b: calibration(a, b, bins=5)]
)
def test_columns_of_different_or_no_length_are_told(call):
    with pytest.raises(ValueError, match="length 2, .* length 3: give each one entry a question"):
        call([1, 0], [1, 0, 1])
    with pytest.raises(ValueError, match="length 0: .*at least one entry"):
        call([], [])


def test_one_column_of_no_length_is_told():
    with pytest.raises(ValueError, match="^values has length 0"):
        bootstrap([])
    with pytest.raises(ValueError, match="^p_values has length 0"):
        holm({})


def test_entries_without_sense_are_told():
    with pytest.raises(ValueError, match=r"b\[1\] is 'no': say True"):
        mcnemar([True, False], [True, "no"])
    with pytest.raises(ValueError, match="confidence: 97 is not between 0 and 1. Give probabilities"):
        calibration([0.4, 97], [True, True], bins=5)
    with pytest.raises(ValueError, match="p_values: nan is not between"):
        holm({"one": math.nan})
    with pytest.raises(ValueError, match="1.1 is not between"):
        sample_size(0.9, 0.2)
    with pytest.raises(ValueError, match="difference is 0"):
        sample_size(0.9, 0)
