# shellcheck shell=bash
# shellcheck disable=SC2034 # what is set here is used where this is sourced
# setup.sh - sourced by the other scripts: installs Debian packages that are missing, and builds.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

build_packages=(gcc libc6-dev meson ninja-build pkg-config libcurl4-openssl-dev libgnutls28-dev libjansson-dev
    libmicrohttpd-dev libsqlite3-dev libsystemd-dev libxxhash-dev libyaml-dev libzstd-dev python3-yaml zlib1g-dev)
test_packages=("${build_packages[@]}" bash-completion chromium clang clang-format curl g++ gcovr gzip
    libclang-rt-dev libcmocka-dev man-db openssl prometheus python3-hypothesis python3-jsonschema python3-pytest
    python3-pytest-xdist python3-requests shellcheck valgrind wget zstd)
bench_packages=("${build_packages[@]}" gzip jq nginx-light python3 redis-server redis-tools time
    wrk zstd)

say() {
    printf '==> %s\n' "$*" >&2
}

# need PACKAGE…: installs those that are not there. Needs root only if there are any.
need() {
    local installed missing=() package as_root=()
    installed=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "$@" 2>/dev/null || true)
    for package in "$@"; do
        grep -q "^ii  *$package\$" <<<"$installed" || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0

    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || {
            say "missing: ${missing[*]}"
            say "install them as root: apt-get install ${missing[*]}"
            return 1
        }
        as_root=(sudo)
    fi
    say "installing ${missing[*]}"
    "${as_root[@]}" apt-get update -q >&2
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -q --no-install-recommends "${missing[@]}" >&2
}

# pages: installs what the server's pages are made of, in web/, unless that is there.
pages() {
    local log
    [ ! "$root/web/node_modules/.package-lock.json" -nt "$root/web/package-lock.json" ] || return 0
    command -v npm >/dev/null || need npm
    say "installing web/node_modules"
    log=$(mktemp)
    (cd "$root/web" && npm ci --ignore-scripts --no-audit --no-fund) >"$log" 2>&1 || {
        cat "$log" >&2
        rm -f "$log"
        return 1
    }
    rm -f "$log"
}

# build NAME [MESON OPTION…]: builds in build/NAME; prints what it says only if that fails.
build() {
    local dir="$root/build/$1" log
    log=$(mktemp)
    shift
    pages || return 1
    say "building in ${dir#"$root"/}"
    if { [ -f "$dir/build.ninja" ] || meson setup "$dir" "$root" "$@"; } >"$log" 2>&1 &&
        ninja -C "$dir" >>"$log" 2>&1; then
        rm -f "$log"
    else
        cat "$log" >&2
        rm -f "$log"
        return 1
    fi
}
