#compdef ecuctl
# SPDX-License-Identifier: GPL-2.0-only
# zsh completion for ecuctl

_ecuctl_serials() {
	local -a serials
	serials=(${(f)"$(ecuctl --output kv inverters 2>/dev/null | sed -n 's/.*serial=//p')"} $@)
	_describe 'inverter' serials
}

_ecuctl_command() {
	local -a names
	names=(
		'status:the site at a glance'
		'inverters:each inverter'
		'pair:add inverters by label or serial number'
		'replace:another inverter takes a place'
		'confirm:end the 0 W of a replaced inverter'
		'scan:labels in a photo'
		'wifi:list networks, or join one'
		'label:address, fingerprint, first-use code'
		'phases:find or set phases'
		'limits:limits of all owners'
		'limit:set or clear the limit of the owner'
		'stop:limit of 0 W'
		'start:end one'\''s own stop'
		'clear:clear a latched fault'
		'identify:poll fast for a minute'
		'history:readings over time'
		'export:minutes as CSV'
		'backup:copy of the database'
		'restore:replace the database'
		'doctor:say what is wrong'
	)
	_describe 'command' names
}

_ecuctl_word() {
	case $words[1] in
	replace | confirm | stop | start | clear | identify | history | doctor | phases) _ecuctl_serials ;;
	limit) _ecuctl_serials site ;;
	scan | export | backup | restore) _files ;;
	esac
}

_arguments -s \
	'(-o --output)'{-o,--output}'[format]:format:(text kv json)' \
	'(-j --json)'{-j,--json}'[JSON]' \
	'(-s --socket)'{-s,--socket}'[socket of ecud]:socket:_files' \
	'(-u --url)'{-u,--url}'[address of the gateway]:URL:' \
	'(-c --ca)'{-c,--ca}'[certificate authority]:file:_files' \
	'(-T --token-file)'{-T,--token-file}'[token]:file:_files' \
	'(-l --lease)'{-l,--lease}'[how long a limit holds]:seconds:' \
	'(-n --then)'{-n,--then}'[limit after the lease]:W:' \
	'(-r --reason)'{-r,--reason}'[why]:text:' \
	'(-m --rma)'{-m,--rma}'[number of the return]:number:' \
	'(-f --from)'{-f,--from}'[start]:time:' \
	'(-t --to)'{-t,--to}'[end]:time:' \
	'(-p --step)'{-p,--step}'[step]:step:(60 900 day month year)' \
	'1:command:_ecuctl_command' \
	'*::word:_ecuctl_word'
