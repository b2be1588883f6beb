# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# KUnit suites in a User Mode Linux kernel, built from a tree of links to the source of the board's
# kernel. Source it after lib.sh; it needs $tree, $build and $config, the file with the configuration.

: "${tree:?}" "${build:?}" "${config:?}"

RUN_TIMEOUT_S=300

# link_all FROM TO: a folder of links to each name in FROM
link_all()
{
	local name
	mkdir -p "$2"
	for name in "$1"/* "$1"/.[a-z]*; do
		[ ! -e "$name" ] || ln -sfn "$name" "$2/"
	done
}

# kmake ARCH BUILD ARGUMENT...
kmake()
{
	local arch=$1 into=$2
	shift 2
	env -u MAKEFLAGS -u MFLAGS make --silent -C "$tree" O="$into" ARCH="$arch" QS1_TOP="$PWD" \
		-j "$(nproc)" "$@" </dev/null
}

# The kernel's own rules can overrule a line of the configuration without a message.
uml_configure()
{
	local new=$build/.config.new line
	mkdir -p "$build"
	KCONFIG_ALLCONFIG=$config KCONFIG_CONFIG=$new kmake um "$build" allnoconfig
	grep '^CONFIG_' "$config" | while read -r line; do
		grep -qxF "$line" "$new" || die "$config: the kernel's configuration does not take $line"
	done
	# An unchanged file keeps its time, so that nothing is built again.
	cmp -s "$new" "$build/.config" || cp "$new" "$build/.config"
	rm -f "$new"
}

# uml_run FILTER LOG: its exit status says whether all cases have passed without a report of the kernel
uml_run()
{
	local status=0
	timeout "$RUN_TIMEOUT_S" "$build/vmlinux" mem=512M console=tty kunit.enable=1 \
		kunit_shutdown=halt kunit.filter_glob="$1" </dev/null >"$2" 2>&1 || true
	python3 "$SOURCE/tree/tools/testing/kunit/kunit.py" parse "$2" || status=$?
	# A fault that KASAN or UBSAN finds does not fail a test case by itself.
	! grep -E 'KASAN:|UBSAN:|WARNING:|BUG:' "$2" || status=1
	return "$status"
}
