# What an image is made of: for each package that was asked for, the derivations to build or the reason why not.
#
# Evaluates to the list of derivation outputs, empty when any package cannot be had, and says on the way, in one trace
# line, what became of each: `marker` and the JSON that nixery.nix.report reads. Before it, each name as it is looked at,
# in a line of the same kind: the last one is to blame when all ends in an error that cannot be caught. Works on any set
# whose attributes are derivations; uses builtins only, so that it evaluates on Nix 2.8 and newer whatever the set is.
{ source # the package set: a file or folder to import
, packages # JSON list of names, as docs/architecture.md says under Names
, image ? "" # the one of them that may be an image which the set describes itself, see images.nix
, system
, host ? system # where it differs, take the set for this system, and from its pkgsCross what runs on `system`
, marker ? "nixery:" # what the report begins with: a word that no builder can know, as theirs go to the same log
, arguments ? "{}" # JSON object of more arguments for the set
, force ? "" # evaluate this one package with its errors uncaught, to learn what it throws
}:
let
  inherit (builtins) concatLists deepSeq filter fromJSON isAttrs map seq toJSON trace typeOf;

  opened = system:
    let set = import ./call.nix (import source) ({ inherit system; config = { }; overlays = [ ]; } // fromJSON arguments);
    in if isAttrs set then set else throw "it is a ${typeOf set}, and no set of packages";

  # nixpkgs' lib/systems/examples.nix.
  examples = { aarch64-linux = "aarch64-multiplatform"; x86_64-linux = "gnu64"; };
  set = if host == system then opened system else (opened host).pkgsCross.${examples.${system}} or (opened system);

  names = import ./names.nix set;
  verdict = import ./verdict.nix names;
  described = import ./images.nix names set image;
  say = value: trace "${marker}${toJSON value}";

  asked = fromJSON packages;
  trouble = if image == "" then null else say image described.trouble;
  own = if described.there then described.items else [ ];
  items = own ++ map names.item (filter (name: !described.there || name != image) asked);
  verdicts = if trouble != null then [ trouble ] else map (item: say item.name (verdict.of item)) items;
  complete = filter (verdict: verdict.reason != null) verdicts == [ ];
  outputs = concatLists (map (item: verdict.chosen item.value) items);
  its = if trouble == null && described.there then { image = { name = image; inherit (described) config; }; } else { };

  # What to force for one name's words: of an image its config, too.
  forced = [ (if force == image && described.there then described.config else null) ]
    ++ map (item: verdict.paths item.value) (filter (item: item.name == force) items);
in
if force != "" then deepSeq forced [ ]
else seq set (say ({ version = 2; packages = verdicts; } // its) (if complete then outputs else [ ]))
