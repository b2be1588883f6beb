# SPDX-License-Identifier: GPL-2.0-only
# bash completion for qs1ctl

_qs1ctl_words()
{
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur")
}

_qs1ctl()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local word before='' words=()

	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		[[ $word == -* || $before =~ ^(-o|--output|-s|--socket)$ ]] || words+=("$word")
		before=$word
	done
	COMPREPLY=()
	case $prev in
	-o | --output) _qs1ctl_words 'text kv json' && return ;;
	-s | --socket) mapfile -t COMPREPLY < <(compgen -f -- "$cur") && return ;;
	esac
	if [[ $cur == -* ]]; then
		_qs1ctl_words '--output --json --follow --socket --help'
		return
	fi
	case "${words[*]}" in
	'') _qs1ctl_words 'status start stop clear profile set get events doctor' ;;
	clear) _qs1ctl_words 'gfdi relay firmware' ;;
	profile) _qs1ctl_words 'list show use check' ;;
	'profile show' | 'profile use')
		_qs1ctl_words "$(qs1ctl profile list 2>/dev/null)"
		;;
	'profile check') mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
	set | get)
		_qs1ctl_words "$(qs1ctl -o kv get 2>/dev/null | sed -n 's/\.value=.*//p')"
		;;
	esac
}

complete -F _qs1ctl qs1ctl
