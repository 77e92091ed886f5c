import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from helpers import (
    plot_amplification,
    plot_chances,
    plot_confusion,
    plot_counts,
    plot_curves,
    plot_experiment,
    plot_histogram,
    plot_ladder,
    plot_shares,
    share,
)
from helpers.plots import plot_losses


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_losses_show_every_step_and_the_validation_of_each_epoch():
    steps = pd.DataFrame({"train_loss": [4.0, 3, 2, 1], "full_valid_loss": [np.nan, 3.5, np.nan, 2.5]})
    lines = plot_losses(steps).get_lines()
    assert lines[0].get_ydata().tolist() == [4, 3, 2, 1]
    assert lines[2].get_ydata().tolist() == [3.5, 2.5]


def test_a_figure_says_in_words_what_it_shows():
    steps = pd.DataFrame({"train_loss": [4.0, 3, 2, 1], "full_valid_loss": [np.nan, 2.5, np.nan, 3.5]})
    assert repr(plot_losses(steps, "Loss")) == (
        "Figure: Loss. training: from 4 to 1, lowest 1 at 3, highest 4 at 0; "
        "validation: from 2.5 to 3.5, lowest 2.5 at 1, highest 3.5 at 3."
    )
    bars = plot_shares({"a": share([True] * 8 + [False] * 2)}, "Bars")
    assert repr(bars) == "Figure: Bars. a: 80% (49% to 94%)."
    table = pd.DataFrame({"n": [10, 10, 20], "loss": [3.0, 1.0, 1.5]})
    assert repr(plot_experiment(table, "n", "loss", "Runs")) == "Figure: Runs. 10: 2; 20: 1.5."


def test_bars_carry_their_share_and_their_interval():
    ax = plot_shares({"a": share([True] * 8 + [False] * 2)}, "title")
    assert [(text.get_text().strip(), text.get_position()[1]) for text in ax.texts] == [("80%", 0.8)]
    (low, high) = ax.collections[0].get_segments()[0][:, 1]
    assert (low, high) == (pytest.approx(0.4902, abs=1e-4), pytest.approx(0.9433, abs=1e-4))


def test_counts_are_bars_with_their_numbers_and_say_them_in_words():
    ax = plot_counts(pd.Series({"mails": 3, "chats": 0}), "Rows")
    assert [bar.get_width() for bar in ax.patches] == [3, 0]
    assert [text.get_text() for text in ax.texts] == ["3", ""]
    assert repr(ax) == "Figure: Rows. mails: 3; chats: 0."


def test_the_pieces_of_a_bar_stand_side_by_side():
    ax = plot_counts(pd.DataFrame({"kept": [3, 1], "dropped": [2, 4]}, index=["a", "b"]), "Rows")
    assert [(bar.get_x(), bar.get_width()) for bar in ax.patches] == [(0, 3), (0, 1), (3, 2), (1, 4)]
    assert repr(ax) == "Figure: Rows. a: 3 kept, 2 dropped; b: 1 kept, 4 dropped."


def test_chances_stand_from_top_to_bottom_also_when_a_token_comes_twice():
    ax = plot_chances([("We", 0.5), (".", 0.25), (".", 1.0)], "Reply")
    assert repr(ax) == "Figure: Reply. 'We': 50%; '.': 25%; '.': 100%."
    assert [label.get_text() for label in ax.get_yticklabels()] == ["'We'", "'.'", "'.'"]
    assert ax.yaxis_inverted()


def test_many_bars_get_a_wider_figure_and_labels_of_two_lines():
    ax = plot_shares({f"way {n}, before": share([True, False]) for n in range(8)}, "title")
    assert ax.get_xticklabels()[0].get_text() == "way 0\nbefore"
    assert ax.figure.get_figwidth() > 9
    assert "\n" not in repr(ax)


def test_an_experiment_shows_single_jobs_and_their_mean():
    table = pd.DataFrame({"n_examples": [10, 10, 20], "validation_loss": [3.0, 1.0, 1.5]})
    ax = plot_experiment(table, "n_examples", "validation_loss", "title", log=True)
    assert ax.collections[0].get_offsets().tolist() == [[10, 3], [10, 1], [20, 1.5]]
    assert ax.get_lines()[0].get_ydata().tolist() == [2.0, 1.5]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["10", "20"]


def test_settings_with_names_keep_their_order():
    table = pd.DataFrame({"setting": ["small", "small", "large"], "loss": [3.0, 1.0, 1.5]})
    ax = plot_experiment(table, "setting", "loss", "title")
    ax.figure.canvas.draw()
    assert [label.get_text() for label in ax.get_xticklabels()] == ["small", "large"]
    assert ax.get_lines()[0].get_ydata().tolist() == [2.0, 1.5]


def test_each_curve_has_its_name_colour_and_marker():
    ax = plot_curves({"a": pd.Series([1, 2]), "b": pd.Series([2, 1])}, "title", "epoch", "loss")
    first, second = ax.get_lines()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b"]
    assert first.get_color() != second.get_color() and first.get_marker() != second.get_marker()


def test_amplification_shows_the_mean_of_each_way_and_the_own_model():
    table = pd.DataFrame({"way": ["greedy"] * 4, "file": [0, 0, 0.5, 0.5], "replies": [0.0, 0.2, 0.9, 1.0]})
    own = pd.DataFrame({"way": ["greedy"], "file": [0.5], "replies": [0.8]})
    ax = plot_amplification(table, own)
    assert ax.get_lines()[1].get_ydata().tolist() == pytest.approx([0.1, 0.95])
    assert ax.collections[-1].get_offsets().tolist() == [[0.5, 0.8]]
    assert "greedy: from 0.1 to 0.95" in repr(ax) and "your model, greedy: 0.80 at 0.50" in repr(ax)


def test_a_ladder_shows_each_rung_with_its_interval_and_hides_what_is_not_told():
    ax = plot_ladder({"rule": share([True] * 8 + [False] * 2), "model": None}, "Ladder")
    assert repr(ax) == "Figure: Ladder. rule: 80% (49% to 94%); model: ?."
    assert [text.get_text() for text in ax.texts] == ["80%", "?"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["rule", "model"]
    (low, high) = ax.collections[0].get_segments()[0][:, 0]
    assert (low, high) == (pytest.approx(0.4902, abs=1e-4), pytest.approx(0.9433, abs=1e-4))
    assert len(ax.patches) == 1


def test_a_confusion_has_what_is_right_in_rows_and_what_was_said_in_columns():
    ax = plot_confusion(["goods", "money", "money"], ["goods", "goods", "other"], "Sorted")
    words = "goods called goods: 1; money called goods: 1; money called other: 1"
    assert repr(ax) == f"Figure: Sorted. {words}."
    assert [label.get_text() for label in ax.get_xticklabels()] == ["goods", "other"]
    assert [text.get_text() for text in ax.texts] == ["1", "0", "1", "1"]


def test_a_histogram_counts_all_values_and_names_its_marks():
    ax = plot_histogram([0.1, 0.2, 0.2, 0.4], "Shares", "share", {"mean": 0.225})
    assert sum(patch.get_height() for patch in ax.patches) == 4
    assert repr(ax) == "Figure: Shares. 4 values from 0.1 to 0.4; mean at 0.225."
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["mean: 0.225"]
