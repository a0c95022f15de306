"""Clients that keep images or copy them: for each action the commands that a person would type."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from attrs import frozen

Commands = tuple[tuple[str, ...], ...]
"""One after the other; the last says what came of it."""


@frozen
class Cannot:
    """The client has no such action."""

    why: str


Action = Commands | Cannot


@frozen
class Image:
    """An image of a registry that is reached without TLS."""

    registry: str
    name: str
    tag: str = "latest"
    """Or a digest."""
    architecture: str = "amd64"

    @property
    def repository(self) -> str:
        return f"{self.registry}/{self.name}"

    @property
    def copy(self) -> str:
        """A reference that has no image."""
        return f"{self.registry}/copy:{self.tag}"

    @property
    def reference(self) -> str:
        return f"{self.repository}{'@' if ':' in self.tag else ':'}{self.tag}"


@frozen
class Client(ABC):
    """A client in a folder of its own."""

    programs: ClassVar[tuple[str, ...]]
    folder: Path
    server: str = ""
    """Its engine's socket; for crane, which has no store, the registry that it pushes to."""

    @property
    def versions(self) -> Commands:
        return tuple((program, "--version") for program in self.programs)

    @abstractmethod
    def pull(self, image: Image) -> Commands:
        """All of it; the last command prints the digest that the client has found."""

    @abstractmethod
    def inspect(self, image: Image) -> Commands:
        """Its config, or at least what platform it is for."""

    @abstractmethod
    def tags(self, image: Image) -> Action:
        """The tags of its repository."""

    @abstractmethod
    def layout(self, image: Image) -> Action:
        """To an OCI layout and back; the last command prints the digest, of manifest or config, that has come back."""

    @abstractmethod
    def run(self, image: Image, *command: str) -> Action:
        """A command in a container of it."""

    @abstractmethod
    def push(self, image: Image) -> Commands:
        """To the registry that it was pulled from, under a name that has no image; the last command pushes."""

    def digest(self, image: Image) -> Commands:
        """The digest of its manifest."""
        return self.pull(image)

    def choose(self, image: Image) -> Commands:
        """The image for its platform; the last command prints the platform, or the digest of what was had."""
        return self.inspect(image)
