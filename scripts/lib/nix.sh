# Nix settings for the daemon's environment, and whether Nix can be used at all. Sourced after steps.sh and parts.sh.

# nix_setting NAME VALUE REASON: set it by NIX_CONFIG, unless the user has. No file is touched.
nix_setting() {
  if ! grep -q "^ *$1 *=" <<<"${NIX_CONFIG:-}"; then
    export NIX_CONFIG="${NIX_CONFIG:+$NIX_CONFIG$'\n'}$1 = $2"
    say "Nix setting, for this daemon alone (NIX_CONFIG): $1 = ${2:-(nothing)}: $3"
  fi
}

# Root without build users would otherwise be refused every build.
set_build_users() {
  if [ "$(id -u)" = 0 ] && ! getent group nixbld | grep -q '[^:]$'; then
    nix_setting build-users-group "" "this host has no build users, so builds run as root"
  fi
}

# need_store ARGUMENT…: make sure that this user can use Nix's store. Where only root can, go on as root by sudo.
need_store() {
  local path
  # Without /nix a plain user's Nix makes itself a store elsewhere: then what it says it has added is not there.
  if path=$(nix-store --add setup.cfg 2>/dev/null) && [ -e "$path" ]; then return; fi
  [ "$(id -u)" != 0 ] || stop "Nix cannot use its store: $(nix-store --add setup.cfg 2>&1 | tail -n 1)"
  has sudo || stop "only root can use Nix here, as no Nix daemon runs: run this as root, or install nix-setup-systemd"
  say "Only root can use Nix here, as no Nix daemon runs (Debian's nix-setup-systemd would set one up): going on as root."
  exec sudo --preserve-env="$(settings_of_user)" "$PWD/scripts/${0##*/}" "$@"
}

settings_of_user() { compgen -e | grep -E '^(CI|PORT|STORAGE_PATH|NIX.*|PIP_.*|.*_proxy|.*_PROXY|SSL_CERT_FILE)$' | paste -sd ,; }
