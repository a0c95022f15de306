# A package set in a tarball. `sha256`: of what is in it, so that what is in the store already is not asked for, and what
# has left the store comes back the same. A constant name, so that equal content gives equal derivations.
{ url, sha256, ... }@offered:
let
  tree = builtins.fetchTarball { inherit url sha256; name = "source"; };
in
import ./package-set.nix tree (removeAttrs offered [ "url" "sha256" ])
