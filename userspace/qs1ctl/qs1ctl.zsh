#compdef qs1ctl
# SPDX-License-Identifier: GPL-2.0-only
# zsh completion for qs1ctl

_qs1ctl_channels()
{
	local -a channels
	channels=(${=$(qs1ctl scope '' 2>&1 | sed -n 's/.*expected some of: //p')})
	compadd -a channels
}

_qs1ctl_parameters()
{
	local -a parameters
	parameters=(${(f)"$(qs1ctl -o kv get 2>/dev/null | sed -n 's/\.value=.*//p')"})
	compadd -a parameters
}

_qs1ctl_profiles()
{
	local -a profiles
	profiles=(${=$(qs1ctl profile list 2>/dev/null)})
	compadd -a profiles
}

_qs1ctl_words()
{
	case $words[1] in
	clear) compadd gfdi relay firmware store-lost ;;
	profile)
		if (( CURRENT == 2 )); then
			compadd list show use check
		elif [[ $words[2] == check ]]; then
			_files
		elif [[ $words[2] == (show|use) ]]; then
			_qs1ctl_profiles
		fi
		;;
	set | get) (( CURRENT == 2 )) && _qs1ctl_parameters ;;
	calibrate)
		if (( CURRENT == 2 )); then
			compadd point show write
		elif [[ $words[2] == point ]] && (( CURRENT == 4 )); then
			_qs1ctl_channels
		else
			_files
		fi
		;;
	scope) _qs1ctl_channels ;;
	esac
}

_qs1ctl()
{
	_arguments -S \
		'(-o --output -j --json)'{-o,--output=}'[format]:format:(text kv json)' \
		'(-o --output -j --json)'{-j,--json}'[the same as --output=json]' \
		'(- *)'{-V,--version}'[print the version]' \
		'(-f --follow)'{-f,--follow}'[events\: print new events]' \
		'(-t --time)'{-t,--time=}'[scope\: how long]:seconds:' \
		'(-T --trigger)'{-T,--trigger=}'[scope\: wait until it rises]:channel:_qs1ctl_channels' \
		'(-p --plot)'{-p,--plot=}'[scope, dump\: PNG file]:file:_files' \
		'(-c --csv)'{-c,--csv=}'[scope, dump\: file of values]:file:_files' \
		'(-s --socket)'{-s,--socket=}'[control socket]:socket:_files' \
		'1:command:(status start stop clear profile set get events scope dump calibrate doctor)' \
		'*::word:_qs1ctl_words'
}

_qs1ctl "$@"
