"""Checkpoints the engine's tests share. They are read only: a test that breaks one copies it first."""

from pathlib import Path

import pytest
import torch

from darkroom.catalog import embedded_model_folder
from tests.unit.engine.checkpoints import CPU, write_checkpoint
from tests.unit.engine.xl import write_refiner, write_xl
from worker.models.checkpoint import Checkpoint
from worker.models.loader import load_folder


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def epsilon_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("epsilon"), "epsilon")


@pytest.fixture(scope="session")
def velocity_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("velocity"), "v_prediction", seed=1)


@pytest.fixture(scope="session")
def inpainting(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    """A network that takes the mask and what stays besides the latents."""
    folder = write_checkpoint(tmp_path_factory.mktemp("inpainting"), "epsilon", seed=2, in_channels=9)
    return load_folder("model", folder, CPU, torch.float32)


@pytest.fixture(scope="session")
def epsilon(epsilon_folder: Path) -> Checkpoint:
    return load_folder("model", epsilon_folder, CPU, torch.float32)


@pytest.fixture(scope="session")
def velocity(velocity_folder: Path) -> Checkpoint:
    return load_folder("model", velocity_folder, CPU, torch.float32)


@pytest.fixture(scope="session")
def embedded() -> Checkpoint:
    return load_folder("tiny", embedded_model_folder(), CPU, torch.float32)


@pytest.fixture(scope="session")
def xl_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_xl(tmp_path_factory.mktemp("xl"))


@pytest.fixture(scope="session")
def xl(xl_folder: Path) -> Checkpoint:
    return load_folder("model", xl_folder, CPU, torch.float32)


@pytest.fixture(scope="session")
def xl_inpainting(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return load_folder(
        "model", write_xl(tmp_path_factory.mktemp("inpaint"), seed=11, in_channels=9), CPU, torch.float32
    )


@pytest.fixture(scope="session")
def refiner(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return load_folder("model", write_refiner(tmp_path_factory.mktemp("refiner")), CPU, torch.float32)
