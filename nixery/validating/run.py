"""Checks of several images, one after the other, over one set of connections."""

from collections.abc import Callable, Sequence

from attrs import frozen
from twisted.web.client import BrowserLikePolicyForHTTPS

from nixery.fetching.agent import Connections, IReactorWeb, ProxiedAgent
from nixery.fetching.heads import Pool
from nixery.fetching.proxy import Proxies
from nixery.validating.checks import Checks
from nixery.validating.client import Client
from nixery.validating.image import Image, Step
from nixery.validating.reference import Reference


@frozen
class Validation:
    """What to check. `seconds`: see Client; `tell`: gets each image's checks; `step`: see Image."""

    references: Sequence[Reference]
    seconds: float
    proxies: Proxies
    step: Step
    tell: Callable[[Reference, Checks], None]

    async def run(self, reactor: IReactorWeb) -> None:
        """Check all of them."""
        pool = Pool(reactor)
        connections = Connections(reactor, self.seconds, pool, BrowserLikePolicyForHTTPS())
        client = Client(ProxiedAgent(connections, self.proxies), reactor, self.seconds)
        try:
            for reference in self.references:
                self.tell(reference, await Image(client, reference, self.step).check())
        finally:
            await pool.closeCachedConnections()
