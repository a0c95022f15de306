"""What the seven clients do with images of a running registry."""

import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from attrs import frozen

from tests.integration.client_commands import Action, Cannot, Client, Image
from tests.integration.cutting_proxy import LARGE, cutting
from tests.integration.daemon import Daemon
from tests.integration.seven_clients import Making, carried_out, digests

FOREIGN = "arm64"

_FAILS = "**fails**"


@frozen
class Cell:
    """What came of an action in a word or two, and why it was not what one would wish."""

    came: str
    why: str = ""


@frozen
class Asked:
    """An action, and what is to be among the words that its last command prints: for each of these what it shows."""

    action: Callable[[Client], Action]
    shows: Mapping[str, str]
    pulls: bool = False
    """Whether it is about a pull: else it is said where one comes first."""


@frozen
class Matrix:
    """A daemon whose images run, and one with an image that has a large layer."""

    daemon: Daemon
    image: Image
    foreign: Image
    """Of another platform, by its name."""
    indexed: Image
    """Of another platform, out of an index."""
    large: Daemon

    def row(self, making: Making, folder: Path) -> dict[str, Cell]:
        """What one client makes of each action."""
        row = {}
        for number, (action, asked) in enumerate(self._asked().items()):
            client = making(folder / str(number))
            row[action] = self._cell(client, asked)
        row["resume"] = self._resumed(making(folder / "r"))
        return row

    def _asked(self) -> dict[str, Asked]:
        oci, docker, *configs = digests(self.daemon, self.image)
        manifest = {oci: "OCI's manifest", docker: "Docker's manifest"}
        foreign = dict.fromkeys((FOREIGN, *digests(self.daemon, self.foreign)), "yes")
        return {
            "pull": Asked(lambda client: client.pull(self.image), manifest, pulls=True),
            "inspect": Asked(lambda client: client.inspect(self.image), {self.image.architecture: "yes"}),
            "list tags": Asked(lambda client: client.tags(self.image), {self.image.tag: "yes"}),
            "digest": Asked(lambda client: client.digest(self.image), manifest),
            "OCI layout and back": Asked(
                lambda client: client.layout(self.image),
                {oci: "same manifest", docker: "same manifest", **dict.fromkeys(configs, "same config")},
                pulls=True,
            ),
            "another platform": Asked(lambda client: client.choose(self.foreign), foreign),
            "of an index": Asked(lambda client: client.choose(self.indexed), foreign),
            "run": Asked(lambda client: client.run(self.image, "hello"), {"Hello, world!": "yes"}),
        }

    def _cell(self, client: Client, asked: Asked) -> Cell:
        commands = asked.action(client)
        if isinstance(commands, Cannot):
            return Cell("cannot", commands.why)
        came = carried_out(commands, client.folder)
        shown = [shows for word, shows in asked.shows.items() if word in came.last]
        if not came.well or not shown:
            print(f"{commands} came to {came.status}: {came.text[-500:]}", file=sys.stderr)
            return Cell(_FAILS, came.end)
        pulls = [client.pull(image)[0] for image in (self.image, self.foreign, self.indexed)]
        return Cell(f"{shown[0]}, after a pull" if commands[0] in pulls and not asked.pulls else shown[0])

    def _resumed(self, client: Client) -> Cell:
        with cutting(self.large.port) as cuts:
            image = Image(f"127.0.0.1:{cuts.port}", "big")
            came = carried_out(client.pull(image), client.folder)
        if not came.well:
            return Cell("gives up" if len(cuts.ranges) == 1 else _FAILS, came.end)
        again = cuts.ranges[1] or "bytes=0-"
        goes_on = re.fullmatch(r"bytes=(\d+)-.*", again)
        return Cell("goes on by Range" if goes_on and int(goes_on[1]) > LARGE / 100 else "starts over")
