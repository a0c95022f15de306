# A package set with what sets in nixpkgs' shape have besides packages that simply work.
{ system, overlays ? [ ], ... }:
let
  make = name: outputs: meta:
    let
      made = derivation {
        inherit name outputs;
        system = builtins.currentSystem;
        target = system;
        builder = "/bin/sh";
        args = [ "-ec" "for output in $outputs; do eval path=\\$$output; mkdir $path; echo ${name} > $path/${name}; done" ];
        PATH = "/usr/bin:/bin";
      };
    in
    made // { inherit meta; } // builtins.listToAttrs (map (output: { name = output; value = made.${output}; }) outputs);
  package = name: make name [ "out" ] { };
  refused = meta: make "refused" [ "out" ] meta // {
    outPath = throw "the set does not allow it";
    drvPath = throw "the set does not allow it";
  };

  long = builtins.concatStringsSep "" (builtins.genList (n: "0123456789") 100000);
  crossed = set final // { hello = package "hello-crossed-on-${system}"; };

  set = self: {
    cacert = package "cacert";
    iana-etc = package "iana-etc";
    hello = package "hello";
    alias = self.hello;
    old = throw "'old' has been renamed to/replaced by 'hello'";

    # Sets, functions and other values.
    pythonPackages = { recurseForDerivations = true; callPackage = null; Requests = package "requests"; six = package "six"; _x = 1; };
    nested.below.package = package "below";
    empty = { };
    callPackage = file: arguments: file;
    functor = { __functor = self: self: self; };
    text = "text";
    list = [ self.hello ];
    nothing = null;
    half = { type = "derivation"; name = "half"; };
    odd = { type = throw "no type"; };

    # What cannot be evaluated, and what cannot even be caught.
    asserts = assert false; self.hello;
    aborts = abort "sorry, no more";
    recurses = let x = x; in x;
    deep = let count = n: 1 + count (n + 1); in count 0;
    mistyped = self.hello // { outPath = "a" + 1; };
    underivable = self.hello // { drvPath = throw "no derivation for you"; };
    late = self.hello // { outPath = throw "no path for you"; };
    elsewhere = self.hello // { outPath = "/etc/passwd"; };
    escaping = self.hello // { outPath = "${builtins.storeDir}/../etc"; };
    underived = self.hello // { drvPath = "/etc/passwd"; };
    numbered = self.hello // { drvPath = 5; };

    # What nixpkgs refuses, unless it is told otherwise.
    unfree = if builtins.getEnv "NIXPKGS_ALLOW_UNFREE" == "1" then package "unfree" else refused { unfree = true; license = { shortName = "unfree"; free = false; }; };
    broken = refused { broken = true; };
    insecure = refused { insecure = true; knownVulnerabilities = [ "CVE-1: a hole" "CVE-2" "CVE-3" "CVE-4" ]; };
    unsupported = refused { unsupported = true; };

    # Outputs and meta.
    several = make "several" [ "bin" "man" ] { outputsToInstall = [ "man" "bin" ]; };
    first = make "first" [ "bin" "man" ] { };
    strangeOutputs = make "strange" [ "out" "man" ] { outputsToInstall = [ "name" "nonesuch" 3 (throw "x") "man" ]; };
    notListed = make "listed" [ "out" ] { outputsToInstall = "out"; };
    thrownOutputs = make "thrown" [ "out" ] { outputsToInstall = throw "x"; };
    thrownMeta = package "thrown-meta" // { meta = throw "x"; version = throw "x"; };
    textMeta = package "text-meta" // { meta = "text"; version = 1; };
    strangeMeta = package "strange-meta" // { version = "1"; meta = { mainProgram = [ ]; license = [ "A" { spdxId = "B"; } 3 (throw "x") ]; }; };
    lengthy = package "lengthy" // { version = long; meta = { mainProgram = long; license = builtins.genList (n: "L${toString n}") 999 ++ [ long ]; }; };
    vulnerable = refused { insecure = true; knownVulnerabilities = "CVE-1"; };

    # Names.
    same = self;
    longNames = { ${long} = self.hello; short = self.hello; };
    "_7zip" = package "7zip";
    "c++filt" = package "filt";
    "with space" = package "space";
    "quote\"d" = package "quoted";
    "\${hello}" = package "dollar";
    import = package "import";
    builtins = { abort = package "abort"; };
    "true" = package "true";

    pkgsCross = { aarch64-multiplatform = crossed; gnu64 = crossed; };
  };
  final = builtins.foldl' (below: overlay: below // overlay final below) (set final) overlays;
in
final
