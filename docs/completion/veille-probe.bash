# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash

# bash completion for veille-probe: words and options out of its --help, checks and instances as it finds them on this host.

_veille_probe() {
        local line=${COMP_LINE:0:COMP_POINT} words cur='' prev probe known='' given=() with=() i breaks before

        COMPREPLY=()
        read -r -a words <<< "$line"
        if [[ $line == *[![:space:]] ]]; then
                cur=${words[-1]}
                unset 'words[-1]'
        fi
        probe=${words[0]}
        prev=${words[-1]}
        for ((i = 1; i < ${#words[@]}; i++)); do
                case ${words[i]} in
                --root | --config) with+=("${words[i]}" "${words[++i]}") ;;
                --run | --state | --selftest) ((i++)) ;;
                --root=* | --config=*) with+=("${words[i]}") ;;
                -*) ;;
                *) given+=("${words[i]}") ;;
                esac
        done
        case $prev in
        --root | --state | --run)
                compopt -o filenames 2>/dev/null
                mapfile -t COMPREPLY < <(compgen -d -- "$cur")
                return
                ;;
        --config)
                compopt -o filenames 2>/dev/null
                mapfile -t COMPREPLY < <(compgen -f -- "$cur")
                return
                ;;
        --selftest) known="short long" ;;
        *)
                case $cur:${#given[@]}:${given[0]} in
                -*) known=$("$probe" --help 2>/dev/null | grep -o -e '--[a-z-]*') ;;
                *:0:*) known=$("$probe" --help 2>/dev/null | sed -n 's/^  veille-probe \([a-z]*\) .*/\1/p') ;;
                *:1:list | *:1:run) known=$("$probe" "${with[@]}" catalog 2>/dev/null | grep -o '{"name":"[^"\\]*","summary"' | sed 's/^{"name":"//; s/".*//') ;;
                *:2:run) known=$("$probe" "${with[@]}" list "${given[1]}" 2>/dev/null | grep -o '"instance":"[^"\\]*"' | sed 's/^"instance":"//; s/"$//') ;;
                *:1:serve) known="none disk raid write net plugin" ;;
                *:1:listen) mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
                *:2:listen) mapfile -t COMPREPLY < <(compgen -g -- "$cur") ;;
                esac
                ;;
        esac
        [[ $known ]] && mapfile -t COMPREPLY < <(compgen -W "$known" -- "$cur")
        # Names hold : and @, at which bash cuts words: what it takes for an earlier word is left out.
        breaks=${COMP_WORDBREAKS//[[:space:]\"\'<>&|;(]/}
        before=${cur%"${cur##*["$breaks"]}"}
        before=${before%@} # that belongs to the word it begins
        for i in "${!COMPREPLY[@]}"; do
                COMPREPLY[i]=${COMPREPLY[i]#"$before"}
        done
}

complete -F _veille_probe veille-probe
