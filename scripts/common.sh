# Shared by ./eventmail and ./test; sourced, with $repo set.

export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_GENERATE_ASPNET_CERTIFICATE=false MSBUILDDISABLENODEREUSE=1

# A service's environment may have no HOME, which the .NET SDK wants for its caches: give it a folder of ours.
need_home() {
    if [ -z "${HOME:-}" ] || [ ! -w "$HOME" ]; then
        mkdir -p "$1"
        export DOTNET_CLI_HOME=${DOTNET_CLI_HOME:-$1} NUGET_PACKAGES=${NUGET_PACKAGES:-$1/packages} HOME=$1
    fi
}

die() {
    echo "eventmail: $*" >&2
    exit 1
}

need_sdk() {
    local major
    command -v dotnet >/dev/null || die "the .NET 10 SDK is missing. Get it from https://dot.net/download (Ubuntu: apt-get install dotnet-sdk-10.0)."
    major=$(cd "$repo" && dotnet --version 2>/dev/null | cut -d. -f1) || major=
    [ "${major:-0}" -ge 10 ] 2>/dev/null ||
        die "the .NET 10 SDK is missing; installed: $(dotnet --list-sdks | cut -d' ' -f1 | paste -sd' '). Get it from https://dot.net/download."
}

# publish FOLDER ARTIFACTS LOG: the program in a folder. Compiled ahead of its first run it starts in half the time; the compiler for that is a
# package more: without it, or where it cannot be had now, the rest is still enough. What analyzers say is for ./test.
publish() {
    local folder=$1 artifacts=$2 log=$3
    compile() {
        dotnet publish "$repo/src/EventMail.Host/EventMail.Host.csproj" --nologo --verbosity quiet --configuration Release \
            --artifacts-path "$artifacts" --output "$folder" -p:RunAnalyzers=false "$@" >"$log" 2>&1
    }
    compile --use-current-runtime --no-self-contained -p:PublishReadyToRun=true || { grep -qE 'error (NU|NETSDK)[0-9]' "$log" && compile; }
}

has_postgres() {
    command -v initdb >/dev/null && command -v postgres >/dev/null && return
    local program
    for program in /usr/lib/postgresql/*/bin/initdb /usr/pgsql-*/bin/initdb /opt/homebrew/opt/postgresql*/bin/initdb /usr/local/opt/postgresql*/bin/initdb; do
        [ -x "$program" ] && return
    done
    return 1
}

has_argon2() {
    local library
    for library in /usr/lib/*/libargon2.so.1 /lib/*/libargon2.so.1 /usr/lib/libargon2.so.1 /usr/lib64/libargon2.so.1 /usr/local/lib/libargon2* /opt/homebrew/lib/libargon2*; do
        [ -e "$library" ] && return
    done
    ldconfig -p 2>/dev/null | grep -q libargon2.so.1
}

# Prints the packages of the arguments that are not installed.
missing_packages() {
    local package
    for package in "$@"; do
        dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || echo "$package"
    done
}

# Installs Debian packages: as root, or with a sudo that asks for no password. Fails otherwise.
apt_install() {
    command -v apt-get >/dev/null || return 1
    local as_root=()
    if [ "$(id -u)" != 0 ]; then
        sudo -n true 2>/dev/null || return 1
        as_root=(sudo -n)
    fi
    echo "eventmail: installing $* ..." >&2
    # We run our own cluster: Debian's package must not make and start one of its own beside it.
    local no_cluster=/etc/postgresql-common/createcluster.d/eventmail.conf
    if ! [ -e /etc/postgresql-common ]; then
        "${as_root[@]}" mkdir -p "${no_cluster%/*}"
        echo 'create_main_cluster = false' | "${as_root[@]}" tee "$no_cluster" >/dev/null
    fi
    # Nor may any other daemon start.
    local policy=/usr/sbin/policy-rc.d
    if [ -e $policy ]; then
        policy=
    else
        printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee $policy >/dev/null
        "${as_root[@]}" chmod +x $policy
    fi
    local log status=0
    log=$(mktemp)
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive bash -c '
        install() { apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=300 "$@"; }
        install "$@" || { apt-get update && install "$@"; }' apt_install "$@" >"$log" 2>&1 </dev/null || status=1
    "${as_root[@]}" rm -f "$no_cluster" $policy
    [ "$status" = 0 ] || tail -5 "$log" >&2
    rm -f "$log"
    return "$status"
}

# PostgreSQL and libargon2, which the server runs on. A server with a database of its own needs no PostgreSQL here.
need_native() {
    local packages=()
    has_argon2 || packages+=(libargon2-1)
    case "${EVENTMAIL_Database__ConnectionString:-} $*" in
    " "*) [[ "$*" == *Database:ConnectionString=* ]] || has_postgres || packages+=(postgresql) ;;
    esac
    if [ ${#packages[@]} -gt 0 ] && ! apt_install "${packages[@]}"; then
        local sudo=
        [ "$(id -u)" = 0 ] || sudo='sudo '
        echo "eventmail: missing ${packages[*]}. Install with: ${sudo}apt-get install -y ${packages[*]}" >&2
        # A configuration file may name a database elsewhere: then the program knows that it needs no PostgreSQL here.
        [[ " $* " == *" --config"* ]] || exit 1
    fi
}
