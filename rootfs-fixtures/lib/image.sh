# Sourced by the fixture scripts: makes images from directory trees or layer tars, in docker's archive form.
# What it writes depends on its input alone: same packages, same bytes.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
fixtures=${HULL_FIXTURES:-$top/out/fixtures}
mkdir -p "$fixtures"
. "$top/scripts/lib/install.sh"

# up_to_date FILE SOURCE...: true when FILE is there and newer than what makes it.
up_to_date() {
  local file=$1 source
  shift
  [ -e "$file" ] || return 1
  for source; do [ "$file" -nt "$source" ] || return 1; done
}

# new_directory: prints a fresh directory that goes when the script ends.
new_directory() { mktemp -d "${TMPDIR:-/tmp}/hull-fixture.XXXXXX"; }

# layer_from TREE LAYER.tar
layer_from() {
  tar --create --file "$2" --directory "$1" --sort=name --mtime=@1700000000 --numeric-owner --format=pax \
    --pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime --xattrs --xattrs-include='*' .
}

# image NAME ARCHIVE CONFIG LAYER.tar...: CONFIG is the JSON of the image's "config" member.
image() {
  local name=$1 archive=$2 config=$3 work digest layers= diffs= architecture
  shift 3
  case $(uname -m) in aarch64) architecture=arm64 ;; *) architecture=amd64 ;; esac
  work=$(new_directory)
  for layer; do
    digest=$(sha256sum "$layer" | cut -d' ' -f1)
    ln -s "$(realpath "$layer")" "$work/$digest.tar"
    diffs+="${diffs:+,}\"sha256:$digest\""
    layers+="${layers:+,}\"$digest.tar\""
  done
  printf '{"architecture":"%s","os":"linux","created":"2023-11-14T22:13:20Z","config":%s,"rootfs":{"type":"layers","diff_ids":[%s]},"history":[{"created":"2023-11-14T22:13:20Z","created_by":"rootfs-fixtures/%s"}]}' \
    "$architecture" "$config" "$diffs" "${name%%:*}" > "$work/config"
  digest=$(sha256sum "$work/config" | cut -d' ' -f1)
  mv "$work/config" "$work/$digest.json"
  printf '[{"Config":"%s.json","RepoTags":["%s"],"Layers":[%s]}]' "$digest" "$name" "$layers" > "$work/manifest.json"
  # manifest.json first: a reader of a stream knows the layers' names before they come.
  (cd "$work" && tar --create --dereference --hard-dereference --file "$archive.new" --mtime=@1700000000 --owner=0 --group=0 --numeric-owner \
    manifest.json "$digest.json" *.tar)
  mv "$archive.new" "$archive"
  rm -rf "$work"
}
