#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Fetch Debian packages for $BOARD_ARCH with apt's own verification, and leave the user's apt as it is.
#
#   apt.sh show SUITE PACKAGE             print the package's record; fails when there is none
#   apt.sh fetch SUITE DIR PACKAGE...     download exactly these into DIR
#   apt.sh closure SUITE DIR PACKAGE...   download these and all they depend on into DIR
#
# Lists, state and package files are private to $QS1_CACHE/apt. Proxies, keys and the like come from
# the user's apt configuration, and so does the archive's address: a site behind its own archive
# needs nothing further.

# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Lists are taken as current for this long; a download that fails refreshes them at once.
LISTS_MAX_AGE_MIN=1440

archive()
{
	local uri
	# shellcheck disable=SC2016 # apt's own placeholders
	uri=$(apt-get indextargets --format '$(LABEL) $(COMPONENT) $(REPO_URI)' \
		'Created-By: Packages' | sed -n 's/^Debian main //p' | head -n 1)
	# indextargets lists nothing before the first apt-get update; the plan of an update does.
	[ -n "$uri" ] || uri=$(apt-get --print-uris update |
		sed -n "s|^'\(.*/\)dists/[^/]*/InRelease'.*|\1|p" | head -n 1)
	[ -n "$uri" ] || die "apt's configuration (/etc/apt) names no Debian archive"
	echo "$uri"
}

# Write the private configuration for the suite.
configure()
{
	local uri
	mkdir -p "$state"/{lists,archives,none}/partial
	: >"$state/status"
	uri=$(archive)
	echo "deb $uri $suite main" >"$state/sources.list.new"
	if ! cmp -s "$state/sources.list.new" "$state/sources.list"; then
		rm -f "$state/updated"
		mv "$state/sources.list.new" "$state/sources.list"
	fi
	# Read after the user's own files, hence the #clear lines: the hooks would act outside
	# the cache. Without root there is no other user to drop to, and the cache is ours.
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
		APT::Sandbox::User "root";
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

update()
{
	step "package lists of $suite" run_apt \
		--option APT::Update::Error-Mode=any update || return
	touch "$state/updated"
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
	(cd "$dir" && step "download $what" run_apt download "$@")
}

fetch_closure()
{
	local file
	step "download $what" run_apt --download-only install "$@" || return
	# The archives folder keeps what earlier runs fetched: hand over only what this one needs,
	# which apt lists in full when it believes that nothing has been fetched yet.
	run_apt --option Dir::Cache::archives="$state/none" --print-uris install "$@" 3>/dev/null |
		while read -r _ file _; do
			ln -f "$state/archives/$file" "$dir/"
		done
}

[ $# -ge 3 ] || die "usage: show SUITE PACKAGE | fetch SUITE DIR PACKAGE... | closure SUITE DIR PACKAGE..."
verb=$1 suite=$2
shift 2
state=$QS1_CACHE/apt/$suite-$BOARD_ARCH
cache_lock
configure
if ! lists_are_current && ! update; then
	[ -e "$state/updated" ] || die "the package lists of $suite could not be fetched"
	echo "  going on with the package lists of $(date -r "$state/updated" +%F)" >&2
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
