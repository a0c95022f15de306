# The package set that the daemon serves: the user's, a nixpkgs channel, or Debian's. Sourced after the others.
# Sets NIXERY_CHANNEL or NIXERY_DEBIAN_INDEX, and what Nix needs for it.

state=${XDG_STATE_HOME:-$HOME/.local/state}/nixery
channel=nixos-unstable

choose_package_set() {
  mkdir -p "$state"
  if [ -n "${NIXERY_PKGS_PATH:-}${NIXERY_DEBIAN_INDEX:-}${NIXERY_CHANNEL:-}${NIXERY_PKGS_REPO:-}" ]; then
    say "Package set: yours, ${NIXERY_PKGS_PATH:-${NIXERY_DEBIAN_INDEX:-${NIXERY_CHANNEL:-$NIXERY_PKGS_REPO}}}"
  else
    use_channel || use_debian
  fi
  [ -z "${NIXERY_DEBIAN_INDEX:-}" ] || prepare_for_debian
}

# Whether a file, or a link itself, is less than a day old.
young() { [ -n "$(find "$1" -maxdepth 0 -mmin -1440 2>/dev/null)" ]; }

# The channel, where it can be reached (at a mirror, if one is set) and this Nix is new enough for it. See docs/package-sources.md.
use_channel() {
  local mirror=${NIXERY_CHANNEL_URL:-} answer
  mirror=${mirror%/}
  if ! answer=$(timeout 30 "$python" scripts/lib/channel.py "${mirror:-https://channels.nixos.org}/$channel/git-revision" \
    "${mirror:-https://github.com/NixOS/nixpkgs}/archive" "$(nix-store --version)"); then
    say "No nixpkgs channel: ${answer:-no answer in 30 s}"
    return 1
  fi
  export NIXERY_CHANNEL=$channel
  say "Package set: the nixpkgs channel $channel${mirror:+, from ${mirror##*@}}"
}

# Debian's packages, by an index of apt's lists: as recent as these are, and at most a day old.
use_debian() {
  local index=$state/debian-index
  if ! young "$index/index.json" || [ /var/lib/apt/lists -nt "$index/index.json" ] ||
    [ nixery/debian/index.py -nt "$index/index.json" ]; then
    say "Making the index of Debian's packages (half a minute or so):"
    make_index "$index" || [ -e "$index/index.json" ] || stop "no package set could be prepared"
  fi
  export NIXERY_DEBIAN_INDEX=$index
  say "Package set: Debian's, of this host's own sources, by the index $index"
}

# Packages of the other architecture too, where the sources have them.
make_index() {
  local own other update='' XDG_CACHE_HOME=${XDG_CACHE_HOME:-$HOME/.cache}
  export XDG_CACHE_HOME
  own=$(dpkg --print-architecture)
  other=$([ "$own" = amd64 ] && echo arm64 || echo amd64)
  young /var/lib/apt/lists/partial || update=--update
  .venv/bin/nixery-debian-index "$1" --arch "$own" "$other" $update ||
    .venv/bin/nixery-debian-index "$1" --arch "$own" $update
}

prepare_for_debian() {
  local error
  if ! has dpkg-deb || ! [ -x /usr/bin/python3 ]; then stop "Debian's package set needs dpkg-deb and /usr/bin/python3"; fi
  nix_setting sandbox false "what unpacks Debian's packages are this host's python3 and dpkg-deb"
  nix_setting max-jobs auto "packages are fetched and unpacked side by side"
  nix_setting substituters "" "no binary cache has any of these packages, and asking one that is out of reach takes seconds"
  error=$(nix-build --no-out-link scripts/lib/host-builder.nix 2>&1) ||
    stop "Nix cannot build with this host's programs, where a Nix daemon runs only its trusted users can: ${error##*$'\n'}"
}
