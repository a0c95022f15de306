"""Clients that keep images or copy them: for each action the commands that a person would type."""

from pathlib import Path
from typing import ClassVar

from attrs import frozen

Commands = tuple[tuple[str, ...], ...]

CANNOT: Commands = ()
"""The client has no such action."""


@frozen
class Image:
    """An image of a registry that is reached without TLS."""

    registry: str
    name: str
    tag: str = "latest"
    architecture: str = "amd64"

    @property
    def repository(self) -> str:
        return f"{self.registry}/{self.name}"

    @property
    def reference(self) -> str:
        return f"{self.repository}:{self.tag}"


@frozen
class Client:
    """A client in a folder of its own. Each action is commands, one after the other; the last says what came of it."""

    programs: ClassVar[tuple[str, ...]] = ()
    folder: Path
    server: str = ""
    """Its engine's socket; for crane, which has no store, the registry that it pushes to."""

    @property
    def versions(self) -> Commands:
        return tuple((program, "--version") for program in self.programs)

    def pull(self, image: Image) -> Commands:
        """All of it; the last command prints the digest that the client has found."""
        raise NotImplementedError

    def inspect(self, image: Image) -> Commands:
        """Its config, or at least what platform it is for."""
        return CANNOT

    def tags(self, image: Image) -> Commands:
        return CANNOT

    def digest(self, image: Image) -> Commands:
        return self.pull(image)

    def layout(self, image: Image) -> Commands:
        """To an OCI layout and back; the last command prints the digest, of manifest or config, that has come back."""
        return CANNOT

    def run(self, image: Image, *command: str) -> Commands:
        return CANNOT


class Skopeo(Client):
    """Copies images; keeps none."""

    programs = ("skopeo",)

    def pull(self, image: Image) -> Commands:
        return (self._copy(image, f"dir:{self.folder}/pulled"), ("sha256sum", f"{self.folder}/pulled/manifest.json"))

    def inspect(self, image: Image) -> Commands:
        words = ("inspect", "--tls-verify=false", "--config", f"docker://{image.reference}")
        return (("skopeo", *self._platform(image), *words),)

    def tags(self, image: Image) -> Commands:
        return (("skopeo", "list-tags", "--tls-verify=false", f"docker://{image.repository}"),)

    def digest(self, image: Image) -> Commands:
        words = ("--tls-verify=false", "--no-tags", "--format", "{{.Digest}}")
        return (("skopeo", "inspect", *words, f"docker://{image.reference}"),)

    def layout(self, image: Image) -> Commands:
        back = ("skopeo", "--insecure-policy", "copy", f"oci:{self.folder}/layout", f"dir:{self.folder}/back")
        there = self._copy(image, f"oci:{self.folder}/layout")
        return (there, back, ("sha256sum", f"{self.folder}/back/manifest.json"))

    def _copy(self, image: Image, to: str) -> tuple[str, ...]:
        words = ("copy", "--src-tls-verify=false", f"docker://{image.reference}", to)
        return ("skopeo", "--insecure-policy", *self._platform(image), *words)

    def _platform(self, image: Image) -> tuple[str, ...]:
        return ("--override-os", "linux", "--override-arch", image.architecture)


class Podman(Client):
    """An engine without a daemon."""

    programs = ("podman",)

    def pull(self, image: Image) -> Commands:
        platform = ("--platform", f"linux/{image.architecture}")
        pulled = (*self._own, "pull", "-q", "--tls-verify=false", *platform, image.reference)
        return (pulled, self._digest(image.reference))

    def inspect(self, image: Image) -> Commands:
        return (self.pull(image)[0], (*self._own, "image", "inspect", image.reference))

    def tags(self, image: Image) -> Commands:
        return ((*self._own, "search", "--list-tags", "--tls-verify=false", image.repository),)

    def layout(self, image: Image) -> Commands:
        layout = f"oci:{self.folder}/layout:copy"
        there, gone = (*self._own, "push", "-q", image.reference, layout), (*self._own, "rmi", image.reference)
        # Layers were unpacked when pulled and are packed anew: it is the config that comes back unchanged.
        return (self.pull(image)[0], there, gone, (*self._own, "pull", "-q", layout))

    def run(self, image: Image, *command: str) -> Commands:
        limits = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000")
        words = ("run", "--rm", "-q", "--tls-verify=false", "--network=none", *limits)
        return ((*self._own, "--runtime", "runc", *words, image.reference, *command),)

    @property
    def _own(self) -> tuple[str, ...]:
        folders = ("--root", f"{self.folder}/root", "--runroot", f"{self.folder}/run")
        return (self.programs[0], "--storage-driver", "vfs", *folders)

    def _digest(self, reference: str) -> tuple[str, ...]:
        return (*self._own, "image", "inspect", "--format", "{{.Digest}} {{.Architecture}}", reference)


class Buildah(Podman):
    """Makes images from images; shares podman's libraries."""

    programs = ("buildah",)

    def inspect(self, image: Image) -> Commands:
        return (self.pull(image)[0], (*self._own, "inspect", "--type", "image", image.reference))

    def tags(self, image: Image) -> Commands:
        return CANNOT

    def run(self, image: Image, *command: str) -> Commands:
        begin = (*self._own, "from", "-q", "--tls-verify=false", "--name", "work", image.reference)
        return (begin, (*self._own, "run", "--isolation", "chroot", "work", "--", *command))

    def _digest(self, reference: str) -> tuple[str, ...]:
        words = ("--type", "image", "--format", "{{.FromImageDigest}} {{.OCIv1.Architecture}}")
        return (*self._own, "inspect", *words, reference)


class Containerd(Client):
    """The engine of Kubernetes, by its own tool ctr."""

    programs = ("containerd", "ctr")

    def pull(self, image: Image) -> Commands:
        platform = ("--platform", f"linux/{image.architecture}")
        words = ("pull", "--plain-http", "--snapshotter", "native", *platform, image.reference)
        return ((*self._images, *words), self._listed(image))

    def inspect(self, image: Image) -> Commands:
        return self.pull(image)

    def layout(self, image: Image) -> Commands:
        file = f"{self.folder}/layout.tar"
        there, gone = (*self._images, "export", file, image.reference), (*self._images, "rm", "--sync", image.reference)
        back = (*self._images, "import", "--snapshotter", "native", file)
        return (self.pull(image)[0], there, gone, back, self._listed(image))

    def run(self, image: Image, *command: str) -> Commands:
        words = ("run", "--rm", "--runc-binary", "runc", "--snapshotter", "native", image.reference, "work")
        return (self.pull(image)[0], ("ctr", "-a", self.server, *words, *command))

    @property
    def _images(self) -> tuple[str, ...]:
        return ("ctr", "-a", self.server, "images")

    def _listed(self, image: Image) -> tuple[str, ...]:
        return (*self._images, "list", f"name=={image.reference}")


class Docker(Client):
    """The Docker engine, by the docker command."""

    programs = ("dockerd", "docker")

    def pull(self, image: Image) -> Commands:
        words = ("-q", "--platform", f"linux/{image.architecture}", image.reference)
        return ((*self._docker, "pull", *words), self._digest(image))

    def inspect(self, image: Image) -> Commands:
        return (self.pull(image)[0], (*self._docker, "image", "inspect", image.reference))

    def digest(self, image: Image) -> Commands:
        return (("docker", "manifest", "inspect", "--insecure", "-v", image.reference),)

    def run(self, image: Image, *command: str) -> Commands:
        return ((*self._docker, "run", "--rm", "--network", "none", image.reference, *command),)

    @property
    def _docker(self) -> tuple[str, ...]:
        return ("docker", "-H", f"unix://{self.server}")

    def _digest(self, image: Image) -> tuple[str, ...]:
        return (*self._docker, "image", "inspect", "--format", "{{.RepoDigests}} {{.Architecture}}", image.reference)
