# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash

# bash completion for veillectl. Commands and their options are asked of veillectl itself, names of what the running
# daemon published: neither can go stale here.

_veillectl_commands() {
        "$1" --help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p'
}

# The options that help of a command, or that of all, explains.
_veillectl_options() {
        "$1" help ${2:+"$2"} 2>/dev/null | sed -n 's/^  \(--[a-z-]*\) [A-Z].*/\1/p; s/^  \(--[a-z-]*\)  .*/\1/p'
}

# _veillectl_published RUN FILE MEMBER: the different values of a member
_veillectl_published() {
        [[ -r $1/$2 ]] && grep -o "\"$3\": *\"[^\"\\\\]*\"" "$1/$2" 2>/dev/null | sed 's/^[^:]*: *"//; s/"$//' | sort -u
}

# _veillectl_hooks RUN: the names of [hook NAME]
_veillectl_hooks() {
        [[ -r $1/hooks.json ]] && grep -o '{"name": *"[a-z0-9-]*"' "$1/hooks.json" 2>/dev/null | sed 's/.*"\(.*\)"/\1/' | sort -u
}

# _veillectl_components RUN [KIND]
_veillectl_components() {
        [[ -r $1/status.json ]] && grep -o "\"component\": *\"[^\"\\\\]*\", *\"kind\": *\"${2:-[^\"\\\\]*}\"" "$1/status.json" 2>/dev/null |
                sed 's/^"component": *"//; s/".*//' | sort -u
}

# _veillectl_rules RUN COMPONENT: those that hold it at its level; the document has a component a line, or all in one
_veillectl_rules() {
        [[ -r $1/status.json ]] && sed 's/{"component"/\n&/g' "$1/status.json" 2>/dev/null | grep -F "{\"component\":\"$2\",\"kind\"" |
                grep -o '"rule": *"[^"\\]*"' | sed 's/^[^:]*: *"//; s/"$//' | sort -u
}

# _veillectl_metrics RUN COMPONENT: samples are a line each; what has no label component is about that of its instance
_veillectl_metrics() {
        local run=$1 component=$2 check instance found

        [[ -r $run/samples.json ]] || return
        found=$(
                grep -F "\"component\":\"$component\"" "$run/samples.json" 2>/dev/null
                grep -o -F "\",\"component\":\"$component\",\"result\"" "$run/status.json" > /dev/null 2>&1 &&
                        sed 's/{"check"/\n&/g' "$run/status.json" | sed -n 's/^{"check":"\([^"\\]*\)","instance":"\([^"\\]*\)","component":"\([^"\\]*\)".*/\1 \2 \3/p' |
                        while read -r check instance found; do
                                [[ $found == "$component" ]] && grep -F "\"c\":\"$check\",\"i\":\"$instance\"," "$run/samples.json" | grep -v -F '"component":"'
                        done
        )
        if [[ $found ]]; then
                printf '%s\n' "$found" | sed -n 's/.*"m":"\([^"\\]*\)".*/\1/p' | sort -u
        else
                _veillectl_published "$run" samples.json m
        fi
}

# The words up to the cursor, cut at spaces only: bash cuts at : = and @ too, of which names of components are made.
# Sets words and cur; _veillectl_reply then leaves out what bash takes for an earlier word.
_veillectl_words() {
        local line=${COMP_LINE:0:COMP_POINT}

        read -r -a words <<< "$line"
        cur=
        if [[ $line == *[![:space:]] ]]; then
                cur=${words[-1]}
                unset 'words[-1]'
        fi
}

_veillectl_reply() {
        local whole=$1 breaks=${COMP_WORDBREAKS//[[:space:]\"\'<>&|;(]/} before i

        before=${whole%"${whole##*["$breaks"]}"}
        before=${before%@} # that belongs to the word it begins
        for i in "${!COMPREPLY[@]}"; do
                COMPREPLY[i]=${COMPREPLY[i]#"$before"}
        done
}

_veillectl_fill() {
        [[ $2 != -[df] ]] || compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen "${@:2}" -- "$1")
}

# _veillectl_value OPTION CURRENT: what may stand behind it; false: it is no option with a value that is known
_veillectl_value() {
        case $1 in
        --root | --state | --run) _veillectl_fill "$2" -d ;;
        --config | --output) _veillectl_fill "$2" -f ;;
        --since | --until) _veillectl_fill "$2" -W "today yesterday now 1h 6h 1d 2d 1w 4w" ;;
        --points) _veillectl_fill "$2" -W "50 100 200 500 1000 2000" ;;
        --height) _veillectl_fill "$2" -W "5 10 20 40" ;;
        --max) _veillectl_fill "$2" -W "10 100 1000 10000" ;;
        *) return 1 ;;
        esac
}

_veillectl() {
        local words cur prev ctl run=/run/veille command='' known='' given=() i word

        COMPREPLY=()
        _veillectl_words
        ctl=${words[0]}
        prev=${words[-1]}
        for ((i = 1; i < ${#words[@]}; i++)); do
                word=${words[i]}
                case $word in
                --run) run=${words[++i]} ;;
                --run=*) run=${word#*=} ;;
                --root | --config | --state | --since | --until | --points | --height | --max | --output | --name | --port | --fingerprint) ((i++)) ;;
                -*) ;;
                *) if [[ $command ]]; then given+=("$word"); else command=$word; fi ;;
                esac
        done

        if _veillectl_value "$prev" "$cur"; then
                _veillectl_reply "$cur"
                return
        fi
        if [[ $cur == --*=* ]] && _veillectl_value "${cur%%=*}" "${cur#*=}"; then
                [[ $COMP_WORDBREAKS == *=* ]] || COMPREPLY=("${COMPREPLY[@]/#/${cur%%=*}=}")
                return
        fi
        if [[ $cur == -* ]]; then
                known="$(_veillectl_options "$ctl" '') --help $(if [[ $command ]]; then _veillectl_options "$ctl" "$command"; else echo --version; fi)"
        else
                case $command:${#given[@]} in
                :* | help:0) known=$(_veillectl_commands "$ctl") ;;
                why:0 | accept:0 | history:0 | events:0) known=$(_veillectl_components "$run") ;;
                accept:1) known=$(_veillectl_rules "$run" "${given[0]}") ;;
                history:1) known=$(_veillectl_metrics "$run" "${given[0]}") ;;
                check:0) known=--nagios ;;
                poll:0) known=$(_veillectl_published "$run" status.json check) ;;
                selftest:0) known=$(_veillectl_components "$run" disk) ;;
                selftest:1) known="short long" ;;
                hooks:0) known="list run confirm" ;;
                hooks:1) [[ ${given[0]} == list ]] || known=$(_veillectl_hooks "$run") ;;
                peer:0) known="list fingerprint pair remove" ;;
                peer:1) [[ ${given[0]} == remove || ${given[0]} == pair ]] && known=$(_veillectl_components "$run" peer | sed 's#^peer/##') ;;
                config:0) known="check show example" ;;
                rules:0) known=$("$ctl" rules 2>/dev/null | sed -n '2,$s/ .*//p') ;;
                judge:* | replay:*) _veillectl_fill "$cur" -f ;;
                config:1) [[ ${given[0]} == check ]] && _veillectl_fill "$cur" -f ;;
                esac
        fi
        [[ $known ]] && _veillectl_fill "$cur" -W "$known"
        _veillectl_reply "$cur"
}

complete -F _veillectl veillectl
