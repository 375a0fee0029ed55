"""Which pretrained encoder, and how it is used: what the config's `backbone` says, and what builds it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from headway.models.pretrained import drop_untrained, quiet, readable
from headway.models.ranges import check_one_of
from headway.types import ConfigError

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerFast

    from headway.models.architecture import Architecture
    from headway.models.encoder import Encoder

PIN_KEYS = ("name", "version", "filename", "sha256")


class Backbone:
    """Describes a pretrained encoder; nothing is read before a method is called.

    Args:
        name: A model on the hub or a local folder. Exactly one of name and package is set.
        revision: Branch, tag or commit on the hub; None: its main branch.
        package: name, version, filename and sha256 of an archive on the package index.
        member: The model's folder in that archive.
        trainable: "all", "none" or "last_n".
        last_n: Last layers that train, with trainable="last_n" only.
        attention: "sdpa" or "eager".
        layout: "auto", "packed" (no padding is computed), "grouped" (little is) or "padded".
        gradient_checkpointing: Compute activations again in the backward pass rather than keep them.
        compile: Use torch.compile, on rows that are padded to few lengths. Not measured on a GPU.
        fast_dropout: Draw cheaper random numbers for dropout on a CPU; rates become multiples of 1/65536.

    Raises:
        ConfigError: A value isn't allowed, or two don't go together.
    """

    def __init__(
        self,
        *,
        name: str | None,
        revision: str | None,
        package: Mapping[str, str] | None,
        member: str | None,
        trainable: str,
        last_n: int | None,
        attention: str,
        layout: str,
        gradient_checkpointing: bool,
        compile: bool,
        fast_dropout: bool,
    ) -> None:
        check_one_of("backbone.trainable", trainable, ("all", "none", "last_n"))
        check_one_of("backbone.attention", attention, ("sdpa", "eager"))
        check_one_of("backbone.layout", layout, ("auto", "packed", "grouped", "padded"))
        check_one_of("backbone.gradient_checkpointing", gradient_checkpointing, (True, False))
        check_one_of("backbone.compile", compile, (True, False))
        check_one_of("backbone.fast_dropout", fast_dropout, (True, False))
        _check_origin(name=name, revision=revision, package=package, member=member)
        _check_last_n(trainable, last_n)
        if layout == "packed" and compile:
            raise ConfigError(
                "`backbone.layout` can be packed only with compile=false, got true; set backbone.layout=auto"
            )
        self.name = name
        self.revision = revision
        self.package = package
        self.member = member
        self.trainable = trainable
        self.last_n = last_n
        self.attention = attention
        self.layout = "padded" if compile else layout
        self.gradient_checkpointing = gradient_checkpointing
        self.compile = compile
        self.fast_dropout = fast_dropout
        self._architecture: Architecture | None = None

    def folder_or_name(self) -> str:
        """Return what `from_pretrained` takes: a folder, fetched first if it is a package's, or a hub name.

        Raises:
            ConfigError: The folder doesn't exist, or the package isn't what was pinned.
            DataError: The package index can't be reached, or the archive has no such member.
        """
        if self.package is not None and self.member is not None:
            from headway.packages import PackagePin, extract_folder

            return str(extract_folder(PackagePin(**self.package), self.member))
        name = str(self.name)
        folder = Path(name).expanduser()
        if folder.is_dir():
            return str(folder)
        if name.startswith(("/", ".", "~")):
            raise ConfigError(
                f"`backbone.name` must be a folder or a model on the hub, got {name!r}; no such folder"
            )
        return name

    def load_config(self) -> PreTrainedConfig:
        """Return the model's config.

        Raises:
            ConfigError: It can't be found or read.
        """
        from transformers import AutoConfig

        with self._readable("model"):
            config: PreTrainedConfig = AutoConfig.from_pretrained(**self._source())
        if getattr(config, "is_encoder_decoder", False):
            raise ConfigError(
                f"`backbone` must be an encoder, got {config.model_type}, which has a decoder too; choose a "
                "model such as BERT"
            )
        return config

    def load_tokenizer(self) -> PreTrainedTokenizerFast:
        """Return the model's tokenizer.

        Raises:
            ConfigError: It can't be found or read, or is a slow one, which can't say where words begin.
        """
        from transformers import AutoTokenizer

        with self._readable("tokenizer"):
            tokenizer = AutoTokenizer.from_pretrained(**self._source())
        if not tokenizer.is_fast:
            raise ConfigError(
                f"`backbone` must have a fast tokenizer, got {type(tokenizer).__name__}; add a "
                "tokenizer.json to the model, or choose another"
            )
        return cast("PreTrainedTokenizerFast", tokenizer)

    def architecture(self) -> Architecture:
        """Return the model's measures, and check what is asked of it, from its config alone.

        Raises:
            ConfigError: As load_encoder, but for what only the weights can tell.
        """
        import torch
        from transformers import AutoModel

        if self._architecture is not None:
            return self._architecture
        config = self.load_config()
        with torch.device("meta"):  # shapes only: no memory, no time
            model = AutoModel.from_config(config, attn_implementation="eager")  # type: ignore[no-untyped-call]
        if self.attention == "sdpa" and not model._supports_sdpa:
            raise ConfigError(
                f"`backbone.attention` must be eager for {model.config.model_type}, got sdpa, which it "
                "doesn't have; set backbone.attention=eager"
            )
        if self.gradient_checkpointing and not model.supports_gradient_checkpointing:
            raise ConfigError(
                f"`backbone.gradient_checkpointing` must be false for {model.config.model_type}, got true; "
                "it has none"
            )
        model.set_attn_implementation(self.attention)
        self._architecture = self._wrap(model).architecture
        return self._architecture

    def load_encoder(self) -> Encoder:
        """Return the encoder with its weights in float32, on the CPU and in training mode.

        Raises:
            ConfigError: Model or weights can't be found or read, weights are missing, or what is asked of the
                model doesn't go with it.
        """
        import torch
        from transformers import AutoModel

        from headway.models.fast_dropout import use_fast_dropout

        self.architecture()
        with self._readable("model"), quiet():
            # Without dtype transformers 5 would train in whatever precision the file has.
            model, report = AutoModel.from_pretrained(
                **self._source(),
                dtype=torch.float32,
                attn_implementation=self.attention,
                output_loading_info=True,
            )
        drop_untrained(model, report["missing_keys"])
        if self.fast_dropout:
            use_fast_dropout(model)
        if self.gradient_checkpointing:
            # Renamed within transformers 5; the old name warns.
            new = getattr(model, "activation_checkpointing_enable", None)
            (new or model.gradient_checkpointing_enable)({"use_reentrant": False})
        encoder = self._wrap(model)
        if self.compile:
            model.compile(dynamic=True)
        return encoder

    def _wrap(self, model: PreTrainedModel) -> Encoder:
        from headway.models.encoder import Encoder

        frozen: dict[str, Any] = {"trainable": self.trainable, "last_n": self.last_n}
        return Encoder(model, **frozen, layout=self.layout, few_shapes=self.compile)

    def _source(self) -> dict[str, Any]:
        # Stated, since None would ask at the terminal whether to run the model's code.
        name = self.folder_or_name()
        source: dict[str, Any] = {"pretrained_model_name_or_path": name, "trust_remote_code": False}
        return source if self.revision is None else {**source, "revision": self.revision}

    def _readable(self, what: str) -> AbstractContextManager[None]:
        if self.package is None:
            return readable(what, key="backbone.name", value=self.name)
        return readable(what, key="backbone.member", value=self.member)


def _check_origin(
    *, name: str | None, revision: str | None, package: Mapping[str, str] | None, member: str | None
) -> None:
    if (name is None) == (package is None):
        raise ConfigError(
            f"`backbone.name` or `backbone.package` must be set, and not both, got {name!r} and {package!r}; "
            "set one, and null for the other"
        )
    if (package is None) != (member is None):
        raise ConfigError(
            f"`backbone.member` must be the model's folder in backbone.package, got {member!r} with package "
            f"{package!r}; set both or neither"
        )
    if revision is not None and name is None:
        raise ConfigError(
            f"`backbone.revision` must be null with a package, got {revision!r}; its sha256 pins it"
        )
    if package is not None and set(package) != set(PIN_KEYS):
        raise ConfigError(f"`backbone.package` must have the keys {list(PIN_KEYS)}, got {list(package)}")


def _check_last_n(trainable: str, last_n: object) -> None:
    if trainable != "last_n" and last_n is not None:
        raise ConfigError(
            f"`backbone.last_n` must be null with trainable={trainable}, got {last_n!r}; set "
            "backbone.trainable=last_n"
        )
    if trainable == "last_n" and (not isinstance(last_n, int) or isinstance(last_n, bool) or last_n < 1):
        raise ConfigError(
            f"`backbone.last_n` must be a whole number of at least 1 with trainable=last_n, got {last_n!r}; "
            "set how many of the last layers train"
        )
