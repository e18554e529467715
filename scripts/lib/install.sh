# Sourced by the scripts: what they need from the machine.

# need PROGRAM: ends the script with a sentence when a program that only the reader can install is missing.
need() {
  command -v "$1" > /dev/null && return
  case $1 in
    dotnet) echo "${0##*/}: the .NET SDK (10 or newer) is missing: https://learn.microsoft.com/dotnet/core/install/linux-debian" >&2 ;;
    *) echo "${0##*/}: $1 is missing" >&2 ;;
  esac
  exit 1
}

# in_turn COMMAND...: runs it when no other of these scripts runs one so. apt-get does not wait for another's lists.
in_turn() {
  local turn status=0
  exec {turn}> "${TMPDIR:-/tmp}/hull-apt.lock"
  flock "$turn"
  "$@" || status=$?
  exec {turn}>&-
  return "$status"
}

# install_packages PACKAGE...: installs those that are missing, from Debian; says nothing when all are there.
install_packages() {
  local package missing=()
  for package; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2> /dev/null)" = installed ] || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  [ "$(id -u)" = 0 ] || { echo "${0##*/}: run as root, or install: ${missing[*]}" >&2; exit 1; }
  echo "installing ${missing[*]}" >&2
  in_turn install_from_debian "${missing[@]}"
}

install_from_debian() {
  # Services that a package brings are not started: a test machine runs its own, on its own directories.
  local policy=/usr/sbin/policy-rc.d made=
  [ -e "$policy" ] || { printf '#!/bin/sh\nexit 101\n' > "$policy"; chmod +x "$policy"; made=1; }
  local log status=0
  log=$(mktemp)
  { DEBIAN_FRONTEND=noninteractive apt-get -q update &&
    DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install "$@"; } > "$log" 2>&1 || status=$?
  [ -z "$made" ] || rm -f "$policy"
  [ "$status" = 0 ] || tail -20 "$log" >&2
  rm -f "$log"
  return "$status"
}
