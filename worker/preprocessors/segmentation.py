"""What is where, by a network: each of the 150 classes of ADE20K in its colour."""

import cv2
import numpy as np
import torch
from torch.nn.functional import interpolate
from transformers import AutoModelForSemanticSegmentation

from darkroom.contract.preprocessor import PreprocessorSpec
from darkroom.inputs.normal import Pixels
from worker.preprocessors.ade20k import CLASSES, PALETTE_N3
from worker.preprocessors.method import Method
from worker.preprocessors.transformers_folder import load_reader, refuse_config


def load_segmentation(spec: PreprocessorSpec, device: torch.device) -> Method:
    """Any network of `AutoModelForSemanticSegmentation` that tells the classes of ADE20K.

    Raises: BrokenWeights, naming the file.
    """
    reader = load_reader(AutoModelForSemanticSegmentation, spec, device)
    if (told := reader.network.config.num_labels) != CLASSES:
        raise refuse_config(f"tells {told} classes, not the {CLASSES} of ADE20K")

    def segmentation(rgb_HW3: Pixels) -> Pixels:
        answer, seen = reader.read(rgb_HW3)
        # At the size that the network saw, not at the picture's: 150 numbers a pixel are much.
        logits_1CHW = interpolate(answer.logits, seen, mode="bilinear", align_corners=False)
        if not torch.isfinite(logits_1CHW).all():
            raise ValueError("the network tells no classes")
        classes_HW = logits_1CHW[0].argmax(dim=0).to(torch.uint8).cpu().numpy()
        size = rgb_HW3.shape[1], rgb_HW3.shape[0]
        return PALETTE_N3[np.asarray(cv2.resize(classes_HW, size, interpolation=cv2.INTER_NEAREST))]

    return segmentation
