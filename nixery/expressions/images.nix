# An image that a package set describes itself: nixery.images.<name> = { packages, config }, both as far as they are needed
# (see docs/package-sources.md, Image settings). `names`: see names.nix; `name`: of the image, "" for one that has none.
names: set: name:
let
  inherit (builtins) attrNames deepSeq elem elemAt filter genList head isAttrs isBool isInt isList isString length map
    mapAttrs match tryEval typeOf unsafeDiscardStringContext;

  # What a set has under `nixery` may be anything, or a throw. What is below `images` is meant for us.
  below = (tryEval (set.nixery or null)).value; # false for a throw
  images = below.images or { };
  there = name != "" && isAttrs images && images ? ${name};
  image = images.${name};
  attribute = "nixery.images.${name}";

  # What is plain, as it is, and what is not, as null, which no setting may be. No deeper than a config is.
  plain = depth: value:
    if isString value || isBool value || isInt value then value
    else if depth == 0 || isAttrs value && (value ? outPath || value ? __toString) then null
    else if isList value then map (plain (depth - 1)) value
    else if isAttrs value then mapAttrs (_: plain (depth - 1)) value
    else null;
  config = let value = plain 3 (image.config or { }); in deepSeq value value;

  given = image.packages or [ ];
  unknown = filter (part: !(elem part [ "packages" "config" ])) (attrNames image);
  refuse = words: { inherit name; reason = "misdescribed"; why = [ words ]; };
  judged =
    if !there then null
    else if !(isAttrs image) then refuse "${attribute} is a Nix ${typeOf image}, and no set of packages and config"
    else if unknown != [ ] then refuse "${attribute} has ${head unknown}, and may have packages and config only"
    else if !(isList given) then refuse "${attribute}.packages is a Nix ${typeOf given}, and no list"
    else deepSeq config null;

  # A package is written as in an image's name, or is one itself.
  isName = value: isString value && match "[0-9A-Za-z._+-]{1,200}" value != null;
  item = index:
    let
      value = elemAt given index;
      written = (tryEval (isName value)).value;
      own = "${attribute}.packages[${toString index}]";
    in
    if written then names.item (unsafeDiscardStringContext value) else { name = own; path = [ own ]; inherit value; };
in
{
  inherit there;

  # The config as plain values, forced, with all errors in it.
  inherit config;

  # Why the image cannot be had, as a verdict; null where there is nothing against it, or no such image.
  trouble = let tried = tryEval judged; in if tried.success then tried.value else { inherit name; reason = "throws"; };

  # Packages as items: see names.nix.
  items = genList item (length given);
}
