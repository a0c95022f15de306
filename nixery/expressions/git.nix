# A package set in a git repository of this host: its tree at one commit, under a constant name in the store, so that equal
# content gives equal derivations. `shallow`: the repository has commits without their history.
{ url, commit, system, config, overlays }@offered:
let
  imported = import (builtins.fetchGit {
    inherit url;
    rev = commit;
    ref = "refs/nixery/${commit}";
    shallow = true;
    name = "source";
  }).outPath;
  forSet = removeAttrs offered [ "url" "commit" ];
  accepted = builtins.functionArgs imported;
in
if !builtins.isFunction imported then imported
else imported (if accepted == { } then forSet else builtins.intersectAttrs accepted forSet)
