# shellcheck shell=bash
# Sourced: where the pinned tools live, so that every clone of this repository shares them.
export YARDARM_TOOLS=${YARDARM_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/yardarm/tools}
export PATH=$YARDARM_TOOLS/bin:$PATH
