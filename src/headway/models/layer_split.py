"""A model's lowest layers and the layers above them, run apart: what is frozen below need run only once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from headway.models.architecture import layer_list

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class LayerSplit:
    """Runs a transformers model up to a layer, or from there on.

    The list of layers is cut for the length of a call, so that parameters keep their names. What stands
    around it runs as always: embeddings, which cost little, run in the upper part too, and their states are
    thrown away there.

    Args:
        model: Its layers stand in one list.
        depth: Layers below the cut, in [1, num_layers).

    Raises:
        ValueError: There is no list of layers, or depth is outside it.
    """

    def __init__(self, model: PreTrainedModel, depth: int) -> None:
        found = layer_list(model)
        if found is None or not 1 <= depth < len(found[1]):
            raise ValueError(f"a cut after layer {depth} needs a list of more layers")
        path, layers = found
        parent, _, self._name = path.rpartition(".")
        self._parent = model.get_submodule(parent)
        self._layers = layers
        self.depth = depth

    @contextmanager
    def _only(self, layers: nn.ModuleList) -> Iterator[None]:
        self._parent.register_module(self._name, layers)
        try:
            yield
        finally:
            self._parent.register_module(self._name, self._layers)

    def lower(self, call: Callable[[], Any]) -> Tensor:
        """Return the states that the lower layers give.

        Args:
            call: Calls the model.

        Returns:
            What the first layer above the cut would be given.
        """
        kept: list[Tensor] = []

        def keep(_: nn.Module, __: Any, output: Any) -> None:
            """Keep a layer's states; some families' layers give a tuple that begins with them."""
            kept.append(output if isinstance(output, Tensor) else output[0])

        with self._only(self._layers[: self.depth]):
            handle = self._layers[self.depth - 1].register_forward_hook(keep)
            try:
                call()
            finally:
                handle.remove()
        return kept[0]

    def upper(self, call: Callable[[], Tensor], states: Tensor) -> Tensor:
        """Return what the model gives with the lower layers' states put in.

        Args:
            call: Calls the model, with the inputs that `lower` had.
            states: What `lower` returned.

        Returns:
            What `call` returns.
        """

        def put_in(_: nn.Module, inputs: Any, named: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
            """Replace a layer's states, which come first or by their name."""
            if inputs:
                return (states, *inputs[1:]), named
            return inputs, {**named, "hidden_states": states}

        with self._only(self._layers[self.depth :]):
            handle = self._layers[self.depth].register_forward_pre_hook(put_in, with_kwargs=True)
            try:
                return call()
            finally:
                handle.remove()
