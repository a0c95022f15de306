"""The two of the seven clients that only talk to registries: crane and regctl."""

from tests.integration.client_commands import Client, Commands, Image


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

    def validate(self, image: Image) -> Commands:
        """Every blob against its digest, size and diff ID."""
        return (("crane", "validate", "--insecure", "--remote", image.reference),)


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

    def _regctl(self, image: Image) -> tuple[str, ...]:
        return ("regctl", "--host", f"reg={image.registry},tls=disabled")

    def _digest(self, layout: str) -> tuple[str, ...]:
        return ("regctl", "image", "digest", layout)
