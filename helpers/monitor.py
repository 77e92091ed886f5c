"""A live view of a running job; when it has ended, a table and a figure are left, without widgets."""

import io
import time

import ipywidgets as widgets
import matplotlib.pyplot as plt
import pandas as pd
from IPython.display import display

from .jobs import FINISHED, history, patiently
from .plots import axes, draw_losses, plot_losses, smooth
from .tables import show


def watch(client, job_id, seconds_between=0.4):
    """Show a job until it ends, then draw its losses; returns what happened as a short TextTable.

    The job runs in a process of its own: stopping this cell, or the kernel, does not stop the job. Run the
    cell again to look at it again.
    """
    bar = widgets.IntProgress(description="waiting", layout={"width": "60%"})
    text, picture = widgets.Label(), widgets.Image(format="png")
    view = widgets.VBox([widgets.HBox([bar, text]), picture])
    display(view)
    while (job := patiently(client.fine_tuning.jobs.retrieve, job_id)).status not in FINISHED:
        show_progress(bar, text, picture, job.status, patiently(history, client, job_id))
        time.sleep(seconds_between)
    view.close()
    steps = patiently(history, client, job_id)
    if len(steps):
        plot_losses(steps, f"Job {job.status} after {len(steps)} steps")
        plt.show()
    return show(summary(job, steps))


def show_progress(bar, text, picture, status, steps):
    """Bring the widgets of the live view up to date."""
    bar.description = status
    if not len(steps):
        return
    bar.max, bar.value = int(steps["total_steps"].iloc[-1]), len(steps)
    text.value = f"step {len(steps)} of {bar.max}, training loss {steps['train_loss'].iloc[-1]:.2f}"
    picture.value = loss_picture(steps)


def loss_picture(steps):
    """The losses so far as the bytes of a PNG picture."""
    ax = axes("Loss so far", "step", "loss", figsize=(6, 2.6))
    draw_losses(ax, steps)
    png = io.BytesIO()
    ax.figure.savefig(png, format="png")
    plt.close(ax.figure)
    return png.getvalue()


def summary(job, steps):
    """What there is to know of an ended job, as a table with one row a fact."""
    facts = {"status": job.status}
    if job.status == "failed":
        facts["why"] = job.error.message
    if job.fine_tuned_model:
        facts |= {"model": job.fine_tuned_model, "trained tokens": job.trained_tokens}
    if job.finished_at:
        facts["seconds"] = job.finished_at - job.created_at
    if len(steps):
        losses = steps["train_loss"]
        facts |= {"steps": len(steps), "loss at the first step": round(losses.iloc[0], 2)}
        facts["loss at the end (average)"] = round(smooth(losses).iloc[-1], 2)
    if "full_valid_loss" in steps:
        facts["validation loss"] = round(steps["full_valid_loss"].dropna().iloc[-1], 2)
    return pd.DataFrame({"": facts})
