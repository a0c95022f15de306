"""Those of the seven clients that only copy images: skopeo, crane and regctl."""

from tests.integration.client_commands import Action, Cannot, Client, Commands, Image

_NO_ENGINE = Cannot("it has no engine for containers")


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

    def push(self, image: Image) -> Commands:
        words = ("copy", "--dest-tls-verify=false", f"dir:{self.folder}/pulled", f"docker://{image.copy}")
        return (self.pull(image)[0], ("skopeo", "--insecure-policy", *words))

    def run(self, image: Image, *command: str) -> Action:
        return _NO_ENGINE

    def layout(self, image: Image) -> Commands:
        back = ("skopeo", "--insecure-policy", "copy", f"oci:{self.folder}/layout", f"dir:{self.folder}/back")
        there = self._copy(image, f"oci:{self.folder}/layout")
        return (there, back, ("sha256sum", f"{self.folder}/back/manifest.json"))

    def _copy(self, image: Image, to: str) -> tuple[str, ...]:
        words = ("copy", "--src-tls-verify=false", f"docker://{image.reference}", to)
        return ("skopeo", "--insecure-policy", *self._platform(image), *words)

    def _platform(self, image: Image) -> tuple[str, ...]:
        return ("--override-os", "linux", "--override-arch", image.architecture)


class Crane(Client):
    """go-containerregistry's tool."""

    programs = ("crane",)
    versions = (("crane", "version"),)

    def pull(self, image: Image) -> Commands:
        layout = f"{self.folder}/layout"
        words = ("--insecure", "--platform", f"linux/{image.architecture}", "--format=oci", image.reference, layout)
        return (("crane", "pull", *words), ("cat", f"{layout}/index.json"))

    def inspect(self, image: Image) -> Commands:
        platform = ("--platform", f"linux/{image.architecture}")
        return (("crane", "config", "--insecure", *platform, image.reference),)

    def tags(self, image: Image) -> Commands:
        return (("crane", "ls", "--insecure", image.repository),)

    def digest(self, image: Image) -> Commands:
        return (("crane", "digest", "--insecure", image.reference),)

    def layout(self, image: Image) -> Commands:
        copy = f"{self.server}/copy:latest"
        back = ("crane", "push", "--insecure", f"{self.folder}/layout", copy)
        return (self.pull(image)[0], back, ("crane", "digest", "--insecure", copy))

    def push(self, image: Image) -> Commands:
        return (self.pull(image)[0], ("crane", "push", "--insecure", f"{self.folder}/layout", image.copy))

    def run(self, image: Image, *command: str) -> Action:
        return _NO_ENGINE

    def validate(self, reference: str) -> Commands:
        """Every blob against its digest, size and diff ID; of an index, those of all platforms."""
        return (("crane", "validate", "--insecure", "--remote", reference),)


class Regctl(Client):
    """regclient's tool."""

    programs = ("regctl",)
    versions = (("regctl", "version"),)

    def pull(self, image: Image) -> Commands:
        platform = ("--platform", f"linux/{image.architecture}")
        layout = f"ocidir://{self.folder}/layout:copy"
        return ((*self._regctl(image), "image", "copy", *platform, image.reference, layout), self._digest(layout))

    def inspect(self, image: Image) -> Commands:
        platform = ("--platform", f"linux/{image.architecture}")
        return ((*self._regctl(image), "image", "inspect", *platform, image.reference),)

    def tags(self, image: Image) -> Commands:
        return ((*self._regctl(image), "tag", "ls", image.repository),)

    def digest(self, image: Image) -> Commands:
        return ((*self._regctl(image), "image", "digest", image.reference),)

    def layout(self, image: Image) -> Commands:
        back = f"ocidir://{self.folder}/back:copy"
        words = ("regctl", "image", "copy", f"ocidir://{self.folder}/layout:copy", back)
        return (self.pull(image)[0], words, self._digest(back))

    def push(self, image: Image) -> Commands:
        back = (*self._regctl(image), "image", "copy", f"ocidir://{self.folder}/layout:copy", image.copy)
        return (self.pull(image)[0], back)

    def run(self, image: Image, *command: str) -> Action:
        return _NO_ENGINE

    def _regctl(self, image: Image) -> tuple[str, ...]:
        return ("regctl", "--host", f"reg={image.registry},tls=disabled")

    def _digest(self, layout: str) -> tuple[str, ...]:
        return ("regctl", "image", "digest", layout)
