"""Known security advisories of what headway builds on, against what is installed."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.version import Version


@dataclass(frozen=True)
class Advisory:
    """A published weakness of a package.

    Attributes:
        package: As the index names it.
        name: The advisory's.
        fixed: The first version without it.
        what: What an attacker could do.
    """

    package: str
    name: str
    fixed: str
    what: str


ADVISORIES = (
    Advisory("torch", "CVE-2025-32434", "2.6.0", "torch.load runs code even with weights_only=True"),
    Advisory("torch", "CVE-2026-24747", "2.10.0", "torch.load corrupts memory even with weights_only=True"),
    Advisory("pytorch-lightning", "CVE-2024-5452", "2.3.3", "foreign state runs code while it is loaded"),
    Advisory("transformers", "CVE-2024-11392", "4.48.0", "a model file runs code (MobileViTV2)"),
    Advisory("transformers", "CVE-2024-11393", "4.48.0", "a model file runs code (MaskFormer)"),
    Advisory("transformers", "CVE-2024-11394", "4.48.0", "a model file runs code (Trax)"),
    Advisory("transformers", "CVE-2026-4372", "5.3.0", "a config.json runs code without trust_remote_code"),
    Advisory("transformers", "CVE-2026-5241", "5.5.0", "see the advisory, GHSA-fgcw-684q-jj6r"),
    Advisory("transformers", "CVE-2025-3263", "4.51.0", "denial of service by a regular expression"),
    Advisory("transformers", "CVE-2025-3264", "4.51.0", "denial of service by a regular expression"),
    Advisory("transformers", "CVE-2025-3933", "4.52.1", "denial of service by a regular expression"),
    Advisory("transformers", "CVE-2025-6051", "4.53.0", "denial of service by a regular expression"),
    Advisory("transformers", "CVE-2025-6638", "4.53.0", "denial of service by a regular expression"),
    Advisory("transformers", "CVE-2025-1194", "4.50.0", "denial of service by a regular expression"),
    Advisory("transformers", "CVE-2025-3777", "4.52.1", "addresses that only begin like an allowed one"),
    Advisory("transformers", "CVE-2025-5197", "4.53.0", "denial of service by a regular expression"),
    Advisory("transformers", "CVE-2025-6921", "4.53.0", "denial of service in the optimizer's names"),
    Advisory("pyarrow", "CVE-2023-47248", "14.0.1", "a Parquet or Arrow file runs code"),
    Advisory("pyyaml", "CVE-2020-14343", "5.4", "a yaml file runs code under the full loader"),
    Advisory("requests", "CVE-2024-35195", "2.32.0", "certificates are not verified after verify=False"),
    Advisory("requests", "CVE-2024-47081", "2.32.4", "a crafted address gets another host's password"),
    Advisory("urllib3", "CVE-2025-50181", "2.5.0", "redirects can't be turned off"),
    Advisory("urllib3", "CVE-2025-66418", "2.6.0", "an answer names compressions without end"),
    Advisory("urllib3", "CVE-2025-66471", "2.6.0", "a compressed answer fills the memory"),
    Advisory("urllib3", "CVE-2026-44431", "2.7.0", "see the advisory"),
    Advisory("urllib3", "CVE-2026-44432", "2.7.0", "see the advisory"),
    Advisory("h11", "CVE-2025-43859", "0.16.0", "a request is smuggled past a proxy in chunks"),
    Advisory("starlette", "CVE-2025-62727", "0.49.1", "a Range header takes quadratic time"),
    Advisory("filelock", "CVE-2025-68146", "3.20.1", "a lock that is a link empties another file"),
    Advisory("filelock", "CVE-2026-22701", "3.20.3", "a lock that is a link reaches another file"),
    Advisory("jinja2", "CVE-2025-27516", "3.1.6", "a template leaves its sandbox"),
    Advisory("onnx", "CVE-2024-5187", "1.16.2", "a model archive overwrites files"),
    Advisory("onnx", "CVE-2024-27318", "1.16.0", "external data are read from outside the folder"),
    Advisory("mlflow", "CVE-2024-27132", "2.10.0", "a recipe runs scripts in a notebook"),
    Advisory("tqdm", "CVE-2024-34062", "4.66.3", "an argument of the command runs code"),
)
"""What is published of packages that headway imports, or that these import; no list is complete."""


@dataclass(frozen=True)
class Finding:
    """What is to be said of one installed package.

    Attributes:
        package: Its name.
        installed: Its version; None where it isn't installed.
        needed: The first version that is safe.
        why: The advisory, or headway's own bound.
        what: What an attacker could do.
    """

    package: str
    installed: str | None
    needed: str
    why: str
    what: str

    @property
    def affected(self) -> bool:
        """Whether the installed version is too old."""
        return self.installed is not None and Version(self.installed) < Version(self.needed)


def findings() -> list[Finding]:
    """Return a finding an advisory, and one a lower bound of headway's own."""
    known = [
        Finding(each.package, _version(each.package), each.fixed, each.name, each.what) for each in ADVISORIES
    ]
    return known + [
        Finding(
            package, _version(package), bound, "headway's bound", "the newest release with a security fix"
        )
        for package, bound in _bounds().items()
    ]


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _bounds() -> dict[str, str]:
    """Return the lower bounds that headway declares, optional packages among them."""
    found = {}
    for text in importlib.metadata.requires("headway") or ():
        requirement = Requirement(text)
        for each in requirement.specifier:
            if each.operator == ">=":
                found[requirement.name] = each.version
    return found
