"""What reading TrustMark's marks costs where there is none: `python -m benchmarks.trustmark`.

Adobe's decoders are ResNet-50s (Bui et al., arXiv 2311.18297), which see P at 224 pixels and the other variants at 256.
Stand-ins of the same layers with weights by chance cost the same, and read nothing. Times are CPU milliseconds of one
thread, medians over pictures. The last line is the figures as JSON.
"""

import json
import time
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final

import cv2
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from benchmarks.encode import clouds, leaves
from darkroom.provenance.trustmark.networks import DECODER_SIDES, NetworkFiles, Networks, Variant
from darkroom.provenance.trustmark.packet import PACKET_BITS
from darkroom.provenance.trustmark.watermarker import TrustmarkWatermarker

STAGES: Final = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))  # of ResNet-50: width, blocks, stride
SIDES: Final = (256, 512, 1024, 2048)  # pixels
KEYS: Final = 24


def main() -> None:
    cv2.setNumThreads(1)
    figures: dict[str, float] = {}
    variants: tuple[Variant, ...] = ("P", "Q")
    for variant in variants:
        with TemporaryDirectory() as folder:
            networks = Networks(_files(Path(folder), variant))
        marks = TrustmarkWatermarker(networks, tuple(bytes([number]) * 32 for number in range(KEYS)))
        side = networks.decoder_side
        figures[f"decode_{variant}_ms"] = _milliseconds(networks.decode, [np.zeros((1, 3, side, side), np.float32)] * 9)
        for size in SIDES:
            figures[f"identify_{variant}_{size}_ms"] = _milliseconds(marks.identify, [leaves(size), clouds(size)] * 3)
            print(f"{variant}  {size:5} pixels  {figures[f'identify_{variant}_{size}_ms']:7.1f} ms", flush=True)
    print(json.dumps({"benchmark": "trustmark", "figures": figures}))


def _milliseconds(run: Any, seen: Sequence[Any]) -> float:
    run(seen[0])
    times = []
    for each in seen:
        begun = time.thread_time()
        run(each)
        times.append(1e3 * (time.thread_time() - begun))
    return round(median(times), 1)


def _files(folder: Path, variant: Variant) -> NetworkFiles:
    """A decoder of the true size, and an encoder that is there because there must be one."""
    encoder, decoder = folder / "encoder.onnx", folder / "decoder.onnx"
    onnx.save(_unchanging(), encoder)
    onnx.save(resnet50(DECODER_SIDES[variant]), decoder)
    return NetworkFiles(variant, encoder, _sha256(encoder), decoder, _sha256(decoder))


def _sha256(file: Path) -> str:
    return sha256(file.read_bytes()).hexdigest()


def resnet50(side: int) -> onnx.ModelProto:
    """Of He et al. (arXiv 1512.03385), with PACKET_BITS outputs; its normalisation lies in the convolutions."""
    net = _Net()
    flow = net.add("MaxPool", net.conv("image", 3, 64, 7, 2), kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    channels = 64
    for width, blocks, stride in STAGES:
        for block in range(blocks):
            step = 1 if block else stride
            deep = net.conv(net.conv(flow, channels, width, 1, 1), width, width, 3, step)
            deep = net.conv(deep, width, 4 * width, 1, 1, relu=False)
            past = flow if block else net.conv(flow, channels, 4 * width, 1, step, relu=False)
            flow, channels = net.add("Relu", net.add("Add", deep, past)), 4 * width
    flat = net.add("Flatten", net.add("GlobalAveragePool", flow))
    bits = net.add("MatMul", flat, net.weights(channels, PACKET_BITS))
    return net.model(bits, side)


class _Net:
    """A graph that grows by nodes, each named by its number."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.TensorProto] = []
        self._dice = np.random.default_rng(0)

    def add(self, kind: str, *inputs: str, **options: Any) -> str:
        name = f"{kind}{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, inputs, [name], **options))
        return name

    def weights(self, *shape: int) -> str:
        name = f"weights{len(self._weights)}"
        drawn = self._dice.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape).astype(np.float32)
        self._weights.append(numpy_helper.from_array(drawn, name))
        return name

    def conv(self, flow: str, taken: int, given: int, kernel: int, stride: int, *, relu: bool = True) -> str:
        weights = self.weights(given, taken, kernel, kernel)
        pads = [kernel // 2] * 4
        made = self.add("Conv", flow, weights, kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=pads)
        return self.add("Relu", made) if relu else made

    def model(self, output: str, side: int) -> onnx.ModelProto:
        taken = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, side, side])
        given = helper.make_tensor_value_info(output, TensorProto.FLOAT, [1, PACKET_BITS])
        return _model(helper.make_graph(self._nodes, "resnet50", [taken], [given], self._weights))


def _unchanging() -> onnx.ModelProto:
    """An encoder that marks nothing."""
    shapes: Iterator[tuple[str, list[int]]] = iter([("image", [1, 3, 256, 256]), ("bits", [1, PACKET_BITS])])
    taken = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes]
    given = helper.make_tensor_value_info("same", TensorProto.FLOAT, [1, 3, 256, 256])
    return _model(helper.make_graph([helper.make_node("Identity", ["image"], ["same"])], "none", taken, [given]))


def _model(graph: onnx.GraphProto) -> onnx.ModelProto:
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


if __name__ == "__main__":
    main()
