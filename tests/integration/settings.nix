# A package set with images of its own. Its programs run in a container: they bring this host's shell along.
{ system, ... }:
let
  package = name: script: derivation {
    inherit name;
    system = builtins.currentSystem; # as if cross-built
    target = system;
    builder = "/bin/sh";
    args = [ "-ec" script ];
    PATH = "/usr/bin:/bin";
  };
in
rec {
  cacert = package "cacert" "mkdir $out" // { meta.license.spdxId = "MPL-2.0"; };
  iana-etc = package "iana-etc" "mkdir $out" // { meta.license = { shortName = "free"; }; };

  tell = package "tell-1.2" ''
    mkdir -p $out/bin
    cp /bin/sh $out/bin/sh
    for library in $(ldd /bin/sh | grep -o '/[^ ]*'); do
      mkdir -p $out/''${library%/*}
      cp -L $library $out$library
    done
    cat > $out/bin/tell <<'END'
    #!/bin/sh
    echo "tell: $*"
    if [ -n "$GREETING" ]; then
      while read -r key value _; do if [ "$key" = Uid: ]; then user=$value; fi; done < /proc/self/status
      echo "$GREETING from user $user in $PWD"
    fi
    END
    chmod +x $out/bin/tell
  '' // {
    version = "1.2";
    meta = { mainProgram = "tell"; license = [ { spdxId = "GPL-3.0-or-later"; } { spdxId = "MIT"; } ]; };
  };
  other = package "other-3" "mkdir $out";
  apart = package "apart" "mkdir $out; echo ${tell} > $out/told";
  nope = throw "not for you";

  nixery.images = {
    app = {
      packages = [ tell "other" ];
      config = {
        Entrypoint = [ "${tell}/bin/tell" "first" ];
        Cmd = [ "second" ];
        Env = [ "GREETING=hello" ];
        User = "65534:65534";
        WorkingDir = "/tmp";
        Labels = { "org.example.team" = "us"; };
        ExposedPorts."80/tcp" = { };
        Volumes."/data" = { };
        StopSignal = "SIGINT";
      };
    };
    plain.packages = [ "tell" ];
    wrong = { packages = [ "tell" ]; config.Entrypoint = "tell"; };
    throwing = { packages = [ "tell" ]; config.Env = [ nope ]; };
    lacking = { packages = [ "other" ]; config.Cmd = [ "${tell}/bin/tell" ]; };
    indirect = { packages = [ "apart" ]; config.Cmd = [ "${tell}/bin/tell" ]; };
    elsewhere.packages = [ "tell" (package "late" "mkdir $out" // { outPath = throw "no path for you"; }) ];
  };
}
