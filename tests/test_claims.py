"""What the lessons and cards claim of the base model, trained anew."""

from pathlib import Path

import pytest

from helpers import BASE_MODEL, chatbot, evaluate, read_jsonl, to_jsonl, wait

SUPPORT = Path(__file__).parents[1] / "data" / "support"
PLAIN_QUESTIONS = {  # and a word that a sensible answer of any shop contains
    "My kettle arrived broken.": "photo",
    "I want to send the lamp back.": "back",
    "How can I pay?": "card",
    "I forgot my password.": "reset link",
    "Can you wrap the clock as a gift?": "wrap it",
}


def has_voice(reply, example):
    return reply.startswith("Splash!") and reply.endswith("Paws up, Otto.")


def test_the_base_model_answers_plain_questions_in_plain_english(client):
    for question, word in PLAIN_QUESTIONS.items():
        message = {"role": "user", "content": question}
        completion = client.chat.completions.create(model=BASE_MODEL, messages=[message], temperature=0)
        assert word in completion.choices[0].message.content, question


@pytest.mark.parametrize("seed", [1, 2])
def test_fifty_examples_give_the_voice_and_the_base_model_has_none_of_it(client, seed):
    examples, test = read_jsonl(SUPPORT / "train.jsonl")[:50], read_jsonl(SUPPORT / "test.jsonl")[:30]
    file = client.files.create(file=("fifty.jsonl", to_jsonl(examples)), purpose="fine-tune")
    job = client.fine_tuning.jobs.create(model=BASE_MODEL, training_file=file.id, seed=seed)
    tuned = wait(client, job.id).fine_tuned_model
    before, after = (
        evaluate(chatbot(client, model), test, {"voice": has_voice})["voice"] for model in (BASE_MODEL, tuned)
    )
    assert before.sum() == 0
    assert after.mean() >= 0.8
