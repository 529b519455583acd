# shellcheck shell=bash
# Completion of kairos for bash: commands, options, their values, files, and the names of services,
# for which the server is asked if it answers within a second.
#
# Which commands and options there are, and what values these take, is read from --help, so that it
# holds for any version.

# Prints the help of a command ("services export"), or of kairos itself.
_kairos_help() {
    "$kairos" "$@" --help 2>/dev/null
}

_kairos_commands() {
    _kairos_help | sed -n '/^Commands:/,$ s/^  \([a-z][a-z-]*\)  .*/\1/p'
}

# Prints the options of the command, a line each: "--url=URL", and "-u, --url=URL" with a letter.
_kairos_options() {
    _kairos_help "${command[@]}" | sed -nE 's/^ {2,6}((-., )?--[a-z-]+(=[^ ]+)?).*/\1/p'
}

# Prints what the option $1 (--url, -u) takes: URL; nothing if it takes no value.
_kairos_takes() {
    _kairos_options | sed -nE "s/^(-., )?$1=//p; s/^$1, --[a-z-]+=//p"
}

# Prints the names of services that have $1 in them.
_kairos_services() {
    local options=(--json)
    [ -z "$1" ] || options+=("--search=$1")
    [ -z "$url" ] || options+=("--url=$url")
    timeout 1 "$kairos" status "${options[@]}" 2>/dev/null | head -n 1000 |
        sed -n 's/^  {"service": "\([a-z0-9_-]*\)".*/\1/p'
}

# Offers those of the words $1 that begin with $2; before each stands $3.
_kairos_offer() {
    mapfile -t COMPREPLY < <(compgen -P "${3-}" -W "$1" -- "$2")
}

# Offers files, or with "-d" folders, that begin with $2.
_kairos_offer_files() {
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen "$1" -- "$2")
}

# Completes the value $2 of an option that takes $1.
_kairos_value() {
    local head=""
    case $1 in
    FILE | PATH) _kairos_offer_files -f "$2" ;;
    DIR) _kairos_offer_files -d "$2" ;;
    LEVEL) _kairos_offer "DEBUG INFO WARNING ERROR" "$2" ;;
    ORDER) _kairos_offer "name -name last_seen -last_seen" "$2" ;;
    TIME) _kairos_offer "now" "$2" ;;
    STATUS*)
        [[ $2 != *,* ]] || head=${2%,*},
        _kairos_offer "new up late down paused" "${2#"$head"}" "$head"
        ;;
    *\|*) _kairos_offer "${1//|/ }" "$2" ;;
    esac
}

# Completes the option $1: with a blank behind it, or with = if it takes a value.
_kairos_option() {
    local options
    options=$(_kairos_options | grep -oE -- '--[a-z-]+=?')
    _kairos_offer "$options" "$1"
    [[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace 2>/dev/null
}

# Completes the word $1, which is neither an option nor a value.
_kairos_argument() {
    case ${command[*]}:$arguments in
    :*) _kairos_offer "$(_kairos_commands)" "$1" ;;
    ping:0 | exec:0) _kairos_offer "$(_kairos_services "$1")" "$1" ;;
    exec:*) mapfile -t COMPREPLY < <(compgen -c -- "$1") ;;
    services:*) _kairos_offer "export import" "$1" ;;
    replay:0 | "services import:0" | check-config:0) _kairos_offer_files -f "$1" ;;
    esac
}

# Sets words to the words of the line up to the cursor. The shell has cut them at = and : as well.
_kairos_read_words() {
    local i rest=$COMP_LINE blanks word
    words=()
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        blanks=${rest%%[![:blank:]]*}
        rest=${rest#"$blanks"}
        rest=${rest#"$word"}
        if [[ -n $blanks || $i -eq 0 ]]; then
            words+=("$word")
        else
            words[${#words[@]} - 1]+=$word
        fi
    done
}

# Looks through the words before the last one: sets command, url, arguments (how many there are
# behind the command), dashes (where the command of exec begins, behind --), and waiting (what the
# last of them, an option, takes).
_kairos_parse() {
    local i word
    for ((i = 1; i < ${#words[@]} - 1; i++)); do
        word=${words[i]} waiting=""
        if [[ $word == -- ]]; then
            dashes=$i
            return
        elif [[ $word == --url=* ]]; then
            url=${word#*=}
        elif [[ $word == -* ]]; then
            [[ $word == *=* ]] || waiting=$(_kairos_takes "$word")
            [[ -n $waiting && $i -lt $((${#words[@]} - 2)) ]] || continue
            ((i++))
            [[ $waiting != URL ]] || url=${words[i]}
            waiting=""
        elif [[ ${#command[@]} -eq 0 && $i -eq 1 || ${command[*]} == services ]]; then
            command+=("$word")
        else
            ((arguments++))
        fi
    done
}

# Completes the command that exec runs, or an argument of it.
_kairos_command_line() {
    local i
    for ((i = 1; i < COMP_CWORD; i++)); do
        [[ ${COMP_WORDS[i]} != -- ]] || break
    done
    if declare -F _command_offset >/dev/null; then
        _command_offset $((i + 1))
    elif ((COMP_CWORD == i + 1)); then
        mapfile -t COMPREPLY < <(compgen -c -- "$1")
    else
        _kairos_offer_files -f "$1"
    fi
}

_kairos() {
    local kairos=$1 command=() words=() url="" arguments=0 dashes=0 waiting="" cur
    COMPREPLY=()
    _kairos_read_words
    _kairos_parse
    cur=${words[${#words[@]} - 1]}
    if ((dashes > 0)); then
        _kairos_command_line "$cur"
    elif [[ -n $waiting ]]; then
        _kairos_value "$waiting" "$cur"
    elif [[ $cur == --*=* ]]; then
        _kairos_value "$(_kairos_takes "${cur%%=*}")" "${cur#*=}"
    elif [[ $cur == -* ]]; then
        _kairos_option "$cur"
    else
        _kairos_argument "$cur"
    fi
}

complete -F _kairos kairos
