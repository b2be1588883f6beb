# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the scripts of this folder share: where things are kept, messages, the cache's lock and
# steps that show their progress. Source it; it changes into the top of the source tree.

set -euo pipefail

# For depmod and mke2fs: an ordinary user's path has no sbin.
PATH=$PATH:/usr/sbin:/sbin

cd "$(dirname "${BASH_SOURCE[0]}")/.."

# The download cache. You may remove it at any time: its contents can be fetched again.
# A relative name would change its meaning with the working directory.
QS1_CACHE=$(realpath -m "${QS1_CACHE:-$HOME/.cache/qs1}")
# The hosts that this project supports: Debian's releases, oldest first, and the machine.
export HOST_RELEASES='bookworm trixie'
export HOST_MACHINE=amd64 HOST_TRIPLET=x86_64-linux-gnu
# Debian's release that the virtual board runs.
export BOARD_SUITE=bookworm
# The machine that packages are fetched for; by default the virtual board's.
export BOARD_ARCH=${BOARD_ARCH:-armhf}
case $BOARD_ARCH in
armhf) BOARD_TRIPLET=arm-linux-gnueabihf ;;
arm64) BOARD_TRIPLET=aarch64-linux-gnu ;;
amd64) BOARD_TRIPLET=x86_64-linux-gnu ;;
*) echo "BOARD_ARCH=$BOARD_ARCH: expected armhf, arm64 or amd64" >&2 && exit 2 ;;
esac
export BOARD_TRIPLET
# What the board's programs are built against, see scripts/sysroot, and the version of its libgcc. The
# folder's number goes up when its contents change, as below.
SYSROOT_FOLDER=sysroot-v3
# The gateway has many more libraries than the board's programs: SYSROOT_GROUP=ecu.
SYSROOT=$QS1_CACHE/$SYSROOT_FOLDER${SYSROOT_GROUP:+-$SYSROOT_GROUP}-$BOARD_ARCH
export SYSROOT SYSROOT_GCC=12
# Where scripts/kernel puts the kernel. The number goes up when what is in the folder changes, so that
# clones of different ages can share the cache; scripts.mk reads it here.
KERNEL_FOLDER=kernel-v2
BOARD_KERNEL=$QS1_CACHE/$KERNEL_FOLDER
# Its source, see scripts/source.
export SOURCE=$QS1_CACHE/source-v1
# The kernel that modules are built for and that boots: the board's own; the one that looks for
# faults, see scripts/debug-kernel; or that of a folder. What is made for the second has this at the
# end of its name.
QS1_KERNEL=${QS1_KERNEL:-}
case $QS1_KERNEL in
"") KERNEL_SUFFIX='' KERNEL=$BOARD_KERNEL ;;
debug | kasan) KERNEL_SUFFIX=-$QS1_KERNEL KERNEL=$QS1_CACHE/kernel-$QS1_KERNEL ;;
/*) KERNEL_SUFFIX='' KERNEL=$QS1_KERNEL ;;
*) echo "QS1_KERNEL=$QS1_KERNEL: expected nothing, debug, kasan or a folder" >&2 && exit 2 ;;
esac
export KERNEL KERNEL_SUFFIX
LOG_DIR=$PWD/build/log

die()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# Every script holds this lock while it writes to the cache. So two builds that start at once do not
# fetch twice, and never see half a file. A script that it calls inherits the lock.
cache_lock()
{
	[ -z "${QS1_CACHE_LOCKED:-}" ] || return 0
	mkdir -p "$QS1_CACHE"
	exec 9>"$QS1_CACHE/lock"
	if ! flock --nonblock 9; then
		printf '  waiting for another build that is filling %s\n' "$QS1_CACHE" >&2
		flock 9
	fi
	export QS1_CACHE_LOCKED=1
}

# step TEXT COMMAND...: run one command with its output in a log and one line on standard error. A
# command that writes apt's status lines ("dlstatus:NUMBER:PERCENT:...") to file descriptor 3 has the
# percentage shown on a terminal while it runs. With STEP_RETRY set it only reports a failure, because the
# caller tries another way. A function ends with its first command that fails, but not where the caller has
# step before ||: there, bash ignores set -e in all that step calls.
step()
{
	local text=$1 log=$LOG_DIR/${0##*/}.log status begin=$SECONDS from errexit=${-//[!e]/}
	shift
	mkdir -p "$LOG_DIR"
	printf '== %s: %s\n' "$(date +%T)" "$*" >>"$log"
	from=$(stat --format %s "$log")
	set +e
	if [ -t 2 ]; then
		printf '  %s ...' "$text" >&2
		(set -e && "$@") 3>&1 >>"$log" 2>&1 | show_percent "$text"
		status=$?
		printf '\r\033[K' >&2
	else
		(set -e && "$@") 3>/dev/null >>"$log" 2>&1
		status=$?
	fi
	[ -z "$errexit" ] || set -e
	if [ "$status" -ne 0 ] && [ -n "${STEP_RETRY:-}" ]; then
		printf '  %s: failed, trying another way\n' "$text" >&2
		return "$status"
	fi
	if [ "$status" -ne 0 ]; then
		printf '  %s: failed; the end of %s:\n' "$text" "$log" >&2
		tail --bytes "+$((from + 1))" "$log" | tail --lines 15 | sed 's/^/    /' >&2
		return "$status"
	fi
	printf '  %s (%d s)\n' "$text" "$((SECONDS - begin))" >&2
}

show_percent()
{
	local kind percent
	while IFS=: read -r kind _ percent _; do
		case $kind in
		dlstatus | pmstatus) printf '\r  %s %3.0f %%' "$1" "$percent" >&2 ;;
		esac
	done
}

# unpack_debs ROOT DEB...: unpack packages into a merged-/usr tree. (dpkg-deb --extract would replace
# the links by folders.)
unpack_debs()
{
	local root=$1 deb name
	shift
	for name in bin sbin lib; do
		mkdir -p "$root/usr/$name"
		[ -e "$root/$name" ] || ln -s "usr/$name" "$root/$name"
	done
	for deb in "$@"; do
		dpkg-deb --fsys-tarfile "$deb" |
			tar --extract --keep-directory-symlink --numeric-owner --same-permissions \
				--directory "$root"
	done
}

# unpacked_packages FOLDER fetch|closure NAME: have a package of the board's release, with closure all that
# it depends on too, unpacked in a folder of the cache
unpacked_packages()
{
	[ ! -e "$1/usr" ] || return 0
	cache_lock
	[ ! -e "$1/usr" ] || return 0
	rm -rf "$1.new"
	mkdir -p "$1.new/debs"
	scripts/apt.sh "$2" "$BOARD_SUITE" "$1.new/debs" "$3"
	step "unpack $3" unpack_debs "$1.new" "$1.new"/debs/*.deb
	rm -rf "$1.new/debs" "$1"
	mv "$1.new" "$1"
}
