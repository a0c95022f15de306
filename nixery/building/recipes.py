"""What stands for an image before it is made: its recipe, from a name and what it is made from."""

from attrs import frozen

from nixery.building.layering import LAYOUT, Layers
from nixery.images.name import ImageName, Platform
from nixery.images.popularity import GRAPH, Popularity
from nixery.images.recipe import Recipe
from nixery.images.source import PinnedSource


@frozen
class Ground:
    """What images are made from, beside the packages' names. `popularity`: None to count it from an image's graph."""

    pinned: PinnedSource
    popularity: Popularity | None


@frozen
class Recipes:
    """Makes recipes. `expressions`: the hash of our own; `platform`: of names that leave it open."""

    expressions: str
    platform: Platform
    layers: Layers

    def of(self, name: ImageName, ground: Ground) -> Recipe:
        """The recipe of the image of that name."""
        command = ("bash",) if name.shell else ()
        return self._recipe(name.packages, name.platform or self.platform, command, ground)

    def again(self, recipe: Recipe, ground: Ground) -> Recipe:
        """What the recipe of the same image would be now: another one, where settings have changed."""
        return self._recipe(recipe.packages, recipe.platform, recipe.command, ground)

    def _recipe(
        self, packages: tuple[str, ...], platform: Platform, command: tuple[str, ...], ground: Ground
    ) -> Recipe:
        return Recipe(
            kind=ground.pinned.kind,
            pin=ground.pinned.pin,
            expressions=self.expressions,
            packages=packages,
            platform=platform,
            command=command,
            popularity=GRAPH if ground.popularity is None else ground.popularity.hash,
            limit=self.layers.limit,
            layout=LAYOUT,
            encoder=self.layers.encoder,
            home=ground.pinned.home,
        )
