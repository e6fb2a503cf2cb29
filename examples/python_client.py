"""A picture from Python, followed while it is made, then changed, and what can be proven about it.

    python examples/python_client.py           leaves star.png and red.png in the folder you are in

`DARKROOM_URL` is where the service is; `DARKROOM_API_KEY` your key, where it wants one.
"""

import sys
from pathlib import Path

from darkroom import Client
from darkroom.client import NotMade

STAR = "a blue star on a yellow background"
RED = "a red star on a yellow background"


def main() -> None:
    with Client() as client:
        asked = client.submit(STAR, seed=7)
        for event in client.events(asked.id):
            print(event.name, *(event.data[name] for name in ("step", "steps") if name in event.data))
        star = client.wait(asked)
        client.save(star, "star.png")

        # Pictures to begin with are paths, bytes or PIL images.
        try:
            red = client.generate(RED, image=Path("star.png"), strength=0.7, seed=7, within=120)
        except NotMade as error:
            raise SystemExit(f"no picture: {error}") from error
        client.save(red, "red.png")

        for notice in red.warnings:
            print(f"note: {notice.field}: {notice.reason}", file=sys.stderr)
        verdict = client.verify(Path("red.png"))
        print(verdict.state, red.images[0].watermark_id)


if __name__ == "__main__":
    main()
