"""A picture by a client of AUTOMATIC1111's web UI, which is told another host and port and nothing else.

    python examples/a1111.py            leaves a1111.png in the folder you are in

`DARKROOM_URL` is where the service is; `DARKROOM_API_KEY` your key, where it wants one: it is the password of Basic,
with any user. Needs `pip install webuiapi`, and nothing of darkroom.
"""

import os
from urllib.parse import urlsplit

import webuiapi


def client() -> webuiapi.WebUIApi:
    place = urlsplit(os.environ.get("DARKROOM_URL", "http://127.0.0.1:8000"))
    api = webuiapi.WebUIApi(
        host=place.hostname,
        port=place.port or (443 if place.scheme == "https" else 80),
        use_https=place.scheme == "https",
    )
    if key := os.environ.get("DARKROOM_API_KEY"):
        api.set_auth("darkroom", key)
    return api


def main() -> None:
    api = client()
    print(*(model["title"] for model in api.get_sd_models()), sep="\n")
    made = api.txt2img(
        prompt="a (blue:1.2) star on a yellow background <lora:outline:0.5>",
        seed=7,
        width=128,
        height=128,
        steps=20,
        sampler_name="Euler a",
    )
    made.image.save("a1111.png")
    print(made.info["infotexts"][0])


if __name__ == "__main__":
    main()
