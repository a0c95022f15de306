# nixpkgs' names of Debian's packages, where the two differ. A name that this suite has no package for is left out.
debian:
let
  inherit (builtins) attrNames filter listToAttrs match stringLength substring;

  present = aliases: removeAttrs (builtins.mapAttrs (_: name: debian.${name}) aliases)
    (filter (alias: !(debian ? ${aliases.${alias}})) (attrNames aliases));

  # python3Packages.requests is python3-requests.
  after = prefix: listToAttrs (map
    (name: { name = substring (stringLength prefix) (-1) name; value = debian.${name}; })
    (filter (name: substring 0 (stringLength prefix) name == prefix) (attrNames debian)));

  # An attribute that begins with a digit is written with _ before it.
  digits = listToAttrs (map (name: { name = "_${name}"; value = debian.${name}; })
    (filter (name: match "[0-9].*" name != null) (attrNames debian)));
in
digits // present {
  apacheHttpd = "apache2";
  bashInteractive = "bash";
  bind = "bind9";
  cacert = "ca-certificates";
  dnsutils = "bind9-dnsutils";
  docker = "docker.io";
  fd = "fd-find";
  glibc = "libc6";
  gnugrep = "grep";
  gnumake = "make";
  gnupatch = "patch";
  gnused = "sed";
  gnutar = "tar";
  go = "golang-go";
  iana-etc = "netbase";
  inetutils = "inetutils-telnet";
  iputils = "iputils-ping";
  jdk = "default-jdk";
  jdk_headless = "default-jdk-headless";
  jre = "default-jre";
  jre_headless = "default-jre-headless";
  mariadb = "mariadb-server";
  ncurses = "ncurses-bin";
  netcat = "netcat-openbsd";
  nettools = "net-tools";
  openjdk = "default-jdk";
  openssh = "openssh-client";
  p7zip = "p7zip-full";
  redis = "redis-server";
  shadow = "passwd";
  sqlite = "sqlite3";
  utillinux = "util-linux";
  which = "debianutils";
  xz = "xz-utils";
  zlib = "zlib1g";
} // {
  python3Packages = after "python3-";
  nodePackages = after "node-";
  rubyPackages = after "ruby-";
}
