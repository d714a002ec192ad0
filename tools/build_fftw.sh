#!/usr/bin/env bash
# build_fftw.sh PREFIX: FFTW in single precision, of Debian's own sources, with AVX2 and AVX-512, which Debian's library
# leaves out: on processors with AVX-512 a transform then takes a third less time. Needs make and a C compiler, and
# no rights: apt fetches and verifies the sources with lists of their own. Takes some five minutes of processor time.
set -euo pipefail
prefix=$(realpath -m "$1")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

if ! command -v apt-get >/dev/null; then
  echo "build_fftw: takes the sources from Debian, and there is no apt-get here" >&2
  exit 1
fi
. /etc/os-release
read -r archive < <(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Component: main' \
  "Release: $VERSION_CODENAME") || archive=http://deb.debian.org/debian
echo "deb-src $archive $VERSION_CODENAME main" > sources.list
mkdir -p lists/partial
of_source=(-qq -o Dir::Etc::SourceList="$scratch/sources.list" -o Dir::Etc::SourceParts=- -o Dir::State::Lists="$scratch/lists"
  -o APT::Sandbox::User="$(id -un)")
apt-get "${of_source[@]}" update
apt-get "${of_source[@]}" source --download-only fftw3
mkdir source build
tar xf fftw3_*.orig.tar.gz -C source --strip-components 1

cd build
compiler=${CC:-gcc}
command -v ccache >/dev/null && compiler="ccache $compiler"
../source/configure --quiet --prefix="$prefix" CC="$compiler" --enable-float --enable-threads --with-pic \
  --disable-fortran --disable-doc --enable-sse2 --enable-avx2 --enable-avx512 >/dev/null
make -s -j "$(nproc)" ARFLAGS=cr >/dev/null
rm -rf "$prefix"
make -s install >/dev/null
