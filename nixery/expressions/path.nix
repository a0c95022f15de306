# A package set in a folder of this host, read from a copy in the store under a constant name, so that equal content gives
# equal derivations. `hash`: the SHA-256 of what is to be copied, as an archive of Nix's: a copy that is there is taken at
# once, and a folder with other content by now is an error. Without it the folder is in the store, and taken as it is.
{ folder, hash ? null, ... }@offered:
let
  copy = builtins.path {
    path = folder;
    name = "source";
    sha256 = hash;
    filter = path: type: baseNameOf path != ".git" && type != "unknown"; # pipes and sockets
  };
  held = builtins.toFile "held" copy; # refers to the copy, and Nix collects nothing that an evaluation has made
  tree = if hash == null then folder else builtins.seq held copy;
in
import ./package-set.nix tree (removeAttrs offered [ "folder" "hash" ])
