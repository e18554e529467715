# Sourced by the fixture scripts whose image is a Debian system.
. "$(dirname "${BASH_SOURCE[0]}")/image.sh"

# debian_image NAME CONFIG [PACKAGE...]: a minbase system with these packages, one layer.
debian_image() {
  local name=$1 config=$2 work
  shift 2
  up_to_date "$fixtures/$name.tar" "$0" && return
  work=$(new_directory)
  debian_system "$work/layer.tar" "$@"
  image "$name:latest" "$fixtures/$name.tar" "$config" "$work/layer.tar"
  rm -rf "$work"
}

# debian_system FILE [PACKAGE...]: the tar of a minbase system with these packages.
debian_system() {
  local file=$1 include=
  shift
  install_packages mmdebstrap
  include=$(IFS=,; echo "$*")
  # Manuals and translations are not what these images are for.
  SOURCE_DATE_EPOCH=1700000000 mmdebstrap --quiet --variant=minbase ${include:+--include="$include"} \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --customize-hook='rm -f "$1"/var/cache/apt/*.bin; find "$1/var/log" -type f -delete' bookworm "$file"
}

path='"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"'
