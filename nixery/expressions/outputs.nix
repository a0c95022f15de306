# A package set for `nix-env -qaP --out-path`, opened as the daemon opens it.
{ folder, system }:
import ./package-set.nix (/. + folder) { inherit system; config = { }; overlays = [ ]; }
