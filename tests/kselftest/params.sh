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
ranges=$board/params_range

same_names()
{
	equal "$(ls "$ranges")" "$(ls "$params")" "parameters"
}

# limit NAME min|max|default
limit()
{
	case $2 in
	min) cut -d ' ' -f 1 "$ranges/$1" ;;
	max) cut -d ' ' -f 2 "$ranges/$1" ;;
	default) cut -d ' ' -f 3 "$ranges/$1" ;;
	esac
}

# Lines of NAME VALUE MIN MAX DEFAULT. Only shell built-ins, because there are many.
table()
{
	for file in "$params"/*; do
		read -r value <"$file"
		read -r min max default <"$ranges/${file##*/}"
		echo "${file##*/} $value $min $max $default"
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
	put "profile begin" "$board/control" &&
		put "$(limit es_delay_s max)" "$params/es_delay_s" &&
		put "profile abort" "$board/control"
}

commit_applies()
{
	before=$(cat "$params/es_delay_s")
	put "profile begin" "$board/control" && put 77 "$params/es_delay_s" &&
		equal "$before" "$(cat "$params/es_delay_s")" "es_delay_s before the commit" &&
		put "profile commit" "$board/control" &&
		equal 77 "$(cat "$params/es_delay_s")" "es_delay_s after the commit" &&
		put "profile begin" "$board/control" && put "$before" "$params/es_delay_s" &&
		put "profile commit" "$board/control"
}

# UV2 above UV1 contradicts.
conflict_is_named()
{
	put "profile begin" "$board/control" &&
		put 0.880 "$params/uv2_v_pu" && put 0.600 "$params/uv1_v_pu" || return 1
	refused "Invalid argument" "profile commit" "$board/control" || return 1
	result=$(cat "$board/command_result")
	put "profile abort" "$board/control"
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
	for words in "" start arms "profile" "profile commits" "clear" "clear nothing" "latch 9" "ARM"; do
		refused "Invalid argument" "$words" "$board/control" || return 1
	done
}

heartbeat_counts()
{
	before=$(cat "$board/heartbeat")
	put x "$board/heartbeat" && put x "$board/heartbeat" &&
		equal $(((before + 2) & 0xffffffff)) "$(cat "$board/heartbeat")" heartbeat
}

pause_service
wait_for 15 firmware_running
plan 15
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
check "unknown control words are refused" unchanged refuses_words
check "heartbeats count" heartbeat_counts
check "fault counts have one line for each fault" equal 23 "$(wc -l <"$board/fault_counts" | tr -d ' ')" lines
check "status flags are a hexadecimal word" grep -qE '^0x[0-9a-f]{8}$' "$board/status_flags"
check "no warning in the kernel's log" log_is_clean
finish
