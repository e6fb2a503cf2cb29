"""Straight lines, as walls, roofs and streets have them. In the place of M-LSD, which needs a network."""

import cv2
import numpy as np

from darkroom.inputs.normal import Pixels
from worker.preprocessors.method import three_channels

# Of the shorter side. M-LSD leaves out segments below a length too; shorter ones are mostly texture.
SHORTEST = 0.07


def straight_lines(rgb_HW3: Pixels) -> Pixels:
    """Segments of at least SHORTEST of the shorter side, one pixel wide.

    R. Grompone von Gioi et al., LSD: a line segment detector, 2012; OpenCV's, at its own thresholds: at most one false
    segment is expected in a picture of noise.
    """
    grey_HW = cv2.cvtColor(rgb_HW3, cv2.COLOR_RGB2GRAY)
    drawn_HW = np.zeros_like(grey_HW)
    found = cv2.createLineSegmentDetector(cv2.LSD_REFINE_ADV).detect(grey_HW)[0]
    if found is not None:
        ends_N4 = np.asarray(found, np.float32).reshape(-1, 4)
        length_N = np.hypot(ends_N4[:, 2] - ends_N4[:, 0], ends_N4[:, 3] - ends_N4[:, 1])
        for x0, y0, x1, y1 in np.rint(ends_N4[length_N >= SHORTEST * min(grey_HW.shape)]).astype(int).tolist():
            cv2.line(drawn_HW, (x0, y0), (x1, y1), 255, 1)
    return three_channels(np.asarray(drawn_HW, np.uint8))
