# The daemon as a package of nixpkgs: pkgs.callPackage ./nix/package.nix { }
{ lib
, python3Packages
, makeWrapper
, coreutils
, git
, nix
, util-linux
}:
python3Packages.buildPythonApplication {
  pname = "nixery";
  version = builtins.head (builtins.match ".*__version__ = \"([^\"]+)\".*" (builtins.readFile ../nixery/__init__.py));
  pyproject = true;
  src = lib.cleanSource ../.;

  build-system = with python3Packages; [ setuptools ];
  dependencies = with python3Packages; [ attrs deflate google-cloud-storage inotify-simple klein python-debian treq twisted werkzeug zope-interface ]
    ++ lib.optional (pythonOlder "3.14") backports-zstd
    ++ twisted.optional-dependencies.tls;
  nativeBuildInputs = [ makeWrapper ];

  # A program of its own: twistd with our plugins on its path, and the programs that it starts.
  postInstall = ''
    makeWrapper ${python3Packages.twisted}/bin/twistd $out/bin/nixery \
      --add-flags "--nodaemon --pidfile= nixery" \
      --prefix PYTHONPATH : "$out/${python3Packages.python.sitePackages}:$PYTHONPATH" \
      --prefix PATH : ${lib.makeBinPath [ coreutils git nix util-linux ]}
  '';

  # The tests need a checkout, Nix and container tools: scripts/test runs them.
  doCheck = false;
  pythonImportsCheck = [ "nixery.tap" ];

  meta = {
    description = "A Docker and OCI registry that builds container images on demand with Nix";
    license = lib.licenses.asl20;
    mainProgram = "nixery";
    platforms = lib.platforms.linux;
  };
}
