#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Parameters, profile transactions and control words: accepted values, errors of
# refused ones, and that a refusal changes nothing.

# shellcheck disable=SC2317 # check() calls the tests by name
# shellcheck source=tests/kselftest/tap.inc
. "$(dirname "$0")/tap.inc"

board=$(board)
params=$board/params

same_names()
{
	for bound in min max default; do
		equal "$(ls "$params")" "$(ls "${params}_$bound")" "parameters" || return 1
	done
}

# limit NAME min|max|default
limit()
{
	cat "${params}_$2/$1"
}

# Lines of NAME VALUE MIN MAX DEFAULT. Only shell built-ins, because there are many.
table()
{
	for file in "$params"/*; do
		name=${file##*/}
		read -r value <"$file"
		read -r min <"${params}_min/$name"
		read -r max <"${params}_max/$name"
		read -r default <"${params}_default/$name"
		echo "$name $value $min $max $default"
	done
}

within_ranges()
{
	table | awk '
		NF != 5 || $2 < $3 || $2 > $4 || $5 < $3 || $5 > $4 {
			print "value or default out of range: " $0
			bad = 1
		}
		END { exit bad }'
}

# A power limit contradicts no other parameter.
takes_value()
{
	before=$(cat "$params/power_limit_w")
	put 600 "$params/power_limit_w" &&
		equal 600 "$(cat "$params/power_limit_w")" power_limit_w &&
		equal ok "$(cat "$board/command_result")" command_result &&
		put "$before" "$params/power_limit_w"
}

# Equivalent spellings of 5 s; the parameter has one decimal.
takes_spellings()
{
	before=$(cat "$params/host_timeout_s")
	for spelling in 5.0 5 +5 5.00 05; do
		put "$spelling" "$params/host_timeout_s" &&
			equal 5.0 "$(cat "$params/host_timeout_s")" "host_timeout_s for $spelling" ||
			return 1
	done
	put "$before" "$params/host_timeout_s"
}

values()
{
	(cd "$params" && grep . ./*)
}

# unchanged COMMAND...: no parameter has another value after COMMAND
unchanged()
{
	values_before=$(values)
	"$@" || return 1
	values_after=$(values)
	[ "$values_before" = "$values_after" ] || {
		echo "changed:"
		printf '%s\n' "$values_before" "$values_after" | sort | uniq -u
		return 1
	}
}

# Lines of NAME VALUE LIMIT: one unit below the minimum, and one above the maximum.
beyond()
{
	table | awk '{ print $1, $3 - 1, $3; print $1, $4 + 1, $4 }'
}

# Reading the reason from command_result starts no process.
refuses_range()
{
	beyond | while read -r name value limit; do
		if echo "$value" 2>/dev/null >"$params/$name"; then
			echo "$name took $value, its limit is $limit"
			return 1
		fi
		read -r result <"$board/command_result"
		equal "range $name $limit" "$result" "command_result for $value" || return 1
	done || return 1
	refused "Numerical result out of range" 99999999999999999999 "$params/v_nom_v" &&
		refused "Numerical result out of range" 4294967536 "$params/v_nom_v"
}

range_is_explained()
{
	refused "Numerical result out of range" 2 "$params/uv1_v_pu" &&
		equal "range uv1_v_pu $(limit uv1_v_pu max)" "$(cat "$board/command_result")" \
			command_result
}

refuses_text()
{
	for text in "" " " x 240x 0x10 2,5 1e2 - . -. 1..0 "1 2"; do
		refused "Invalid argument" "$text" "$params/v_nom_v" || return 1
	done
	# One decimal more than the parameter has: refused, not rounded.
	refused "Invalid argument" 0.8805 "$params/uv1_v_pu"
}

abort_forgets()
{
	put begin "$board/profile" &&
		put "$(limit es_delay_s max)" "$params/es_delay_s" &&
		put abort "$board/profile"
}

commit_applies()
{
	before=$(cat "$params/es_delay_s")
	put begin "$board/profile" && put 77 "$params/es_delay_s" &&
		equal "$before" "$(cat "$params/es_delay_s")" "es_delay_s before the commit" &&
		put commit "$board/profile" &&
		equal 77 "$(cat "$params/es_delay_s")" "es_delay_s after the commit" &&
		put begin "$board/profile" && put "$before" "$params/es_delay_s" &&
		put commit "$board/profile"
}

# UV2 above UV1 contradicts.
conflict_is_named()
{
	put begin "$board/profile" &&
		put 0.880 "$params/uv2_v_pu" && put 0.600 "$params/uv1_v_pu" || return 1
	refused "Invalid argument" commit "$board/profile" || return 1
	result=$(cat "$board/command_result")
	put abort "$board/profile"
	case $result in
	"conflict "*) [ -e "$params/${result#conflict }" ] ;;
	*)
		echo "command_result reads '$result', expected: conflict PARAMETER"
		return 1
		;;
	esac
}

refuses_words()
{
	for pair in armed: armed:arm armed:2 profile: profile:commits profile:BEGIN clear_fault: \
		clear_fault:nothing clear_fault:9 latch_fault:gfdi-1; do
		refused "Invalid argument" "${pair#*:}" "$board/${pair%%:*}" || return 1
	done
}

arms_and_disarms()
{
	put x "$board/heartbeat" && put 1 "$board/armed" && wait_for 5 armed_is 1 &&
		put 0 "$board/armed" && wait_for 5 armed_is 0
}

armed_is()
{
	line_of "$board/armed" && [ "$first_line" = "$1" ]
}

# A fault that was latched before power-off is restored, shown as its bit, and cleared.
latches_and_clears()
{
	wait_for 20 state_is shutdown && put gfdi "$board/latch_fault" &&
		wait_for 5 latched_is 1 && put GFDI "$board/clear_fault" && wait_for 20 latched_is 0
}

state_is()
{
	line_of "$board/state" && [ "$first_line" = "$1" ]
}

# Bit of GFDI, the tenth of QS1_FAULTS in include/qs1/codes.h.
latched_is()
{
	line_of "$board/fault_flags_latched" && [ $((first_line >> 9 & 1)) -eq "$1" ]
}

each_fault_is_counted()
{
	counted=0
	for count in "$board"/fault_count/*; do
		read -r number <"$count"
		between 0 4294967295 "$number" "${count##*/}" || return 1
		counted=$((counted + 1))
	done
	equal 23 "$counted" faults
}

# Records of 32 bytes; the first word is the number, which counts on.
events_are_records()
{
	od -A n -v -t u4 -w32 "$board/event_log" | awk '
		NF != 8 || (NR > 1 && $1 <= last) { bad = 1; print "event: " $0 }
		{ last = $1 }
		END { exit bad || NR == 0 }'
}

# Each attribute of the former release has what replaces it.
old_names_agree()
{
	[ -e "$board/control" ] || {
		echo "built without the former attributes"
		return 4
	}
	put disarm "$board/control" && refused "Invalid argument" arms "$board/control" || return 1
	for name in host_timeout_s uv1_v_pu; do
		equal "$(limit "$name" min) $(limit "$name" max) $(limit "$name" default)" \
			"$(cat "$board/params_range/$name")" "range of $name" || return 1
	done
	equal 23 "$(wc -l <"$board/fault_counts" | tr -d ' ')" "lines of fault_counts" &&
		equal "$(od -A n -v -t u4 -w32 "$board/event_log" | tail -n 40 | awk '{ print $1 }')" \
			"$(cut -d ' ' -f 1 "$board/events")" "numbers of the events" &&
		equal "$(($(cat "$board/fault_flags_latched") >> 9 & 1))" \
			"$(grep -c GFDI "$board/faults_latched")" "GFDI latched"
}

heartbeat_counts()
{
	before=$(cat "$board/heartbeat")
	put x "$board/heartbeat" && put x "$board/heartbeat" &&
		equal $(((before + 2) & 0xffffffff)) "$(cat "$board/heartbeat")" heartbeat
}

pause_service
wait_for 15 firmware_running
plan 19
check "each parameter has a range" same_names
check "values and defaults are within their ranges" within_ranges
check "a value is taken" takes_value
check "a number may be spelled in several ways" takes_spellings
check "values out of range are refused" unchanged refuses_range
check "the refusal names the limit" unchanged range_is_explained
check "text that is no number is refused" unchanged refuses_text
check "an aborted profile leaves no trace" unchanged abort_forgets
check "a committed profile is in force at once" unchanged commit_applies
check "a contradiction is refused and names a parameter" unchanged conflict_is_named
check "unknown words are refused" unchanged refuses_words
check "it is armed and disarmed" arms_and_disarms
check "a fault is latched and cleared" latches_and_clears
check "heartbeats count" heartbeat_counts
check "each fault is counted" each_fault_is_counted
check "events are records of rising numbers" events_are_records
check "attributes of the former release agree" old_names_agree
check "status flags are a hexadecimal word" grep -qE '^0x[0-9a-f]{8}$' "$board/status_flags"
check "no warning in the kernel's log" log_is_clean
finish
