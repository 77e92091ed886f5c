"""The exercises of lesson 04 Training: what a right answer has, why it matters, and hints."""

from numbers import Integral, Real

from helpers.exercises import Exercise, Quiz


def number_of_steps(steps):
    """04.1: the steps of 120 examples at batch size 8 in 5 epochs."""
    if isinstance(steps, str):
        return False, "Give a number, without quotation marks."
    if steps == 120 * 5:
        return (
            False,
            "That would be right for a batch size of 1: one step for each example. Here a step takes 8.",
        )
    if steps == 120 // 8:
        return False, "That is one epoch. The job takes five."
    if steps != 75:
        return False, "Count the steps of one epoch first: how often do 8 examples fit into 120?"
    return (
        True,
        "120 / 8 = 15 steps make an epoch, and 5 epochs make 75. Each step changes the weights once.",
    )


def best_checkpoint(step, checkpoints):
    """04.2: the step of the checkpoint with the lowest validation loss."""
    losses = {c.step_number: c.metrics.full_valid_loss for c in checkpoints}
    if not isinstance(step, Integral) or step not in losses:
        return False, f"Give the step of a checkpoint: {', '.join(map(str, losses))}."
    if losses[step] > min(losses.values()):
        return False, f"Its validation loss is {losses[step]:.3f}, and another one is lower."
    return True, f"{losses[step]:.3f} is the lowest. It need not always be the last checkpoint."


def epoch_to_stop(epoch, losses):
    """04.3: the epoch with the lowest validation loss."""
    if not isinstance(epoch, Integral) or epoch not in losses.index:
        return False, f"Give an epoch, a whole number from 1 to {len(losses)}."
    if losses[epoch] > losses.min():
        return False, f"After epoch {epoch} the loss is {losses[epoch]:.2f}, and another point is lower."
    return True, f"{losses[epoch]:.2f} is the lowest. After it the loss on new messages rises."


def better_rate(multiplier, one_epoch):
    """04.4: a multiplier with which one epoch ends at a lower validation loss than with 1."""
    if not isinstance(multiplier, Real) or multiplier <= 0:
        return False, "Give a number above 0."
    if multiplier <= 1:
        return False, "That is the default or smaller: smaller steps learn even less in one epoch."
    default, mine = one_epoch(1), one_epoch(multiplier)
    if mine >= default:
        return (
            False,
            f"Yours ended at {mine:.2f}, the default at {default:.2f}: too large. Look at the valley.",
        )
    if mine > 0.95 * default:
        return False, f"{mine:.2f} instead of {default:.2f}: hardly a difference. Dare a larger one."
    return True, f"{mine:.2f} instead of {default:.2f}: with few steps, larger ones help, and cost nothing."


def cancelled_job(job, steps):
    """04.5: a job of one's own, cancelled after at least ten steps."""
    if not job.user_provided_suffix:
        return False, "Give your job a suffix, so that you can see which job is yours."
    if job.status in ("succeeded", "failed"):
        return False, f"Your job has already {job.status}. Start a new one and cancel it earlier."
    if job.status != "cancelled":
        return (
            False,
            f"The status of your job is {job.status!r}. Call client.fine_tuning.jobs.cancel(my_job.id).",
        )
    if len(steps) < 10:
        return False, f"It was cancelled after {len(steps)} steps. Let it run for ten."
    return True, f"Stopped after {len(steps)} of {steps['total_steps'].iloc[-1]} steps. Its numbers are kept."


EXERCISES = {
    "04.1": Exercise(
        number_of_steps,
        (
            "In one epoch every example is seen once.",
            "One step takes 8 examples. How many steps does it take to see 120?",
            "15 steps make one epoch; multiply by the number of epochs.",
        ),
    ),
    "04.2": Exercise(
        best_checkpoint,
        (
            "The table of the checkpoints is some cells above.",
            "Each checkpoint c has c.step_number and c.metrics.full_valid_loss.",
            "min(checkpoints, key=lambda c: c.metrics.full_valid_loss).step_number",
        ),
    ),
    "04.3": Exercise(
        epoch_to_stop,
        (
            "Look for the lowest orange square in the figure.",
            "`valid` holds the validation loss of each epoch; write valid into a new cell.",
            "valid.idxmin()",
        ),
    ),
    "04.4": Exercise(
        better_rate,
        (
            "Only the number behind `my_multiplier =` has to change.",
            "One epoch of 50 examples has only 13 steps (50 / 4). Should each step be smaller or larger?",
            "my_multiplier = 2",
        ),
    ),
    "04.5": Exercise(
        cancelled_job,
        (
            "You need start(...), then a loop that waits, then jobs.cancel, as in the cell above.",
            "while len(history(client, my_job.id)) < 10: wait half a second with time.sleep(0.5).",
            "Open the solution below, and run it line by line.",
        ),
    ),
}

QUIZZES = {
    "04.A": Quiz(
        "You close the notebook while a job runs. What happens to the job?",
        {
            "It goes on, and you can ask for it later by its id": (
                "The job belongs to the service, not to the notebook. That is so at OpenAI, too."
            ),
            "It stops and waits until the notebook is open again": (
                "The notebook only looks at the job. A worker process does the work."
            ),
            "It is cancelled, and its numbers are lost": (
                "Only jobs.cancel cancels a job, and even then the numbers stay."
            ),
        },
        right="It goes on, and you can ask for it later by its id",
    ),
    "04.B": Quiz(
        "Training loss falls, validation loss rises. What is going on?",
        {
            "The model learns these examples by heart": (
                "That is overfitting: it gets better at what it has seen and worse at what it has not."
            ),
            "The learning rate is too low": ("With a rate that is too low both losses fall, only slowly."),
            "The validation file must be broken": (
                "Nothing is broken. It holds new examples, which is just why it shows the problem."
            ),
        },
        right="The model learns these examples by heart",
    ),
    "04.C": Quiz(
        "Two jobs with the same settings, but another seed, end 3 points apart. What do you conclude?",
        {
            "That is how much chance moves a job here": (
                "Nothing but the order of the examples was changed. A smaller difference between two "
                "settings means nothing yet."
            ),
            "The better seed should be used from now on": (
                "A seed has no skill. It was lucky on these questions, and need not be on others."
            ),
            "One of the two jobs went wrong": (
                "Both did what they should. Training has chance in it, and the seed chooses it."
            ),
        },
        right="That is how much chance moves a job here",
    ),
    "04.D": Quiz(
        "With ten times the learning rate the replies fall apart. What helps?",
        {
            "a new job with a lower rate, from the base model": (
                "What the base model could do was overwritten. Begin again from where it still can."
            ),
            "more epochs with the same rate": (
                "More steps of this size jump about as wildly as the ones before."
            ),
            "more examples with the same rate": (
                "The data is not the problem: each step is too long, whatever example it comes from."
            ),
        },
        right="a new job with a lower rate, from the base model",
    ),
    "04.E": Quiz(
        "120 examples in 4 epochs beat 30 examples in 4 epochs. What do you know?",
        {
            "Too little: there were four times as many steps, too": (
                "Two things were changed at once. The third group of our experiment tells them apart."
            ),
            "More examples are better": (
                "Perhaps, but the model was also trained four times as long. That alone can be the reason."
            ),
            "The 30 examples were bad ones": (
                "They may be as good as the others. They were only seen in fewer steps."
            ),
        },
        right="Too little: there were four times as many steps, too",
    ),
}
