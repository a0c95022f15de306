# Debian's packages under nixpkgs' calling convention: import ./. { system, config, overlays, index }.
#
# An attribute is an unpacked .deb with /usr merged; its references are its dependencies. Nothing of a package is run, so
# that packages of any architecture are unpacked on any machine with a Python and dpkg-deb (see docs/debian-package-set.md).
# `index` is the folder that nixery-debian-index wrote; its format is described in nixery/debian/index.py.
{ system ? builtins.currentSystem
, config ? { }
, overlays ? [ ]
, index
, ...
}:
let
  inherit (builtins) attrNames baseNameOf concatMap concatStringsSep elem elemAt foldl' fromJSON hashString listToAttrs
    mapAttrs match readFile replaceStrings substring;

  settings = {
    # What unpacks, on the machine that builds.
    buildSystem = builtins.currentSystem;
    python = "/usr/bin/python3";
    path = "/usr/bin:/bin";
  } // (config.debian or { });

  platforms = {
    x86_64-linux = { architecture = "amd64"; multiarch = "x86_64-linux-gnu"; };
    aarch64-linux = { architecture = "arm64"; multiarch = "aarch64-linux-gnu"; };
    i686-linux = { architecture = "i386"; multiarch = "i386-linux-gnu"; };
    armv7l-linux = { architecture = "armhf"; multiarch = "arm-linux-gnueabihf"; };
    powerpc64le-linux = { architecture = "ppc64el"; multiarch = "powerpc64le-linux-gnu"; };
    riscv64-linux = { architecture = "riscv64"; multiarch = "riscv64-linux-gnu"; };
    s390x-linux = { architecture = "s390x"; multiarch = "s390x-linux-gnu"; };
  };
  platform = platforms.${system} or (throw "Debian has no architecture for ${system}");

  read = file: fromJSON (readFile (index + "/${file}"));
  description = read "index.json";
  folder =
    if description.format != 1 then
      throw "the Debian index has format ${toString description.format}, not 1: run nixery-debian-index again"
    else if !(elem platform.architecture description.architectures) then
      throw "the Debian index has no ${platform.architecture}: run nixery-debian-index with --arch ${platform.architecture}"
    else platform.architecture;
  meta = read "${folder}/meta.json";
  # Every name, with the group it is in, or 0 for a group of that name.
  names = read "${folder}/names.json";

  # A file is read when the first group in it is needed.
  digits = [ "0" "1" "2" "3" "4" "5" "6" "7" "8" "9" "a" "b" "c" "d" "e" "f" ];
  prefixes = concatMap (first: map (second: first + second) digits) digits;
  shards = listToAttrs (map (prefix: { name = prefix; value = read "${folder}/groups/${prefix}.json"; }) prefixes);
  group = name: shards.${substring 0 2 (hashString "sha256" name)}.${name};

  # Of what Debian's versions and file names are made of, a store path's name cannot have these.
  storeName = replaceStrings [ ":" "~" "%3a" "%" "@" "," ] [ "_" "_" "_" "_" "_" "_" ];

  fetch = deb: derivation {
    name = storeName (baseNameOf (elemAt deb 1));
    system = "builtin";
    builder = "builtin:fetchurl";
    url = "${elemAt meta.bases (elemAt deb 0)}/${elemAt deb 1}";
    outputHash = elemAt deb 2;
    outputHashAlgo = "sha256";
    outputHashMode = "flat";
    preferLocalBuild = true;
    unpack = false;
    executable = false;
  };

  # Only the sources: byte code, tests or caches beside them must not change what is built.
  builder = builtins.path {
    name = "nixery-debian-builder";
    path = ./.;
    filter = path: type: baseNameOf path == "builder" || (type == "regular" && match ".*/builder/[a-z_]+[.]py" path != null);
  };

  unpacked = name:
    let
      found = group name;
      # What dash, coreutils and the like are made of cannot itself need them.
      implied = reason:
        if found.programs && !(elem name meta.core) then map (lead: debian.${lead}) meta.implied.${reason} else [ ];
    in
    derivation {
      name = storeName "${name}-${found.version}";
      system = settings.buildSystem;
      builder = settings.python;
      args = [ "-sSB" "-X" "utf8" "-m" "builder.unpack" ];
      PYTHONPATH = builder;
      PATH = settings.path;
      inherit (platform) multiarch;
      debs = map fetch found.debs;
      deps = map (lead: debian.${lead}) found.depends;
      implied_programs = implied "programs";
      implied_shell = implied "shell";
      implied_bash = implied "bash";
      implied_perl = implied "perl";
      preferLocalBuild = true;
      allowSubstitutes = false;
    } // {
      pname = name;
      inherit (found) version;
      meta = { };
    };

  debian = mapAttrs (name: lead: if lead == 0 then unpacked name else debian.${lead}) names;

  final = foldl' (packages: overlay: packages // overlay final packages) (debian // import ./names.nix debian) overlays;
in
final
