"""The small module behind the lessons. Here is its map: public names by lesson.

Names are loaded when they are first used, so that `python3 -m helpers` needs nothing but Python.
"""

from importlib import import_module

MAP = {
    # 00 start here
    "connect": "client",
    "BASE_MODEL": "client",
    "what_works_today": "client",
    "read_jsonl": "dataset",
    "to_jsonl": "dataset",
    "watch": "monitor",
    "chatbot": "evaluation",
    "evaluate": "evaluation",
    "share": "evaluation",
    "plot_shares": "plots",
    "show": "tables",
    "predict": "exercises",
    "check": "exercises",
    "hint": "exercises",
    "quiz": "exercises",
    "progress": "exercises",
    # 01 concepts
    "plot_chances": "plots",
    # 02 data collection
    "to_chat": "dataset",
    "split": "dataset",
    "near_duplicates": "duplicates",
    "groups_of": "duplicates",
    "leaks": "duplicates",
    "find_private": "privacy",
    "redact": "privacy",
    "kappa": "significance",
    "plot_counts": "plots",
    # 03 formatting
    "as_tokens": "tokens",
    "count_tokens": "tokens",
    "encoding_of": "tokens",
    "validate": "validation",
    "safe_fixes": "validation",
    "prices": "cost",
    "training_cost": "cost",
    "usage_cost": "cost",
    "break_even": "cost",
    # 04 training
    "wait": "jobs",
    "history": "jobs",
    "read_result_file": "jobs",
    "plot_curves": "plots",
    "plot_experiment": "plots",
    # 05 evaluation
    "per_class": "significance",
    "bootstrap": "significance",
    "mcnemar": "significance",
    "paired_bootstrap": "significance",
    "sample_size": "significance",
    "holm": "significance",
    "calibration": "significance",
    "plot_ladder": "plots",
    "plot_confusion": "plots",
    "plot_histogram": "plots",
    # 06 ethics
    "redact_examples": "privacy",
    "gap": "ethics",
    "declines": "ethics",
    "exposure": "ethics",
    "audit": "ethics",
    "model_card": "ethics",
    "disclosure": "ethics",
    "plot_amplification": "plots",
    # 07 your own assistant
    "read_csv": "dataset",
    "ChatWindow": "chat_window",
}


def __getattr__(name):
    if name not in MAP:
        raise AttributeError(f"helpers has no name {name!r}; its names are: {', '.join(sorted(MAP))}")
    return getattr(import_module("." + MAP[name], __name__), name)


def __dir__():
    return sorted(MAP)
