"""The exam of the base model: what it can do, and what tuning does to it.

    python -m tests.benchmarks.base_model_exam            (about ten minutes; prints the report of the card)
    python -m tests.benchmarks.base_model_exam --part base

questions/test/ holds what is asked. It was written by an author who knew the list of intents and one sentence
about the model, and who saw neither the corpus nor its templates. questions/practice/, by other such authors,
is what tuned models learn from. A test proves that none of these questions stands in data/world/.
"""
