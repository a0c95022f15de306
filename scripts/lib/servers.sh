# The servers that tests start: object stores, and a proxy that fails. Sourced after clients.sh.

# Where they are kept, for every checkout of this user.
server_cache=${XDG_CACHE_HOME:-$HOME/.cache}/nixery/servers

# What each is called, with its version, and the Go module that it comes as.
servers=(
  "versitygw 1.8.0 github.com/versity/versitygw/cmd/versitygw"
  "fake-gcs-server 1.56.1 github.com/fsouza/fake-gcs-server"
  "toxiproxy-server 2.5.0 github.com/Shopify/toxiproxy/v2/cmd/server"
)

# Build those that are not there yet, once, and have all in PATH.
make_go_servers() {
  local server name version lacking=()
  for server in "${servers[@]}"; do
    read -r name version _ <<<"$server"
    PATH=$server_cache/$name-$version:$PATH
    [ -x "$server_cache/$name-$version/$name" ] || lacking+=("$server")
  done
  # In a subshell, which a failure ends: then the tests that need them say so.
  (build_go_servers "${lacking[@]}") || say "not all servers for the tests are there"
}

build_go_servers() {
  [ $# -gt 0 ] || return 0
  step "Building servers for the tests, once: ${*%% *}" install_go_servers "$@"
}

# Two at a time: each takes a gigabyte of memory or so.
install_go_servers() {
  export server_cache
  export -f install_go_server
  printf '%s\n' "$@" | xargs -n 3 -P 2 bash -euc 'install_go_server "$@"' install
}

# install_go_server NAME VERSION MODULE: in a folder of its own until it is whole, as modules name their programs as they like.
install_go_server() {
  local folder=$server_cache/$1-$2
  GOBIN=$folder/new go install "$3@v$2"
  mv "$folder/new/${3##*/}" "$folder/$1"
  rmdir "$folder/new"
}
