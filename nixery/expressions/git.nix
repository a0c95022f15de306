# A package set in a git repository of this host: its tree at one commit, under a constant name in the store, so that equal
# content gives equal derivations. `shallow`: the repository has commits without their history.
{ url, commit, ... }@offered:
let
  tree = builtins.fetchGit {
    inherit url;
    rev = commit;
    ref = "refs/nixery/${commit}";
    shallow = true;
    name = "source";
  };
in
import ./package-set.nix tree.outPath (removeAttrs offered [ "url" "commit" ])
