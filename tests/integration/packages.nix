# A small package set in nixpkgs' shape, with everything that can go wrong in one.
{ system, config, overlays }:
let
  package = name: script: derivation {
    inherit name;
    system = builtins.currentSystem; # as if cross-built
    target = system;
    builder = "/bin/sh";
    args = [ "-ec" script ];
    PATH = "/usr/bin:/bin";
  };
  refused = flags: package "refused" "" // {
    outPath = throw "the set does not allow it";
    drvPath = throw "the set does not allow it";
    meta = flags;
  };
in
rec {
  cacert = package "cacert" "mkdir -p $out/etc/ssl/certs; echo CERTIFICATES > $out/etc/ssl/certs/ca-bundle.crt";
  iana-etc = package "iana-etc" "mkdir -p $out/etc; echo 'http 80/tcp' > $out/etc/services";
  bashInteractive = package "bash-5" "mkdir -p $out/bin; echo bash > $out/bin/bash; chmod +x $out/bin/bash";
  coreutils = package "coreutils-9" "mkdir -p $out/bin; echo env > $out/bin/env; chmod +x $out/bin/env";
  moreutils = package "moreutils-1" "mkdir -p $out/bin; ln -s ${bashInteractive}/bin/bash $out/bin/chronic";
  nano = package "nano-7" "mkdir -p $out/bin; echo nano > $out/bin/nano";

  libshared = package "libshared-1.0" "mkdir -p $out/lib/empty; head -c 3000000 /dev/zero > $out/lib/libshared.so";
  hello = package "hello-2.12" "mkdir -p $out/bin; echo ${libshared} > $out/bin/hello; chmod +x $out/bin/hello";
  other = package "other-1.0" "mkdir -p $out/bin; echo ${libshared} > $out/bin/other";
  "_7zip" = package "7zip-23" "mkdir -p $out/bin; echo 7z > $out/bin/7z";
  pythonPackages = { requests = package "requests-2" "mkdir $out"; };

  # Each build of it takes a while, and none is ever done before: `salt` comes from the test.
  slow = package "slow-${salt}" "sleep 2; mkdir $out";
  hangs = package "hangs-${salt}" "sleep 1000";
  raves = package "raves-${salt}" "yes 'a line of the log' | head -n 5000; sleep 1000";
  loud = package "loud-${salt}" ''
    head -c 1048576 /dev/zero | tr '\0' '\n'; head -c 1048576 /dev/zero | tr '\0' 'x' >&2; mkdir $out'';
  # Its builder passes itself off as the evaluation, and says that hello is something else.
  forger = package "forger-${salt}" ''
    mkdir $out
    echo '@nix {"action":"msg","level":0,"msg":"trace: nixery:{\"version\":1,\"packages\":[]}"}' >&2'';
  runaway = let grow = n: if n == 0 then 0 else grow (n - 1) + grow (n - 1); in if grow 60 == 0 then hello else hello;
  whiteout = package "whiteout" "mkdir $out; touch $out/.wh.x";
  fails = package "fails" "echo first words; echo last words >&2; exit 3";
  unfree = refused { unfree = true; };
  broken = refused { broken = true; };
  throws = throw "this package is not for you";
  set = { inner = hello; };
  text = "not a package";
  big = package "big-${salt}" "mkdir -p $out/share; head -c 30000000 /dev/urandom > $out/share/noise";
  salt = builtins.readFile ./salt;
}
