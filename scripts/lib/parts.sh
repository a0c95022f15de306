# The parts that a host may lack, and how apt brings them. Sourced after steps.sh.

packages=()
reasons=()

# need PACKAGE REASON: note a part that is missing.
need() {
  packages+=("$1")
  reasons+=("  $1: $2")
}

has() { command -v "$1" >/dev/null; }

# The parts without which nothing can be served.
need_daemon_parts() {
  has nix-build || need nix-bin "Nix, which builds what an image is made of"
  has setpriv || need util-linux "setsid and setpriv, so that no build outlives the daemon"
  [ -e /etc/ssl/certs/ca-certificates.crt ] || need ca-certificates "to check whom packages are fetched from"
  python=$(usable_python) || need python3-venv "a virtual environment for the daemon's Python libraries"
}

# A Python that the project runs on and that can make a virtual environment.
usable_python() {
  local candidate
  for candidate in python3 /usr/bin/python3 python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  return 1
}

# Install all that was noted, saying first what and why; leaves $python set.
install_parts() {
  if [ ${#packages[@]} -gt 0 ]; then
    say "Missing here, and installed by apt now:"
    say "$(printf '%s\n' "${reasons[@]}")"
    has apt-get || stop "no apt-get here: install these yourself, then run this again"
    as_root true || stop "only root may install packages: run this as root, or as a user with sudo"
    step "apt-get update" as_root apt-get update -qq
    # RUNLEVEL: what is installed is not started (invoke-rc.d(8)), where there is no systemd.
    step "apt-get install" as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
      apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=120 "${packages[@]}"
  fi
  python=$(usable_python) || stop "no Python 3.11 or newer here that can make a virtual environment (this host has $(python3 -V))"
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; elif has sudo; then sudo "$@"; else return 1; fi
}
