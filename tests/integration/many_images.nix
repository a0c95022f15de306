# Packages of which many images can be made: large ones that are built once for all tests, and small ones that are not.
{ system, config, overlays }:
let
  package = name: script: derivation {
    inherit name system;
    builder = "/bin/sh";
    args = [ "-ec" script ];
    PATH = "/usr/bin:/bin";
  };
  numbered = word: make: builtins.listToAttrs (builtins.genList
    (number: rec { name = "${word}${toString number}"; value = make name; })
    1000);
  salt = builtins.readFile ./salt;
in
numbered "large" (name: package name "mkdir $out; head -c 3000000 /dev/urandom > $out/noise")
// numbered "small" (name: package "${name}-${salt}" "sleep 0.2; mkdir $out; echo ${name}-${salt} > $out/text")
// {
  cacert = package "cacert" "mkdir -p $out/etc/ssl/certs; echo CERTIFICATES > $out/etc/ssl/certs/ca-bundle.crt";
  iana-etc = package "iana-etc" "mkdir -p $out/etc; echo 'http 80/tcp' > $out/etc/services";
}
