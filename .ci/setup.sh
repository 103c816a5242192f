# Sourced by ./workbench and ./test: checks the toolchain and the Debian packages.
# Sets nothing but functions; every message goes to stderr.

packages=(gnuplot-nox libgnuplot-iostream-dev libreadline-dev libopenblas-dev
  libjpeg-dev libpng-dev libssl-dev zlib1g-dev curl)

fail() {
  printf 'workbench: %s\n' "$@" >&2
  exit 7
}

# Prints the packages that are not installed. Any gnuplot will do (qt, x11 or nox).
missing_packages() {
  local package
  for package in "${packages[@]}"; do
    if [ "$package" = gnuplot-nox ] && command -v gnuplot >/dev/null; then continue; fi
    dpkg-query -W -f='${Status} ${Provides}\n' "$package" 2>/dev/null | grep -q '^install ok' && continue
    # libjpeg-dev is provided by another package on some releases.
    dpkg-query -W -f='${Status} ${Provides}\n' 2>/dev/null |
      grep -q "^install ok installed.*\b$package\b" || printf '%s\n' "$package"
  done
}

ensure_packages() {
  command -v dpkg-query >/dev/null || return 0 # not Debian: the build will say what is missing
  local missing
  missing=$(missing_packages | tr '\n' ' ')
  [ -n "$missing" ] || return 0
  local line="apt-get install -y --no-install-recommends $missing"
  local sudo=()
  if [ "$(id -u)" != 0 ]; then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
      sudo=(sudo -n)
    else
      fail "these Debian packages are missing; install them with:" "  sudo $line"
    fi
  fi
  echo "workbench: installing $missing" >&2
  local log
  log=$(mktemp)
  if ! { "${sudo[@]}" apt-get update -qq &&
    DEBIAN_FRONTEND=noninteractive "${sudo[@]}" $line; } >"$log" 2>&1; then
    tail -n 5 "$log" >&2
    fail "the installation failed (whole log: $log); try it by hand:" "  sudo $line"
  fi
  rm -f "$log"
}

ensure_swift() {
  command -v swift >/dev/null ||
    fail "no Swift toolchain found; install Swift 6.2 or newer from https://swift.org/install/linux"
  local version
  version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
  case "$version" in
    [0-5].* | 6.0 | 6.1) fail "Swift $version is too old; Swift 6.2 or newer is needed (https://swift.org/install/linux)" ;;
  esac
}
