"""`serve` with a toy in the place of the base model:  python -m tests.clients.serve_toy FOLDER"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "local_openai"))

from toy import make_toy_folder  # noqa: E402

from helpers import _serve, local_openai  # noqa: E402

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    local_openai.BASE_MODELS["tiny-chat"] = make_toy_folder(folder / "toy")
    sys.exit(_serve.main(["--port", "0", "--store", str(folder / "store"), *sys.argv[2:]]))
