#!/usr/bin/env bash
# debian_source.sh PACKAGE FOLDER: unpacks what Debian's source package PACKAGE is made of, without Debian's changes,
# into FOLDER. Needs no rights: apt fetches and verifies it with lists of their own.
set -euo pipefail
package=$1
folder=$(realpath -m "$2")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

if ! command -v apt-get >/dev/null; then
  echo "debian_source: $package comes from Debian, and there is no apt-get here" >&2
  exit 1
fi
. /etc/os-release
archives=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Component: main' \
  "Release: $VERSION_CODENAME")
archive=${archives%%$'\n'*}
echo "deb-src ${archive:-http://deb.debian.org/debian} $VERSION_CODENAME main" > sources.list
mkdir -p lists/partial
apt_get() {
  apt-get -qq -o Dir::Etc::SourceList="$scratch/sources.list" -o Dir::Etc::SourceParts=- \
    -o Dir::State::Lists="$scratch/lists" -o APT::Sandbox::User="#$(id -u)" "$@"
}
apt_get update
apt_get source --download-only "$package"
rm -rf "$folder"
mkdir -p "$folder"
tar xf "$package"_*.orig.tar.[gxb]z* -C "$folder" --strip-components 1
