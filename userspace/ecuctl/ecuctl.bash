# SPDX-License-Identifier: GPL-2.0-only
# bash completion for ecuctl

_ecuctl_words()
{
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur")
}

_ecuctl_serials()
{
	_ecuctl_words "$1 $(ecuctl --output kv inverters 2>/dev/null | sed -n 's/.*serial=//p')"
}

_ecuctl()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local word words=()

	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		[[ $word == -* ]] || words+=("$word")
	done
	COMPREPLY=()
	case $prev in
	-o | --output) _ecuctl_words 'text kv json' && return ;;
	-s | --socket | -c | --ca | -T | --token-file)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	-p | --step) _ecuctl_words 'day month year 60 900' && return ;;
	esac
	if [[ $cur == -* ]]; then
		_ecuctl_words '--output --json --socket --url --ca --token-file --lease --then --reason --rma --from --to --step --help --version'
		return
	fi
	case ${#words[@]}:${words[0]} in
	0:*) _ecuctl_words 'status inverters pair replace confirm scan wifi label phases limits limit stop start clear identify history export backup restore doctor' ;;
	1:replace | 1:confirm | 1:phases | 1:stop | 1:start | 1:clear | 1:identify | 1:history | 1:doctor) _ecuctl_serials '' ;;
	1:limit) _ecuctl_serials site ;;
	2:clear) _ecuctl_words 'gfdi relay firmware store-lost' ;;
	2:phases) _ecuctl_words 'L1 L2 L3 L1-L2 L2-L3 L3-L1 unknown' ;;
	2:limit) _ecuctl_words none ;;
	2:doctor) _ecuctl_words 'off red red-flashing green-10s green-2s' ;;
	1:scan | 1:export | 1:backup | 1:restore) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
	esac
}

complete -F _ecuctl ecuctl
