#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# qs1-wave: the stream of every control period through the IIO buffer.

# shellcheck disable=SC2317 # check() calls the tests by name
# shellcheck source=tests/kselftest/tap.inc
. "$(dirname "$0")/tap.inc"

# A full scan: 14 channels and the phase of 16 bits, the status word at 32, the
# time stamp at 40.
SCAN_BYTES=48
SCANS=8192
FILE=$(mktemp)

wave=$(iio qs1-wave)
dev=/dev/${wave##*/}

# stream SCANS BYTES WATERMARK: into $FILE. The buffer has room for 1.6 s, in which a slow board starts the
# reader and ends the stream.
stream()
{
	echo 32768 >"$wave/buffer/length" || return 1
	echo "$3" >"$wave/buffer/watermark" || return 1
	echo 1 >"$wave/buffer/enable" || return 1
	timeout 30 head -c "$(($1 * $2))" "$dev" >"$FILE"
	stream_result=$?
	echo 0 >"$wave/buffer/enable"
	[ "$stream_result" -eq 0 ] || {
		echo "reading $1 scans of $2 bytes ended with status $stream_result"
		return 1
	}
	equal "$(($1 * $2))" "$(wc -c <"$FILE" | tr -d ' ')" "bytes read"
}

lost()
{
	cat "$wave/wave_lost"
}

labels_and_scales()
{
	for label in "$wave"/in_*_label; do
		[ -s "$label" ] && cat "$label" "${label%_label}_scale" >/dev/null || return 1
	done
	equal 20.000000000 "$(cat "$wave/in_voltage5_scale")" "grid voltage, mV per count" &&
		equal 20000 "$(cat "$wave/sampling_frequency")" sampling_frequency
}

# The reference channel converts a fixed 2.048 V: 16384 counts of 125 uV.
reference()
{
	between 16000 16768 "$(cat "$wave/in_voltage7_raw")" "reference, counts"
}

all_channels()
{
	lost_before=$(lost)
	select_all 1 && stream "$SCANS" "$SCAN_BYTES" 256 || return 1
	equal "$lost_before" "$(lost)" wave_lost
}

# Columns of 64 bits: the sixth is the time stamp. awk counts in doubles, which
# hold the last 15 digits exactly.
times_rise()
{
	od -A n -v -t d8 -w"$SCAN_BYTES" "$FILE" | awk '
		{ now = substr($6, length($6) - 14) + 0; step = now - last }
		step < -5e14 { step += 1e15 }
		NR > 1 && step <= 0 { print "scan " NR ": " $6 " is " step " ns later"; bad = 1; exit }
		{ last = now }
		END { exit bad }'
}

# The PLL moves by 2^16 f / 20000 a period: for f from 45 to 75 Hz by 147 to 246,
# and while it settles by at most half as much more. A missing or repeated scan exceeds that.
phase_is_continuous()
{
	od -A n -v -t u2 -w"$SCAN_BYTES" "$FILE" | awk '
		NR > 1 {
			step = ($15 - last + 65536) % 65536
			if (step < 100 || step > 290) {
				print "scan " NR ": phase steps by " step ", expected 100 to 290"
				bad = 1
				exit
			}
		}
		{ last = $15 }
		END { exit bad }'
}

# stamped_in CLOCK BEGIN END: the last time stamp, by CLOCK, is between BEGIN and END, in s
stamped_in()
{
	between "$2" "$3" "$(tail -c 8 "$FILE" | od -A n -t d8 | awk '{ printf "%.3f", $1 / 1e9 }')" \
		"last time stamp of the clock $1, s"
}

# Compared with the time just after the last scan. /proc/uptime counts suspend, as boottime does.
clock_is_kept()
{
	select_all 1
	for clock in monotonic boottime realtime; do
		put "$clock" "$wave/current_timestamp_clock" &&
			equal "$clock" "$(cat "$wave/current_timestamp_clock")" clock &&
			stream 2048 "$SCAN_BYTES" 256 || return 1
		case $clock in
		realtime) now=$(date +%s) begin=$((now - 10)) ;;
		boottime) read -r now _ </proc/uptime && begin=$((${now%.*} - 10)) ;;
		monotonic) read -r now _ </proc/uptime && begin=0 ;;
		esac
		stamped_in "$clock" "$begin" "$(awk -v now="$now" 'BEGIN { print now + 1 }')" || return 1
	done
}

# An unknown word is refused, and every word while it streams.
clock_is_refused()
{
	put realtime "$wave/current_timestamp_clock" &&
		refused "Invalid argument" sundial "$wave/current_timestamp_clock" || return 1
	echo 1 >"$wave/buffer/enable"
	refused "Device or resource busy" monotonic "$wave/current_timestamp_clock"
	clock_result=$?
	echo 0 >"$wave/buffer/enable"
	[ "$clock_result" -eq 0 ] &&
		equal realtime "$(cat "$wave/current_timestamp_clock")" current_timestamp_clock
}

one_channel()
{
	select_all 0 && echo 1 >"$wave/scan_elements/in_voltage7_en" || return 1
	stream 2000 2 100 || return 1
	od -A n -v -t d2 -w2 "$FILE" | awk '
		$1 < 16000 || $1 > 16768 { print "scan " NR ": reference reads " $1; bad = 1; exit }
		END { exit bad }'
}

some_channels()
{
	select_all 0 && echo 1 >"$wave/scan_elements/in_voltage5_en" &&
		echo 1 >"$wave/scan_elements/in_index0_en" &&
		echo 1 >"$wave/scan_elements/in_timestamp_en" || return 1
	stream 2000 16 100 || return 1
	# Voltage in the first half word, status in the second word: its state is the one that is shown,
	# and the grid swings by at least 200 V each way, at 20 mV a count.
	od -A n -v -t d2 -w16 "$FILE" | awk -v state="$(($(cat "$(board)/status_flags") & 15))" '
		NR == 1 || $1 < low { low = $1 }
		NR == 1 || $1 > high { high = $1 }
		$3 % 16 != state { print "scan " NR ": status " $3 ", expected state " state; bad = 1; exit }
		END {
			if (NR == 2000 && low < -10000 && high > 10000 && !bad)
				exit 0
			print NR " scans, voltage from " low " to " high
			exit 1
		}'
}

# The clock is set back by an hour between two reads of one stream: the time stamps make one step. The
# second read takes more than the buffer holds, so that it ends after the step however slow the machine is.
clock_set_back_is_followed()
{
	put realtime "$wave/current_timestamp_clock" && select_all 0 &&
		echo 1 >"$wave/scan_elements/in_phase0_en" &&
		echo 1 >"$wave/scan_elements/in_timestamp_en" || return 1
	echo 32768 >"$wave/buffer/length"
	echo 256 >"$wave/buffer/watermark"
	echo 1 >"$wave/buffer/enable"
	{
		timeout 60 head -c $((8000 * 16)) &&
			date -s "@$(($(date +%s) - 3600))" >/dev/null &&
			timeout 60 head -c $((50000 * 16))
	} <"$dev" >"$FILE"
	back_result=$?
	now=$(date +%s)
	date -s "@$((now + 3600))" >/dev/null
	echo 0 >"$wave/buffer/enable"
	[ "$back_result" -eq 0 ] || return 1
	stamped_in realtime $((now - 30)) $((now + 1)) || return 1
	od -A n -v -t d8 -w16 "$FILE" | awk '
		NR > 1 && $2 < last { steps++; step = last - $2 }
		{ last = $2 }
		END {
			if (steps == 1 && step > 3500e9 && step < 3700e9)
				exit 0
			print steps + 0 " steps back, the last by " step " ns; expected one by an hour"
			exit 1
		}'
}

# The time stamp is right whichever channel comes last in the scan.
subset_has_its_times()
{
	echo monotonic >"$wave/current_timestamp_clock" || return 1
	for channel in in_voltage0 in_phase0 in_index0; do
		select_all 0 && echo 1 >"$wave/scan_elements/${channel}_en" &&
			echo 1 >"$wave/scan_elements/in_timestamp_en" || return 1
		read -r begin idle </proc/uptime
		stream 2000 16 100 || return 1
		read -r end idle </proc/uptime
		od -A n -v -t d8 -w16 "$FILE" | awk -v begin="$begin" -v end="$end" -v of="$channel" '
			$2 <= last || $2 / 1e9 < begin - 1 || $2 / 1e9 > end + 0.1 {
				print of ", scan " NR ": stamp " $2 " ns, of " begin " to " end " s"
				bad = 1
				exit
			}
			{ last = $2 }
			END { exit bad }' || return 1
	done
	: "$idle"
	echo realtime >"$wave/current_timestamp_clock"
}

watermark_reaches_hardware()
{
	select_all 1
	low=$(cat "$wave/buffer/hwfifo_watermark_min")
	high=$(cat "$wave/buffer/hwfifo_watermark_max")
	equal "20 2048" "$low $high" "bounds of the watermark" || return 1
	for pair in "1:$low" 300:300 "5000:$high"; do
		echo 8192 >"$wave/buffer/length"
		echo "${pair%:*}" >"$wave/buffer/watermark"
		echo 1 >"$wave/buffer/enable"
		hardware=$(cat "$wave/buffer/hwfifo_watermark")
		enabled=$(cat "$wave/buffer/hwfifo_enabled")
		echo 0 >"$wave/buffer/enable"
		equal "${pair#*:}" "$hardware" "hwfifo_watermark for ${pair%:*}" &&
			equal 1 "$enabled" hwfifo_enabled || return 1
	done
	equal 0 "$(cat "$wave/buffer/hwfifo_enabled")" "hwfifo_enabled after"
}

# A refusal changes nothing; some attributes are read-only.
buffer_refuses()
{
	echo 512 >"$wave/buffer/length"
	echo 100 >"$wave/buffer/watermark"
	for refusal in watermark:0 watermark:513 watermark:-1 watermark:x length:x length:-1 enable:x; do
		refused "Invalid argument" "${refusal#*:}" "$wave/buffer/${refusal%:*}" || return 1
	done
	refused "Invalid argument" 10000 "$wave/sampling_frequency" &&
		equal 20000 "$(cat "$wave/sampling_frequency")" sampling_frequency || return 1
	for file in "$wave"/buffer/hwfifo_* "$wave/wave_lost"; do
		equal 444 "$(stat -c %a "$file")" "mode of ${file##*/}" || return 1
	done
	equal "512 100 0" "$(cd "$wave/buffer" && cat length watermark enable | tr '\n' ' ' |
		sed 's/ $//')" "length, watermark, enable"
}

# The ring holds 8192 scans, 0.41 s: a reader that pauses for 1.5 s loses some. 20000 scans come in a second.
losses_are_counted()
{
	lost_before=$(lost)
	lost_begin_s=$(uptime_s)
	select_all 1
	echo 64 >"$wave/buffer/length"
	echo 32 >"$wave/buffer/watermark"
	echo 1 >"$wave/buffer/enable"
	sleep 1.5
	echo 0 >"$wave/buffer/enable"
	between 1 $(((2 + $(uptime_s) - lost_begin_s) * 20000)) $(($(lost) - lost_before)) "scans lost"
}

raw_while_streaming()
{
	select_all 1
	echo 8192 >"$wave/buffer/length"
	echo 1 >"$wave/buffer/enable"
	reference
	raw_result=$?
	cat "$(iio qs1-meter)/in_voltage0_raw" >/dev/null || raw_result=1
	echo 0 >"$wave/buffer/enable"
	return "$raw_result"
}

# A crash interrupts the stream; the same reader goes on with the restarted firmware. It reads 5 s of scans;
# the buffer holds less than half a second.
stream_survives_crash()
{
	select_all 1
	echo 8192 >"$wave/buffer/length"
	echo 256 >"$wave/buffer/watermark"
	echo 1 >"$wave/buffer/enable"
	timeout 60 head -c $((100000 * SCAN_BYTES)) "$dev" >"$FILE" &
	reader=$!
	crashes=$(cat "$(board)/coproc_crashes")
	sleep 0.3
	put trap "$(echo /sys/kernel/debug/qs1-*/crash)" && wait_for 20 crashed_and_back && wait "$reader" &&
		equal $((100000 * SCAN_BYTES)) "$(wc -c <"$FILE" | tr -d ' ')" "bytes of the one reader"
	survive_result=$?
	echo 0 >"$wave/buffer/enable"
	return "$survive_result"
}

crashed_and_back()
{
	[ "$(cat "$(board)/coproc_crashes")" -gt "$crashes" ] && firmware_running
}

armed_is()
{
	[ $(($(cat "$(board)/status_flags") >> 12 & 1)) -eq "$1" ]
}

# The process that enabled the buffer holds it: while armed nobody else stops it.
# The subshell becomes the reader, so both are one process.
holder_keeps_stream()
{
	heart_may_pause yes && put x "$(board)/heartbeat" && put 1 "$(board)/armed" &&
		wait_for 15 armed_is 1 || return 1
	select_all 1
	echo 8192 >"$wave/buffer/length"
	(
		echo 1 >"$wave/buffer/enable"
		exec cat "$dev"
	) >"$FILE" 2>/dev/null &
	holder=$!
	wait_for 15 streaming || return 1
	refused "Device or resource busy" 0 "$wave/buffer/enable" &&
		equal 1 "$(cat "$wave/buffer/enable")" buffer/enable
	holder_result=$?
	put 0 "$(board)/armed"
	wait_for 15 armed_is 0
	heart_may_pause no
	put 0 "$wave/buffer/enable" || holder_result=1
	kill "$holder"
	wait "$holder" 2>/dev/null
	return "$holder_result"
}

streaming()
{
	[ -s "$FILE" ]
}

pause_service
expect_log 'firmware crashed'
plan 19
check "channels have labels and scales" labels_and_scales
check "a channel reads its newest value" reference
check "$SCANS scans of all channels without loss" all_channels
check "their time stamps rise strictly" times_rise
check "their phase is continuous" phase_is_continuous
check "time stamps are in the clock that was chosen" clock_is_kept
check "an unknown clock is refused, and any while it streams" clock_is_refused
check "a clock that is set back is followed" clock_set_back_is_followed
check "a single channel streams" one_channel
check "a subset of channels streams" some_channels
check "any subset has its time stamps" subset_has_its_times
check "the watermark reaches the firmware within its bounds" watermark_reaches_hardware
check "values out of range are refused, and change nothing" buffer_refuses
check "scans that are not read in time are counted" losses_are_counted
check "direct reads go on while streaming" raw_while_streaming
check "after that the stream is whole again" all_channels
check "while armed, only the process that enabled a stream stops it" holder_keeps_stream
check "a stream outlives a crash of the firmware" stream_survives_crash
check "no warning in the kernel's log" log_is_clean
rm -f "$FILE"
finish
