"""Pictures by OpenAI's own package, which is told another address and nothing else.

    python examples/openai_sdk.py       leaves openai.png and edited.png in the folder you are in

`DARKROOM_URL` is where the service is; `DARKROOM_API_KEY` your key, where it wants one. Needs `pip install openai`, and
nothing of darkroom.
"""

import base64
import os
from pathlib import Path

from openai import OpenAI

URL = os.environ.get("DARKROOM_URL", "http://127.0.0.1:8000")


def save(name: str, b64_json: str | None) -> None:
    assert b64_json
    Path(name).write_bytes(base64.b64decode(b64_json))
    print(name)


def main() -> None:
    # The package wants some key, also where the service wants none.
    client = OpenAI(base_url=f"{URL}/v1", api_key=os.environ.get("DARKROOM_API_KEY") or "none")
    print(*(model.id for model in client.models.list()))

    made = client.images.generate(
        prompt="a blue star on a yellow background",
        size="128x128",
        # What this service takes beyond OpenAI's own fields goes in here.
        extra_body={"seed": 7, "negative_prompt": "black", "num_inference_steps": 20},
    )
    assert made.data
    save("openai.png", made.data[0].b64_json)

    edited = client.images.edit(
        image=Path("openai.png"), prompt="a red star on a yellow background", extra_body={"seed": 7, "strength": 0.7}
    )
    assert edited.data
    save("edited.png", edited.data[0].b64_json)

    # Pictures of what is not finished yet, as they come.
    asked = {"prompt": "a green heart on a black background", "size": "128x128", "partial_images": 2}
    for event in client.images.generate(**asked, stream=True):
        print(event.type)


if __name__ == "__main__":
    main()
