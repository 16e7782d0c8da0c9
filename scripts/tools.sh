# shellcheck shell=bash
# Sourced: where the pinned tools live, so that every clone of this repository shares them.
export YARDARM_TOOLS=${YARDARM_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/yardarm/tools}
export PATH=$YARDARM_TOOLS/bin:$PATH

# The packages of the folder's package-lock.json, if it is newer than what it led to.
install_packages() {
    [[ package-lock.json -nt node_modules/.package-lock.json ]] || return 0
    npm ci --loglevel error --no-fund --no-audit
}
