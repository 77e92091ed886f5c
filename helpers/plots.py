"""The figures of the course: data in, Axes out. The colours, of Okabe and Ito, suit the colour-blind."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

BLUE, ORANGE, GREEN, PINK, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9"
COLOURS = [BLUE, ORANGE, GREEN, PINK, SKY]
MARKERS = ["o", "s", "^", "D", "v"]  # so that lines can be told apart without colour


class ReadableAxes(Axes):
    """Axes with a text twin, for those who cannot see the figure: a cell that ends with them prints it."""

    words = ()  # one text for each line or bar; a figure function fills it

    def __repr__(self):
        return f"Figure: {self.get_title()}. {'; '.join(self.words)}."


def line_in_words(label, line):
    """What a line of a figure shows: where it begins, where it ends, its lowest and its highest point."""
    low, high = line.idxmin(), line.idxmax()
    return (
        f"{label}: from {line.iloc[0]:.3g} to {line.iloc[-1]:.3g}, lowest {line[low]:.3g} at {low:.4g}, "
        f"highest {line[high]:.3g} at {high:.4g}"
    )


def share_in_words(label, row):
    """A share with its interval, as `share` gives it."""
    name = " ".join(label.split())  # a label may have two lines
    return f"{name}: {row['share']:.0%} ({row['low']:.0%} to {row['high']:.0%})"


def axes(title, xlabel, ylabel, figsize=(7, 3.6)):
    """Empty Axes in the style of the course."""
    _, ax = plt.subplots(figsize=figsize, layout="constrained", subplot_kw={"axes_class": ReadableAxes})
    ax.set(title=title, xlabel=xlabel, ylabel=ylabel)
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(alpha=0.25)
    return ax


def plot_losses(history, title="Loss of each step"):
    """Training loss by step, raw and smoothed, and the full validation loss of each epoch if there is one."""
    ax = axes(title, "step", "loss")
    draw_losses(ax, history)
    ax.words = [line_in_words("training", smooth(history["train_loss"]))]
    if "full_valid_loss" in history:
        ax.words.append(line_in_words("validation", history["full_valid_loss"].dropna()))
    return ax


def draw_losses(ax, history):
    """Draw the lines of `plot_losses` into Axes that are there already."""
    ax.plot(history["train_loss"], color=BLUE, alpha=0.25, label="training, each step")
    ax.plot(smooth(history["train_loss"]), color=BLUE, label="training, average")
    if "full_valid_loss" in history:
        epochs = history["full_valid_loss"].dropna()
        ax.plot(epochs, color=ORANGE, marker="s", linestyle="--", label="validation, each epoch")
    ax.set_ylim(bottom=0)
    ax.legend(frameon=False)


def smooth(losses):
    """The mean over about the last fifteenth of the steps, at each step."""
    return losses.rolling(max(1, len(losses) // 15), min_periods=1).mean()


def plot_curves(curves, title, xlabel, ylabel):
    """One line for each Series in `curves`, a dict {label: Series}."""
    ax = axes(title, xlabel, ylabel)
    for (label, curve), colour, marker in zip(curves.items(), COLOURS, MARKERS, strict=False):
        ax.plot(curve, color=colour, marker=marker, markersize=4, label=label)
    ax.words = [line_in_words(label, curve) for label, curve in curves.items()]
    ax.set_ylim(bottom=0)
    ax.legend(frameon=False)
    return ax


def plot_chances(chances, title):
    """Bars from top to bottom for (token, chance from 0 to 1) pairs; quotes show the blanks of a token."""
    tokens, values = [repr(token) for token, _ in chances], [chance for _, chance in chances]
    ax = axes(title, "chance", "", figsize=(7, 1 + 0.28 * len(tokens)))
    bars = ax.barh(range(len(tokens)), values, color=BLUE)  # by place: a token may come twice
    ax.bar_label(bars, [f"{value:.0%}" for value in values], padding=3)
    ax.set_yticks(range(len(tokens)), tokens)
    ax.set(xlim=(0, 1.1), ylim=(len(tokens) - 0.4, -0.6))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    ax.words = [f"{token}: {value:.0%}" for token, value in zip(tokens, values, strict=True)]
    return ax


def plot_shares(shares, title):
    """Bars with 95 % intervals for a dict {label: result of `share`}; after ", " a label goes on below."""
    ax = axes(title, "", "share", figsize=(max(7, 1.2 * len(shares)), 3.2))
    values = np.array([[row["share"], row["low"], row["high"]] for row in shares.values()])
    errors = np.abs(values[:, 1:].T - values[:, 0])
    labels = [label.replace(", ", "\n") for label in shares]
    ax.bar(labels, values[:, 0], color=BLUE, width=0.6, yerr=errors, capsize=6)
    for place, value in enumerate(values[:, 0]):  # at the bar's own height, beside the line of its interval
        ax.text(place + 0.04, value, f" {value:.0%}", va="bottom")
    ax.words = [share_in_words(label, row) for label, row in shares.items()]
    ax.set_ylim(0, 1.15)
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    return ax


def plot_counts(counts, title):
    """A bar for each entry of a Series; of a DataFrame, each row is a bar with a piece for each column."""
    table = pd.DataFrame(counts)
    several = len(table.columns) > 1
    ax = axes(title, "count", "", figsize=(7, 1.2 + 0.27 * len(table)))
    left = np.zeros(len(table))
    for (name, column), colour in zip(table.items(), COLOURS, strict=False):
        bars = ax.barh(
            table.index.astype(str), column, left=left, color=colour, edgecolor="white", label=name
        )
        ax.bar_label(bars, [n or "" for n in column], label_type="center", color="white")
        left += column.to_numpy()
    for place, row in table.iterrows():
        pieces = [f"{n} {name}" if several else f"{n}" for name, n in row.items()]
        ax.words = [*ax.words, f"{place}: {', '.join(pieces)}"]
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.invert_yaxis()  # the first entry on top
    if several:
        ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    return ax


def plot_experiment(table, x, y, title, log=False):
    """Column `y` of the DataFrame `table` against column `x`: single jobs as dots, their means as a line."""
    ax = axes(title, x.replace("_", " "), y.replace("_", " "))
    means = table.groupby(x, sort=False)[y].mean()
    ax.words = [f"{name}: {mean:.3g}" for name, mean in means.items()]
    several = table[x].duplicated().any()
    ax.plot(means, color=ORANGE, zorder=1, label="mean" if several else None)
    ax.scatter(table[x], table[y], color=BLUE, alpha=0.6, zorder=2, label="one job")
    if log:
        ax.set_xscale("log")
        ax.set_xticks(means.index, [f"{value:g}" for value in means.index], minor=False)
        ax.minorticks_off()
    else:
        ax.margins(x=0.2)  # room for the names under the outer dots
    ax.set_ylim(bottom=0)
    ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))  # a dot of the legend is no job
    return ax


T_FIVE = 2.776  # Student's t: half a 95 % interval of a mean of five seeds, in standard errors


def plot_amplification(table, own):
    """The gap in the replies against the gap in the file, as means over five seeds with 95 % intervals.

    `table` has the columns way, file and replies, a row a job; `own`, with the same columns, becomes stars.
    """
    ax = axes("Bias in, bias out", "gap in the file", "gap in the replies")
    ax.plot([0, 1], [0, 1], color="grey", linestyle=":", label="replies like the file")
    for (way, rows), colour, marker in zip(table.groupby("way"), COLOURS, MARKERS, strict=False):
        means, errors = (rows.groupby("file")["replies"].agg(name) for name in ("mean", "sem"))
        ax.errorbar(means.index, means, T_FIVE * errors, color=colour, marker=marker, capsize=4, label=way)
        ax.words = [*ax.words, line_in_words(way, means)]
    ax.scatter(own["file"], own["replies"], s=140, marker="*", color=PINK, zorder=3, label="your model")
    ax.words += [f"your model, {way}: {y:.2f} at {x:.2f}" for way, x, y in own.itertuples(index=False)]
    ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    return ax


def plot_ladder(shares, title):
    """A bar with its 95 % interval for each {label: result of `share`}, the first below; for None a "?"."""
    ax = axes(title, "share right", "", figsize=(7, 0.9 + 0.4 * len(shares)))
    for place, row in enumerate(shares.values()):
        if row is not None:
            errors = [[row["share"] - row["low"]], [row["high"] - row["share"]]]
            ax.barh(place, row["share"], height=0.6, color=BLUE, xerr=errors, capsize=4)
        text, end = ("?", 0) if row is None else (f"{row['share']:.0%}", row["high"])
        ax.text(end + 0.02, place, text, va="center")
    ax.set_yticks(range(len(shares)), list(shares))
    ax.set_ylim(-0.6, len(shares) - 0.4)
    ax.set_xlim(0, 1.12)
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    ax.words = [share_in_words(label, row) if row else f"{label}: ?" for label, row in shares.items()]
    return ax


def plot_confusion(right, predicted, title):
    """How often each right label (row) got each predicted one (column), as a table in colours."""
    table = pd.crosstab(pd.Series(list(right), name="right"), pd.Series(list(predicted), name="predicted"))
    ax = axes(title, "what the model said", "what is right", figsize=(5.2, 3.8))
    ax.grid(visible=False)
    ax.imshow(table, cmap="Blues", vmax=1.6 * table.to_numpy().max())  # pale enough for black numbers
    for row, column in np.ndindex(table.shape):
        ax.text(column, row, table.iat[row, column], ha="center", va="center")
    ax.set_xticks(range(len(table.columns)), table.columns)
    ax.set_yticks(range(len(table)), table.index)
    ax.words = [f"{pair[0]} called {pair[1]}: {n}" for pair, n in table.stack().items() if n]
    return ax


def plot_histogram(values, title, xlabel, marks):
    """How often each value occurs, with a vertical line for each of `marks`, {label: value}."""
    ax = axes(title, xlabel, "how often")
    ax.hist(values, bins=30, color=SKY)
    for (label, value), colour, style in zip(marks.items(), COLOURS, ("-", "--", ":", "-."), strict=False):
        ax.axvline(value, color=colour, linestyle=style, label=f"{label}: {value:.3g}")
    ax.words = [f"{len(values)} values from {min(values):.3g} to {max(values):.3g}"]
    ax.words += [f"{label} at {value:.3g}" for label, value in marks.items()]
    ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    return ax
