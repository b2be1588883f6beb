#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Fetch Debian packages for $BOARD_ARCH with apt's own verification, and leave the user's apt as it is.
#
#   apt.sh show SUITE PACKAGE             print the package's record; fails when there is none
#   apt.sh fetch SUITE DIR PACKAGE...     download exactly these into DIR
#   apt.sh closure SUITE DIR PACKAGE...   download these and all they depend on into DIR
#
# Packages come from Debian's archive alone: what a list names must be signed by a key of Debian's
# keyring. The address is that of the archive, or mirror, that this machine's apt uses; proxies and
# the like come from the user's apt configuration too, so a site behind its own mirror needs nothing
# further. Lists, state and package files are private, see $state below.

# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Lists are taken as current for this long; a download that fails refreshes them at once.
LISTS_MAX_AGE_MIN=1440

KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
DEFAULT_ARCHIVE=http://deb.debian.org/debian/

# archives: candidates, best first. Those that apt uses may be another vendor's: the signature decides.
archives()
{
	{
		apt-get --print-uris update | sed -n "s|^'\(.*/\)dists/[^/]*/main/.*|\1|p"
		echo "$DEFAULT_ARCHIVE"
	} | awk '!seen[$0]++'
}

# Write the private configuration.
configure()
{
	mkdir -p "$state"/{lists,archives,none}/partial
	: >"$state/status"
	# Read after the user's own files, hence the #clear lines: the hooks would act outside
	# the cache.
	cat >"$state/apt.conf" <<-EOF
		Dir::Etc::sourcelist "$state/sources.list";
		Dir::Etc::sourceparts "/dev/null";
		Dir::Etc::preferences "/dev/null";
		Dir::Etc::preferencesparts "/dev/null";
		Dir::State "$state";
		Dir::State::lists "$state/lists";
		Dir::State::status "$state/status";
		Dir::State::extended_states "$state/extended_states";
		Dir::Cache "$state";
		Dir::Cache::archives "$state/archives";
		#clear APT::Architectures;
		APT::Architecture "$BOARD_ARCH";
		APT::Architectures { "$BOARD_ARCH"; };
		#clear APT::Default-Release;
		APT::Install-Recommends "false";
		APT::Get::AllowUnauthenticated "false";
		Acquire::AllowInsecureRepositories "false";
		Acquire::AllowWeakRepositories "false";
		Acquire::Languages "none";
		Acquire::Retries "3";
		#clear APT::Update::Pre-Invoke;
		#clear APT::Update::Post-Invoke;
		#clear APT::Update::Post-Invoke-Success;
		#clear DPkg::Pre-Install-Pkgs;
		#clear DPkg::Post-Invoke;
	EOF
}

run_apt()
{
	apt-get --config-file "$state/apt.conf" --option APT::Status-Fd=3 --yes --quiet=2 "$@"
}

# The lists of the archive that was used last stay until another one has delivered its own.
update()
{
	local archive list=$state/sources.list
	for archive in $(archives); do
		echo "deb [signed-by=$KEYRING] $archive $suite main" >"$list.new"
		STEP_RETRY=1 step "package lists of $suite" run_apt --option Dir::Etc::sourcelist="$list.new" \
			--option APT::Update::Error-Mode=any update || continue
		mv "$list.new" "$list"
		touch "$state/updated"
		return
	done
	return 1
}

lists_are_current()
{
	[ -n "$(find "$state/updated" -mmin "-$LISTS_MAX_AGE_MIN" 2>/dev/null)" ]
}

# Run one download; when it fails, try again with new lists: an archive drops a package's old
# version as soon as there is a newer one.
download()
{
	local text=$1
	shift
	STEP_RETRY=1 "$@" || { update && "$@"; } || die "$text: could not be fetched from $suite"
}

fetch_exact()
{
	rm -rf "$state/download"
	mkdir "$state/download"
	[ "$(id -u)" -ne 0 ] || chown _apt "$state/download"
	(cd "$state/download" && step "download $what" run_apt download "$@") || return
	mv "$state/download"/*.deb "$dir/"
}

fetch_closure()
{
	local file
	step "download $what" run_apt --download-only install "$@" || return
	# The archives folder also has packages of earlier runs. With an empty folder, apt lists all the
	# packages that this run needs.
	run_apt --option Dir::Cache::archives="$state/none" --print-uris install "$@" 3>/dev/null |
		while read -r _ file _; do
			cp --reflink=auto "$state/archives/$file" "$dir/"
		done
}

[ $# -ge 3 ] || die "usage: show SUITE PACKAGE | fetch SUITE DIR PACKAGE... | closure SUITE DIR PACKAGE..."
verb=$1 suite=$2
shift 2
# As root, apt downloads as the user _apt, which cannot enter root's home.
state=$QS1_CACHE/apt
[ "$(id -u)" -ne 0 ] || state=/var/cache/qs1/apt
state+=/v2-$suite-$BOARD_ARCH
cache_lock
mkdir -p "$state"
# Several caches can share this folder.
exec 7>"$state/lock"
flock 7
configure
if ! lists_are_current && ! update; then
	[ -e "$state/updated" ] || die "the package lists of $suite could not be fetched, see $LOG_DIR"
	echo "  continuing with the package lists of $(date -r "$state/updated" +%F)" >&2
fi

case $verb in
show)
	record=$(apt-cache --config-file "$state/apt.conf" show --no-all-versions "$1" 2>/dev/null)
	[ -n "$record" ] || exit 1
	echo "$record"
	;;
fetch | closure)
	dir=$(realpath "$1")
	shift
	what="$*"
	[ ${#what} -le 60 ] || what="$# packages"
	download "$what" "fetch_${verb/fetch/exact}" "$@"
	;;
*)
	die "unknown request '$verb'; expected show, fetch or closure"
	;;
esac
