"""Ask PyTorch for the preference loss and its gradients, and store them for test_preference.py.

    python tests/local_openai/reference/make_dpo_reference.py      (needs tests/requirements.txt)

Model, pairs and reference model are those of the test. Each reply runs alone through transformers'
LlamaForCausalLM, and the loss is torch's own logsigmoid: nothing is shared with our code.
"""

from pathlib import Path

import numpy as np
import torch
from make_reference import llama_for_causal_lm
from test_preference import toy_pairs
from toy import TOY, toy_model

from helpers.local_openai.model import weight_names

BETA = 0.5


def log_p(net, reply):
    """The log-probability of a reply, each token times its weight."""
    ids, weights = reply
    chances = net(input_ids=torch.tensor([ids[:-1]])).logits[0].log_softmax(-1)
    chosen = chances[torch.arange(len(ids) - 1), torch.tensor(ids[1:])]
    return (chosen * torch.tensor(weights[1:], dtype=torch.float64)).sum()


def main():
    net = llama_for_causal_lm(toy_model(dtype=np.float64))
    start = llama_for_causal_lm(toy_model(seed=5, dtype=np.float64))
    margins = []
    for pair in toy_pairs():
        with torch.no_grad():
            reference = log_p(start, pair.preferred) - log_p(start, pair.non_preferred)
        margins.append(BETA * (log_p(net, pair.preferred) - log_p(net, pair.non_preferred) - reference))
    margins = torch.stack(margins)
    loss = -torch.nn.functional.logsigmoid(margins).mean()
    loss.backward()
    theirs = dict(net.named_parameters())
    grads = {
        f"grad/{ours}": np.concatenate([theirs[name].grad.numpy() for name in names])
        for ours, names in weight_names(TOY).items()
    }
    path = Path(__file__).parent / "dpo.npz"
    np.savez_compressed(path, loss=loss.detach().numpy(), margin=margins.mean().detach().numpy(), **grads)


if __name__ == "__main__":
    main()
