# The package set in a folder, as its authors mean it to be opened: its default.nix, called with what that accepts of
# `offered`, or with `offered.flake` "yes" what its flake has for the system. See docs/package-sources.md.
folder: offered:
let
  inherit (builtins) attrNames attrValues compareVersions filter getFlake isAttrs isList isString map match nixVersion
    pathExists readDir readFile replaceStrings;

  file = name: folder + "/${name}";
  has = name: pathExists (file name);
  place = builtins.unsafeDiscardStringContext (toString folder);

  # nixpkgs says here which Nix it needs. Asked before it is evaluated, as what it needs may not even parse.
  needed = if has "lib/minver.nix" then import (file "lib/minver.nix") else null;
  tooOld = isString needed && compareVersions needed nixVersion > 0;
  line = name: replaceStrings [ "\n" ] [ "" ] (readFile (file name));
  version = if has "lib/.version" then " (version ${line "lib/.version"})" else "";

  # Overlays beside default.nix, by nixpkgs' rule for a user's own: overlays.nix has one or more; in overlays/ each *.nix
  # and each folder is one, in the order of their names, unless a default.nix there says which there are. A default.nix
  # that names them applies them itself, and must not be given them a second time.
  overlays =
    if namesOverlays then [ ]
    else if has "overlays.nix" then several (import (file "overlays.nix"))
    else if has "overlays/default.nix" then several (import (file "overlays"))
    else if has "overlays" then map (name: import (file "overlays/${name}")) (filter isOverlay listed)
    else [ ];
  listed = attrNames (readDir (file "overlays"));
  namesOverlays = let text = readFile (file "default.nix"); in replaceStrings [ "./overlays" ] [ "" ] text != text;
  several = value: if isList value then value else if isAttrs value then attrValues value else [ value ];
  isOverlay = name: match "[^.].*\\.nix" name != null || has "overlays/${name}/default.nix";

  flake = getFlake "path:${place}";
  ofFlake = flake.legacyPackages.${offered.system} or flake.packages.${offered.system} or (throw
    "the flake of ${place} has neither legacyPackages.${offered.system} nor packages.${offered.system}");

  arguments = removeAttrs offered [ "flake" ] // { overlays = overlays ++ offered.overlays or [ ]; };
in
if tooOld then throw (
  "${place}${version} asks for Nix ${needed} or newer, and this is Nix ${nixVersion}: install that, "
  + "or choose an older state of the set"
)
else if offered.flake or "no" == "yes" then ofFlake
else if has "default.nix" then import ./call.nix (import folder) arguments
else throw "${place} has no default.nix${if has "flake.nix" then "; set NIXERY_FLAKE=yes for its flake.nix" else ""}"
