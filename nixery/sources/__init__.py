"""Where package sets come from: each source turns a tag into a pinned source that Nix can evaluate."""
