"""Networks with TrustMark's interface that need no training: spread spectrum on a grid, written as ONNX.

The encoder sets the projections of the picture onto 100 orthogonal patterns to plus or minus DEPTH; the decoder looks
at their signs.
"""

from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from darkroom.provenance.trustmark.networks import NetworkFiles, Variant
from darkroom.provenance.trustmark.packet import PACKET_BITS

SIDE, GRID = 256, 64
CELL = SIDE // GRID
DEPTH = 0.25


def networks_in(folder: Path, variant: Variant = "Q") -> NetworkFiles:
    """Both networks as files, which are some MB."""
    encoder, decoder = saved(encoder_model(), folder / "encoder.onnx"), saved(decoder_model(), folder / "decoder.onnx")
    return NetworkFiles(variant, encoder, digest(encoder), decoder, digest(decoder))


def digest(file: Path) -> str:
    return sha256(file.read_bytes()).hexdigest()


def saved(model: onnx.ModelProto, file: Path) -> Path:
    onnx.save(model, file)
    return file


def encoder_model(bits: int = PACKET_BITS) -> onnx.ModelProto:
    nodes = [
        *_projected("image"),
        helper.make_node("Mul", ["bits", "twice"], ["doubled"]),
        helper.make_node("Sub", ["doubled", "depth"], ["wanted"]),
        helper.make_node("Sub", ["wanted", "projections"], ["missing"]),
        helper.make_node("MatMul", ["missing", "patterns"], ["flat_change"]),
        helper.make_node("Reshape", ["flat_change", "grid"], ["change"]),
        helper.make_node("Resize", ["change", "", "scales"], ["large_change"], mode="nearest"),
        helper.make_node("Add", ["image", "large_change"], ["stego"]),
    ]
    inputs = [_value("image", 1, 3, SIDE, SIDE), _value("bits", 1, bits)]
    constants = {
        "twice": np.float32(2 * DEPTH),
        "depth": np.float32(DEPTH),
        "grid": np.array([1, 1, GRID, GRID]),
        "scales": np.array([1, 1, CELL, CELL], np.float32),
        "patterns": _patterns(bits),
    }
    return _model(nodes, inputs, _value("stego", 1, 3, SIDE, SIDE), constants, bits)


def decoder_model() -> onnx.ModelProto:
    return _model(_projected("image"), [_value("image", 1, 3, SIDE, SIDE)], _value("projections", 1, PACKET_BITS), {})


def _projected(image: str) -> list[onnx.NodeProto]:
    return [
        helper.make_node("ReduceMean", [image], ["grey"], axes=[1], keepdims=1),
        helper.make_node("AveragePool", ["grey"], ["cells"], kernel_shape=[CELL, CELL], strides=[CELL, CELL]),
        helper.make_node("Flatten", ["cells"], ["flat"]),
        helper.make_node("MatMul", ["flat", "filters"], ["projections"]),
    ]


def _patterns(bits: int) -> np.ndarray[Any, Any]:
    """Orthonormal rows of noise times a chequerboard: pictures have little there."""
    noise = np.random.default_rng(1).normal(size=(GRID * GRID, bits))
    chequered = 1 - 2 * (np.indices((GRID, GRID)).sum(axis=0) % 2)
    smooth = np.linalg.qr(noise)[0].T
    return np.asarray(smooth * chequered.reshape(-1), np.float32)


def _value(name: str, *shape: int) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def _model(
    nodes: list[onnx.NodeProto],
    inputs: list[onnx.ValueInfoProto],
    output: onnx.ValueInfoProto,
    constants: dict[str, Any],
    bits: int = PACKET_BITS,
) -> onnx.ModelProto:
    held = constants | {"filters": np.ascontiguousarray(_patterns(bits).T)}
    tensors = [numpy_helper.from_array(np.asarray(value), name) for name, value in held.items()]
    graph = helper.make_graph(nodes, "stand-in", inputs, [output], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
