"""The layering study: which plan of layers transfers the fewest bytes. See docs/layering.md."""
