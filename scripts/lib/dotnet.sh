# Sourced by the scripts: which runtime identifier, linker and runtime are used. Wants install.sh sourced before it.

# As hull itself: an SDK that was unpacked by hand has no ICU beside it.
export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1
# No greeting, no certificate and no call home on an SDK's first use.
export DOTNET_NOLOGO=1 DOTNET_GENERATE_ASPNET_CERTIFICATE=false DOTNET_CLI_TELEMETRY_OPTOUT=1

case $(uname -m) in
  x86_64) rid=linux-x64 ;;
  aarch64) rid=linux-arm64 ;;
  *) echo "${0##*/}: no runtime identifier is known for $(uname -m)" >&2; exit 1 ;;
esac

# compiler_and_python: the first drives the linker, the second puts hull's object in order before.
compiler_and_python() {
  command -v gcc > /dev/null || command -v clang > /dev/null || install_packages gcc
  command -v python3 > /dev/null || install_packages python3
}

# publish_native PROJECT DIRECTORY: a NativeAOT publish. Its linker step is driven by clang or gcc and wants libz.a.
publish_native() {
  local linker library
  compiler_and_python
  linker=$(command -v clang > /dev/null && echo clang || echo gcc)
  for library in c z; do
    [ -e "/usr/lib/$(uname -m)-linux-gnu/lib$library.a" ] || install_packages libc6-dev zlib1g-dev
  done
  dotnet publish "$1" -c Release -r "$rid" -v quiet --nologo -p:CppCompilerAndLinker="$linker" -p:PublishDir="$2/"
}

# runtime_root FRAMEWORK: sets $runtime_root to a directory with the runtime of net9.0 or net10.0, for DOTNET_ROOT.
# A machine with the newer SDK alone has no .NET 9 runtime; NuGet's runtime pack is one, but for its places.
runtime_root() {
  local version=${1#net} system pack
  system=$(dirname "$(readlink -f "$(command -v dotnet)")")
  runtime_root=$system
  compgen -G "$system/shared/Microsoft.NETCore.App/$version.*" > /dev/null && return
  runtime_root=$PWD/out/runtime-$1
  compgen -G "$runtime_root/shared/Microsoft.NETCore.App/$version.*" > /dev/null && return
  # The self-contained kernel tests bring the pack in.
  dotnet restore native-tests/Kernel/Hull.Kernel.Tests.csproj -r "$rid" -p:SelfContained=true -p:HullTargetFramework="$1" -v quiet
  pack=$(ls -d "${NUGET_PACKAGES:-$HOME/.nuget/packages}/microsoft.netcore.app.runtime.$rid/$version".* | sort -V | tail -1)
  version=$(basename "$pack")
  local host=$runtime_root/host/fxr/$version framework=$runtime_root/shared/Microsoft.NETCore.App/$version
  mkdir -p "$host" "$framework"
  cp "$pack/runtimes/$rid/native/libhostfxr.so" "$host/"
  cp "$pack/runtimes/$rid"/lib/net*/* "$pack/runtimes/$rid"/native/* "$framework/"
}
