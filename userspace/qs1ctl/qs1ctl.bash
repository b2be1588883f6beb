# SPDX-License-Identifier: GPL-2.0-only
# bash completion for qs1ctl

_qs1ctl_words()
{
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur")
}

_qs1ctl_files()
{
	mapfile -t COMPREPLY < <(compgen -f -- "$cur")
}

# Channel names come from qs1ctl's own error message, which lists them all.
_qs1ctl_channels()
{
	_qs1ctl_words "$(qs1ctl scope '' 2>&1 | sed -n 's/.*expected some of: //p')"
}

_qs1ctl()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local word before='' words=()
	local with_value='^(-o|--output|-s|--socket|-t|--time|-T|--trigger|-p|--plot|-c|--csv)$'

	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		[[ $word == -* || $before =~ $with_value ]] || words+=("$word")
		before=$word
	done
	COMPREPLY=()
	case $prev in
	-o | --output) _qs1ctl_words 'text kv json' && return ;;
	-s | --socket | -p | --plot | -c | --csv) _qs1ctl_files && return ;;
	-T | --trigger) _qs1ctl_channels && return ;;
	-t | --time) return ;;
	esac
	if [[ $cur == -* ]]; then
		_qs1ctl_words '--output --json --follow --time --trigger --plot --csv --socket --version --help'
		return
	fi
	case "${words[*]}" in
	'') _qs1ctl_words 'status start stop clear profile set get events scope dump calibrate doctor' ;;
	clear) _qs1ctl_words 'gfdi relay firmware store-lost' ;;
	profile) _qs1ctl_words 'list show use check' ;;
	'profile show' | 'profile use')
		_qs1ctl_words "$(qs1ctl profile list 2>/dev/null)"
		;;
	'profile check') _qs1ctl_files ;;
	calibrate) _qs1ctl_words 'point show write' ;;
	'calibrate point '*' '*) ;;
	'calibrate point '?*) _qs1ctl_channels ;;
	calibrate*) _qs1ctl_files ;;
	set | get)
		_qs1ctl_words "$(qs1ctl -o kv get 2>/dev/null | sed -n 's/\.value=.*//p')"
		;;
	scope*) _qs1ctl_channels ;;
	esac
}

complete -F _qs1ctl qs1ctl
