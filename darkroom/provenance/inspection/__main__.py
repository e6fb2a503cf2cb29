"""The child that looks at files, one after another, until its standard input ends: `python -m` this package."""

import os
import signal
import sys
from typing import IO

import cv2
import numpy as np

from darkroom.errors import BadPicture
from darkroom.provenance.inspection.inspector import InspectorHere
from darkroom.provenance.inspection.limits import confine, grant_seconds, resident_bytes
from darkroom.provenance.inspection.messages import QUESTION, Answer, Brief, Fit, Look, Question, Read, Take


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent
    questions, answers = sys.stdin.buffer, _own_output()
    inspector = _inspector(Brief.model_validate_json(questions.readline()))
    confine()
    new = resident_bytes()
    while line := questions.readline():
        question = QUESTION.validate_json(line)
        grant_seconds()
        answer = _answer(inspector, question, questions.read(question.length))
        grown = answer.model_copy(update={"grown": max(0, resident_bytes() - new)})
        answers.write(grown.model_dump_json().encode() + b"\n")
        answers.flush()


def _inspector(brief: Brief) -> InspectorHere:
    """With everything built that is built on first use: it belongs to no picture's share of memory."""
    cv2.setNumThreads(1)
    watermarker = brief.watermarker
    watermarker.identify(np.zeros((128, 128, 3), np.uint8))
    return InspectorHere(watermarker, brief.trust)


def _answer(inspector: InspectorHere, question: Question, data: bytes) -> Answer:
    try:
        match question:
            case Look():
                return Answer(evidence=inspector.evidence(data))
            case Read():
                return Answer(credential=inspector.kept(data))
            case Take():
                return Answer(taken=inspector.carrier.take(data))
            case Fit():
                return Answer(fits=inspector.carrier.fit(question.credentials))
    except BadPicture as error:
        return Answer(refused=error.detail)
    except Exception as error:  # noqa: BLE001 - whatever a picture does to a library, the next one is looked at
        return Answer(failed=type(error).__name__)


def _own_output() -> IO[bytes]:
    """Standard output for answers alone: what libraries print goes where errors go."""
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return output


if __name__ == "__main__":
    main()
