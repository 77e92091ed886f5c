"""How the base model was made: a small world of text, a recipe, and one command that repeats both.

    python -m helpers.local_openai.pretraining --out build/base_model

What the model knows is written in `data/world/`, in files that anyone can read. From them comes the corpus:

    world.py      reads data/world/
    wording.py    the many ways in which people write the same thing
    voices.py     how a shop speaks: greeting, sign-off, spelling
    support.py    the support desk: intents, cards with rules, house voices, few examples in the prompt
    tasks.py      sort, extract, summarise, rewrite, repeat, look up
    subjects.py   medical words, school, creative writing
    talk.py       small talk, refusals, "I do not know", conversations
    corpus.py     the mixture of all of these, as chat examples

and from the corpus the model:

    vocabulary.py cuts the corpus into the tokens of tokenizer.json
    batches.py    token ids, what is to be learnt of them, batches of one length
    network.py    the model in PyTorch; the course itself computes in numpy
    recipe.py     the training run with its log

replay.py draws the general examples of `data/replay/` from the same world.

The files of the finished folder, without checkpoint and corpus, are those of `data/base_model/`. Learners
need neither PyTorch nor the tokenizers library (tests/requirements.txt): only this package and benchmarks do.
"""
