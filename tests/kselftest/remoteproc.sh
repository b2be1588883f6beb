#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The coprocessor through the remoteproc framework: stop, start, crashes of each
# kind, and firmware files that must be refused. CRASHES: how many crashes in a row (2).

# shellcheck disable=SC2317 # check() calls the tests by name
# shellcheck source=tests/kselftest/tap.inc
. "$(dirname "$0")/tap.inc"

FIRMWARE=/lib/firmware/qs1-m4.elf
BAD=/lib/firmware/qs1-test.elf
DUMP=/tmp/qs1-dump.$$
# Address of the contract for the coprocessor, QS1_VHW_DA + QS1_VHW_SHM_OFFSET.
CONTRACT_DA=21001000

board=$(board)
rproc=$(rproc)
debug=/sys/kernel/debug/remoteproc/${rproc##*/}
crash=$(echo /sys/kernel/debug/qs1-*/crash)
CRASHES=${CRASHES:-2}
# The driver tries again after 32 s at the latest.
RECOVERY_S=90

in_state()
{
	line_of "$rproc/state" && [ "$first_line" = "$1" ]
}

running()
{
	in_state running && firmware_running
}

named()
{
	equal qs1-m4.elf "$(cat "$rproc/firmware")" "firmware"
}

trace_readable()
{
	grep -q 'qs1 firmware' "$debug/trace0" || {
		head -n 3 "$debug/trace0"
		return 1
	}
}

# While armed, or in bench mode, a stray stop is refused.
stop_is_refused()
{
	for permission in arm bench; do
		put x "$board/heartbeat" && "permit_$permission" || return 1
		refused "Device or resource busy" stop "$rproc/state" && running &&
			cat "$(iio qs1-meter)/in_voltage0_raw" >/dev/null
		refused_result=$?
		put 0 "$board/bench" && put 0 "$board/armed" && wait_for 20 in_shutdown ||
			return 1
		[ "$refused_result" -eq 0 ] || return 1
	done
}

permit_arm()
{
	put 1 "$board/armed"
}

permit_bench()
{
	wait_for 20 in_shutdown && put x "$board/heartbeat" && put 1 "$board/bench"
}

in_shutdown()
{
	[ "$(cat "$board/state")" = shutdown ]
}

# A crash, or an unbind of the driver, ends the firmware also while armed.
recovers_armed()
{
	put x "$board/heartbeat" && permit_arm && recovers put trap "$crash"
}

stops()
{
	put 0 "$board/armed" >/dev/null
	put stop "$rproc/state" && equal offline "$(cat "$rproc/state")" state
}

silent_while_stopped()
{
	unreadable "No data available" "$board/state" &&
		unreadable "No data available" "$board/params/uv1_v_pu" &&
		unreadable "No data available" "$(iio qs1-meter)/in_voltage0_raw" &&
		unreadable "No data available" "$(iio qs1-wave)/in_voltage5_raw" &&
		refused "Cannot send after transport endpoint shutdown" 1 "$board/armed" &&
		put x "$board/heartbeat"
}

starts()
{
	put start "$rproc/state" && running && cat "$(iio qs1-meter)/in_voltage0_raw" >/dev/null
}

crashes_exceed()
{
	line_of "$board/coproc_crashes" && [ "$first_line" -gt "$1" ]
}

# recovers COMMAND...: COMMAND crashes the firmware, which comes back disarmed
recovers()
{
	before=$(cat "$board/coproc_crashes")
	"$@" || return 1
	wait_for "$RECOVERY_S" crashes_exceed "$before" || {
		echo "no crash was counted"
		return 1
	}
	wait_for "$RECOVERY_S" running || {
		echo "not running again: state is $(cat "$rproc/state")"
		return 1
	}
	equal $((before + 1)) "$(cat "$board/coproc_crashes")" coproc_crashes || return 1
	flags=$(cat "$board/status_flags")
	equal 0 $((flags & 0x1000)) "armed flag of $flags"
}

# A firmware that has run for a second is restarted at once, so the next crash comes after a second.
crash_again()
{
	recovers put trap "$crash" && sleep 1.1
}

# word OFFSET: 32 bits of the dump, in hexadecimal
word()
{
	od -A n -t x4 -j "$1" -N 4 "$DUMP" | tr -d ' '
}

# contract_at: where in the dump the contract begins: the segment of its address. Program headers of a
# 32-bit ELF are at 52, 32 bytes each, with offset, address and size at 4, 12 and 16.
contract_at()
{
	segment=52
	segments=$(od -A n -t u2 -j 44 -N 2 "$DUMP" | tr -d ' ')
	while [ "$segments" -gt 0 ]; do
		if [ "$(word $((segment + 12)))" = "$CONTRACT_DA" ]; then
			echo $((0x$(word $((segment + 4)))))
			return
		fi
		segment=$((segment + 32))
		segments=$((segments - 1))
	done
	return 1
}

# The dump holds the contract as the crash left it: magic, count of starts, and the reason.
holds_the_contract()
{
	equal 7f454c46 "$(od -A n -t x1 -N 4 "$DUMP" | tr -d ' ')" "magic of the dump" || return 1
	contract=$(contract_at) || {
		echo "no segment at 0x$CONTRACT_DA"
		return 1
	}
	equal 46315351 "$(word "$contract")" "magic of the contract" &&
		equal "$1" "$((0x$(word $((contract + 48)))))" "start of the dumped firmware" &&
		between 1 3 "$((0x$(word $((contract + 56)))))" "reason of the crash"
}

dumped()
{
	boots=$(sed -n 's/^fw.boots = //p' /sys/kernel/debug/qs1-*/registers)
	echo enabled >"$rproc/coredump"
	recovers put trap "$crash" || return 1
	echo disabled >"$rproc/coredump"
	for data in /sys/class/devcoredump/devcd*/data; do
		[ -e "$data" ] || {
			echo "no core dump"
			return 1
		}
		cat "$data" >"$DUMP"
		echo 1 >"$data"
		holds_the_contract $((boots))
		dump_result=$?
		rm -f "$DUMP"
		[ "$dump_result" -eq 0 ] || return 1
	done
}

# The firmware crashes while its file is missing: the driver retries, and a failed start leaves no reference.
recovers_late()
{
	before=$(cat "$board/coproc_crashes")
	mark_log
	mv "$FIRMWARE" "$FIRMWARE.away"
	put trap "$crash"
	wait_for "$RECOVERY_S" log_has "is missing, next try in 2 s"
	late_result=$?
	mv "$FIRMWARE.away" "$FIRMWARE"
	wait_for "$RECOVERY_S" running || {
		echo "not running again: state is $(cat "$rproc/state")"
		late_result=1
	}
	[ "$late_result" -eq 0 ] || {
		new_log
		return 1
	}
	equal $((before + 1)) "$(cat "$board/coproc_crashes")" coproc_crashes
}

log_has()
{
	new_log | grep -q "$1"
}

# start_refused ERROR MESSAGE: starting fails, and the log has MESSAGE
start_refused()
{
	mark_log
	refused "$1" start "$rproc/state" || return 1
	new_log | grep -q "$2" || {
		echo "expected in the log: $2"
		new_log
		return 1
	}
	equal offline "$(cat "$rproc/state")" state
}

# bad_file ERROR MESSAGE: as above with the file $BAD
bad_file()
{
	stops >/dev/null
	put "${BAD##*/}" "$rproc/firmware" || return 1
	start_refused "$@"
	bad_result=$?
	rm -f "$BAD"
	put qs1-m4.elf "$rproc/firmware" && starts && return "$bad_result"
}

# patch OFFSET OCTAL...: firmware with some bytes changed
patched()
{
	cp "$FIRMWARE" "$BAD"
	# shellcheck disable=SC2059 # octal escapes are its purpose
	printf "$2" | dd of="$BAD" bs=1 seek="$1" conv=notrunc 2>/dev/null
}

missing_file()
{
	rm -f "$BAD"
	bad_file "No such file or directory" "request_firmware failed: -2"
}

text_file()
{
	echo "This is no firmware, but it is longer than the fifty-two bytes of a header." >"$BAD"
	bad_file "Invalid argument" "Image is corrupted (bad magic)"
}

other_machine()
{
	patched 18 '\003\000'
	bad_file "Exec format error" "machine 3, expected 1, 40"
}

short_file()
{
	head -c 60 "$FIRMWARE" >"$BAD"
	bad_file "Invalid argument" "Image is too small"
}

# An ordinary program: the right machine, but segments outside our memory.
wrong_place()
{
	cp -L /bin/true "$BAD"
	bad_file "Invalid argument" "bad phdr da"
}

# Without section headers there is no resource table.
no_resource_table()
{
	stops >/dev/null
	patched 48 '\000\000'
	mark_log
	put "${BAD##*/}" "$rproc/firmware" && starts
	table_result=$?
	new_log | grep -q 'no resource table' || table_result=1
	[ ! -e "$debug/trace0" ] || table_result=1
	stops >/dev/null
	rm -f "$BAD"
	put qs1-m4.elf "$rproc/firmware" && starts && return "$table_result"
}

pause_service
expect_log 'firmware crashed' 'not stopped while armed' "can't stop rproc: -16" \
	'firmware file qs1-m4\.elf is missing, next try' \
	'crash detected in qs1-coproc' 'handling crash #' 'recovering qs1-coproc' \
	'qs1-(m4|test)\.elf failed with error -2' 'request_firmware failed: -2' 'Boot failed: -(2|8|22)$' \
	'Image is (corrupted|too small)' 'machine 3, expected 1, 40' 'bad phdr da' \
	'Failed to load program segments'
plan 21
first_mark=$log_mark
check "the coprocessor's firmware is qs1-m4.elf" named
check "trace buffer can be read" trace_readable
check "is not stopped while armed or in bench mode" stop_is_refused
check "stops" stops
check "while stopped, reads have no data and commands are refused" silent_while_stopped
check "starts again" starts
check "recovers disarmed from a trap" recovers put trap "$crash"
check "recovers disarmed when it was armed" recovers_armed
check "recovers disarmed from a hang" recovers put hang "$crash"
check "recovers disarmed from an injected crash" recovers put 1 "$debug/crash"
check "leaves a core dump when asked to" dumped
check "recovers when a missing file is there again" recovers_late
check "a missing file is refused" missing_file
check "a text file is refused" text_file
check "an ELF for another machine is refused" other_machine
check "a truncated ELF is refused" short_file
check "an ELF with segments elsewhere is refused" wrong_place
check "an ELF without resource table runs" no_resource_table
check "recovers from $CRASHES crashes in a row" leaks_nothing "$CRASHES" crash_again
check "runs at the end" running
log_mark=$first_mark
check "no warning in the kernel's log" log_is_clean
finish
