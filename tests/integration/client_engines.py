"""Those of the seven clients that run containers: podman, buildah, containerd and Docker."""

from tests.integration.client_commands import Action, Cannot, Client, Commands, Image


class Podman(Client):
    """An engine without a daemon."""

    programs = ("podman",)

    def pull(self, image: Image) -> Commands:
        platform = ("--platform", f"linux/{image.architecture}")
        pulled = (*self._own, "pull", "-q", "--tls-verify=false", *platform, image.reference)
        return (pulled, self._digest(image.reference))

    def inspect(self, image: Image) -> Commands:
        return (self.pull(image)[0], (*self._own, "image", "inspect", image.reference))

    def tags(self, image: Image) -> Action:
        return ((*self._own, "search", "--list-tags", "--tls-verify=false", image.repository),)

    def layout(self, image: Image) -> Commands:
        layout = f"oci:{self.folder}/layout:copy"
        there, gone = (*self._own, "push", "-q", image.reference, layout), (*self._own, "rmi", image.reference)
        # Layers were unpacked when pulled and are packed anew: it is the config that comes back unchanged.
        return (self.pull(image)[0], there, gone, (*self._own, "pull", "-q", layout))

    def push(self, image: Image) -> Commands:
        return (
            self.pull(image)[0],
            (*self._own, "push", "--tls-verify=false", image.reference, f"docker://{image.copy}"),
        )

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

    def tags(self, image: Image) -> Action:
        return Cannot("it has no command that asks a registry for its tags")

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

    def choose(self, image: Image) -> Commands:
        # The list of images names each platform of an index, whether it was fetched or not.
        return (self.pull(image)[0], ("ctr", "-a", self.server, "content", "list", "--quiet"))

    def tags(self, image: Image) -> Action:
        return Cannot("ctr has no command that asks a registry for its tags")

    def push(self, image: Image) -> Commands:
        return (self.pull(image)[0], (*self._images, "push", "--plain-http", image.copy, image.reference))

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

    def tags(self, image: Image) -> Action:
        return Cannot("its only command that lists what a registry has, docker search, asks Docker Hub alone")

    def digest(self, image: Image) -> Commands:
        return (("docker", "manifest", "inspect", "--insecure", "-v", image.reference),)

    def layout(self, image: Image) -> Action:
        return Cannot("docker save writes an archive of Docker's own, and no OCI layout before version 25")

    def push(self, image: Image) -> Commands:
        return (
            self.pull(image)[0],
            (*self._docker, "tag", image.reference, image.copy),
            (*self._docker, "push", image.copy),
        )

    def run(self, image: Image, *command: str) -> Commands:
        return ((*self._docker, "run", "--rm", "--network", "none", image.reference, *command),)

    @property
    def _docker(self) -> tuple[str, ...]:
        return ("docker", "-H", f"unix://{self.server}")

    def _digest(self, image: Image) -> tuple[str, ...]:
        return (*self._docker, "image", "inspect", "--format", "{{.RepoDigests}} {{.Architecture}}", image.reference)
