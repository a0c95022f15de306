# The virtual environment .venv in the checkout. Sourced after steps.sh and parts.sh, in the checkout.

# make_venv EXTRAS: have .venv hold the project, editable, with these extras of setup.cfg. Does nothing where it does already.
make_venv() {
  local extras=$1 stamp=.venv/installed mark clear=''
  mark=$({ pwd -P; "$python" -VV; cat setup.cfg pyproject.toml; } | sha256sum | cut -d ' ' -f 1)
  [[ $(cat "$stamp" 2>/dev/null) != "$mark "*"$extras"* ]] || return 0
  [ ! -e .venv ] || [ -w .venv ] || stop "$PWD/.venv is another user's: remove it, or run this as that user"
  [ ! -e "$stamp" ] || clear=--clear  # an environment that is not of our making is added to, never emptied
  step "Making the virtual environment .venv" "$python" -m venv $clear .venv
  # In the default editable mode Twisted does not find the plugins.
  step "Installing the project and its libraries into it" .venv/bin/python -m pip install --quiet \
    --disable-pip-version-check --config-settings editable_mode=compat -e ".${extras:+[$extras]}"
  echo "$mark $extras" >"$stamp"
}
