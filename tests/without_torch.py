"""Refuses torch in a process of pytest: whose tests need it are listed in the Makefile, and another runs them all."""

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

HEAVY = {"torch", "diffusers", "transformers", "peft"}


class TorchRefused(BaseException):
    """Of no kind that is caught where another way is taken without torch."""


class Refuse(MetaPathFinder, Loader):
    """Whoever only asks whether torch is installed hears that it is."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return ModuleSpec(name, self) if name in HEAVY else None

    def exec_module(self, module: ModuleType) -> None:
        raise TorchRefused(f"{module.__name__} takes seconds to import: list these tests under TORCH in the Makefile")


sys.meta_path.insert(0, Refuse())
