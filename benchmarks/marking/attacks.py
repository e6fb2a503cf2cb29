"""What happens to pictures on their way through the world, deterministic and in one list.

LISTED is what the mark promises to survive; the kinds are those that papers on watermarks agree on (StegaStamp, arXiv
1904.05343; WAVES, arXiv 2401.08573; TrustMark, arXiv 2311.18297), their strengths those of the prototype. BEYOND shows
where it ends. A crop by a share cuts that share off each side's length.
"""

import io
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

RGB = NDArray[np.uint8]
Attack = Callable[[RGB], RGB]


def saved(rgb: RGB, media: str, **options: int) -> RGB:
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, media, **options)
    return np.asarray(Image.open(buffer).convert("RGB"))


def jpeg(quality: int) -> Attack:
    return lambda rgb: saved(rgb, "JPEG", quality=quality)


def webp(quality: int) -> Attack:
    return lambda rgb: saved(rgb, "WEBP", quality=quality)


def resized(rgb: RGB, width: int, height: int) -> RGB:
    shrinks = width < rgb.shape[1]
    return np.asarray(cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC))


def scale(factor: float) -> Attack:
    return lambda rgb: resized(rgb, round(rgb.shape[1] * factor), round(rgb.shape[0] * factor))


def there_and_back(factor: float) -> Attack:
    return lambda rgb: resized(scale(factor)(rgb), rgb.shape[1], rgb.shape[0])


def crop(share: float) -> Attack:
    """Two thirds of what goes, goes at the top and left: no crop begins on a tile."""

    def cut(rgb: RGB) -> RGB:
        height, width = rgb.shape[:2]
        top, left = int(height * share * 2 / 3), int(width * share * 2 / 3)
        return rgb[top : top + round(height * (1 - share)), left : left + round(width * (1 - share))]

    return cut


def enhanced(kind: Callable[[Image.Image], ImageEnhance._Enhance], factor: float) -> Attack:
    return lambda rgb: np.asarray(kind(Image.fromarray(rgb)).enhance(factor))


def noise(deviation: float) -> Attack:
    return lambda rgb: _rounded(rgb + np.random.default_rng(0).normal(0, deviation, rgb.shape))


def blur(sigma: float) -> Attack:
    return lambda rgb: np.asarray(cv2.GaussianBlur(rgb, (0, 0), sigma))


def rotate(degrees: float) -> Attack:
    """About the middle; the corners that come in are black."""

    def turned(rgb: RGB) -> RGB:
        height, width = rgb.shape[:2]
        turn = cv2.getRotationMatrix2D((width / 2 - 0.5, height / 2 - 0.5), degrees, 1)
        return np.asarray(cv2.warpAffine(rgb, turn, (width, height), flags=cv2.INTER_CUBIC))

    return turned


def flip(rgb: RGB) -> RGB:
    return np.ascontiguousarray(rgb[:, ::-1])


def turn(rgb: RGB) -> RGB:
    return np.ascontiguousarray(np.rot90(rgb))


def chain(*steps: Attack) -> Attack:
    def all_of_them(rgb: RGB) -> RGB:
        for step in steps:
            rgb = step(np.ascontiguousarray(rgb))
        return rgb

    return all_of_them


def gamma(power: float) -> Attack:
    return lambda rgb: _rounded(255 * (rgb / 255.0) ** power)


def stretch(rgb: RGB) -> RGB:
    return resized(rgb, rgb.shape[1] * 4 // 3, rgb.shape[0])


def grey(rgb: RGB) -> RGB:
    return np.repeat(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)


def equalised(rgb: RGB) -> RGB:
    ycc = cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb)
    ycc[..., 0] = cv2.equalizeHist(np.ascontiguousarray(ycc[..., 0]))
    return np.asarray(cv2.cvtColor(ycc, cv2.COLOR_YCrCb2RGB))


def banner(rgb: RGB) -> RGB:
    """A grey band over the lowest eighth and a disc in a corner."""
    drawn = rgb.copy()
    height, width = rgb.shape[:2]
    drawn[height * 7 // 8 :] = 90
    return np.asarray(cv2.circle(drawn, (width * 7 // 8, height // 8), width // 10, (240, 240, 240), cv2.FILLED))


def _rounded(picture: NDArray[np.floating]) -> RGB:
    return np.rint(np.clip(picture, 0, 255)).astype(np.uint8)


SOCIAL = chain(scale(0.75), jpeg(70))

LISTED: dict[str, Attack] = {
    "nothing": lambda rgb: rgb,
    "PNG": lambda rgb: saved(rgb, "PNG"),
    **{f"JPEG {quality}": jpeg(quality) for quality in (90, 75, 50, 30)},
    **{f"WebP {quality}": webp(quality) for quality in (80, 50)},
    **{f"resize {share} % and back": there_and_back(share / 100) for share in (75, 50, 25)},
    "resize 50 %": scale(0.5),
    **{f"crop {share} %": crop(share / 100) for share in (5, 10, 25)},
    **{f"brightness {change:+} %": enhanced(ImageEnhance.Brightness, 1 + change / 100) for change in (20, -20)},
    **{f"contrast {change:+} %": enhanced(ImageEnhance.Contrast, 1 + change / 100) for change in (20, -20)},
    **{f"saturation {change:+} %": enhanced(ImageEnhance.Color, 1 + change / 100) for change in (20, -20)},
    **{f"noise {deviation}": noise(deviation) for deviation in (5, 10)},
    "blur 1.5": blur(1.5),
    "screenshot": chain(scale(1.25), crop(0.04), gamma(1.05), jpeg(90)),
    "rotate 2": rotate(2),
    "flip": flip,
    "social: 75 %, JPEG 70": SOCIAL,
}

BEYOND: dict[str, Attack] = {
    "JPEG 15": jpeg(15),
    **{f"crop {share} %": crop(share / 100) for share in (40, 50, 60)},
    **{f"rotate {degrees}": rotate(degrees) for degrees in (5, 10, -7.3)},
    "quarter turn": turn,
    "stretch 4:3": stretch,
    "resize 25 %": scale(0.25),
    "resize 12.5 %": scale(0.125),
    "grey": grey,
    "median 5": lambda rgb: np.asarray(cv2.medianBlur(rgb, 5)),
    "equalise": equalised,
    "noise 20": noise(20),
    "sharpen x3": enhanced(ImageEnhance.Sharpness, 3.0),
    "non-local means": lambda rgb: np.asarray(cv2.fastNlMeansDenoisingColored(rgb, None, 5, 5, 7, 15)),
    "banner and logo": banner,
    "blur 3": blur(3),
    "crop 20 %, social": chain(crop(0.2), SOCIAL),
    "social x3": chain(*(chain(scale(0.9), jpeg(quality)) for quality in (70, 65, 60))),
}
