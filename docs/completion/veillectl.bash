# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash

# bash completion for veillectl. Commands and their options are asked of veillectl itself, names of what the running
# daemon published: neither can go stale here.

_veillectl_commands() {
        "$1" --help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p'
}

# The options that the synopsis of a command names.
_veillectl_options() {
        "$1" help "$2" 2>/dev/null | sed -n 1p | grep -o -e '--[a-z-]*'
}

# _veillectl_published RUN FILE MEMBER: the different values of a member
_veillectl_published() {
        [[ -r $1/$2 ]] && grep -o "\"$3\": *\"[^\"\\\\]*\"" "$1/$2" 2>/dev/null | sed 's/^[^:]*: *"//; s/"$//' | sort -u
}

_veillectl() {
        local ctl=${COMP_WORDS[0]} cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
        local run=/run/veille command='' words='' args=0 i word

        COMPREPLY=()
        for ((i = 1; i < COMP_CWORD; i++)); do
                word=${COMP_WORDS[i]}
                case $word in
                --run)
                        run=${COMP_WORDS[++i]}
                        ;;
                --root | --config | --state)
                        ((i++))
                        ;;
                -*) ;;
                *)
                        if [[ -z $command ]]; then command=$word; else ((args++)); fi
                        ;;
                esac
        done

        case $prev in
        --root | --state | --run)
                mapfile -t COMPREPLY < <(compgen -d -- "$cur")
                return
                ;;
        --config)
                mapfile -t COMPREPLY < <(compgen -f -- "$cur")
                return
                ;;
        esac
        if [[ $cur == -* ]]; then
                words="--config --run --state --root --help $([[ $command ]] && _veillectl_options "$ctl" "$command" || echo --version)"
        else
                case $command:$args in
                :*) words=$(_veillectl_commands "$ctl") ;;
                help:0) words=$(_veillectl_commands "$ctl") ;;
                why:0 | accept:0 | selftest:0 | history:0 | events:0) words=$(_veillectl_published "$run" status.json component) ;;
                accept:1) words=$(_veillectl_published "$run" status.json rule) ;;
                history:1) words=$(_veillectl_published "$run" samples.json m) ;;
                poll:0) words=$(_veillectl_published "$run" status.json check) ;;
                selftest:1) words="short long" ;;
                config:0) words="check show example" ;;
                rules:0) words=$("$ctl" rules 2>/dev/null | sed -n '2,$s/ .*//p') ;;
                judge:* | replay:* | config:1)
                        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
                        return
                        ;;
                esac
        fi
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

complete -o filenames -F _veillectl veillectl
