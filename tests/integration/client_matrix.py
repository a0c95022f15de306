"""What the seven clients do with images of a running registry."""

import re
import sys
from pathlib import Path

from attrs import frozen

from tests.integration.client_commands import Client, Commands, Image
from tests.integration.cutting_proxy import LARGE, cutting
from tests.integration.daemon import Daemon
from tests.integration.seven_clients import Making, carried_out, digests

FOREIGN = "arm64"


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

    def row(self, making: Making, folder: Path) -> dict[str, str]:
        """What one client makes of each action."""
        known = digests(self.daemon, self.image)
        manifests = known[:2]
        asked = {
            "pull": (lambda client: client.pull(self.image), manifests),
            "inspect": (lambda client: client.inspect(self.image), ["amd64"]),
            "list tags": (lambda client: client.tags(self.image), ["latest"]),
            "digest": (lambda client: client.digest(self.image), manifests),
            "OCI layout and back": (lambda client: client.layout(self.image), known),
            "another platform": (lambda client: client.inspect(self.foreign), [FOREIGN]),
            "of an index": (lambda client: client.inspect(self.indexed), [FOREIGN]),
            "run": (lambda client: client.run(self.image, "hello"), ["Hello, world!"]),
        }
        row = {}
        for number, (action, (commands, words)) in enumerate(asked.items()):
            client = making(folder / str(number))
            row[action] = self._cell(client, commands(client), words, action not in ("pull", "OCI layout and back"))
        row["resume"] = self._resumed(making(folder / "r"))
        return row

    def _cell(self, client: Client, commands: Commands, words: list[str], tell: bool) -> str:
        if not commands:
            return "cannot"
        came = carried_out(commands, client.folder)
        if not came.well or not any(word in came.last for word in words):
            print(f"{commands} came to {came.status}: {came.text[-500:]}", file=sys.stderr)
            return "**fails**"
        pulls = [client.pull(image)[0] for image in (self.image, self.foreign, self.indexed)]
        return "works, after a pull" if tell and commands[0] in pulls else "works"

    def _resumed(self, client: Client) -> str:
        with cutting(self.large.port) as cuts:
            image = Image(f"127.0.0.1:{cuts.port}", "big")
            came = carried_out(client.pull(image), client.folder)
        if not came.well:
            return "gives up" if len(cuts.ranges) == 1 else "**fails**"
        again = cuts.ranges[1] or "bytes=0-"
        goes_on = re.fullmatch(r"bytes=(\d+)-.*", again)
        return "goes on by Range" if goes_on and int(goes_on[1]) > LARGE / 100 else "starts over"
